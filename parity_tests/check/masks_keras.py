"""Ports of `masks_torch`, right and wrong: masks are true where a step is kept."""

import keras
from keras import layers, ops


class Masked(keras.Model):
    """The same mean."""

    def __init__(self, activation="tanh", fault="", padding=0):
        super().__init__()
        self.table, self.head = layers.Embedding(20, 6), layers.Dense(2)
        self.body = layers.Dense(6, activation=activation)
        self.fault, self.padding = fault, padding

    def call(self, ids):
        """All masks in the other sense."""
        kept, high = ops.not_equal(ids, self.padding), ops.greater_equal(ids, 11)
        if self.fault == "over":
            high = ops.greater(ids, 11)
        x = self.body(self.table(ids))
        filled = ops.logical_not(kept) if self.fault == "filled" else kept
        x = ops.where(filled[..., None], x, 0.0)
        share = ops.cast(ops.not_equal(ids, self.padding), x.dtype)[..., None]
        if self.fault == "factor":
            share = 1.0 - share
        x = ops.where(high[..., None], 2 * x, x)
        return self.head(ops.sum(x * share, 1) / ops.maximum(ops.sum(share, 1), 1.0))
