"""Arithmetic, types, order, memory."""

from shared.differences.spec import NN, TF, TORCH, Difference

_TORCH = TORCH + "generated/torch."
_PROMOTION = TORCH + "tensor_attributes.html#type-promotion-doc"
_FOUR = {"x": (1.0, 2.0, 3.0, 4.0)}
_EQUALS = {"x": (1.0, 3.0, 3.0, 2.0, 3.0)}
_INVALID = "raises InvalidArgumentError"

ROWS = (
    Difference(
        "standard_deviation", "`std`, `reduce_std` of 1, 2, 3, 4: over n − 1, over n", "1.2910",
        "1.1180", "`correction=0` in PyTorch", _TORCH + "std.html", inputs=_FOUR,
    ),
    Difference(
        "variance", "`var`, `reduce_variance` of 1, 2, 3, 4", "1.6667", 1.25,
        "`correction=0` in PyTorch", _TORCH + "var.html", inputs=_FOUR,
    ),
    Difference(
        "median", "`median` of 1, 2, 3, 4", 2.0, 2.5, "`quantile(0.5)` in PyTorch",
        _TORCH + "median.html", inputs=_FOUR,
    ),
    Difference(
        "integer_plus_floating", "int + float32", "no error", _INVALID, "`keras.ops.add`",
        _PROMOTION,
    ),
    Difference(
        "int64_plus_int32", "int64 + int32", "no error", _INVALID, "`keras.ops.add`", _PROMOTION,
    ),
    Difference(
        "scalar_plus_vector", "float64 scalar + float32 vector: `+`, `keras.ops.add`", "float32",
        "float64", "cast the scalar on both sides", _PROMOTION,
    ),
    Difference(
        "true_plus_true", "True + True", "no error", _INVALID, "cast to int on both sides",
        TF + "math/add",
    ),
    Difference(
        "mean_of_integers", "`mean`, `reduce_mean` of the integers 1 and 2",
        "raises NotImplementedError", "1", "cast first, on both sides", TF + "math/reduce_mean",
    ),
    Difference(
        "sum_of_int32", "Sum of 2³¹ − 1 and 1 in int32", 2147483648, -2147483648,
        "TensorFlow: cast to int64 first", _TORCH + "sum.html",
    ),
    Difference(
        "integer_quotient", "Type of an integer quotient", "float32", "float64",
        "cast first, on both sides", TF + "math/truediv",
    ),
    Difference(
        "division_of_negatives", "−7 // 2 and −7 % 3", "(-4, 2)", "(-4, 2)", "",
        TF + "math/floormod",
    ),
    Difference(
        "half_to_even", "`round` of 0.5, 1.5, 2.5", (0.0, 2.0, 2.0), (0.0, 2.0, 2.0), "",
        _TORCH + "round.html", inputs={"x": (0.5, 1.5, 2.5)},
    ),
    Difference(
        "negative_to_integer", "−1.7 and 1.7 as integers", (-1, 1), (-1, 1), "",
        TF + "cast", inputs={"x": (-1.7, 1.7)},
    ),
    Difference(
        "top_of_equals", "Places of the 2 largest of 1, 3, 3, 2, 3: any of the equals in PyTorch, "
        "the first in TensorFlow", (2, 4), (1, 2),
        "`sort(stable=True, descending=True)` in PyTorch", _TORCH + "topk.html", inputs=_EQUALS,
    ),
    Difference(
        "first_of_equals", "`argmax` of 1, 3, 3, 2, 3", 1, 1, "", _TORCH + "argmax.html",
        inputs=_EQUALS,
    ),
    Difference(
        "split_in_two", "`split(x, 2)` of 6 elements: sizes of the pieces", "(2, 2, 2)", "(3, 3)",
        "`tensor_split(2)` in PyTorch", _TORCH + "split.html",
        inputs={"x": (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)},
    ),
    Difference(
        "repeat_twice", "`repeat` 1, 2 twice", (1.0, 2.0, 1.0, 2.0), (1.0, 1.0, 2.0, 2.0),
        "`repeat_interleave` in PyTorch, or `tf.tile`", _TORCH + "Tensor.repeat.html",
        inputs={"x": (1.0, 2.0)},
    ),
    Difference(
        "unique_order", "`unique` of 3, 1, 3, 2", (1.0, 2.0, 3.0), (3.0, 1.0, 2.0),
        "`tf.sort` behind it", TF + "unique", inputs={"x": (3.0, 1.0, 3.0, 2.0)},
    ),
    Difference(
        "one_hot_dtype", "Type of `one_hot`", "int64", "float32",
        "PyTorch: `.to(dtype)`; Keras: `dtype=`", TF + "one_hot", integers={"words": (2, 0)},
    ),
    Difference(
        "seed_0", "First float32 normal number after `manual_seed(0)`, `tf.random.set_seed(0)`",
        "1.541", "1.511", "", TORCH + "notes/randomness.html",
    ),
    Difference(
        "assignment", "`x[0] = 7`", "no error", "raises TypeError",
        "`tf.tensor_scatter_nd_update`", TF + "tensor_scatter_nd_update",
        inputs={"x": (1.0, 2.0)},
    ),
    Difference(
        "numpy_memory", "Does `as_tensor`, `convert_to_tensor` of an array share its memory?",
        "True", "False", "`torch.tensor` copies", _TORCH + "as_tensor.html",
    ),
    Difference(
        "side_effect", "A Python counter in a step that is called twice, under `tf.function` in "
        "TensorFlow: Python runs while a graph is traced, once for each shape and type", "2", "1",
        "count in a `tf.Variable`", TF + "function", inputs={"x": (1.0, 2.0)},
    ),
    Difference(
        "misfit", "A product of shapes that do not fit", "raises RuntimeError", _INVALID, "",
        TF + "errors/InvalidArgumentError",
    ),
    Difference(
        "nan_in_a_window", "Maximum pooling over (6, NaN) on the CPU", (((("nan",),),),),
        ((((6.0,),),),), "", NN + "MaxPool2d.html", inputs={"x": ((((6.0,), ("nan",)),),)},
        roles={"x": "images", "given": "images"},
    ),
)  # fmt: skip
