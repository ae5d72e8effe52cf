"""At which sizes the tests record the examples, so that no recording is made twice in a run.

``PARITY_LONG=1`` records every example at its default size, and tests every fast path and every
repetition. Otherwise all are drawn by ``PARITY_SEED``: of the trainings with convolutions, of those
without and of those whose figures are tested one each is recorded at its default size; the others
are cut down, with their headline, a contrast, and half of their pairs. Of the fast paths every set
of switches is drawn, and a quarter of the examples is recorded twice.
"""

import dataclasses

from parity.spec.example import ComparedPair, ExampleSpec
from parity_tests.draws import LONG, draw
from shared.examples import ALL

CUTS = {
    "divergence": {"train": 40, "test": 50},
    "sequential_cnn": {"train": 70, "test": 50},
    "cifar_mlp": {"train": 150, "test": 100},
    "regularisation": {"train": 700, "test": 100},
    "iris_mlp": {},
}
"""A few steps, the last batch shorter than the others."""
TRAINED = tuple(spec for spec in ALL if spec.training and spec.training.whole)
FIGURES = ("regularisation", "transfer_learning")
"""Examples whose own tests ask for figures that only the default size reaches."""

HEADLINES = tuple(spec.pairs[0] for spec in ALL)


def cut(spec: ExampleSpec, **training: object) -> ExampleSpec:
    """The example with a training of a few steps, and with other fields of its training."""
    size = CUTS.get(spec.name, {"train": 300, "test": 100})
    default = dataclasses.replace(spec.training.default, epochs=2, **size)
    return dataclasses.replace(
        spec, training=dataclasses.replace(spec.training, default=default, **training)
    )


def cut_fast(spec: ExampleSpec, pairs: tuple[ComparedPair, ...]) -> ExampleSpec:
    """The example cut down for fast paths; where XLA compiles one, to five batches and a shorter
    in one epoch, or with ``PARITY_LONG`` to two epochs as all others.

    A fast path stops after steps 1, 2, 3 and 5, and where batches change their size, and XLA
    compiles every number of steps in between anew: here 1 and 2, and 1 of the shorter ones.
    """
    few = cut(spec, pairs=pairs)
    if LONG or not any(fast.jit for fast in spec.training.fast):
        return few
    whole = spec.training.batch_size
    train = spec.training.held(spec.training.default) + 5 * whole + max(1, whole // 3)
    default = dataclasses.replace(few.training.default, epochs=1, train=train)
    return dataclasses.replace(few, training=dataclasses.replace(few.training, default=default))


def layers(spec: ExampleSpec) -> set[str]:
    """Whether it convolves, and whether its figures are tested."""
    if spec.name in FIGURES:
        return {"figures"}
    convolves = any(len(parameter.shape) == 4 for parameter in spec.training.parameters)
    return {"convolution" if convolves else "dense"}


def roles(pair: ComparedPair) -> set[str]:
    """The headline, which is every example's first pair; a contrast; or another pair."""
    return {"headline" if pair in HEADLINES else "contrast" if pair.differs_at else "pair"}


def switches(fast: tuple[ExampleSpec, ComparedPair]) -> set[tuple[object, ...]]:
    """What is special about an example's fast path, as its side knows it."""
    training, way = fast[0].training, fast[0].training.way(fast[1].right)
    own = {"torch": ("traced", "channels_last"), "keras": ("jit", "fused", "parts")}[way.side]
    drops = "masks" in training.way(fast[1].left).changes
    return {(way.side, drops, *(getattr(way.fast, name) for name in own))}


def trains(spec: ExampleSpec) -> set[bool]:
    """Whether it has a training."""
    return {spec.training is not None}


UNCUT = draw(TRAINED, layers)
"""Those that are recorded at their default size all the same."""
SPECS = tuple(
    cut(s, pairs=draw(s.pairs, roles, 0.5)) if s in TRAINED and s not in UNCUT else s for s in ALL
)
"""Every example at the size, and with the pairs, that it has in this run."""
FAST_PATHS = tuple((spec, pair) for spec in TRAINED for pair in spec.fast_pairs)
DRAWN_PATHS = draw(FAST_PATHS, switches)
"""The fast paths that are recorded, each with its example."""
FAST = tuple(
    cut_fast(spec, pairs)
    for spec in TRAINED
    if (pairs := tuple(pair for of, pair in DRAWN_PATHS if of is spec))
)
"""Their examples, cut down, with these fast paths alone."""
LARGE = ("sequential_cnn", "resnet", "divergence")
"""Gigabytes, and what they are made of is in others too."""
SLOW = () if LONG else ("optimizers",)
"""Repeated in the long run alone."""
REPEATABLE = tuple(spec for spec in ALL if spec.name not in (*LARGE, *SLOW))
REPEATED = draw(REPEATABLE, trains, 0.25)
"""The examples that are recorded twice."""
