"""Spec of the tensor examples: creation, arithmetic, dtypes, and the way from and to NumPy.

The functions are NumPy's column: what both frameworks must give, computed a third time.
"""

from typing import Any

import numpy as np

from parity.spec.cases import Case, Known
from parity.spec.example import ExampleSpec
from shared.initial_weights import drawn

Values = dict[str, Any]
_TORCH = "https://pytorch.org/docs/stable/"
_TF = "https://www.tensorflow.org/api_docs/python/tf/"
_PROMOTION = _TORCH + "tensor_attributes.html#type-promotion-doc"


def _creation(x: Any) -> Values:
    return {
        "nested": np.array([[2, 3, 5], [1, 2, 9]]),
        "zeros": np.zeros((2, 3)),
        "ones": np.ones((3, 2)),
        "identity": np.eye(3),
        "filled": np.full((2, 4), 7.5),
        "zeros_like": np.zeros_like(x),
        "steps": np.arange(1, 3, 0.5),
        "between": np.linspace(0, 1, 5),
    }


def _products(a: Any, b: Any, c: Any) -> Values:
    return {
        "matrix": a @ b,
        "elementwise": a * c,
        "broadcast": a * c[0],
        "column_sums": a.sum(axis=0),
        "transposed": a.T,
        "reshaped": a.reshape(3, 2),
        "stacked": np.concatenate([a, c], axis=0),
        "second_column": a[:, 1],
    }


def _shapes(x: Any) -> Values:
    return {
        "flat": x.reshape(-1),
        "two_rows": x.reshape(2, -1),
        "four_columns": x.reshape(-1, 4),
        "squeezed_back": np.squeeze(np.expand_dims(x, 1), 1),
    }


def _sums_along_axes(x: Any) -> Values:
    return {
        "all": x.sum(),
        "down_the_columns": x.sum(axis=0, keepdims=True),
        "along_the_rows": x.sum(axis=1, keepdims=True),
        "axis_gone": x.sum(axis=0),
        "share_of_its_row": x / x.sum(axis=1, keepdims=True),
    }


def _random_uniform(like: Any) -> Values:
    return {"drawn_in_numpy": np.random.default_rng(7).random((2, 3))}


def _integer_arithmetic(a: Any, b: Any) -> Values:
    return {
        "floor": a // b,
        "floor_mod": a % b,
        "truncated": np.trunc(a / b),
        "truncated_mod": np.fmod(a, b),
    }


def _rounding(x: Any) -> Values:
    return {
        "nearest": np.round(x),
        "two_decimals": np.round(x, 2),
        "floor": np.floor(x),
        "ceil": np.ceil(x),
        "trunc": np.trunc(x),
        "cast": x.astype(np.int64),
        "floor_division": x // 2,
        "mod": x % 2,
    }


def _statistics(x: Any, counts: Any) -> Values:
    return {
        "mean": x.mean(),
        "std_n": x.std(ddof=0),
        "std_n_minus_1": x.std(ddof=1),
        "median_between": np.median(x),
        "mean_cut": counts.sum() // len(counts),
        "mean_of_floats": counts.mean(),
    }


def _ties(x: Any) -> Values:
    return {
        "argmax": np.argmax(x),
        "argmin": np.argmin(x),
        "top_values": np.sort(x)[::-1][:2],
        "stable_order": np.argsort(-x, stable=True),
    }


def _same_words(x: Any, labels: Any) -> Values:
    return {
        "last_half": np.split(x, 2)[-1],
        "tiled": np.tile(x, 2),
        "each_twice": np.repeat(x, 2),
        "one_hot": np.eye(4)[labels],
        "assigned": np.concatenate([[9.0], x[1:]]),
    }


TENSORS = ExampleSpec(
    name="tensors",
    title="Tensors",
    part="Tensors and autograd",
    summary=(
        "Creation, dtypes, rounding, shapes, sums, products, ties, and the way from and to NumPy, "
        "in NumPy, PyTorch and TensorFlow. Arithmetic is the same; what differs is who converts "
        "silently, who shares memory, and a few words with two meanings."
    ),
    cases=(
        Case(
            "creation",
            {"x": drawn("tensors/x", (2, 3))},
            {
                "nested": ((2, 3, 5), (1, 2, 9)),
                "identity": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
                "shape": "(2, 3)",
                "axes": "2",
                "elements": "6",
            },
            reference=_creation,
        ),
        Case(
            "dtype_and_device",
            {},
            {
                "dtype": "float32",
                "doubled_precision": "float64",
                "half_precision": "float16",
                "as_another": "int64",
                "as_integers": (1, -2, 0),
                "as_truth": (True, True, False),
            },
        ),
        Case(
            "python_numbers",
            {"x": ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))},
            {
                "total_has_axes": "0",
                "item": "21.0",
                "item_is_a": "float",
                "as_list": "[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]",
            },
        ),
        Case(
            "default_dtypes",
            {},
            {
                "floats_at_float32": "float32",
                "zeros_at_float32": "float32",
                "zeros_at_float64": "float64",
                "quotient_at_float64": "float64",
                "int_plus_python_float_at_float32": "float32",
                "int_plus_python_float_at_float64": "float64",
            },
        ),
        Case(
            "promotion",
            {},
            {
                "add_int_and_float32": "float32",
                "float32_plus_python_float": "float32",
                "float64_vector_and_float32": "float64",
                "add_uint8_and_int8": "int16",
                "uint8_overflow": (4,),
            },
            integers={"wide": (1, 2), "narrow": (3, 4)},
        ),
        Case(
            "integer_arithmetic",
            {},
            {"floor": (3, -4, -4, 3), "truncated": (3, -3, -3, 3)},
            integers={"a": (7, -7, 7, -7), "b": (2, 2, -2, -2)},
            reference=_integer_arithmetic,
        ),
        Case(
            "rounding",
            {"x": (0.5, 1.5, 2.5, -0.5, -1.5, -1.7, 2.375, 7.0)},
            {"nearest": (0.0, 2.0, 2.0, 0.0, -2.0, -2.0, 2.0, 7.0)},
            reference=_rounding,
        ),
        Case(
            "shapes",
            {"x": drawn("tensors/cube", (2, 2, 3))},
            {
                "one_more_axis": "(1, 2, 2, 3)",
                "one_more_at_the_end": "(2, 2, 3, 1)",
                "all_ones_gone": "(3,)",
                "first_one_gone": "(3, 1)",
            },
            reference=_shapes,
        ),
        Case(
            "wrong_shapes",
            {},
            {
                "right": "(6, 3072)",
                "right_by_flatten": "(6, 3072)",
                "slip_with_six_images": "(64, 288)",
            },
        ),
        Case(
            "sums_along_axes",
            {"x": ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))},
            {
                "all": 21.0,
                "down_the_columns": ((5.0, 7.0, 9.0),),
                "along_the_rows": ((6.0,), (15.0,)),
                "axis_gone": (5.0, 7.0, 9.0),
            },
            reference=_sums_along_axes,
        ),
        Case(
            "products",
            {
                "a": ((2.0, 3.0, 5.0), (1.0, 2.0, 9.0)),
                "b": drawn("tensors/b", (3, 4)),
                "c": drawn("tensors/c", (2, 3)),
            },
            {"column_sums": (3.0, 5.0, 14.0)},
            reference=_products,
        ),
        Case(
            "statistics",
            {"x": (3.0, 1.0, 4.0, 2.0)},
            {"std_n": "1.118", "std_n_minus_1": "1.291", "median_between": 2.5, "mean_cut": 1},
            integers={"counts": (1, 2, 2, 2)},
            reference=_statistics,
        ),
        Case(
            "ties",
            {"x": (1.0, 3.0, 3.0, 2.0, 3.0)},
            {"argmax": 1, "argmin": 0, "stable_order": (1, 2, 4, 3, 0)},
            reference=_ties,
        ),
        Case(
            "same_words",
            {"x": (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)},
            integers={"labels": (2, 0, 3)},
            reference=_same_words,
        ),
        Case(
            "numpy_bridge",
            {"x": drawn("tensors/bridge", (2, 3))},
            {
                "there_and_back": drawn("tensors/bridge", (2, 3)),
                "array_dtype_is_kept": "float64",
                "construction_shares": False,
                "asarray_shares": True,
            },
        ),
        Case(
            "random_uniform",
            {"like": 0.0},
            {
                "shape": "(300, 200)",
                "in_range": True,
                "scaled_in_range": True,
                "mean_near_middle": True,
                "same_seed_same_numbers": True,
            },
            reference=_random_uniform,
        ),
    ),
    known=(
        Known(
            "values/dtype_and_device/type",
            torch="torch.FloatTensor",
            keras="EagerTensor",
            reason="`x.type()` of PyTorch names device and elements at once; a TensorFlow tensor "
            "has `dtype` and `device` for that, and one class",
            link=_TORCH + "generated/torch.Tensor.type.html",
        ),
        Known(
            "values/dtype_and_device/device",
            torch="cpu",
            keras="/job:localhost/replica:0/task:0/device:CPU:0",
            reason="the processor, by its name here and there; TensorFlow's tells the machine as "
            "well",
            link="https://www.tensorflow.org/guide/gpu",
        ),
        Known(
            "values/python_numbers/item_of_many",
            torch="RuntimeError",
            keras="ValueError",
            reason="several numbers are not one; on TensorFlow's side it is NumPy that says so",
            link=_TORCH + "generated/torch.Tensor.item.html",
        ),
        Known(
            "values/shapes/has_views",
            torch=True,
            keras=False,
            reason="a view shares the memory of what it views, so that a write into one is seen "
            "in the other; TensorFlow's tensors never change and need no views",
            link=_TORCH + "tensor_view.html",
        ),
        Known(
            "values/shapes/view_of_transposed",
            torch="RuntimeError",
            keras="float32",
            reason="a transposed tensor no longer lies row by row in memory, and `view` never "
            "copies; `reshape` does where it must",
            link=_TORCH + "generated/torch.Tensor.view.html",
        ),
        Known(
            "values/wrong_shapes/slip_with_four_images",
            torch="RuntimeError",
            keras="InvalidArgumentError",
            reason="4 · 3,072 numbers are no multiple of 288; those of six images are",
            link=_TF + "errors/InvalidArgumentError",
        ),
        Known(
            "values/sums_along_axes/without_keepdim",
            torch="RuntimeError",
            keras="InvalidArgumentError",
            reason="two sums stand against three columns: the axis that was dropped is missing",
            link=_TF + "errors/InvalidArgumentError",
        ),
        Known(
            "values/products/misfit",
            torch="RuntimeError",
            keras="InvalidArgumentError",
            reason="shapes that do not fit are an error of another class, for an `except` to name",
            link=_TF + "errors/InvalidArgumentError",
        ),
        Known(
            "values/random_uniform/normal_at_seed_0",
            torch="1.5410",
            keras="-1.6970",
            reason="two generators: no seed makes their streams equal",
            link=_TORCH + "notes/randomness.html",
        ),
        Known(
            "values/numpy_bridge/conversion_shares",
            torch=True,
            keras=False,
            reason="`as_tensor` and `from_numpy` wrap the array's memory; TensorFlow copies it",
            link=_TORCH + "generated/torch.as_tensor.html",
        ),
        Known(
            "values/numpy_bridge/numpy_shares",
            torch=True,
            keras=False,
            reason="`.numpy()` is a view of the tensor in PyTorch and a copy in TensorFlow",
            link=_TORCH + "generated/torch.Tensor.numpy.html",
        ),
        Known(
            "values/numpy_bridge/asarray_is_writeable",
            torch=True,
            keras=False,
            reason="`np.asarray` is a view on both sides; a TensorFlow tensor never changes, so "
            "its view is read-only",
            link="https://www.tensorflow.org/guide/tensor",
        ),
        Known(
            "values/default_dtypes/integers_at_float32",
            torch="int64",
            keras="int32",
            reason="Python's integers become int64 in PyTorch (and NumPy), int32 in TensorFlow",
            link="https://www.tensorflow.org/guide/tensor",
        ),
        Known(
            "values/default_dtypes/integers_at_float64",
            torch="int64",
            keras="int32",
            reason="the same: the default of floats has no say in it",
            link="https://www.tensorflow.org/guide/tensor",
        ),
        Known(
            "values/default_dtypes/floats_at_float64",
            torch="float64",
            keras="float32",
            reason="`tf.constant` does not know `keras.config.set_floatx`; Keras' own functions do",
            link="https://keras.io/api/utils/config_utils/",
        ),
        Known(
            "values/default_dtypes/quotient_at_float32",
            torch="float32",
            keras="float64",
            reason="an integer divided by an integer has the default dtype in PyTorch, float64 "
            "in TensorFlow, as in Python",
            link=_TF + "math/truediv",
        ),
        Known(
            "values/promotion/int64_plus_int32",
            torch="int64",
            keras="InvalidArgumentError",
            reason="TensorFlow's operators take one dtype only",
            link=_PROMOTION,
        ),
        Known(
            "values/promotion/int_plus_float32",
            torch="float32",
            keras="InvalidArgumentError",
            reason="the same; `keras.ops.add` promotes, see the next row of the case",
            link=_PROMOTION,
        ),
        Known(
            "values/promotion/float64_scalar_and_float32",
            torch="float32",
            keras="float64",
            reason="in PyTorch a tensor without axes does not widen one with axes of its kind; "
            "Keras, as JAX, looks at the dtypes alone",
            link=_PROMOTION,
        ),
        Known(
            "values/promotion/true_plus_true",
            torch="bool",
            keras="InvalidArgumentError",
            reason="PyTorch adds truth values (it is `or`), TensorFlow does not",
            link=_TF + "math/add",
        ),
        Known(
            "values/integer_arithmetic/by_zero",
            torch="RuntimeError",
            keras="InvalidArgumentError",
            reason="an integer divided by zero is an error on both sides, of another class",
            link=_TF + "errors/InvalidArgumentError",
        ),
        Known(
            "values/statistics/std",
            torch="1.291",
            keras="1.118",
            reason="PyTorch divides by n − 1 unless told `correction=0`, TensorFlow (and NumPy) "
            "by n",
            link=_TORCH + "generated/torch.std.html",
        ),
        Known(
            "values/statistics/median",
            torch=2.0,
            keras=2.5,
            reason="of an even count PyTorch takes the lower of the two in the middle, Keras "
            "(and NumPy) their mean",
            link=_TORCH + "generated/torch.median.html",
        ),
        Known(
            "values/statistics/mean_of_integers",
            torch="RuntimeError",
            keras="int64",
            reason="PyTorch refuses, TensorFlow stays with integers and cuts: 1.75 becomes 1",
            link=_TF + "math/reduce_mean",
        ),
        Known(
            "values/statistics/sum_of_int32",
            torch=2147483648,
            keras=-2147483648,
            reason="PyTorch sums integers in int64, TensorFlow in their own dtype, which overflows",
            link=_TORCH + "generated/torch.sum.html",
        ),
        Known(
            "values/ties/top_indices",
            torch=(2, 4),
            keras=(1, 2),
            reason="of equal elements TensorFlow promises the lower indices; PyTorch promises "
            "nothing: sort with `stable=True` where it matters",
            link=_TORCH + "generated/torch.topk.html",
        ),
        Known(
            "values/same_words/split",
            torch="((2,), (2,), (2,))",
            keras="((3,), (3,))",
            reason="`split(x, 2)`: pieces of size 2, or 2 pieces",
            link=_TORCH + "generated/torch.split.html",
        ),
        Known(
            "values/same_words/repeat",
            torch=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
            keras=(1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0, 6.0, 6.0),
            reason="`repeat(2)`: the whole twice, or each element twice",
            link=_TORCH + "generated/torch.Tensor.repeat.html",
        ),
        Known(
            "values/same_words/one_hot_dtype",
            torch="int64",
            keras="float32",
            reason="`one_hot` of PyTorch counts, that of TensorFlow is ready for a product",
            link=_TORCH + "generated/torch.nn.functional.one_hot.html",
        ),
        Known(
            "values/same_words/elements_can_be_assigned",
            torch=True,
            keras=False,
            reason="a TensorFlow tensor never changes: an update makes a new one",
            link=_TF + "tensor_scatter_nd_update",
        ),
    ),
)
