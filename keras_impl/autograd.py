"""Gradients by `GradientTape`: what happens inside the tape is recorded, gradients are returned.

Twin: pytorch_impl/autograd.py
Look at: who asks for tracking (the tape here, the tensor there), where gradients go (returned
here; onto `x.grad`, adding up, there), and `edge_gradients` and `masked_gradients`, where the two
disagree.
"""

import keras
import tensorflow as tf


def sum_times(x, y, z):
    """f = (x + y)·z and its three partial derivatives."""
    with tf.GradientTape() as tape:
        tape.watch([x, y, z])
        f = (x + y) * z
    df_dx, df_dy, df_dz = tape.gradient(f, [x, y, z])
    return {"f": f, "df_dx": df_dx, "df_dy": df_dy, "df_dz": df_dz}


def cube_mean(x):
    """out = mean((x + 2)³); intermediate gradients need no preparation, only a name."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x + 2
        z = y**3
        out = tf.reduce_mean(z)
    dout_dx, dout_dy, dout_dz = tape.gradient(out, [x, y, z])
    return {"out": out, "dout_dx": dout_dx, "dout_dy": dout_dy, "dout_dz": dout_dz}


def accumulated(x):
    """Nothing adds up by itself; a second gradient from a tape not persistent is an error."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        out = tf.reduce_mean((x + 2) ** 3)
    twice = tape.gradient(out, x) + tape.gradient(out, x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        out = tf.reduce_mean((x + 2) ** 3)
    tape.gradient(out, x)
    try:
        tape.gradient(out, x)
    except RuntimeError as error:
        third = type(error).__name__
    return {"twice": twice, "third": third}


def square_of_sum(x):
    """z = (Σx)²: a scalar in the middle fans out to every element."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x)
        z = y**2
    return {"z": z, "dz_dx": tape.gradient(z, x)}


def persistent(x):
    """Two gradients from one recording: y = x², z = y²."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x**2
        z = y**2
    dz_dx = tape.gradient(z, x)
    dy_dx = tape.gradient(y, x)
    return {"dz_dx": dz_dx, "dy_dx": dy_dx}


def second_order(x):
    """The derivative of a derivative: the inner tape works inside the outer one."""
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = x**3
        dy_dx = inner.gradient(y, x)
    d2y_dx2 = outer.gradient(dy_dx, x)
    return {"dy_dx": dy_dx, "d2y_dx2": d2y_dx2}


def vector_jacobian(x, v):
    """vᵀ·J for y = 2x: v is given as the gradient that comes in from above."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = 2 * x
    return {"vjp": tape.gradient(y, x, output_gradients=v)}


def jacobian(x):
    """All of J for y = (x₀², x₀·x₁, x₁³), shape (3, 2)."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.stack([x[0] ** 2, x[0] * x[1], x[1] ** 3])
    return {"jacobian": tape.jacobian(y, x)}


def hessian(x):
    """Second derivatives of f = x₀²·x₁ + x₁³, shape (2, 2): the Jacobian of the gradient."""
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            f = x[0] ** 2 * x[1] + x[1] ** 3
        gradient = inner.gradient(f, x)
    return {"hessian": outer.jacobian(gradient, x)}


def tracking(x):
    """Constants are watched on request; `stop_recording` pauses, `stop_gradient` cuts."""
    with tf.GradientTape() as tape:
        unwatched = x * x
    tracked_at_first = tape.gradient(unwatched, x) is not None
    constant = tf.Variable(tf.ones_like(x), trainable=False)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        square = x * x
        with tape.stop_recording():
            paused = x * x
        product = x * tf.stop_gradient(x) * constant
    return {
        "tracked_at_first": tracked_at_first,
        "tracked_on_request": tape.gradient(square, x) is not None,
        "tracked_while_paused": tape.gradient(paused, x) is not None,
        "dproduct_dx": tape.gradient(product, x),
        "dproduct_dconstant": tape.gradient(product, constant),
        # TensorFlow has no leaves. The nearest thing is a variable: it holds a value that can be
        # assigned, where a tensor is the result of an operation.
        "weight_is_leaf": isinstance(constant, tf.Variable),
        "result_is_leaf": isinstance(product, tf.Variable),
    }


@tf.custom_gradient
def multiply(x, y):
    """Multiplication with its gradient written by hand."""

    def backward(upstream):
        return upstream * y, upstream * x

    return x * y, backward


def custom_gradient(x, y):
    """A hand-written gradient in use."""
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        product = multiply(x, y)
    dx, dy = tape.gradient(product, [x, y])
    return {"product": product, "dx": dx, "dy": dy}


def edge_gradients(a, b, corners, zeros, constant):
    """Points where the derivative does not exist: each framework picks its own answer."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([a, b, corners, zeros, constant])
        maximum = tf.maximum(a, b)
        hardtanh = tf.reduce_sum(keras.activations.hard_tanh(corners))
        norm = tf.norm(zeros)
        std = tf.math.reduce_std(constant)
    maximum_tie_a, maximum_tie_b = tape.gradient(maximum, [a, b])
    return {
        "maximum_tie_a": maximum_tie_a,
        "maximum_tie_b": maximum_tie_b,
        "hardtanh_corners": tape.gradient(hardtanh, corners),
        "norm_at_zero": tape.gradient(norm, zeros),
        "std_of_constant": tape.gradient(std, constant),
    }


def masked_gradients(zero, mixed):
    """The derivative is 0, its formula 0·∞ or 0·NaN; a second `where`, inside, is the remedy."""
    nothing = tf.zeros_like(mixed)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([zero, mixed])
        power = zero**0
        roots = tf.where(mixed > 0, tf.sqrt(mixed), nothing)
        safe = tf.where(mixed > 0, mixed, tf.ones_like(mixed))  # what the root is given
        safe_roots = tf.where(mixed > 0, tf.sqrt(safe), nothing)
    return {
        "power_zero_at_zero": tape.gradient(power, zero),
        "where_sqrt": tape.gradient(roots, mixed),
        "where_sqrt_of_where": tape.gradient(safe_roots, mixed),
    }
