import keras
from keras import layers, ops


def net():
    return keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            layers.Embedding(9, 6),
            layers.LSTM(7, return_sequences=True),
            layers.Dense(9),
        ]
    )


def terms(y, p):
    return keras.losses.sparse_categorical_crossentropy(y, p, from_logits=True)


def masked(y, p):
    kept = ops.cast(y != 0, p.dtype)
    return ops.sum(terms(y, p) * kept) / ops.sum(kept)


def of_all(y, p):
    """Wrong: padding is zero, but it counts in the mean."""
    return ops.mean(terms(y, p) * ops.cast(y != 0, p.dtype))


def of_samples(y, p):
    """Wrong: a sum over the steps, and the mean of these."""
    return ops.mean(ops.sum(terms(y, p) * ops.cast(y != 0, p.dtype), axis=-1))
