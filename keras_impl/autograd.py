"""Gradients by `GradientTape`: what happens inside the tape is recorded, gradients are returned.

Twin: pytorch_impl/autograd.py
Look at: who asks for tracking (the tape here, the tensor there), where gradients go (returned
here; onto `x.grad`, adding up, there), `graph` (a result knows how it was made only inside a
`tf.function`), and `edge_gradients` and `masked_gradients`, where the two disagree.

One rule in all lessons: `keras.ops` where it can be had, for it runs on every backend of Keras;
`tf` for the tape and for arithmetic under it, which is TensorFlow's. Layers and losses are Keras'
everywhere.
"""

import weakref

import keras
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


def sum_times(x, y, z):
    """f = (x + y)·z and its three partial derivatives."""
    with tf.GradientTape() as tape:
        tape.watch([x, y, z])
        f = (x + y) * z
    df_dx, df_dy, df_dz = tape.gradient(f, [x, y, z])
    return {"f": f, "df_dx": df_dx, "df_dy": df_dy, "df_dz": df_dz}


def graph(x, y, z):
    """An eager tensor knows nothing of its making, the tape does; in a graph a tensor has an `op`.

    A function is traced into a graph by `tf.function`: run once with symbols in place of numbers.
    """
    made = {}

    @tf.function
    def traced(x, y, z):
        f = (x + y) * z
        made["made_the_leaf"] = x.op.type
        made["made_the_result"] = f.op.type
        made["made_its_inputs"] = tuple(before.op.type for before in f.op.inputs)
        return f

    return {"f": traced(x, y, z)} | made


def cube_mean(x):
    """out = mean((x + 2)³); intermediate gradients need no preparation, only a name."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x + 2
        z = y**3
        out = tf.reduce_mean(z)
    dout_dx, dout_dy, dout_dz = tape.gradient(out, [x, y, z])
    return {"out": out, "dout_dx": dout_dx, "dout_dy": dout_dy, "dout_dz": dout_dz}


def kept(x):
    """Twice backwards, added by hand: you have what you asked for, and of z nothing."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x + 2
        z = y**3
        out = tf.reduce_mean(z)
    once, again = (tape.gradient(out, {"x": x, "y": y}) for _ in range(2))
    return {
        "x_grad": once["x"] + again["x"],
        "y_grad": once["y"] + again["y"],
        "z_grad": once.get("z"),
    }


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
    """z = (Σx)²: ∂z/∂y = 2y is a scalar in the middle, and fans out to every element."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x)
        z = y**2
    dz_dy, dz_dx = tape.gradient(z, [y, x])
    return {"z": z, "dz_dy": dz_dy, "dz_dx": dz_dx}


def persistent(x):
    """Two gradients from one recording: y = x², z = y². It lives as long as its tape."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x**2
        z = y**2
    dz_dx = tape.gradient(z, x)
    dy_dx = tape.gradient(y, x)
    recording = weakref.ref(tape)
    del tape  # a tape that is not persistent lets go by itself, at its first gradient
    return {"dz_dx": dz_dx, "dy_dx": dy_dx, "released": recording() is None}


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
    constant = tf.Variable(ops.ones_like(x), trainable=False)
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


def switched(x):
    """The switch is `watch`, on the tape: every tape begins with nothing watched."""

    def slope(watched):
        with tf.GradientTape() as tape:
            if watched:
                tape.watch(x)
            square = x**2
        return tape.gradient(square, x)

    on, off, on_again = slope(True), slope(False), slope(True)
    return {
        "on": on is not None,
        "off": off is not None,
        "on_again": on_again is not None,
        "dsquare_dx": on_again,
    }


def watched_by_itself(x):
    """A variable is watched unasked, a constant is not: this is how a tape finds the weights."""
    weight = tf.Variable(ops.full_like(x, 5))
    with tf.GradientTape() as tape:
        product = weight * x
    dproduct_dweight, dproduct_dconstant = tape.gradient(product, [weight, x])
    return {
        "tracked": len(tape.watched_variables()),
        "dproduct_dweight": dproduct_dweight,
        "dproduct_dconstant": dproduct_dconstant,
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
    nothing = ops.zeros_like(mixed)
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


def draw_derivatives(figure):
    """x³ with its first and second derivative, as the tapes give them."""
    x = ops.linspace(-2.0, 2.0, 81)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = x**3
        first = inner.gradient(y, x)  # of the sum over y, and points do not mix
    second = outer.gradient(first, x)
    axes = figure.subplots()
    for name, values in (("x³", y), ("dy/dx = 3x²", first), ("d²y/dx² = 6x", second)):
        axes.plot(x, values, label=name)
    axes.set(xlabel="x")
    axes.legend()


def main():
    """Every experiment on a few numbers, in the order of this file."""
    plots = Plots(__file__)
    show("f = (x + y)·z at −3, 5, −2", sum_times(*map(tf.constant, (-3.0, 5.0, -2.0))))
    show("Who made it", graph(*map(tf.constant, (-3.0, 5.0, -2.0))))
    show("out = mean((x + 2)³), x of ones", cube_mean(tf.ones((2, 2))))
    show("Twice backwards, and what is kept", kept(tf.ones((2, 2))))
    show("A third time", accumulated(tf.ones((2, 2))))
    show("z = (Σx)², y = Σx", square_of_sum(tf.ones((2, 2))))
    show("Two gradients of one recording: z = y², y = x², x = 3", persistent(tf.constant(3.0)))
    show("x³ at 1, and its two derivatives", second_order(tf.constant(1.0)))
    show(
        "Outputs that are no scalar: v·J",
        vector_jacobian(tf.constant([1.0, 2.0, 3.0]), tf.constant([0.1, 1.0, 0.0001])),
    )
    show("All of J", jacobian(tf.constant([2.0, 3.0])))
    show("Second derivatives", hessian(tf.constant([2.0, 3.0])))
    show("Tracked, paused, cut off", tracking(tf.constant(3.0)))
    show("On, off, on", switched(tf.constant(3.0)))
    show("Weights are tracked unasked", watched_by_itself(tf.constant(3.0)))
    show("A gradient of our own", custom_gradient(tf.constant(3.0), tf.constant(-4.0)))
    show(
        "Where there is no derivative",
        edge_gradients(
            tf.constant(2.0),
            tf.constant(2.0),
            tf.constant([-1.0, 1.0]),
            tf.constant([0.0, 0.0, 0.0]),
            tf.constant([2.0, 2.0, 2.0]),
        ),
    )
    show(
        "Where there is one, by a formula with 0·∞",
        masked_gradients(tf.constant(0.0), tf.constant([-1.0, 4.0])),
    )

    plots.draw("derivatives", draw_derivatives)


if __name__ == "__main__":
    main()
