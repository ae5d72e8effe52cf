"""Tensors: made, converted, reshaped, summed and multiplied, with NumPy one step away.

Twin: pytorch_impl/tensors.py
Look at: `default_dtypes` and `promotion` (who converts silently, and to what), `shapes` (only
copies here; a view there), `numpy_bridge` (which conversions share memory), `statistics` and
`same_words` (one name, two meanings).

`keras.ops` runs on every backend of Keras and does most of this; `tf` is used where the lesson is
about TensorFlow's own tensors and operators.

Seen in notes, and wrong: `reshape(x, (-1, 32*3*3))` to flatten images of 32·32 pixels and 3
channels; a row needs all 32·32·3 = 3,072 numbers. `wrong_shapes` shows why it sometimes runs all
the same.
"""

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


def _dtype(tensor):
    """The name of its dtype."""
    return tensor.dtype.name


def _outcome(operation):
    """The dtype that comes out, or what is raised instead."""
    try:
        return _dtype(operation())
    except tf.errors.InvalidArgumentError:
        return "InvalidArgumentError"


def creation(x):
    """From nested lists, filled, and in steps; `dtype=` makes a tensor follow another one."""
    return {
        "nested": ops.convert_to_tensor([[2, 3, 5], [1, 2, 9]]),
        "zeros": ops.zeros((2, 3), dtype=x.dtype),
        "ones": ops.ones((3, 2), dtype=x.dtype),
        "identity": ops.eye(3, dtype=x.dtype),
        "filled": ops.full((2, 4), 7.5, dtype=x.dtype),
        "zeros_like": ops.zeros_like(x),
        "steps": ops.arange(1, 3, 0.5, dtype=x.dtype),
        "between": ops.linspace(0, 1, 5, dtype=x.dtype),
        "shape": tuple(x.shape),
        "axes": x.ndim,
        "elements": int(ops.size(x)),
    }


def dtype_and_device():
    """What a tensor is made of and where it lies, and how to make another kind of it."""
    with tf.device("CPU"):
        x = tf.constant([1.5, -2.7, 0.0], dtype=tf.float32)
    return {
        "type": type(x).__name__,
        "dtype": _dtype(x),
        "device": x.device,
        "doubled_precision": _dtype(ops.cast(x, "float64")),
        "half_precision": _dtype(ops.cast(x, "float16")),
        "as_another": _dtype(ops.cast(x, ops.arange(2, dtype="int64").dtype)),
        "as_integers": ops.cast(x, "int64"),
        "as_truth": ops.cast(x, "bool"),
    }


def python_numbers(x):
    """NumPy's `.item()` takes the number out of a tensor that has just one; so does `float`."""
    try:
        of_many = str(x.numpy().item())
    except ValueError as error:
        of_many = type(error).__name__
    total = ops.sum(x)
    return {
        "total_has_axes": total.ndim,
        "item": str(total.numpy().item()),
        "item_is_a": type(total.numpy().item()).__name__,
        "as_list": str(x.numpy().tolist()),
        "item_of_many": of_many,
    }


def default_dtypes():
    """What Python's numbers become, while the default is float32 and while it is float64."""
    chosen, found = keras.config.floatx(), {}
    for default in ("float32", "float64"):
        keras.config.set_floatx(default)  # Keras' default; plain TensorFlow has none to set
        at = default
        integers = tf.constant([1, 2])
        found[f"integers_at_{at}"] = _dtype(integers)
        found[f"floats_at_{at}"] = _dtype(tf.constant([1.5]))
        found[f"zeros_at_{at}"] = _dtype(ops.zeros(2))
        found[f"quotient_at_{at}"] = _dtype(integers / integers)
        found[f"int_plus_python_float_at_{at}"] = _dtype(ops.add(integers, 1.5))
    keras.config.set_floatx(chosen)
    return found


def promotion(wide, narrow):
    """Mixed operands: TensorFlow's operators refuse them, Keras' functions promote them."""
    integers, singles = tf.constant([1, 2]), tf.constant([0.5, 0.5], dtype=tf.float32)
    byte, signed = tf.constant([250], dtype=tf.uint8), tf.constant([1], dtype=tf.int8)
    true, double = tf.constant([True]), tf.constant(0.25, dtype=tf.float64)
    return {
        "int64_plus_int32": _outcome(lambda: wide + tf.cast(narrow, tf.int32)),
        "int_plus_float32": _outcome(lambda: integers + singles),
        "add_int_and_float32": _outcome(lambda: ops.add(integers, singles)),
        "float32_plus_python_float": _outcome(lambda: singles + 1.5),
        "float64_scalar_and_float32": _outcome(lambda: ops.add(double, singles)),
        "float64_vector_and_float32": _outcome(lambda: ops.add(double[None], singles)),
        "add_uint8_and_int8": _outcome(lambda: ops.add(byte, signed)),
        "true_plus_true": _outcome(lambda: true + true),
        "uint8_overflow": byte + 10,
    }


def integer_arithmetic(a, b):
    """Quotients of whole numbers of either sign: `//` and `%` round down, not towards zero."""
    return {
        "floor": a // b,
        "floor_mod": a % b,
        "truncated": tf.truncatediv(a, b),
        "truncated_mod": tf.truncatemod(a, b),
        "by_zero": _outcome(lambda: a // 0),
    }


def rounding(x):
    """Halves go to the even neighbour; a cast to whole numbers cuts."""
    return {
        "nearest": ops.round(x),
        "two_decimals": ops.round(x, 2),
        "floor": ops.floor(x),
        "ceil": ops.ceil(x),
        "trunc": ops.trunc(x),
        "cast": ops.cast(x, "int64"),
        "floor_division": x // 2,
        "mod": x % 2,
    }


def shapes(x):
    """Other shapes for the same elements; −1 stands for as many as are left."""
    numbers = ops.reshape(ops.arange(6, dtype="float32"), (2, 3))
    return {
        "flat": ops.reshape(x, -1),
        "two_rows": ops.reshape(x, (2, -1)),
        "four_columns": ops.reshape(x, (-1, 4)),
        "one_more_axis": tuple(ops.expand_dims(x, 0).shape),
        "one_more_at_the_end": tuple(ops.expand_dims(x, -1).shape),
        "all_ones_gone": tuple(ops.squeeze(ops.ones((1, 3, 1))).shape),
        "first_one_gone": tuple(ops.squeeze(ops.ones((1, 3, 1)), 0).shape),
        "squeezed_back": ops.squeeze(ops.expand_dims(x, 1), 1),
        "has_views": hasattr(numbers, "view"),
        "view_of_transposed": _outcome(lambda: ops.reshape(ops.transpose(numbers), -1)),
    }


def wrong_shapes():
    """A slip, 32·3·3 for 32·32·3: an error, or where it happens to fit, rows that are no images."""
    six, four = ops.zeros((6, 32, 32, 3)), ops.zeros((4, 32, 32, 3))
    return {
        "right": tuple(ops.reshape(six, (-1, 32 * 32 * 3)).shape),
        "right_by_flatten": tuple(keras.layers.Flatten()(six).shape),  # asks for no number
        "slip_with_six_images": tuple(ops.reshape(six, (-1, 32 * 3 * 3)).shape),
        "slip_with_four_images": _outcome(lambda: ops.reshape(four, (-1, 32 * 3 * 3))),
    }


def sums_along_axes(x):
    """`axis` is the one that goes; with `keepdims` it stays, one long, and broadcasts back."""
    return {
        "all": ops.sum(x),
        "down_the_columns": ops.sum(x, axis=0, keepdims=True),
        "along_the_rows": ops.sum(x, axis=1, keepdims=True),
        "axis_gone": ops.sum(x, axis=0),
        "share_of_its_row": x / ops.sum(x, axis=1, keepdims=True),
        "without_keepdim": _outcome(lambda: x / ops.sum(x, axis=1)),
    }


def products(a, b, c):
    """Two matrices multiplied row by column and element by element, and put into other shapes."""
    return {
        "matrix": a @ b,
        "elementwise": a * c,
        "broadcast": a * c[0],
        "column_sums": ops.sum(a, axis=0),
        "transposed": ops.transpose(a),
        "reshaped": ops.reshape(a, (3, 2)),
        "stacked": ops.concatenate([a, c], axis=0),
        "second_column": a[:, 1],
        "misfit": _outcome(lambda: a @ c),
    }


def statistics(x, counts):
    """Standard deviation with n or n − 1, the median of an even count, and of integers."""
    n = len(x)
    large = tf.constant([2**31 - 1, 1], dtype=tf.int32)
    return {
        "mean": ops.mean(x),
        "std": ops.std(x),
        "std_n": ops.std(x),
        "std_n_minus_1": ops.std(x) * (n / (n - 1)) ** 0.5,  # there is no argument
        "median": ops.median(x),  # half-way between the two in the middle
        "median_between": ops.quantile(x, 0.5),
        "mean_of_integers": _outcome(lambda: tf.reduce_mean(counts)),
        "mean_cut": tf.reduce_mean(counts),
        "mean_of_floats": ops.mean(ops.cast(counts, x.dtype)),
        "sum_of_int32": tf.reduce_sum(large),
    }


def ties(x):
    """Equal elements: which one is the largest, and in what order do they stand?"""
    return {
        "argmax": ops.argmax(x),
        "argmin": ops.argmin(x),
        "top_values": ops.top_k(x, 2).values,
        "top_indices": ops.top_k(x, 2).indices,  # of equal elements the first ones, in order
        "stable_order": tf.argsort(x, direction="DESCENDING", stable=True),
    }


def same_words(x, labels):
    """`split`, `repeat`, `one_hot`, `x[0] = …`: the same words for something else."""
    copy = tf.tensor_scatter_nd_update(x, [[0]], tf.constant([9], x.dtype))
    return {
        "split": tuple(tuple(piece.shape) for piece in tf.split(x, 2)),  # so many pieces
        "last_half": tf.split(x, 2)[-1],
        "repeat": ops.repeat(x, 2),
        "tiled": ops.tile(x, 2),
        "each_twice": ops.repeat(x, 2),
        "one_hot_dtype": _dtype(tf.one_hot(labels, 4)),
        "one_hot": tf.one_hot(labels, 4, dtype=x.dtype),
        "assigned": copy,
        "elements_can_be_assigned": hasattr(x, "__setitem__"),
    }


def numpy_bridge(x):
    """Arrays become tensors and come back; a shared memory shows what is written on either side."""
    array = np.array([1.0, 2.0, 3.0])
    copied, wrapped = tf.constant(array), tf.convert_to_tensor(array)  # nothing wraps
    array[0] = 9
    written = wrapped.numpy()
    written[1] = 7
    viewed = np.asarray(wrapped)
    return {
        "there_and_back": tf.constant(x.numpy()),
        "array_dtype_is_kept": _dtype(wrapped),
        "construction_shares": bool(copied[0] == 9),
        "conversion_shares": bool(wrapped[0] == 9),
        "numpy_shares": bool(wrapped[1] == 7),
        "asarray_shares": np.shares_memory(viewed, np.asarray(wrapped)),
        "asarray_is_writeable": viewed.flags.writeable,
    }


def random_uniform(like):
    """Shape, range and repetition can be had on both sides, equal numbers only from NumPy."""
    # An integer seed always starts anew; without one, keras.utils.set_random_seed rules.
    normal = keras.random.normal((), seed=0, dtype="float32")
    first = keras.random.uniform((300, 200), seed=1, dtype=like.dtype)
    again = keras.random.uniform((300, 200), seed=1, dtype=like.dtype)
    scaled = keras.random.uniform((300, 200), -2, 3, seed=2, dtype=like.dtype)
    array = np.random.default_rng(7).random((2, 3))
    return {
        "shape": tuple(first.shape),
        "in_range": bool(ops.all((first >= 0) & (first < 1))),
        "scaled_in_range": bool(ops.all((scaled >= -2) & (scaled < 3))),
        "mean_near_middle": bool(ops.abs(ops.mean(scaled) - 0.5) < 0.05),
        "same_seed_same_numbers": bool(ops.all(first == again)),
        "normal_at_seed_0": ops.cast(normal, like.dtype),
        "drawn_in_numpy": ops.convert_to_tensor(array, dtype=like.dtype),
    }


def draw_sums(figure, x):
    """A matrix, and what is left of it after a sum along either axis."""
    columns, rows = ops.sum(x, axis=0, keepdims=True), ops.sum(x, axis=1, keepdims=True)
    titles = ("x", "sum(x, axis=0, keepdims=True)", "sum(x, axis=1, keepdims=True)")
    figure.set_size_inches(8, 2.2)
    for axes, title, matrix in zip(figure.subplots(1, 3), titles, (x, columns, rows), strict=True):
        axes.imshow(matrix, vmin=0, vmax=25, cmap="Blues")
        for (row, column), number in np.ndenumerate(matrix.numpy()):
            axes.text(column, row, f"{number:g}", ha="center", va="center")
        axes.set(title=title, xlim=(-0.5, 2.5), ylim=(1.5, -0.5), xticks=[], yticks=[])
        axes.title.set_fontsize(10)


def main():
    """Every experiment on a few numbers, in the order of this file."""
    plots = Plots(__file__)
    x = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    print("A tensor prints its numbers, its shape and its dtype:")
    print(x)
    show("Made from lists, filled, in steps", creation(x))
    show("Elements, device, and other kinds of the same numbers", dtype_and_device())
    show("Back to Python's numbers", python_numbers(x))
    show("What Python's numbers become", default_dtypes())
    show(
        "Two dtypes in one sum",
        promotion(tf.constant([1, 2], tf.int64), tf.constant([3, 4], tf.int64)),
    )
    show(
        "Quotients of whole numbers",
        integer_arithmetic(
            tf.constant([7, -7, 7, -7], tf.int64), tf.constant([2, 2, -2, -2], tf.int64)
        ),
    )
    show("Rounding", rounding(tf.constant([0.5, 1.5, 2.5, -0.5, -1.7, 2.375])))
    show("Other shapes", shapes(ops.reshape(ops.arange(12.0), (2, 2, 3))))
    show("A wrong shape that fits", wrong_shapes())
    show("Sums along an axis", sums_along_axes(x))
    show("Products", products(x, ops.transpose(x), x + 1))
    show(
        "Mean, deviation, median",
        statistics(tf.constant([3.0, 1.0, 4.0, 2.0]), tf.constant([1, 2, 2, 2], tf.int64)),
    )
    show("Equal elements", ties(tf.constant([1.0, 3.0, 3.0, 2.0, 3.0])))
    show(
        "The same words for something else",
        same_words(tf.constant([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), tf.constant([2, 0, 3], tf.int64)),
    )
    show("From and to NumPy", numpy_bridge(x))
    show("Random numbers", random_uniform(x))

    plots.draw("sums along an axis", lambda figure: draw_sums(figure, x))


if __name__ == "__main__":
    main()
