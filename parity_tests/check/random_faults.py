"""One wrong setting in a random architecture: what a port may get wrong at a random place."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from parity_tests.check.random_models import Node

SILENT = ("activation", "missing_layer")
ABSENT = ("missing_layer", "normalisation", "operation", "wiring")
OTHER_ACTIVATION = {
    "relu": {"name": "leaky", "slope": 0.3},
    "relu6": {"name": "relu"},
    "leaky": {"name": "leaky", "slope": 0.2},
    "elu": {"name": "elu", "alpha": 1.0},
    "silu": {"name": "hard_silu"},
    "gelu": {"name": "gelu_tanh"},
    "gelu_tanh": {"name": "gelu"},
    "sigmoid": {"name": "hard_sigmoid"},
    "tanh": {"name": "softsign"},
    "softplus": {"name": "relu"},
    "hard_silu": {"name": "silu"},
    "mish": {"name": "silu"},
    "selu": {"name": "elu", "alpha": 1.0},
    "hard_sigmoid": {"name": "sigmoid"},
    "softsign": {"name": "tanh"},
}


@dataclass(frozen=True)
class Fault:
    """A mistake on Keras' side.

    Attributes:
        what: in a word.
        nodes: id → what changes there.
        kinds: words for the cause, any of them is right.
        near: it may also be seen at the nodes before and after.
        train: it is seen in training only.
    """

    what: str
    nodes: dict[int, dict[str, Any]]
    kinds: tuple[str, ...]
    near: bool = False
    train: bool = False


def with_fault(
    architecture: dict[str, Any], seed: int
) -> tuple[dict[str, Any], dict[str, Any], Fault] | None:
    """PyTorch's architecture, Keras' with one mistake, and the mistake; None where none fits."""
    rng = random.Random(seed)
    found: dict[str, list[Fault]] = {}
    for fault in faults(architecture["nodes"]):
        found.setdefault(fault.what, []).append(fault)
    if not found:
        return None
    fault = rng.choice(found[rng.choice(sorted(found))])
    right, wrong = copy.deepcopy(architecture), copy.deepcopy(architecture)
    for number, change in fault.nodes.items():
        right["nodes"][number]["torch"] = "layer"
        node = wrong["nodes"][number]
        if node["keras"] == "function":  # so that it has the name that is looked for
            node["keras"] = "layer"
        node.update(change)
    right["train"] = wrong["train"] = fault.train
    return right, wrong, fault


def named(fault: Fault, nodes: list[Node], found: tuple[str | None, str | None]) -> bool:
    """Whether one of the two names is of the place of the fault."""
    ids = set(fault.nodes)
    if fault.near:
        ids |= {i for n in fault.nodes for i in nodes[n]["of"]}
        ids |= {n["id"] for n in nodes if set(n["of"]) & set(fault.nodes)}
    # A fused activation is named after the layer that it is fused into.
    ids |= {
        nodes[i]["of"][0]
        for i in fault.nodes
        if nodes[i]["op"] == "act" and nodes[i]["keras"] == "fused"
    }
    names = [nodes[i]["name"] for i in ids if i >= 0]
    if any(nodes[i]["name"].startswith("add") for i in fault.nodes):  # an operator in PyTorch
        names.append(r"add(_\d+)?$")
    return any(
        re.search(rf"(?<![a-zA-Z]){one}(?!\d)", name or "") for one in names for name in found
    )


def faults(nodes: list[Node]) -> Iterator[Fault]:
    """All that fit."""
    shared = {n["share"] for n in nodes if "share" in n}
    for node in nodes:
        if "share" in node or node["id"] in shared:
            continue
        takers = [n for n in nodes if node["id"] in n["of"]]
        maker = globals().get(f"_{node['op']}")
        if maker is not None:
            yield from maker(node, takers, nodes)


def _one(
    what: str, node: Node, kinds: str, *, near: bool = False, train: bool = False, **change: Any
) -> Fault:
    return Fault(what, {node["id"]: change}, tuple(kinds.split()), near, train)


def _conv(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    yield from _bias(node, takers, nodes)
    if any(node["pads"]):
        shifted = [[p - 1, p + 1] if p else [0, 0] for p in node["pads"]]
        yield _one("padding", node, "padding", wrong_pads=shifted)
    if node["dilation"] > 1 and all(
        2 * p == 2 * (k - 1) for p, k in zip(node["pads"], node["kernel"], strict=True)
    ):
        yield _one("dilation", node, "dilation padding", wrong_pads="same", dilation=1)
    if node["stride"] == node["dilation"] == 1 and node["padding"] != "same":
        wider = [k + 2 for k in node["kernel"]]
        pads = [[p + 1, p + 1] for p in node["pads"]]
        yield _one("kernel", node, "kernel_size", kernel=wider, wrong_pads=pads)
    if node["groups"] > 1:
        yield _one("groups", node, "groups", groups=1)
    yield from _moved_stride(node, takers, nodes)


def _moved_stride(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    second = takers[0] if len(takers) == 1 else None
    while second and second["op"] in (
        "act",
        "batch_norm",
        "group_norm",
        "layer_norm",
        "instance_norm",
    ):
        takers = [n for n in nodes if second["id"] in n["of"]]
        second = takers[0] if len(takers) == 1 else None
    if (
        second
        and second["op"] == "conv"
        and node["stride"] == 2
        and second["stride"] == 1
        and second["kernel"] == [3, 3]
        and node["kernel"] == [3, 3]
        and second["dilation"] == 1
        and node["pads"] == second["pads"] == [1, 1]
        and "share" not in second
        and not any(n.get("share") == second["id"] for n in nodes)
    ):
        yield Fault("stride", {node["id"]: {"stride": 1}, second["id"]: {"stride": 2}}, ("stride",))


def _depthwise(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    yield from _bias(node, takers, nodes)
    shifted = [[p - 1, p + 1] for p in node["pads"]]
    yield _one("padding", node, "padding", wrong_pads=shifted)


def _bias(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    # An instance norm subtracts it again, and so does a group norm of single channels.
    hidden = any(
        n["op"] == "instance_norm" or (n["op"] == "group_norm" and n["groups"] == n["channels"][0])
        for n in takers
    )
    if node["bias"] and not hidden:
        yield _one("bias", node, "bias", bias=False)


def _dense(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    yield from _bias(node, takers, nodes)
    if not any(n["op"] in ("act", "lstm", "gru", "attention") for n in takers):
        yield _one(
            "activation extra", node, "activation extra_layer", near=True, extra={"name": "relu"}
        )


def _add(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    kinds = "missing_layer wiring operation"
    yield _one("shortcut missing", node, kinds, near=True, op="nothing", of=[max(node["of"])])


_separable = _transposed = _conv1d = _bias


def _batch_norm(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    yield from _norm(node, takers, nodes)
    yield _one("momentum", node, "momentum", train=True, momentum=1 - node["momentum"])


def _norm(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    yield _one("epsilon", node, "epsilon", eps=1e-3 if node["eps"] != 1e-3 else 1e-5)
    yield _one("norm missing", node, " ".join(ABSENT), near=True, op="nothing")
    if node["affine"]:
        yield _one("affine", node, "affine bias", affine=False)


_layer_norm = _instance_norm = _norm


def _group_norm(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    yield from _norm(node, takers, nodes)
    if node["groups"] > 1:
        yield _one("group norm", node, "groups normalisation", groups=1)


def _act(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    before = nodes[node["of"][0]] if node["of"][0] >= 0 else None
    # After what is never negative a ReLU does nothing.
    if before is None or before["op"] in ("act", "pool", "concat", "upsample", "dropout"):
        return
    other = OTHER_ACTIVATION[node["act"]["name"]]
    if node["act"]["name"] != "relu6":  # 6 may not be reached
        yield _one("activation", node, "activation", act=other)
    yield _one("activation missing", node, " ".join(SILENT), near=True, op="nothing")


def _pool(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    other = "max" if node["kind"] == "average" else "average"
    yield _one("pool", node, "pooling operation", kind=other)
    if node["kind"] == "average" and node["pad"]:
        yield _one("counted", node, "padding_counted pooling padding", counted=not node["counted"])


def _global_pool(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    other = "max" if node["kind"] == "average" else "average"
    yield _one("global pool", node, "pooling operation", near=True, kind=other)


_pool1d = _global_pool1d = _global_pool


def _upsample(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    other = "nearest" if node["kind"] == "bilinear" else "bilinear"
    yield _one("resize", node, "resize", kind=other)


def _concat(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    yield _one("concat order", node, "order wiring", of=node["of"][::-1])


def _dropout(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    yield _one("dropout", node, "dropout", train=True, rate=0.35)


def _attention(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    yield _one("mask", node, "mask", causal=not node["causal"])


def _gru(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    yield _one("reset after", node, "reset_after", reset_after=False)


def _lstm(node: Node, takers: list[Node], nodes: list[Node]) -> Iterator[Fault]:
    if node["layers"] == 1 and not node["both"]:
        yield _one("direction", node, "direction", backwards=True)
