"""A table of vectors, looked up by ids."""

from collections.abc import Sequence

import numpy as np

from parity.operations.operation import Array, Arrays, Operation, Setting, Settings


def _compute(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    return np.asarray(parameters["embeddings"][sources[0].astype(np.int64)])


_TABLE = ("embeddings",)

OPERATION = Operation(
    "embedding",
    _compute,
    settings={
        "rows": Setting("units", torch="num_embeddings", keras="input_dim", roles=_TABLE),
        "size": Setting("units", torch="embedding_dim", keras="output_dim", roles=_TABLE),
        "zero_index": Setting("mask_zero", torch="padding_idx"),
        "mask_zero": Setting("mask_zero", False, keras="mask_zero"),
    },
)
