"""Random models of sequences of tokens, and one mistake in each, drawn from one seed.

A model is JSON: its parts in the order of the data. Each part has what it computes, which both
sides share, and under ``"torch"`` and ``"keras"`` how each side writes it. A mistake changes what
Keras' side computes, and leaves PyTorch's.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Part = dict[str, Any]

ACTIVATIONS = {
    "relu": "leaky",
    "gelu": "gelu_tanh",
    "gelu_tanh": "gelu",
    "silu": "hard_silu",
    "quick_gelu": "gelu",
    "tanh": "softsign",
    "squared_relu": "relu",
}
"""Each, and what it is mistaken for."""
EPSILONS = (1e-5, 1e-6, 1e-3, 1e-12)
PADDING = (0, 0, 1, 2)


def model(seed: int) -> Part:
    """Draw one from a seed."""
    rng = random.Random(seed)
    steps, rows, heads = rng.choice([5, 6, 7]), rng.choice([17, 19, 23]), rng.choice([2, 4])
    dim = heads * rng.choice([3, 5] if heads == 2 else [2, 3])
    masked = rng.choice([None, None, "ids", "ids", "given"])
    blocks: list[Part] = []
    causal = rng.random() < 0.45
    for _ in range(rng.randint(1, 3)):
        if blocks and rng.random() < 0.3:
            place = rng.randrange(len(blocks))
            blocks.append({"share": blocks[place].get("share", place)})
        elif rng.random() < 0.3:
            blocks.append(_recurrent(rng))
        else:
            blocks.append(_attention_block(rng, heads, dim, causal=causal, masked=bool(masked)))
    tied = rng.random() < 0.3
    pooled = ["last", "mean", "all", "max", *["masked_mean"] * 2 * bool(masked)]
    # The first step of what looks back only has seen nothing else: no fault would show.
    looks_back = causal or any(block.get("kind") in ("lstm", "gru") for block in blocks)
    pooled += ["first"] * (not looks_back)
    return {
        "seed": seed,
        "inputs": [f"3,{steps}:int<{rows}", *[f"3,{steps}:int<2"] * (masked == "given")],
        "steps": steps,
        "rows": rows,
        "dim": dim,
        "masked": masked,
        "pad": rng.choice(PADDING),
        "tokens": _tokens(rng),
        "segments": _segments(rng, rows),
        "positions": _positions(rng, steps, dim, counted=bool(masked)),
        "embedded_norm": _norm(rng) if rng.random() < 0.4 else None,
        "blocks": blocks,
        "norm": _norm(rng) if rng.random() < 0.6 else None,
        "head": {
            "pool": rng.choice(pooled),
            "tied": tied,
            "out": rng.choice([3, 29]),
            "bias": not tied and rng.random() < 0.6,
            **_written(rng, ("none", "unused", "computed"), ("none", "unused", "computed")),
        },
        "style": rng.choice(["functional", "functional", "subclassed"]),
    }


def _written(rng: random.Random, torch: tuple[str, ...], keras: tuple[str, ...]) -> Part:
    return {"torch": rng.choice(torch), "keras": rng.choice(keras)}


def _tokens(rng: random.Random) -> Part:
    return {
        "still": rng.random() < 0.3,  # the row of the padding does not learn
        "scaled": rng.random() < 0.25,
        **_written(rng, ("layer", "function"), ("layer", "function")),
    }


def _segments(rng: random.Random, rows: int) -> Part | None:
    """A second table, looked up by arithmetic on the ids."""
    if rng.random() < 0.6:
        return None
    return {
        "of": rng.choice(["modulo", "quotient", "above", "shifted"]),
        "number": rng.choice([3, 4, 5]),
        "rows": rows + 6,  # enough for any of them
    }


def _positions(rng: random.Random, steps: int, dim: int, *, counted: bool) -> Part | None:
    kinds = ["table", "table", "offset", "sinusoid", *["counted"] * 2 * counted]
    if rng.random() < 0.15:
        return None
    return {
        "kind": rng.choice(kinds),
        "offset": 2,
        "dim": dim,
        "rows": steps + rng.choice([3, 4, 9]),
        **_written(rng, ("arange", "buffer", "slice"), ("arange", "layer", "slice")),
    }


def _norm(rng: random.Random) -> Part:
    return {
        "kind": rng.choice(["layer_norm", "layer_norm", "rms_norm"]),
        "epsilon": rng.choice(EPSILONS),
        **_written(rng, ("layer", "layer", "hand", "upcast"), ("layer", "layer", "hand", "upcast")),
    }


def _attention_block(
    rng: random.Random, heads: int, dim: int, *, causal: bool, masked: bool
) -> Part:
    shared_keys = heads > 2 and rng.random() < 0.3
    way = rng.choice(["hand", "hand", "sdpa", "mha" if not shared_keys else "sdpa"])
    ways = ["hand", "hand", "einsum", "op", *["layer"] * 3 * (not shared_keys)]
    own_layer = rng.choice(ways)
    return {
        "kind": "attention",
        "heads": heads,
        "keys": heads // 2 if shared_keys else heads,
        "causal": causal,
        "masked": masked and rng.random() < 0.8,
        "bias": rng.random() < 0.7,
        "scale": (dim // heads) ** -0.5,
        "merge": "transposed",
        "attention": {
            **{"torch": way, "keras": own_layer},
            "fused": {
                "torch": way != "mha" and not shared_keys and rng.random() < 0.5,
                "keras": own_layer != "layer" and not shared_keys and rng.random() < 0.4,
            },
            "mask": _written(rng, ("inf", "min", "where", "add"), ("inf", "min", "where", "add")),
            "upcast": {"torch": rng.random() < 0.3, "keras": rng.random() < 0.3},
            "pieces": {"torch": rng.choice(["split", "chunk", "view"]), "keras": "split"},
        },
        "first": rng.random() < 0.6,
        "norms": [_norm(rng), _norm(rng)],
        "residual": True,
        "feed": {
            "gated": rng.random() < 0.3,
            "width": rng.choice([13, 11]),
            "bias": rng.random() < 0.7,
            "activation": rng.choice(sorted(ACTIVATIONS)),
        },
        "dropout": rng.choice([0.0, 0.0, 0.1]),
    }


def _recurrent(rng: random.Random) -> Part:
    kind = rng.choice(["lstm", "gru"])
    written = [("layer", "layer"), ("cell", "layer"), ("hand", "hand")]
    # Of a GRU that is a layer on one side only see the case recurrent/layers_and_hands.
    written += [("layer", "hand"), ("cell", "hand"), ("hand", "layer")] * (kind == "lstm")
    torch, keras = rng.choice(written)
    return {
        "kind": kind,
        "residual": rng.random() < 0.5,
        "candidate": "tanh",
        "norms": [],
        "torch": torch,
        "keras": keras,
    }


@dataclass(frozen=True)
class Fault:
    """A mistake on Keras' side.

    Attributes:
        what: in a word.
        kinds: of causes that are true.
        model: what Keras' side computes.
        right: what PyTorch's does: written so that the mistake can be made, and shows.
    """

    what: str
    kinds: tuple[str, ...]
    right: Part = field(repr=False)
    model: Part = field(repr=False)


def with_fault(seed: int) -> Fault:
    """A model and one mistake in it."""
    rng = random.Random(seed)
    found: dict[str, list[Fault]] = {}
    for fault in _faults(model(seed)):
        found.setdefault(fault.what, []).append(fault)
    return rng.choice(found[rng.choice(sorted(found))])


MASK = "mask constant operation wiring missing_layer extra_layer"


def _faults(drawn: Part) -> Iterator[Fault]:
    def fault(what: str, kinds: str, *changes: tuple[str, Any], **both: Any) -> Fault:
        """Changes: a path in the model and the wrong value; both: paths, `__` for a dot."""
        right = copy.deepcopy(drawn)
        for path, value in both.items():
            _put(right, path.replace("__", "."), value)
        wrong = copy.deepcopy(right)
        for path, value in changes:
            _put(wrong, path, value)
        return Fault(what, tuple(kinds.split()), right, wrong)

    for place in _norms(drawn):
        epsilon = _get(drawn, place)["epsilon"]
        other = 1e-2 if epsilon == 1e-3 else 1e-3
        yield fault("epsilon", "epsilon", (f"{place}.epsilon", other))
        kind = _get(drawn, place)["kind"]
        other_kind = "rms_norm" if kind == "layer_norm" else "layer_norm"
        yield fault(
            "norm kind",
            "normalisation operation affine bias weights extra_layer missing_layer",
            (f"{place}.kind", other_kind),
        )
        yield fault("half norm", "precision", (f"{place}.half", True))
    tokens, segments, positions = drawn["tokens"], drawn["segments"], drawn["positions"]
    yield fault(
        "scale of the tokens",
        "scale missing_layer extra_layer constant operation wiring",
        ("tokens.scaled", not tokens["scaled"]),
    )
    yield fault("row that does not learn", "mask_zero stop_gradient", _other(drawn, "tokens.still"))
    if segments:
        yield fault("number of the segments", "constant offset operation", ("segments.number", 2))
    if positions and positions["kind"] == "offset":
        yield fault(
            "offset of the positions",
            "offset constant weights operation wiring extra_layer missing_layer",
            ("positions.offset", 0),
        )
    if positions:
        yield fault("no positions", "missing_layer wiring operation", ("positions", None))
    if drawn["masked"] == "ids":
        yield fault("token of the padding", "constant mask operation", ("pad", drawn["pad"] + 1))
    if drawn["head"]["pool"] == "masked_mean":
        yield fault(
            "mean without the mask",
            f"{MASK} pooling scale weights",
            ("head.pool", "mean"),
        )
    for number, block in enumerate(drawn["blocks"]):
        if "share" not in block:
            make = _attention_faults if block["kind"] == "attention" else _recurrent_faults
            for what, kinds, changes, both in make(block):
                yield fault(
                    what,
                    kinds,
                    *((f"blocks.{number}.{path}", value) for path, value in changes.items()),
                    **{f"blocks__{number}__{path}": value for path, value in both.items()},
                    **({} if what != "causal" else {"head__pool": "mean"}),
                )


Change = tuple[str, str, dict[str, Any], dict[str, Any]]


def _attention_faults(block: Part) -> Iterator[Change]:
    hand: dict[str, Any] = {"attention__keras": "hand", "attention__fused__keras": False}
    yield "scale", "scale constant operation", {"scale": block["scale"] * 0.5}, hand
    yield "merge", "order shape axis wiring operation", {"merge": "reshaped"}, hand
    # With minus infinity a whole column would be none: numbers that are not finite are undecided.
    finite = {"attention__mask": {"torch": "where", "keras": "where"}, "attention__torch": "hand"}
    yield "axis of the softmax", "axis operation activation", {"softmax_axis": -2}, hand | finite
    yield "causal", MASK, {"causal": not block["causal"]}, {}
    if block["causal"]:
        yield "direction of the mask", f"{MASK} order", {"causal": "turned"}, {}
    if block["masked"]:
        yield "no padding mask", MASK, {"masked": False}, {}
        yield "mask turned", MASK, {"masked": "turned"}, {}
    if block["keys"] != block["heads"]:
        yield "repeated keys", "order axis wiring operation shape", {"tiled": True}, {}
    wiring = "wiring missing_layer operation extra_layer"
    yield "no residual", wiring, {"residual": False}, {}
    yield "place of the norm", f"{wiring} order", {"first": not block["first"]}, {}
    activation = block["feed"]["activation"]
    kinds = "activation missing_layer" if activation == "squared_relu" else "activation"
    yield "activation", kinds, {"feed.activation": ACTIVATIONS[activation]}, {}
    yield "half scores", "precision", {"half": True}, hand


def _recurrent_faults(block: Part) -> Iterator[Change]:
    yield "candidate", "activation", {"candidate": "sigmoid"}, {}
    kinds = "wiring missing_layer extra_layer operation"
    yield "residual", kinds, {"residual": not block["residual"]}, {}


def _norms(drawn: Part) -> Iterator[str]:
    """Where there are normalisations that are nobody else's."""
    for name in ("embedded_norm", "norm"):
        if drawn[name]:
            yield name
    for number, block in enumerate(drawn["blocks"]):
        yield from (f"blocks.{number}.norms.{n}" for n in range(len(block.get("norms", ()))))


def _other(drawn: Part, path: str) -> tuple[str, bool]:
    return path, not _get(drawn, path)


def _get(part: Any, path: str) -> Any:
    for key in path.split("."):
        part = part[int(key) if isinstance(part, list) else key]
    return part


def _put(part: Any, path: str, value: Any) -> None:
    *outer, last = path.split(".")
    if outer:
        part = _get(part, ".".join(outer))
    part[int(last) if isinstance(part, list) else last] = value
