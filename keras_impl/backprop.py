"""Back-propagation gate by gate: what the tape gives, against the rules worked out by hand.

Twin: pytorch_impl/backprop.py
Look at: who gets a gradient that comes in from above (the tape's `output_gradients` here,
`backward(upstream)` there), `jacobians` (of two tensors here, of a function there), and the
kernels of `two_layers`: (in, out) here, so `@` needs no transpose, (out, in) there.

The same by hand, in NumPy: shared/examples/backprop.py
"""

import tensorflow as tf


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
        slopes[activation.__name__] = tf.stack([tape.gradient(y, x) for y in outputs])
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
        "paths_add_up": bool(tf.reduce_all(tf.abs(direct + by_square + by_gate - dx) < 1e-5)),
    }


def jacobians(x, kernel, bias):
    """Of 4 outputs by 3 inputs, by a kernel, by a bias; a gradient has its variable's shape."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, kernel, bias])
        output = tf.tanh(tf.linalg.matvec(kernel, x, transpose_a=True) + bias)  # `@` wants matrices
    by_x, by_kernel, by_bias = tape.jacobian(output, [x, kernel, bias])
    gradient = tape.gradient(output, kernel)
    apart = tf.abs(tf.reduce_sum(by_kernel, axis=0) - gradient)
    return {
        "by_x": by_x,
        "by_kernel": by_kernel,
        "by_bias": by_bias,
        "gradient": gradient,
        "shape_by_x": tuple(by_x.shape),
        "shape_by_kernel": tuple(by_kernel.shape),
        "shape_of_gradient": tuple(gradient.shape),
        "kernels_jacobian_summed_is_its_gradient": bool(tf.reduce_all(apart < 1e-5)),
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
