"""Random numbers while a tracer listens: one number for all draws, as both frameworks have it."""

from __future__ import annotations

import contextlib
import inspect

import numpy as np
import tensorflow as tf

from parity.checker.graph import draws
from parity.keras_side.checker.marks import swapped

_NAMES = (
    "normal",
    "uniform",
    "truncated_normal",
    "stateless_normal",
    "stateless_uniform",
    "stateless_truncated_normal",
)
"""Functions of ``tf.random``; those of ``keras.random`` call them."""


class Draws:
    """What takes the place of TensorFlow's draws.

    Attributes:
        count: of draws so far.
        source: NumPy's generator while a layer is measured, None while models are compared.
    """

    def __init__(self, note):
        self.note, self.count, self.source = note, 0, None

    def patches(self):
        """(module, name → function)."""
        return tf.random, {name: self._drawn(getattr(tf.random, name)) for name in _NAMES}

    @contextlib.contextmanager
    def real(self, seed):
        """True draws for a while, the same for the same seed."""
        with swapped(self, source=np.random.default_rng(seed)):
            yield

    def _drawn(self, original):
        bind = inspect.signature(original).bind
        uniform = original.__name__.endswith("uniform")

        def drawn(*args, **kwargs):
            call = bind(*args, **kwargs)
            call.apply_defaults()
            given = call.arguments
            self.count += 1
            first, second = (
                (given["minval"], given["maxval"]) if uniform else (given["mean"], given["stddev"])
            )
            dtype = tf.as_dtype(given["dtype"])
            if second is None:
                second = 1.0
            if self.source is None:
                self.note("Random numbers are drawn; both sides take one number for all draws.")
            shape = [int(n) for n in given["shape"]]
            if dtype.is_integer:
                return tf.fill(shape, tf.cast(first + (second - first) // 2, dtype))
            number = self._uniform(shape) if uniform else self._normal(shape)
            width = second - first if uniform else second
            return tf.cast(first, dtype) + tf.cast(width, dtype) * tf.constant(number, dtype)

        return drawn

    def _uniform(self, shape):
        if self.source is None:
            return np.full(shape, draws.UNIFORM)
        return self.source.uniform(size=shape)

    def _normal(self, shape):
        if self.source is None:
            return np.full(shape, draws.NORMAL)
        return self.source.standard_normal(shape)
