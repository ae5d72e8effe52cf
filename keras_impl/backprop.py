"""Back-propagation gate by gate: what the tape gives, against the rules worked out by hand.

Twin: pytorch_impl/backprop.py
Look at: who gets a gradient that comes in from above (the tape's `output_gradients` here,
`backward(upstream)` there), `jacobians` (of two tensors here, of a function there), and the
kernels of `two_layers`: (in, out) here, so `@` needs no transpose, (out, in) there.

The same by hand, in NumPy: shared/examples/backprop.py
"""

import numpy as np
import tensorflow as tf
from keras import ops

from shared.plots import Plots


def show(title, results):
    """Print what an experiment found; tensors as rounded numbers."""
    print(f"\n{title}")
    for name, value in results.items():
        head = f"  {name}: "
        if ops.is_tensor(value):
            print(head + np.array2string(ops.convert_to_numpy(value), precision=4, prefix=head))
        else:
            print(head + str(value))


def upstream_times_local(x, y, z):
    """f = (x + y)·z backwards: what comes from above, times the gate's own slope, goes on below."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, y, z])
        q = x + y
        f = q * z
    upstream = tape.gradient(f, q)  # df/dq, from the product
    local_x, local_y = tape.gradient(q, [x, y])  # dq/dx, of the sum
    df_dx, df_dy, df_dz = tape.gradient(f, [x, y, z])
    return {
        "q": q,
        "f": f,
        "df_dq": upstream,
        "dq_dx": local_x,
        "dq_dy": local_y,
        "df_dx": df_dx,
        "df_dy": df_dy,
        "df_dz": df_dz,
        "product_is_df_dx": bool(upstream * local_x == df_dx),
    }


def add(x, y, upstream):
    """A sum hands its gradient on as it is; what was broadcast collects from every row."""
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        total = x + y
    dx, dy = tape.gradient(total, [x, y], output_gradients=upstream)
    return {"total": total, "dx": dx, "dy": dy}


def multiply(x, y, upstream):
    """A product hands each factor the other one."""
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        product = x * y
    dx, dy = tape.gradient(product, [x, y], output_gradients=upstream)
    return {"product": product, "dx": dx, "dy": dy}


def maximum(x, y, upstream):
    """A maximum sends everything to the winner."""
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        largest = tf.maximum(x, y)
    dx, dy = tape.gradient(largest, [x, y], output_gradients=upstream)
    return {"largest": largest, "dx": dx, "dy": dy}


def relu(x, upstream):
    """A gate that is open or shut; at 0 both frameworks keep it shut."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.nn.relu(x)
    return {"y": y, "dx": tape.gradient(y, x, output_gradients=upstream)}


def sigmoid(x):
    """σ and its slope σ·(1 − σ), the same on both sides of 0."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.sigmoid(x)
    return {"y": y, "slope": tape.gradient(y, x)}  # of many outputs the tape takes the sum


def tanh(x):
    """The hyperbolic tangent and its slope 1 − tanh²: a sigmoid stretched to −1…1."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.tanh(x)
    return {"y": y, "slope": tape.gradient(y, x)}


def vanishing(x):
    """Slopes far from 0: next to nothing of a sigmoid or a tanh; of a ReLU all, or nothing."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        sigmoid, tanh, relu = tf.sigmoid(x), tf.tanh(x), tf.nn.relu(x)
    return {
        "sigmoid": tape.gradient(sigmoid, x),
        "tanh": tape.gradient(tanh, x),
        "relu": tape.gradient(relu, x),
    }


def through_layers(x):
    """dy/dx after each of twelve layers, one upon the other: slopes multiply."""
    slopes = {}
    for activation in (tf.sigmoid, tf.tanh, tf.nn.relu):
        y, outputs = x, []
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            for _ in range(12):
                y = activation(y)
                outputs.append(y)
        slopes[activation.__name__] = ops.stack([tape.gradient(y, x) for y in outputs])
    return slopes


def fan_out(x):
    """What is used three times gets three gradients, and they add up."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        square, gate = x * x, tf.sigmoid(x)
        y = square * gate + 3 * x
        only_direct = 3 * x
        only_square = square * tf.stop_gradient(gate)
        only_gate = tf.stop_gradient(square) * gate
    dx = tape.gradient(y, x)
    direct, by_square, by_gate = (
        tape.gradient(path, x) for path in (only_direct, only_square, only_gate)
    )
    return {
        "y": y,
        "direct": direct,
        "by_square": by_square,
        "by_gate": by_gate,
        "dx": dx,
        "paths_add_up": np.allclose(direct + by_square + by_gate, dx),
    }


def derivative_shapes(x, kernel):
    """A number by a number is a number, by a vector a gradient; a vector by a vector a Jacobian."""
    number = x[0]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([number, x])
        of_number = number**2
        of_vector = tf.reduce_sum(x**2)
        to_vector = tf.tanh(tf.linalg.matvec(kernel, x, transpose_a=True))
    scalar = tape.gradient(of_number, number)
    gradient = tape.gradient(of_vector, x)
    jacobian = tape.jacobian(to_vector, x)
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
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, kernel, bias])
        output = tf.tanh(tf.linalg.matvec(kernel, x, transpose_a=True) + bias)  # `@` wants matrices
    by_x, by_kernel, by_bias = tape.jacobian(output, [x, kernel, bias])
    gradient = tape.gradient(output, kernel)
    return {
        "by_x": by_x,
        "by_kernel": by_kernel,
        "by_bias": by_bias,
        "gradient": gradient,
        "shape_by_x": tuple(by_x.shape),
        "shape_by_kernel": tuple(by_kernel.shape),
        "shape_of_gradient": tuple(gradient.shape),
        "kernels_jacobian_summed_is_its_gradient": np.allclose(
            ops.sum(by_kernel, axis=0), gradient, atol=1e-7
        ),
    }


def batch_jacobian(x, kernel):
    """One Jacobian a row of the batch: rows do not depend on each other."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = tf.sigmoid(x @ kernel)
    each = tape.batch_jacobian(output, x)
    return {"jacobian": each, "shape": tuple(each.shape)}


def two_layers(x, targets, hidden_kernel, hidden_bias, output_kernel, output_bias):
    """A two-layer perceptron: every gradient between the loss and the first kernel."""
    parameters = (hidden_kernel, hidden_bias, output_kernel, output_bias)
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        hidden = x @ hidden_kernel + hidden_bias
        active = tf.sigmoid(hidden)
        output = active @ output_kernel + output_bias
        loss = tf.reduce_mean(tf.reduce_sum((output - targets) ** 2, axis=1)) / 2
    gradients = tape.gradient(loss, [output, active, hidden, *parameters])
    d_output, d_active, d_hidden, *rest = gradients
    d_hidden_kernel, d_hidden_bias, d_output_kernel, d_output_bias = rest
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


def update(x, targets, hidden_kernel, hidden_bias, output_kernel, output_bias, rate):
    """U ← U − ρ·∂J/∂U for every parameter of the two layers, and the loss before and after."""
    start = (hidden_kernel, hidden_bias, output_kernel, output_bias)
    parameters = hidden_kernel, hidden_bias, output_kernel, output_bias = [*map(tf.Variable, start)]

    def loss():
        active = tf.sigmoid(x @ hidden_kernel + hidden_bias)
        output = active @ output_kernel + output_bias
        return tf.reduce_mean(tf.reduce_sum((output - targets) ** 2, axis=1)) / 2

    with tf.GradientTape() as tape:
        before = loss()
    for parameter, gradient in zip(parameters, tape.gradient(before, parameters), strict=True):
        parameter.assign_sub(rate * gradient)
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
    for name, slopes in through_layers(tf.constant(0.5)).items():
        axes.semilogy(range(1, 13), slopes, marker="o", label=name)
    axes.set(xlabel="layers", ylabel="dy/dx")
    axes.legend()


def main():
    """Every gate on a few numbers, then layers: in the order of this file."""
    plots = Plots(__file__)
    corner = (-3.0, 5.0, -2.0)
    x, y = [[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]], [[2.0, 1.0, 5.0], [-3.0, 0.0, 1.0]]
    row, upstream = [10.0, 20.0, 30.0], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    show("f = (x + y)·z at −3, 5, −2", upstream_times_local(*map(tf.constant, corner)))
    show("A sum hands on", add(*map(tf.constant, (x, row, upstream))))
    show("A product swaps", multiply(*map(tf.constant, (x, y, upstream))))
    show("A maximum chooses", maximum(*map(tf.constant, (x, y, upstream))))
    show(
        "A ReLU is open or shut", relu(tf.constant([2.0, -4.0, 0.0]), tf.constant([3.0, 5.0, 7.0]))
    )
    show("σ and its slope", sigmoid(tf.constant([-4.0, 0.0, 4.0])))
    show("tanh and its slope", tanh(tf.constant([-4.0, 0.0, 4.0])))
    show("Slopes at −10, 0, 10", vanishing(tf.constant([-10.0, 0.0, 10.0], tf.float64)))
    show("Slopes behind 1 to 12 layers", through_layers(tf.constant(0.5)))
    show("Used three times: x²·σ(x) + 3x", fan_out(tf.constant([-1.5, 0.5, 3.0])))

    vector, bias = [0.5, -1.0, 2.0], [0.1, 0.2, 0.3, 0.4]
    kernel = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [-0.1, -0.2, -0.3, -0.4]]
    show("Number, gradient, Jacobian", derivative_shapes(*map(tf.constant, (vector, kernel))))
    show("Jacobians of a layer", jacobians(*map(tf.constant, (vector, kernel, bias))))
    show("One Jacobian a row", batch_jacobian(*map(tf.constant, (x, kernel))))

    targets = [[1.0], [0.0]]
    parameters = ([[0.1, -0.2], [0.3, 0.4], [-0.5, 0.6]], [0.0, 0.1], [[1.0], [-1.0]], [0.2])
    layers = (x, targets, *parameters)
    show("Two layers, forwards and backwards", two_layers(*map(tf.constant, layers)))
    show("A step down: U − ρ·∂J/∂U, ρ = 0.1", update(*map(tf.constant, (*layers, 0.1))))

    plots.draw("graph", lambda figure: draw_graph(figure, *map(tf.constant, corner)))
    plots.draw("slopes", draw_slopes)


if __name__ == "__main__":
    main()
