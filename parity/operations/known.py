"""All kinds of operation."""

from parity.operations import (
    activation,
    adaptive_pool,
    affine,
    arithmetic,
    batch_norm,
    convolution,
    cumulative,
    dense,
    dropout,
    embedding,
    group_norm,
    joins,
    layer_norm,
    matmul,
    opaque,
    pad,
    pool,
    recurrent,
    reduce,
    resize,
    rms_norm,
    selection,
    transposed,
    unary,
)
from parity.operations.operation import Operation

KNOWN: dict[str, Operation] = {
    operation.kind: operation
    for operation in (
        dense.OPERATION,
        convolution.OPERATION,
        transposed.OPERATION,
        pool.OPERATION,
        adaptive_pool.OPERATION,
        batch_norm.OPERATION,
        layer_norm.OPERATION,
        group_norm.OPERATION,
        rms_norm.OPERATION,
        activation.OPERATION,
        embedding.OPERATION,
        recurrent.OPERATION,
        resize.OPERATION,
        pad.OPERATION,
        dropout.OPERATION,
        *arithmetic.OPERATIONS,
        affine.OPERATION,
        matmul.MATMUL,
        matmul.EINSUM,
        unary.OPERATION,
        reduce.OPERATION,
        cumulative.OPERATION,
        joins.CONCATENATE,
        joins.STACK,
        selection.WHERE,
        selection.GATHER,
        selection.COMPARE,
        opaque.OPERATION,
    )
}
"""Kind → what is known of it."""


def operation(kind: str) -> Operation:
    """What is known of a kind; of one that is new here, nothing but its name."""
    return KNOWN.get(kind) or Operation(kind, None)
