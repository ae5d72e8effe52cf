"""Arithmetic, types, order, memory."""

from parity.spec.difference import NN, TF, TORCH, Difference, NoWay

_TORCH = TORCH + "generated/torch."
_PROMOTION = TORCH + "tensor_attributes.html#type-promotion-doc"
_FOUR = {"x": (1.0, 2.0, 3.0, 4.0)}
_EQUALS = {"x": (1.0, 3.0, 3.0, 2.0, 3.0)}
_INVALID = "raises InvalidArgumentError"

ROWS = (
    Difference(
        "standard_deviation",
        "`std`, `reduce_std` of 1, 2, 3, 4: over n − 1, over n",
        "1.2910",
        "1.1180",
        "`correction=0` in PyTorch",
        _TORCH + "std.html",
        in_torch="x.std(correction=0)",
        in_keras="keras.ops.std(x) * (len(x) / (len(x) - 1)) ** 0.5",
        inputs=_FOUR,
    ),
    Difference(
        "variance",
        "`var`, `reduce_variance` of 1, 2, 3, 4",
        "1.6667",
        1.25,
        "`correction=0` in PyTorch",
        _TORCH + "var.html",
        in_torch="x.var(correction=0)",
        in_keras="keras.ops.var(x) * len(x) / (len(x) - 1)",
        inputs=_FOUR,
    ),
    Difference(
        "median",
        "`median` of 1, 2, 3, 4",
        2.0,
        2.5,
        "`quantile(0.5)` in PyTorch",
        _TORCH + "median.html",
        in_torch="x.quantile(0.5)",
        in_keras="keras.ops.sort(x)[(len(x) - 1) // 2]",
        inputs=_FOUR,
    ),
    Difference(
        "integer_plus_floating",
        "int + float32",
        "no error",
        _INVALID,
        "`keras.ops.add`",
        _PROMOTION,
        in_torch=NoWay("PyTorch takes the larger type, and nothing makes it refuse."),
        in_keras="keras.ops.add(tf.constant([1]), tf.constant([0.5]))",
    ),
    Difference(
        "int64_plus_int32",
        "int64 + int32",
        "no error",
        _INVALID,
        "`keras.ops.add`",
        _PROMOTION,
        in_torch=NoWay("PyTorch takes the larger type, and nothing makes it refuse."),
        in_keras="keras.ops.add(tf.constant([1], tf.int64), tf.constant([1], tf.int32))",
    ),
    Difference(
        "scalar_plus_vector",
        "float64 scalar + float32 vector: `+`, `keras.ops.add`",
        "float32",
        "float64",
        "cast the scalar on both sides",
        _PROMOTION,
        in_torch=("a, b = torch.tensor(0.5, dtype=torch.float64), torch.ones(2)\na + b.double()"),
        in_keras=("a, b = tf.constant(0.5, tf.float64), tf.ones(2)\ntf.cast(a, b.dtype) + b"),
    ),
    Difference(
        "true_plus_true",
        "True + True",
        "no error",
        _INVALID,
        "cast to int on both sides",
        TF + "math/add",
        in_torch=NoWay("PyTorch gives True, and nothing makes it refuse."),
        in_keras=("a = tf.constant([True])\ntf.logical_or(a, a)"),
    ),
    Difference(
        "mean_of_integers",
        "`mean`, `reduce_mean` of the integers 1 and 2",
        "raises NotImplementedError",
        "1",
        "cast first, on both sides",
        TF + "math/reduce_mean",
        in_torch=("a = torch.tensor([1, 2])\na.sum() // len(a)"),
        in_keras=NoWay(
            "TensorFlow divides whole numbers without a word. Cast first: `tf.cast(a, tf.float32)`."
        ),
    ),
    Difference(
        "sum_of_int32",
        "Sum of 2³¹ − 1 and 1 in int32",
        2147483648,
        -2147483648,
        "TensorFlow: cast to int64 first",
        _TORCH + "sum.html",
        in_torch=("a = torch.tensor([2**31 - 1, 1], dtype=torch.int32)\na.sum(dtype=torch.int32)"),
        in_keras=("a = tf.constant([2**31 - 1, 1], tf.int32)\ntf.reduce_sum(tf.cast(a, tf.int64))"),
    ),
    Difference(
        "integer_quotient",
        "Type of an integer quotient",
        "float32",
        "float64",
        "cast first, on both sides",
        TF + "math/truediv",
        in_torch="torch.tensor([1]).double() / 2",
        in_keras="tf.cast([1], tf.float32) / 2",
    ),
    Difference(
        "division_of_negatives",
        "−7 // 2 and −7 % 3",
        "(-4, 2)",
        "(-4, 2)",
        "",
        TF + "math/floormod",
        in_torch="torch.tensor(-7) // 2, torch.tensor(-7) % 3",
        in_keras="tf.constant(-7) // 2, tf.constant(-7) % 3",
    ),
    Difference(
        "half_to_even",
        "`round` of 0.5, 1.5, 2.5",
        (0.0, 2.0, 2.0),
        (0.0, 2.0, 2.0),
        "",
        _TORCH + "round.html",
        in_torch="x.round()",
        in_keras="keras.ops.round(x)",
        inputs={"x": (0.5, 1.5, 2.5)},
    ),
    Difference(
        "negative_to_integer",
        "−1.7 and 1.7 as integers",
        (-1, 1),
        (-1, 1),
        "",
        TF + "cast",
        in_torch="x.to(torch.int32)",
        in_keras='keras.ops.cast(x, "int32")',
        inputs={"x": (-1.7, 1.7)},
    ),
    Difference(
        "top_of_equals",
        "Places of the 2 largest of 1, 3, 3, 2, 3: any of the equals in PyTorch, "
        "the first in TensorFlow",
        (2, 4),
        (1, 2),
        "`sort(stable=True, descending=True)` in PyTorch",
        _TORCH + "topk.html",
        in_torch="x.sort(descending=True, stable=True).indices[:2]",
        in_keras=NoWay(
            "Which of the equals PyTorch takes is not promised, so there is nothing to match."
        ),
        inputs=_EQUALS,
    ),
    Difference(
        "first_of_equals",
        "`argmax` of 1, 3, 3, 2, 3",
        1,
        1,
        "",
        _TORCH + "argmax.html",
        in_torch="x.argmax()",
        in_keras="keras.ops.argmax(x)",
        inputs=_EQUALS,
    ),
    Difference(
        "split_in_two",
        "`split(x, 2)` of 6 elements: sizes of the pieces",
        "(2, 2, 2)",
        "(3, 3)",
        "`tensor_split(2)` in PyTorch",
        _TORCH + "split.html",
        in_torch="x.tensor_split(2)",
        in_keras="tf.split(x, len(x) // 2)",
        inputs={"x": (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)},
    ),
    Difference(
        "repeat_twice",
        "`repeat` 1, 2 twice",
        (1.0, 2.0, 1.0, 2.0),
        (1.0, 1.0, 2.0, 2.0),
        "`repeat_interleave` in PyTorch, or `tf.tile`",
        _TORCH + "Tensor.repeat.html",
        in_torch="x.repeat_interleave(2)",
        in_keras="keras.ops.tile(x, 2)",
        inputs={"x": (1.0, 2.0)},
    ),
    Difference(
        "unique_order",
        "`unique` of 3, 1, 3, 2",
        (1.0, 2.0, 3.0),
        (3.0, 1.0, 2.0),
        "`tf.sort` behind it",
        TF + "unique",
        in_torch="torch.tensor(list(dict.fromkeys(x.tolist())))",
        in_keras="tf.sort(tf.unique(x).y)",
        inputs={"x": (3.0, 1.0, 3.0, 2.0)},
    ),
    Difference(
        "one_hot_dtype",
        "Type of `one_hot`",
        "int64",
        "float32",
        "PyTorch: `.to(dtype)`; Keras: `dtype=`",
        TF + "one_hot",
        in_torch="F.one_hot(words, 3).float()",
        in_keras='keras.ops.one_hot(words, 3, dtype="int64")',
        integers={"words": (2, 0)},
    ),
    Difference(
        "seed_0",
        "First float32 normal number after `manual_seed(0)`, `tf.random.set_seed(0)`",
        "1.541",
        "1.511",
        "",
        TORCH + "notes/randomness.html",
        in_torch=NoWay(
            "No seed gives the other's numbers. Draw with NumPy: "
            "`torch.from_numpy(np.random.default_rng(0).normal(size=1))`."
        ),
        in_keras=NoWay(
            "No seed gives the other's numbers. Draw with NumPy: "
            "`tf.constant(np.random.default_rng(0).normal(size=1))`."
        ),
    ),
    Difference(
        "assignment",
        "`x[0] = 7`",
        "no error",
        "raises TypeError",
        "`tf.tensor_scatter_nd_update`",
        TF + "tensor_scatter_nd_update",
        in_torch=NoWay(
            "A tensor of PyTorch can be changed, and nothing makes it refuse. `x.clone()` "
            "keeps what was there."
        ),
        in_keras="tf.tensor_scatter_nd_update(x, [[0]], tf.constant([7], x.dtype))",
        inputs={"x": (1.0, 2.0)},
    ),
    Difference(
        "numpy_memory",
        "Does `as_tensor`, `convert_to_tensor` of an array share its memory?",
        "True",
        "False",
        "`torch.tensor` copies",
        _TORCH + "as_tensor.html",
        in_torch="torch.tensor(np.zeros(2))  # copies",
        in_keras=NoWay("TensorFlow copies: its tensors have memory of their own."),
    ),
    Difference(
        "side_effect",
        "A Python counter in a step that is called twice, under `tf.function` in "
        "TensorFlow: Python runs while a graph is traced, once for each shape and type",
        "2",
        "1",
        "count in a `tf.Variable`",
        TF + "function",
        in_torch=NoWay(
            "PyTorch runs the Python at every call. Keep out of the step what shall run once."
        ),
        in_keras=(
            "counted = tf.Variable(0)\n"
            "\n"
            "\n"
            "@tf.function\n"
            "def step(x):\n"
            "    counted.assign_add(1)\n"
            "    return x * x"
        ),
        inputs={"x": (1.0, 2.0)},
    ),
    Difference(
        "misfit",
        "A product of shapes that do not fit",
        "raises RuntimeError",
        _INVALID,
        "",
        TF + "errors/InvalidArgumentError",
        in_torch=NoWay("Both refuse. Catch `RuntimeError` here."),
        in_keras=NoWay("Both refuse. Catch `tf.errors.InvalidArgumentError` here."),
    ),
    Difference(
        "nan_in_a_window",
        "Maximum pooling over (6, NaN) on the CPU",
        (((("nan",),),),),
        ((((6.0,),),),),
        "",
        NN + "MaxPool2d.html",
        in_torch='F.max_pool2d(x.nan_to_num(nan=float("-inf")), (1, 2))',
        in_keras=(
            "pool = keras.layers.MaxPooling2D((1, 2))\n"
            'nan = pool(keras.ops.cast(keras.ops.isnan(x), "float32"))\n'
            "keras.ops.where(nan > 0, np.nan, pool(x))"
        ),
        inputs={"x": ((((6.0,), ("nan",)),),)},
        roles={"x": "images", "given": "images"},
    ),
)
