import keras
from keras import ops


def Net():
    ids, mask = (keras.Input((None,), dtype="int32", name=n) for n in ("token_ids", "padding_mask"))
    y = keras.layers.Embedding(50, 8)(ids)
    return keras.Model(
        {"token_ids": ids, "padding_mask": mask}, y * ops.cast(mask, y.dtype)[..., None]
    )
