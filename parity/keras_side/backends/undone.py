"""What Keras does otherwise on one backend, undone: to prove it the cause, and for a yardstick.

``promotion``: on PyTorch and on JAX Keras' own rule of types never promotes to float64, whatever
`floatx` and ``JAX_ENABLE_X64`` say; on PyTorch float64 matrices are multiplied in float32.

``cast``: on TensorFlow `ops.cast` brings a Python float to float64 by way of float32, and with it
SGD's momentum and Adam's bias corrections: 0.9 is 0.89999998 there, and 0.9 elsewhere.

``moments``: on PyTorch the variance of `BatchNormalization` is E[x²] − E[x]², which cancels.

The first two are undone in a float64 run alone.
"""

import keras
import numpy as np
from keras.src import backend, ops
from keras.src.backend.common import dtypes

_PROMOTION = dict(dtypes.BIT64_TO_BIT32_DTYPE)
_CAST = ops.cast
_MOMENTS = backend.nn.moments


def undo(names):
    """Undo these in all that this process does from now on, and nothing else.

    Args:
        names: of the above.
    """
    wide = keras.config.floatx() == "float64"
    promotion = {"float64": "float64"} if wide and "promotion" in names else {}
    dtypes.BIT64_TO_BIT32_DTYPE.update(_PROMOTION | promotion)
    ops.cast = _cast if wide and "cast" in names else _CAST
    backend.nn.moments = _moments if "moments" in names else _MOMENTS


def _cast(x, dtype):
    """By way of float32, as on TensorFlow."""
    return _CAST(float(np.float32(x)) if isinstance(x, float) else x, dtype)


def _moments(x, axes, keepdims=False, synchronized=False):
    """The variance as the mean square of what is left of x without its mean."""
    mean = ops.mean(x, axes, keepdims=True)
    variance = ops.mean(ops.square(x - mean), axes, keepdims=True)
    if not keepdims:
        mean, variance = (ops.squeeze(some, axes) for some in (mean, variance))
    return mean, variance
