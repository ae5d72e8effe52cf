"""TensorFlow's primitive operations in the words of the vocabulary."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from parity.keras_side.checker import arithmetic, products, windows
from parity.keras_side.checker.calls import Call, indices, move, node, opaque, with_weight
from parity.keras_side.checker.marks import SOME

MOVES = frozenset(
    (
        "Reshape",
        "Transpose",
        "ExpandDims",
        "Squeeze",
        "StridedSlice",
        "Slice",
        "Split",
        "SplitV",
        "Unpack",
        "Tile",
        "BroadcastTo",
        "Identity",
        "StopGradient",
        "Cast",
        "ReverseV2",
        "Roll",
        "Snapshot",
        "EnsureShape",
        "PreventGradient",
        "CheckNumerics",
        "IdentityN",
        "DepthToSpace",
        "SpaceToDepth",
        "DeepCopy",
        "Bitcast",
        "ReverseSequence",
        "MatrixDiagPart",
        "ConjugateTranspose",
    )
)
FREE = frozenset(
    (
        "Shape",
        "ShapeN",
        "Size",
        "Rank",
        "ZerosLike",
        "OnesLike",
        "Fill",
        "VariableShape",
        "BroadcastArgs",
        "BroadcastGradientArgs",
    )
)
"""What depends on the shapes of its operands alone."""
HALVES = (tf.float16, tf.bfloat16)


def hear(t, call):
    """Write down what one primitive operation did."""
    if not call.outputs:
        return
    live = [x for x in call.inputs if t.is_live(x)]
    if not live or call.op in FREE or all(t.is_constant(x) for x in live):
        t.constant(call.outputs)
        return
    if call.op in MOVES and not (call.op == "Cast" and _loses(call)):
        move(t, call, next(i for i, x in enumerate(call.inputs) if x is live[0]))
    else:
        rule = RULES.get(call.op, opaque)
        rule(t, call)


def _loses(call):
    source, target = call.inputs[0].dtype, call.outputs[0].dtype
    halved = target in HALVES and source not in HALVES
    return source.is_floating and (halved or not target.is_floating)


def join(t, call):
    """Pieces of one root are put together again; else this is a node."""
    stack = call.op in ("Pack", "ParallelStack")
    pieces = call.inputs if stack else call.inputs[:-1]
    refs = [t.ref(x) if t.is_live(x) else None for x in pieces]
    kept = [(r, x) for r, x in zip(refs, pieces, strict=True) if int(np.prod(x.shape)) or stack]
    same = all(r is not None and r.root == kept[0][0].root for r, _ in kept)
    if same and kept:
        root = kept[0][0].root
        if not t.detailed:
            t.moved(call.outputs[0], root, SOME)
            return
        inputs = [tf.constant(indices(r)) for r, _ in kept] + ([] if stack else [call.inputs[-1]])
        again = Call(call.op, [], [], [])
        again.attrs = {**call.attrs, "N": len(kept)}
        t.moved(call.outputs[0], root, again(inputs)[0].numpy())
        return
    rank = len(call.outputs[0].shape)
    axis = call.get("axis", 0) if stack else int(call.inputs[-1])
    node(
        t,
        call,
        "stack" if stack else "concatenate",
        {"axis": axis % rank},
        [i for i, x in enumerate(pieces) if int(np.prod(x.shape)) or stack],
    )


def gather(t, call):
    """Indices known beforehand move; live ones look up."""
    values, places = call.inputs[0], call.inputs[1]
    if t.is_constant(places) and t.is_live(values):
        move(t, call, 0)
        return
    key = t.parameter(values)
    axis = int(call.inputs[2]) if len(call.inputs) > 2 else 0
    if key is not None and axis == 0 and len(values.shape) == 2:
        rows, size = values.shape
        settings = {"rows": rows, "size": size, "zero_index": None, "mask_zero": False}
        with_weight(t, call, "embedding", settings, 1, {"embeddings": (key, 0, None, None)})
        return
    node(t, call, "gather", {"axis": axis})


RULES = {
    **dict.fromkeys(("ConcatV2", "Pack", "ParallelStack"), join),
    **dict.fromkeys(("Gather", "GatherV2", "ResourceGather", "GatherNd"), gather),
    **arithmetic.RULES,
    **products.RULES,
    **windows.RULES,
}
