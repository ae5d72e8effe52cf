"""Back-propagation gate by gate: what autograd gives, against the rules worked out by hand.

Twin: keras_impl/backprop.py
Look at: who gets a gradient that comes in from above (`backward(upstream)` here, the tape's
`output_gradients` there), `jacobians` (of a function here, of two tensors there), and the kernels
of `two_layers`: `F.linear` wants (out, in), so its gradient has that shape as well.

The same by hand, in NumPy: shared/examples/backprop.py
"""

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from shared.plots import Plots


def show(title, results):
    """Print what an experiment found; tensors as rounded numbers."""
    print(f"\n{title}")
    for name, value in results.items():
        head = f"  {name}: "
        if torch.is_tensor(value):
            print(head + np.array2string(value.numpy(force=True), precision=4, prefix=head))
        else:
            print(head + str(value))


def upstream_times_local(x, y, z):
    """f = (x + y)·z backwards: what comes from above, times the gate's own slope, goes on below."""
    for tensor in (x, y, z):
        tensor.requires_grad_()
    q = x + y
    f = q * z
    (upstream,) = torch.autograd.grad(f, q, retain_graph=True)  # df/dq, from the product
    local_x, local_y = torch.autograd.grad(q, (x, y), retain_graph=True)  # dq/dx, of the sum
    f.backward()
    return {
        "q": q,
        "f": f,
        "df_dq": upstream,
        "dq_dx": local_x,
        "dq_dy": local_y,
        "df_dx": x.grad,
        "df_dy": y.grad,
        "df_dz": z.grad,
        "product_is_df_dx": torch.equal(upstream * local_x, x.grad),
    }


def add(x, y, upstream):
    """A sum hands its gradient on as it is; what was broadcast collects from every row."""
    x.requires_grad_()
    y.requires_grad_()
    total = x + y
    total.backward(upstream)
    return {"total": total, "dx": x.grad, "dy": y.grad}


def multiply(x, y, upstream):
    """A product hands each factor the other one."""
    x.requires_grad_()
    y.requires_grad_()
    product = x * y
    product.backward(upstream)
    return {"product": product, "dx": x.grad, "dy": y.grad}


def maximum(x, y, upstream):
    """A maximum sends everything to the winner."""
    x.requires_grad_()
    y.requires_grad_()
    largest = torch.maximum(x, y)
    largest.backward(upstream)
    return {"largest": largest, "dx": x.grad, "dy": y.grad}


def relu(x, upstream):
    """A gate that is open or shut; at 0 both frameworks keep it shut."""
    x.requires_grad_()
    y = torch.relu(x)
    y.backward(upstream)
    return {"y": y, "dx": x.grad}


def sigmoid(x):
    """σ and its slope σ·(1 − σ), the same on both sides of 0."""
    x.requires_grad_()
    y = torch.sigmoid(x)
    y.sum().backward()
    return {"y": y, "slope": x.grad}


def tanh(x):
    """The hyperbolic tangent and its slope 1 − tanh²: a sigmoid stretched to −1…1."""
    x.requires_grad_()
    y = torch.tanh(x)
    y.sum().backward()
    return {"y": y, "slope": x.grad}


def vanishing(x):
    """Slopes far from 0: next to nothing of a sigmoid or a tanh; of a ReLU all, or nothing."""
    x.requires_grad_()
    (sigmoid_slope,) = torch.autograd.grad(torch.sigmoid(x).sum(), x)
    (tanh_slope,) = torch.autograd.grad(torch.tanh(x).sum(), x)
    (relu_slope,) = torch.autograd.grad(torch.relu(x).sum(), x)
    return {"sigmoid": sigmoid_slope, "tanh": tanh_slope, "relu": relu_slope}


def through_layers(x):
    """dy/dx after each of twelve layers, one upon the other: slopes multiply."""
    x.requires_grad_()
    slopes = {}
    for activation in (torch.sigmoid, torch.tanh, torch.relu):
        y, found = x, []
        for _ in range(12):
            y = activation(y)
            (slope,) = torch.autograd.grad(y, x, retain_graph=True)
            found.append(slope)
        slopes[activation.__name__] = torch.stack(found)
    return slopes


def fan_out(x):
    """What is used three times gets three gradients, and they add up."""
    x.requires_grad_()
    square, gate = x * x, torch.sigmoid(x)
    y = square * gate + 3 * x
    y.sum().backward()
    (direct,) = torch.autograd.grad((3 * x).sum(), x)
    (by_square,) = torch.autograd.grad((x * x * gate.detach()).sum(), x)
    (by_gate,) = torch.autograd.grad((square.detach() * torch.sigmoid(x)).sum(), x)
    return {
        "y": y,
        "direct": direct,
        "by_square": by_square,
        "by_gate": by_gate,
        "dx": x.grad,
        "paths_add_up": torch.allclose(direct + by_square + by_gate, x.grad),
    }


def derivative_shapes(x, kernel):
    """A number by a number is a number, by a vector a gradient; a vector by a vector a Jacobian."""

    def of_number(t):
        return t**2

    def of_vector(x):
        return (x**2).sum()

    def to_vector(x):
        return torch.tanh(x @ kernel)

    scalar = torch.func.grad(of_number)(x[0])
    gradient = torch.func.grad(of_vector)(x)
    jacobian = torch.func.jacrev(to_vector)(x)
    return {
        "scalar": scalar,
        "gradient": gradient,
        "jacobian": jacobian,
        "shape_of_scalar": tuple(scalar.shape),
        "shape_of_gradient": tuple(gradient.shape),
        "shape_of_jacobian": tuple(jacobian.shape),
    }


def jacobians(x, kernel, bias):
    """Of 4 outputs by 3 inputs, by a kernel, by a bias; a gradient has its variable's shape."""

    def layer(x, kernel, bias):
        return torch.tanh(x @ kernel + bias)

    by_x, by_kernel, by_bias = torch.func.jacrev(layer, (0, 1, 2))(x, kernel, bias)
    kernel.requires_grad_()
    (gradient,) = torch.autograd.grad(layer(x, kernel, bias).sum(), kernel)
    return {
        "by_x": by_x,
        "by_kernel": by_kernel,
        "by_bias": by_bias,
        "gradient": gradient,
        "shape_by_x": tuple(by_x.shape),
        "shape_by_kernel": tuple(by_kernel.shape),
        "shape_of_gradient": tuple(gradient.shape),
        "kernels_jacobian_summed_is_its_gradient": torch.allclose(by_kernel.sum(0), gradient),
    }


def batch_jacobian(x, kernel):
    """One Jacobian a row of the batch: rows do not depend on each other."""
    each = torch.func.vmap(torch.func.jacrev(lambda row: torch.sigmoid(row @ kernel)))(x)
    return {"jacobian": each, "shape": tuple(each.shape)}


def two_layers(x, targets, hidden_kernel, hidden_bias, output_kernel, output_bias):
    """A two-layer perceptron: every gradient between the loss and the first kernel."""
    parameters = (hidden_kernel, hidden_bias, output_kernel, output_bias)
    for parameter in parameters:
        parameter.requires_grad_()
    hidden = F.linear(x, hidden_kernel, hidden_bias)
    active = torch.sigmoid(hidden)
    output = F.linear(active, output_kernel, output_bias)
    loss = ((output - targets) ** 2).sum(dim=1).mean() / 2
    for between in (hidden, active, output):
        between.retain_grad()
    loss.backward()
    return {
        "hidden": hidden,
        "active": active,
        "output": output,
        "loss": loss,
        "d_output": output.grad,
        "d_output_kernel": output_kernel.grad,
        "d_output_bias": output_bias.grad,
        "d_active": active.grad,
        "d_hidden": hidden.grad,
        "d_hidden_kernel": hidden_kernel.grad,
        "d_hidden_bias": hidden_bias.grad,
    }


def update(x, targets, hidden_kernel, hidden_bias, output_kernel, output_bias, rate):
    """U ← U − ρ·∂J/∂U for every parameter of the two layers, and the loss before and after."""
    parameters = (hidden_kernel, hidden_bias, output_kernel, output_bias)
    for parameter in parameters:
        parameter.requires_grad_()

    def loss():
        active = torch.sigmoid(F.linear(x, hidden_kernel, hidden_bias))
        output = F.linear(active, output_kernel, output_bias)
        return ((output - targets) ** 2).sum(dim=1).mean() / 2

    before = loss()
    before.backward()
    with torch.no_grad():  # the step itself is no part of the graph
        for parameter in parameters:
            parameter.sub_(rate * parameter.grad)
        after = loss()
    return {
        "before": before,
        "after": after,
        "falls": bool(after < before),
        "hidden_kernel": hidden_kernel,
        "hidden_bias": hidden_bias,
        "output_kernel": output_kernel,
        "output_bias": output_bias,
    }


def draw_graph(figure, x, y, z):
    """f = (x + y)·z: on every arrow its value and, in red, its gradient, upstream times local."""
    found = upstream_times_local(x, y, z)
    figure.set_size_inches(8, 4.5)
    axes = figure.subplots()
    white, middle = {"facecolor": "white", "edgecolor": "none"}, {"ha": "center", "va": "center"}
    for name, place in (("+", (2, 2)), ("×", (4, 1))):
        axes.text(
            *place, name, size=16, bbox={"boxstyle": "circle", "facecolor": "white"}, **middle
        )
    df_dq, dq_dx, dq_dy = found["df_dq"], found["dq_dx"], found["dq_dy"]
    edges = (  # from, to, value, gradient
        ((0, 3), (2, 2), f"x = {x:g}", f"{df_dq:g} · {dq_dx:g} = {found['df_dx']:g}"),
        ((0, 1), (2, 2), f"y = {y:g}", f"{df_dq:g} · {dq_dy:g} = {found['df_dy']:g}"),
        ((2, 2), (4, 1), f"q = {found['q']:g}", f"1 · z = {df_dq:g}"),
        ((0, 0), (4, 1), f"z = {z:g}", f"1 · q = {found['df_dz']:g}"),
        ((4, 1), (6, 1), f"f = {found['f']:g}", "1"),
    )
    for start, end, value, gradient in edges:
        arrow = {"arrowstyle": "->", "shrinkA": 14, "shrinkB": 14}
        axes.annotate("", end, start, arrowprops=arrow)
        x_middle, y_middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        axes.text(x_middle, y_middle + 0.13, value, bbox=white, **middle)
        axes.text(x_middle, y_middle - 0.13, gradient, bbox=white, color="tab:red", **middle)
    axes.set(
        xlim=(-0.3, 6.3),
        ylim=(-0.3, 3.3),
        title="values, and gradients in red: upstream · local = gradient",
    )
    axes.axis("off")


def draw_slopes(figure):
    """Slopes behind twelve layers: a sigmoid lets through at most a quarter each time."""
    axes = figure.subplots()
    for name, slopes in through_layers(torch.tensor(0.5)).items():
        axes.semilogy(range(1, 13), slopes.detach(), marker="o", label=name)
    axes.set(xlabel="layers", ylabel="dy/dx")
    axes.legend()


def main():
    """Every gate on a few numbers, then layers: in the order of this file."""
    plots = Plots(__file__)
    corner = (-3.0, 5.0, -2.0)
    x, y = [[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]], [[2.0, 1.0, 5.0], [-3.0, 0.0, 1.0]]
    row, upstream = [10.0, 20.0, 30.0], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    # New tensors for every experiment: on the same ones gradients would add up.
    show("f = (x + y)·z at −3, 5, −2", upstream_times_local(*map(torch.tensor, corner)))
    show("A sum hands on", add(*map(torch.tensor, (x, row, upstream))))
    show("A product swaps", multiply(*map(torch.tensor, (x, y, upstream))))
    show("A maximum chooses", maximum(*map(torch.tensor, (x, y, upstream))))
    show(
        "A ReLU is open or shut",
        relu(torch.tensor([2.0, -4.0, 0.0]), torch.tensor([3.0, 5.0, 7.0])),
    )
    show("σ and its slope", sigmoid(torch.tensor([-4.0, 0.0, 4.0])))
    show("tanh and its slope", tanh(torch.tensor([-4.0, 0.0, 4.0])))
    show("Slopes at −10, 0, 10", vanishing(torch.tensor([-10.0, 0.0, 10.0], dtype=torch.float64)))
    show("Slopes behind 1 to 12 layers", through_layers(torch.tensor(0.5)))
    show("Used three times: x²·σ(x) + 3x", fan_out(torch.tensor([-1.5, 0.5, 3.0])))

    vector, bias = [0.5, -1.0, 2.0], [0.1, 0.2, 0.3, 0.4]
    kernel = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [-0.1, -0.2, -0.3, -0.4]]
    show("Number, gradient, Jacobian", derivative_shapes(*map(torch.tensor, (vector, kernel))))
    show("Jacobians of a layer", jacobians(*map(torch.tensor, (vector, kernel, bias))))
    show("One Jacobian a row", batch_jacobian(*map(torch.tensor, (x, kernel))))

    targets = [[1.0], [0.0]]
    parameters = ([[0.1, 0.3, -0.5], [-0.2, 0.4, 0.6]], [0.0, 0.1], [[1.0, -1.0]], [0.2])
    layers = (x, targets, *parameters)
    show("Two layers, forwards and backwards", two_layers(*map(torch.tensor, layers)))
    show("A step down: U − ρ·∂J/∂U, ρ = 0.1", update(*map(torch.tensor, (*layers, 0.1))))

    plots.draw("graph", lambda figure: draw_graph(figure, *map(torch.tensor, corner)))
    plots.draw("slopes", draw_slopes)


if __name__ == "__main__":
    main()
