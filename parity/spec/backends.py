"""A lesson's Keras program on other backends of Keras, as an example of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from parity.core.recording_keys import LADDER
from parity.core.sides import TITLES, Side
from parity.spec.example import ComparedPair, ExampleSpec, Training, TrainingVariant

YARDSTICK = ("promotion", "cast")
"""What is undone of Keras so that float64 can be the yardstick of float32, in which people train;
see `parity.keras_side.backends.undone`."""


@dataclass(frozen=True)
class BackendVariant(TrainingVariant):
    """A way of training on another backend of Keras.

    Attributes:
        undone: what Keras does otherwise on one backend, and does not here; see
            `parity.keras_side.backends.undone`.
    """

    undone: tuple[str, ...] = YARDSTICK


@dataclass(frozen=True)
class BackendDifference:
    """A listed difference: the same Keras program parts on a backend, and why.

    Strict both ways: as Keras is, the pair must differ, and first there; with the cause undone, it
    must agree. Where the cause is PyTorch's, it must differ beside PyTorch, and agree beside Keras
    on TensorFlow.

    Attributes:
        example, pair: where it shows.
        side: on which backend.
        undone: what must be undone, of `parity.keras_side.backends.undone`; empty where the cause
            is PyTorch's.
        differs_at: the key of the first divergence starts so.
        title: the difference in a few words.
        reason: why, in a sentence.
    """

    example: str
    pair: str
    side: Side
    undone: str
    differs_at: str
    title: str
    reason: str


DIFFERENCES = (
    BackendDifference(
        "iris_mlp",
        "matched",
        "keras-torch",
        "moments",
        "activations/step0/norm",
        "BatchNormalization loses digits on PyTorch",
        "`keras.ops.moments` computes the variance as E[x²] − E[x]² on PyTorch, which cancels "
        "where the mean is large beside the deviation, and as the mean of (x − E[x])² on "
        "TensorFlow and JAX",
    ),
    BackendDifference(
        "divergence",
        "matched",
        "keras-jax",
        "",
        "weights/step1/norm1/moving_mean",
        "PyTorch's batch normalisation is more exact in float32 than in float64",
        "`torch.nn.BatchNorm2d` sums float32 in double precision, and float64 one number after "
        "another in float64: of 32,768 numbers the mean is off by 0.24 units of its rounding in "
        "float32 and by 43 in float64, and what is measured in float32 does not tell what float64 "
        "can do",
    ),
    BackendDifference(
        "fashion_mlp",
        "matched",
        "keras-torch",
        "promotion",
        "activations/step0/hidden",
        "float64 is not float64 on PyTorch",
        "`keras.backend.result_type` never gives float64 on PyTorch and JAX, whatever `floatx` "
        "says; on PyTorch `keras.ops.matmul` converts to what it gives, and computes in float32",
    ),
    BackendDifference(
        "fashion_mlp",
        "matched",
        "keras-jax",
        "cast",
        "weights/step1/",
        "float64 has rounded constants on TensorFlow",
        "`keras.ops.cast` brings a Python float to float64 by way of float32 on TensorFlow, and "
        "with it Adam's bias corrections: 0.9 is 0.89999998 there, and 0.9 on JAX and PyTorch",
    ),
)


def on_backends(spec: ExampleSpec, sides: Sequence[Side]) -> ExampleSpec | None:
    """The example with what `fit` trains of it, on other sides of Keras.

    Every pair that must agree, of a PyTorch way and one that `fit` trains, becomes two pairs a
    side: with the same PyTorch way, and with Keras on TensorFlow; a listed difference becomes the
    same two with its cause undone. The digest of its question is that of the example: recordings
    of PyTorch and of Keras on TensorFlow are those of the example.

    Args:
        spec: the example.
        sides: of `parity.core.sides.BACKENDS`.

    Returns:
        None where `fit` trains nothing of it: its Keras program is written in TensorFlow.
    """
    training = spec.training
    fitted = _by_fit(training) if training else []
    if training is None or not fitted:
        return None
    ways: dict[str, TrainingVariant] = {way.id: way for way in training.ways}
    pairs: list[ComparedPair] = []
    for side in sides:
        for own in fitted:
            way = training.way(own.right)
            for name, undone, listed in _runs(spec.name, own.name, side):
                run = _on(way, side, f"{way.name}{name}", undone)
                ways[run.id] = run
                pairs += _pairs(own, run, name, listed)
    changed = dataclasses.replace(
        training, ways=tuple(ways.values()), pairs=tuple(pairs), fast=(), references=()
    )
    return dataclasses.replace(spec, training=changed)


def listed(example: str, pair: str, side: Side) -> list[BackendDifference]:
    """The listed differences of a pair on a side."""
    return [d for d in DIFFERENCES if (d.example, d.pair, d.side) == (example, pair, side)]


def _by_fit(training: Training) -> list[ComparedPair]:
    """The pairs of PyTorch and Keras' `fit` that must agree."""
    return [
        pair
        for pair in training.pairs
        if not (pair.differs_at or pair.identical)
        and training.way(pair.left).side == "torch"
        and training.way(pair.right).loop == "fit"
    ]


def _runs(
    example: str, pair: str, side: Side
) -> Iterator[tuple[str, tuple[str, ...], BackendDifference | None]]:
    """Suffix of the name, what is undone, and the difference that shows, of each way on a side."""
    differences = listed(example, pair, side)
    own = next((d for d in differences if d.undone not in YARDSTICK), None)
    yield "", YARDSTICK, own
    for found in differences:
        if found is own:
            if own.undone:
                yield f"_{own.undone}", (*YARDSTICK, own.undone), None
        else:
            left = tuple(name for name in YARDSTICK if name != found.undone)
            yield f"_no_{found.undone}", left, found


def _on(way: TrainingVariant, side: Side, name: str, undone: tuple[str, ...]) -> BackendVariant:
    fields: dict[str, Any] = {f.name: getattr(way, f.name) for f in dataclasses.fields(way)}
    # `compile_model` is the default of the side `keras` alone.
    fields |= {"side": side, "name": name, "optimizer": way.makes_optimizer}
    return BackendVariant(**fields, undone=undone)


def _pairs(
    own: ComparedPair, run: BackendVariant, suffix: str, found: BackendDifference | None
) -> Iterator[ComparedPair]:
    """The run beside the PyTorch way, and beside Keras on TensorFlow."""
    levels = tuple(level for level in own.levels if level in LADDER)
    backend = run.side.removeprefix("keras-")
    for itself, left in (("", own.left), ("_itself", own.right)):
        against = TITLES["keras" if itself else "torch"]
        parts = found if found and (found.undone or not itself) else None
        yield ComparedPair(
            f"{own.name}_{backend}{suffix}{itself}",
            f"{own.title}: {against} ~ {TITLES[run.side]}",
            left,
            run.id,
            levels,
            differs_at=parts.differs_at if parts else "",
            reason=parts.reason if parts else "",
        )
