"""Spec of the layer examples: one-layer modules with their weights taken across."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.spec.cases import Case, Known, Numbers
from parity.spec.example import ExampleSpec
from parity.spec.expected import as_numbers, numbers
from shared import numpy_reference
from shared.initial_weights import drawn

Array = NDArray[Any]
Arrays = dict[str, Array]
_IMAGE = "images"
_TORCH_LAYER_NORM = "https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html"
_TORCH_BATCH_NORM = "https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html"
_KERAS_BATCH_NORM = "https://keras.io/api/layers/normalization_layers/batch_normalization/"
_TORCH_ATTENTION = "https://pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html"


def _with_gradients(function: Any, upstream: Array, **arguments: Array) -> Arrays:
    y = function(**arguments)
    return {"y": y} | numpy_reference.gradients(function, arguments, upstream)


def _normalised(x: Array, axis: Any, eps: float) -> Array:
    """Mean 0, variance 1; the square is written out so that it takes complex numbers."""
    centred = x - x.mean(axis=axis, keepdims=True)
    return np.asarray(centred / np.sqrt((centred**2).mean(axis=axis, keepdims=True) + eps))


def _layer_norm(x: Array, gamma: Array, beta: Array, upstream: Array) -> Arrays:
    return _with_gradients(
        lambda x, gamma, beta: _normalised(x, -1, 1e-5) * gamma + beta,
        upstream,
        x=x,
        gamma=gamma,
        beta=beta,
    )


def _group_norm(x: Array, gamma: Array, beta: Array, upstream: Array) -> Arrays:
    def function(x: Array, gamma: Array, beta: Array) -> Array:
        batch, height, width, channels = x.shape
        grouped = x.reshape(batch, height, width, 2, channels // 2)
        return _normalised(grouped, (1, 2, 4), 1e-5).reshape(x.shape) * gamma + beta

    return _with_gradients(function, upstream, x=x, gamma=gamma, beta=beta)


def _batch_norm_train(  # noqa: PLR0917
    x: Array, gamma: Array, beta: Array, mean: Array, variance: Array, upstream: Array
) -> Arrays:
    found = _with_gradients(
        lambda x, gamma, beta: _normalised(x, (0, 1, 2), 1e-5) * gamma + beta,
        upstream,
        x=x,
        gamma=gamma,
        beta=beta,
    )
    return found | {"moving_mean": 0.9 * mean + 0.1 * x.mean(axis=(0, 1, 2))}


def _moving_variance(x: Array, variance: Array, *, unbiased: bool) -> Array:
    batch = x.var(axis=(0, 1, 2), ddof=1 if unbiased else 0)
    return np.asarray(0.9 * variance + 0.1 * batch)


def _batch_norm_eval(  # noqa: PLR0917
    x: Array, gamma: Array, beta: Array, mean: Array, variance: Array, upstream: Array
) -> Arrays:
    return _with_gradients(
        lambda x, gamma, beta: (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta,
        upstream,
        x=x,
        gamma=gamma,
        beta=beta,
    )


def _embedding(table: Array, upstream: Array, words: Array) -> Arrays:
    slopes = np.zeros_like(table)
    np.add.at(slopes, words, upstream)
    return {"y": table[words], "dembeddings": slopes}


def _convolutions(x: Array, depthwise: Array, grouped: Array, transposed: Array) -> Arrays:
    tall, wide, channels, multiplier = depthwise.shape
    filters = depthwise.reshape(tall, wide, 1, channels * multiplier)
    return {
        "depthwise_y": numpy_reference.conv2d(x, filters, groups=channels),
        "grouped_y": numpy_reference.conv2d(x, grouped, groups=2),
        "transposed_y": numpy_reference.conv2d_transpose(x, transposed, stride=2),
    }


_SMALL = drawn("layers/small", (2, 5), 1e-2)
_X = drawn("layers/batch", (2, 3, 4, 3))
_VARIANCE = (0.5, 1.0, 2.0)
_SEQUENCE = drawn("layers/sequence", (2, 4, 3))
_BATCH_NORM = {
    "x": _X,
    "gamma": drawn("layers/batch_norm/gamma", (3,)),
    "beta": drawn("layers/batch_norm/beta", (3,)),
    "mean": drawn("layers/batch_norm/mean", (3,)),
    "variance": _VARIANCE,
}
_IMAGES = dict.fromkeys(("x", "y", "dx", "upstream"), _IMAGE)


def _variances(*, unbiased: bool) -> Numbers:
    return as_numbers(_moving_variance(numbers(_X), numbers(_VARIANCE), unbiased=unbiased))


LAYERS = ExampleSpec(
    name="layers",
    title="One layer at a time, weights taken across",
    part="Layers and modules",
    summary=(
        "Normalisation, embedding and convolution layers as modules of one layer. The weights go "
        "across turned and renamed, the gradients come back the same way, and everything comes out "
        "equal; where a default or a rule differs it is listed."
    ),
    cases=(
        Case(
            "layer_norm",
            {
                "x": _SMALL,
                "gamma": drawn("layers/layer_norm/gamma", (5,)),
                "beta": drawn("layers/layer_norm/beta", (5,)),
                "upstream": drawn("layers/layer_norm/upstream", (2, 5)),
            },
            reference=_layer_norm,
        ),
        Case(
            "group_norm",
            {
                "x": drawn("layers/group_norm/x", (2, 3, 2, 4)),
                "gamma": drawn("layers/group_norm/gamma", (4,)),
                "beta": drawn("layers/group_norm/beta", (4,)),
                "upstream": drawn("layers/group_norm/upstream", (2, 3, 2, 4)),
            },
            roles=_IMAGES,
            reference=_group_norm,
        ),
        Case(
            "batch_norm_train",
            _BATCH_NORM | {"upstream": drawn("layers/batch_norm/upstream", (2, 3, 4, 3))},
            roles=_IMAGES,
            reference=_batch_norm_train,
        ),
        Case(
            "batch_norm_eval",
            _BATCH_NORM | {"upstream": drawn("layers/batch_norm/upstream", (2, 3, 4, 3))},
            roles=_IMAGES,
            reference=_batch_norm_eval,
        ),
        Case(
            "alone_and_in_company",
            _BATCH_NORM,
            {"same_in_training": False, "same_in_evaluation": True},
            roles=_IMAGES,
        ),
        Case(
            "embedding",
            {
                "table": drawn("layers/embedding/table", (5, 3)),
                "upstream": drawn("layers/embedding/upstream", (2, 3, 3)),
            },
            integers={"words": ((4, 0, 2), (2, 2, 1))},
            reference=_embedding,
        ),
        Case(
            "convolutions",
            {
                "x": drawn("layers/convolutions/x", (2, 3, 5, 4)),
                "depthwise": drawn("layers/convolutions/depthwise", (3, 2, 4, 2)),
                "grouped": drawn("layers/convolutions/grouped", (3, 2, 2, 6)),
                "transposed": drawn("layers/convolutions/transposed", (3, 2, 5, 4)),
            },
            roles=dict.fromkeys(("x", "depthwise_y", "grouped_y", "transposed_y"), _IMAGE),
            reference=_convolutions,
        ),
    ),
    known=(
        Known(
            "values/layer_norm/default_epsilon",
            torch=as_numbers(_normalised(numbers(_SMALL), -1, 1e-5)),
            keras=as_numbers(_normalised(numbers(_SMALL), -1, 1e-3)),
            reason="ε is 1e-5 in PyTorch and 1e-3 in Keras, which matters for inputs of size 0.01",
            link=_TORCH_LAYER_NORM,
        ),
        Known(
            "values/batch_norm_train/moving_variance",
            torch=_variances(unbiased=True),
            keras=_variances(unbiased=False),
            reason="PyTorch keeps the unbiased variance, divided by n − 1, and normalises by the "
            "biased one; Keras uses the biased one for both",
            link=_TORCH_BATCH_NORM,
        ),
        Known(
            "values/batch_norm_train/frozen_moves",
            torch="True",
            keras="False",
            reason="frozen weights in PyTorch leave the running statistics moving in training "
            "mode; a frozen Keras layer runs as in inference and keeps them",
            link=_KERAS_BATCH_NORM,
        ),
    ),
)
