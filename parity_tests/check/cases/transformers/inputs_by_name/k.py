import keras
from keras import ops


def Net():
    """As keras_hub's BERT: a dictionary, whose order is another."""
    ids, types, mask = (
        keras.Input((None,), dtype="int32", name=n)
        for n in ("token_ids", "segment_ids", "padding_mask")
    )
    x = keras.layers.Embedding(50, 8)(ids) + keras.layers.Embedding(2, 8)(types)
    y = keras.layers.Dense(8)(x)
    y = y * ops.cast(mask, y.dtype)[..., None]
    return keras.Model({"token_ids": ids, "segment_ids": types, "padding_mask": mask}, y)
