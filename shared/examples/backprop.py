"""Spec of the back-propagation examples, and back-propagation itself, by hand in NumPy.

Every function below goes forward, then backward: `upstream` is the gradient of whatever comes
after by this gate's output, and each input gets upstream times the gate's own slope, in its own
shape. Both autograds must give these numbers.
"""

from typing import Any

import numpy as np

from parity.spec.cases import Case
from parity.spec.example import ExampleSpec
from shared.initial_weights import drawn

Values = dict[str, Any]


def sigmoid_of(x: Any) -> Any:
    """σ(x) = 1 / (1 + e⁻ˣ)."""
    return 1 / (1 + np.exp(-x))


def upstream_times_local(x: Any, y: Any, z: Any) -> Values:
    """f = (x + y)·z: the product hands z to the sum, and the sum hands it on, times 1."""
    return {
        "q": x + y,
        "f": (x + y) * z,
        "df_dq": z,
        "dq_dx": 1.0,
        "dq_dy": 1.0,
        "df_dx": z,
        "df_dy": z,
        "df_dz": x + y,
    }


def add(x: Any, y: Any, upstream: Any) -> Values:
    """A sum: slope 1 for both; y, one row, was used for every row of x and collects from each."""
    return {"total": x + y, "dx": upstream, "dy": upstream.sum(axis=0)}


def multiply(x: Any, y: Any, upstream: Any) -> Values:
    """A product: the slope of one factor is the other."""
    return {"product": x * y, "dx": upstream * y, "dy": upstream * x}


def maximum(x: Any, y: Any, upstream: Any) -> Values:
    """A maximum: slope 1 for the larger, 0 for the smaller."""
    return {
        "largest": np.where(x > y, x, y),
        "dx": np.where(x > y, upstream, 0),
        "dy": np.where(x > y, 0, upstream),
    }


def relu(x: Any, upstream: Any) -> Values:
    """A maximum with 0."""
    return {"y": np.where(x > 0, x, 0), "dx": np.where(x > 0, upstream, 0)}


def sigmoid(x: Any) -> Values:
    """The slope comes from the output alone."""
    y = sigmoid_of(x)
    return {"y": y, "slope": y * (1 - y)}


def tanh(x: Any) -> Values:
    """tanh(x) = 2·σ(2x) − 1, so its slope is 4·σ·(1 − σ) at 2x, which is 1 − tanh²."""
    y = 2 * sigmoid_of(2 * x) - 1
    return {"y": y, "slope": 1 - y**2}


def vanishing(x: Any) -> Values:
    """Slopes of the three, each from its output."""
    return {
        "sigmoid": sigmoid(x)["slope"],
        "tanh": tanh(x)["slope"],
        "relu": np.where(x > 0, 1, 0),
    }


def through_layers(x: Any) -> Values:
    """The chain rule: the slope after one more layer is the slope so far, times the layer's own."""
    slopes = {}
    for name, gate in (("sigmoid", sigmoid), ("tanh", tanh), ("relu", _open)):
        y, so_far, found = x, 1.0, []
        for _ in range(12):
            y, own = gate(y).values()
            so_far = so_far * own
            found.append(so_far)
        slopes[name] = np.array(found)
    return slopes


def _open(x: Any) -> Values:
    return relu(x, 1.0)


def fan_out(x: Any) -> Values:
    """y = x²·σ(x) + 3x by the product rule, path by path."""
    square, gate = x * x, sigmoid_of(x)
    by_square = gate * 2 * x
    by_gate = square * gate * (1 - gate)
    return {
        "y": square * gate + 3 * x,
        "direct": np.full_like(x, 3),
        "by_square": by_square,
        "by_gate": by_gate,
        "dx": by_square + by_gate + 3,
    }


def derivative_shapes(x: Any, kernel: Any) -> Values:
    """Of t², of Σ xᵢ², and of tanh(x·W)."""
    slope = 1 - np.tanh(x @ kernel) ** 2
    return {"scalar": 2 * x[0], "gradient": 2 * x, "jacobian": slope[:, None] * kernel.T}


def jacobians(x: Any, kernel: Any, bias: Any) -> Values:
    """h = tanh(x·W + b): row k of a Jacobian is the gradient of output k."""
    h = np.tanh(x @ kernel + bias)
    slope = 1 - h**2
    # Output k depends on column k of the kernel only, and there through x.
    by_kernel = np.einsum("k,i,kj->kij", slope, x, np.eye(len(h)))
    return {
        "by_x": slope[:, None] * kernel.T,
        "by_kernel": by_kernel,
        "by_bias": np.diag(slope),
        "gradient": np.outer(x, slope),
    }


def batch_jacobian(x: Any, kernel: Any) -> Values:
    """One (out, in) matrix a row."""
    slope = sigmoid(x @ kernel)["slope"]
    return {"jacobian": slope[:, :, None] * kernel.T}


def two_layers(  # noqa: PLR0917
    x: Any, targets: Any, hidden_kernel: Any, hidden_bias: Any, output_kernel: Any, output_bias: Any
) -> Values:
    """Forward, then backward in the opposite order; a line backward for a line forward."""
    hidden = x @ hidden_kernel + hidden_bias
    active = sigmoid_of(hidden)
    output = active @ output_kernel + output_bias
    loss = ((output - targets) ** 2).sum(axis=1).mean() / 2

    d_output = (output - targets) / len(x)
    d_output_kernel = active.T @ d_output
    d_output_bias = d_output.sum(axis=0)
    d_active = d_output @ output_kernel.T
    d_hidden = d_active * active * (1 - active)
    d_hidden_kernel = x.T @ d_hidden
    d_hidden_bias = d_hidden.sum(axis=0)
    return {
        "hidden": hidden,
        "active": active,
        "output": output,
        "loss": loss,
        "d_output": d_output,
        "d_output_kernel": d_output_kernel,
        "d_output_bias": d_output_bias,
        "d_active": d_active,
        "d_hidden": d_hidden,
        "d_hidden_kernel": d_hidden_kernel,
        "d_hidden_bias": d_hidden_bias,
    }


def update(  # noqa: PLR0917
    x: Any,
    targets: Any,
    hidden_kernel: Any,
    hidden_bias: Any,
    output_kernel: Any,
    output_bias: Any,
    rate: Any,
) -> Values:
    """Every parameter against its gradient, by ρ = `rate`."""
    parameters = {
        "hidden_kernel": hidden_kernel,
        "hidden_bias": hidden_bias,
        "output_kernel": output_kernel,
        "output_bias": output_bias,
    }
    found = two_layers(x, targets, **parameters)
    moved = {name: value - rate * found[f"d_{name}"] for name, value in parameters.items()}
    after = two_layers(x, targets, **moved)["loss"]
    return {"before": found["loss"], "after": after, **moved}


_KERNELS = ("hidden_kernel", "output_kernel", "d_hidden_kernel", "d_output_kernel")

BACKPROP = ExampleSpec(
    name="backprop",
    title="Back-propagation by hand",
    part="Tensors and autograd",
    summary=(
        "The rules of back-propagation, gate by gate and through a two-layer perceptron, written "
        "out in NumPy, with the step that they are for; both autograds give the same numbers. And "
        "why deep sigmoids learn slowly: a slope of at most 1/4 a layer."
    ),
    cases=(
        Case(
            "upstream_times_local",
            {"x": -3.0, "y": 5.0, "z": -2.0},
            {"df_dx": -2.0, "df_dy": -2.0, "df_dz": 2.0, "product_is_df_dx": True},
            reference=upstream_times_local,
        ),
        Case(
            "add",
            {
                "x": drawn("backprop/x", (2, 3)),
                "y": drawn("backprop/row", (3,)),
                "upstream": drawn("backprop/upstream", (2, 3)),
            },
            reference=add,
        ),
        Case(
            "multiply",
            {
                "x": drawn("backprop/x", (2, 3)),
                "y": drawn("backprop/y", (2, 3)),
                "upstream": drawn("backprop/upstream", (2, 3)),
            },
            reference=multiply,
        ),
        Case(
            "maximum",
            {
                "x": drawn("backprop/x", (2, 3)),
                "y": drawn("backprop/y", (2, 3)),
                "upstream": drawn("backprop/upstream", (2, 3)),
            },
            reference=maximum,
        ),
        Case(
            "relu",
            {"x": (2.0, -4.0, 0.0, 0.5, -0.25), "upstream": (3.0, 5.0, 7.0, -11.0, 13.0)},
            {"y": (2.0, 0.0, 0.0, 0.5, 0.0), "dx": (3.0, 0.0, 0.0, -11.0, 0.0)},
            reference=relu,
        ),
        Case("sigmoid", {"x": (-4.0, -1.0, 0.0, 0.5, 3.0)}, reference=sigmoid),
        Case("tanh", {"x": (-4.0, -1.0, 0.0, 0.5, 3.0)}, reference=tanh),
        Case(
            "vanishing",
            {"x": (-10.0, 0.0, 10.0)},
            {
                "sigmoid": ("4.5396e-5", "0.25", "4.5396e-5"),
                "tanh": ("8.2446e-9", 1.0, "8.2446e-9"),
                "relu": (0.0, 0.0, 1.0),
            },
            reference=vanishing,
        ),
        Case("through_layers", {"x": 0.5}, {"relu": (1.0,) * 12}, reference=through_layers),
        Case(
            "fan_out",
            {"x": (-1.5, -0.25, 0.5, 1.0, 3.0)},
            {"paths_add_up": True},
            reference=fan_out,
        ),
        Case(
            "derivative_shapes",
            {"x": drawn("backprop/vector", (3,)), "kernel": drawn("backprop/kernel", (3, 4))},
            {
                "shape_of_scalar": "()",
                "shape_of_gradient": "(3,)",
                "shape_of_jacobian": "(4, 3)",
            },
            reference=derivative_shapes,
        ),
        Case(
            "jacobians",
            {
                "x": drawn("backprop/vector", (3,)),
                "kernel": drawn("backprop/kernel", (3, 4)),
                "bias": drawn("backprop/bias", (4,)),
            },
            {
                "shape_by_x": "(4, 3)",
                "shape_by_kernel": "(4, 3, 4)",
                "shape_of_gradient": "(3, 4)",
                "kernels_jacobian_summed_is_its_gradient": True,
            },
            reference=jacobians,
        ),
        Case(
            "batch_jacobian",
            {"x": drawn("backprop/batch", (2, 3)), "kernel": drawn("backprop/kernel", (3, 4))},
            {"shape": "(2, 4, 3)"},
            reference=batch_jacobian,
        ),
        Case(
            "two_layers",
            {
                "x": drawn("backprop/samples", (5, 3)),
                "targets": drawn("backprop/targets", (5, 2)),
                "hidden_kernel": drawn("backprop/hidden_kernel", (3, 4)),
                "hidden_bias": drawn("backprop/hidden_bias", (4,)),
                "output_kernel": drawn("backprop/output_kernel", (4, 2)),
                "output_bias": drawn("backprop/output_bias", (2,)),
            },
            roles=dict.fromkeys(_KERNELS, "dense/kernel"),
            reference=two_layers,
        ),
        Case(
            "update",
            {
                "x": drawn("backprop/samples", (5, 3)),
                "targets": drawn("backprop/targets", (5, 2)),
                "hidden_kernel": drawn("backprop/hidden_kernel", (3, 4)),
                "hidden_bias": drawn("backprop/hidden_bias", (4,)),
                "output_kernel": drawn("backprop/output_kernel", (4, 2)),
                "output_bias": drawn("backprop/output_bias", (2,)),
                "rate": 0.125,
            },
            {"falls": True},
            roles=dict.fromkeys(("hidden_kernel", "output_kernel"), "dense/kernel"),
            reference=update,
        ),
    ),
)
