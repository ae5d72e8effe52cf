"""`parity.spec.example` and `shared.examples`: what an example is, and its fingerprint."""

import dataclasses
from pathlib import Path

import pytest

from parity.core import recording_keys
from parity.core.errors import UsageError
from parity.core.sides import (
    BACKENDS,
    ENVIRONMENTS,
    LESSON_PACKAGES,
    PACKAGES,
    PYTHON_OPTIONS,
    SIDE_PACKAGES,
    SIDES,
    TITLES,
)
from parity.run import pipeline
from parity.spec.cases import Case, Known
from parity.spec.example import (
    LADDER,
    VALUE_PAIR,
    VALUE_WAYS,
    VALUES,
    ExampleSpec,
    Initial,
    Mask,
    ParameterSpec,
    Size,
)
from shared.examples import ALL
from shared.suite import SUITE


def changed(spec: ExampleSpec, **fields: object) -> ExampleSpec:
    return dataclasses.replace(spec, **fields)


def retrained(spec: ExampleSpec, **fields: object) -> ExampleSpec:
    assert spec.training is not None
    return changed(spec, training=dataclasses.replace(spec.training, **fields))


def test_digest_is_short_and_stable(values_spec: ExampleSpec) -> None:
    assert values_spec.digest(None, 20) == "99d1863a1245282b"


def test_words_do_not_change_the_digest(training_spec: ExampleSpec) -> None:
    size = training_spec.size(full=False)
    digest = training_spec.digest(size, 20, "abc")
    for other in (
        changed(
            training_spec, title="Else", part="Else", summary="Else", nonfinite=("loss/step0",)
        ),
        changed(training_spec, known=(Known("values/a/b", 1.0, 2.0, "why", "where"),)),
        retrained(training_spec, ways=(), pairs=(), default=Size("embedded", 9), references=()),
    ):
        assert other.digest(size, 20, "abc") == digest


def test_expected_numbers_do_not_change_the_digest(values_spec: ExampleSpec) -> None:
    for fields in ({"expected": {}}, {"reference": lambda x: {"y": 2 * x}}):
        case = dataclasses.replace(values_spec.cases[0], **fields)
        assert changed(values_spec, cases=(case,)).digest(None, 20) == values_spec.digest(None, 20)


def test_a_case_has_no_more_than_it_needs() -> None:
    case = Case("ease", {"x": (1.0, 2.0)})
    assert (case.expected, case.integers, case.roles, case.reference) == ({}, {}, {}, None)
    assert case.arguments == ("x",)


def test_arguments_are_floats_then_whole_numbers_each_in_order() -> None:
    case = Case("ease", {"z": 1.0, "a": 2.0}, integers={"labels": (1, 2), "at": 0})
    assert case.arguments == ("z", "a", "labels", "at")
    assert Case("ease", {}, integers={"at": 0}).arguments == ("at",)
    assert Case("ease", {}).arguments == ()


@pytest.mark.parametrize(
    "cases",
    [
        (),
        (Case("ease", {"x": (1.0, 2.5)}),),
        (Case("other", {"x": (1.0, 2.0)}),),
        (Case("ease", {"z": (1.0, 2.0)}),),
        (Case("ease", {"x": (1.0, 2.0)}, integers={"at": 0}),),
        (Case("ease", {}, integers={"x": (1.0, 2.0)}),),
        (Case("ease", {"x": (1.0, 2.0)}, roles={"x": "images"}),),
        (Case("ease", {"x": (1.0, 2.0)}, roles={"y": "images"}),),
    ],
)
def test_other_inputs_are_another_question(values_spec: ExampleSpec, cases) -> None:
    assert changed(values_spec, cases=cases).digest(None, 20) != values_spec.digest(None, 20)


def test_whole_numbers_and_roles_are_part_of_the_question(values_spec: ExampleSpec) -> None:
    cases = [
        Case("ease", {"x": 1.0}, integers=integers, roles=roles)
        for integers in ({}, {"at": 0}, {"at": 1}, {"to": 0})
        for roles in ({}, {"x": "images"}, {"x": "dense/kernel"}, {"y": "images"})
    ]
    digests = {changed(values_spec, cases=(case,)).digest(None, 20) for case in cases}
    assert len(digests) == len(cases) == 16


def test_other_training_is_another_question(training_spec: ExampleSpec) -> None:
    size = Size("embedded", epochs=2)
    digests = [
        training_spec.digest(size, 20, "abc"),
        training_spec.digest(size, 21, "abc"),
        training_spec.digest(size, 20, "abd"),
        training_spec.digest(Size("embedded", epochs=3), 20, "abc"),
        training_spec.digest(Size("full", epochs=2), 20, "abc"),
        training_spec.digest(Size("embedded", epochs=2, train=5), 20, "abc"),
        training_spec.digest(Size("embedded", epochs=2, test=5), 20, "abc"),
        changed(training_spec, name="other").digest(size, 20, "abc"),
        retrained(training_spec, batch_size=5).digest(size, 20, "abc"),
        retrained(training_spec, layers=("hidden",)).digest(size, 20, "abc"),
        retrained(training_spec, parameters=()).digest(size, 20, "abc"),
        retrained(training_spec, stops=True).digest(size, 20, "abc"),
        retrained(training_spec, masks=(Mask("a", (5,), 0.5),)).digest(size, 20, "abc"),
        retrained(training_spec, masks=(Mask("a", (5,), 0.25),)).digest(size, 20, "abc"),
        retrained(training_spec, validation=2).digest(size, 20, "abc"),
        training_spec.digest(Size("embedded", epochs=2, validation=2), 20, "abc"),
        retrained(
            training_spec,
            parameters=(ParameterSpec("hidden/kernel", (3, 5), Initial("normal", 1.0)),),
        ).digest(size, 20, "abc"),
    ]
    assert len(set(digests)) == len(digests)


def test_a_values_example(values_spec: ExampleSpec) -> None:
    assert values_spec.levels == (VALUES,)
    assert values_spec.ways == VALUE_WAYS
    assert values_spec.pairs == (VALUE_PAIR,)
    assert values_spec.size(full=False) is None
    assert values_spec.size(full=True) is None
    assert {way.id for way in VALUE_WAYS} == {VALUE_PAIR.left, VALUE_PAIR.right}


def test_a_trained_example(training_spec: ExampleSpec) -> None:
    training = training_spec.training
    assert training is not None
    assert training_spec.levels == LADDER
    assert training_spec.ways == training.ways
    assert training_spec.pairs == training.pairs
    assert training_spec.size(full=False) == training.default
    assert training_spec.size(full=True) == training.full
    assert training.way("keras/fit").loop == "fit"
    assert training.way("keras/tape").id == "keras/tape"


def test_a_trained_example_may_have_cases(training_spec, values_spec) -> None:
    both = changed(training_spec, cases=values_spec.cases)
    assert both.levels == (VALUES, *LADDER)
    assert (both.ways, both.pairs) == (training_spec.ways, training_spec.pairs)
    assert changed(values_spec, cases=()).levels == ()
    size = both.size(full=False)
    assert both.digest(size, 20) != training_spec.digest(size, 20)


def test_sides_are_told_apart_everywhere() -> None:
    assert set(SIDES) == {"torch", "keras"}
    everywhere = {*SIDES, *BACKENDS.values()}
    for table in (LESSON_PACKAGES, SIDE_PACKAGES, TITLES, PACKAGES, ENVIRONMENTS, PYTHON_OPTIONS):
        assert set(table) == everywhere


def test_names_of_examples_are_unique_and_findable() -> None:
    names_ = [example.name for example in ALL]
    assert len(set(names_)) == len(names_) > 0
    for example in ALL:
        assert SUITE.find(example.name) is example


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(
        UsageError, match=r"No example named 'fashion_mpl'\. Did you mean 'fashion_m"
    ):
        SUITE.find("fashion_mpl")


def test_a_far_name_gets_the_command_that_lists_all() -> None:
    with pytest.raises(UsageError, match=r"No example named 'zzz'\. parity list shows all"):
        SUITE.find("zzz")


def test_only_rungs_that_a_pair_is_judged_on_are_claimed(training_spec: ExampleSpec) -> None:
    training = training_spec.training
    assert training is not None
    assert training.whole
    first = ("L0", "L1", "L2", "L3")
    pairs = tuple(dataclasses.replace(p, levels=first) for p in training.pairs)
    cut = dataclasses.replace(training, pairs=pairs)
    assert changed(training_spec, training=cut).levels == first
    assert not cut.whole
    mixed = dataclasses.replace(training, pairs=(*pairs, training.pairs[0]))
    assert mixed.levels == LADDER
    assert mixed.whole


@pytest.mark.parametrize("example", ALL, ids=lambda e: e.name)
def test_examples_are_whole(example: ExampleSpec) -> None:
    assert example.cases or example.training
    ids = [way.id for way in example.ways]
    assert len(set(ids)) == len(ids)
    assert len({pair.name for pair in example.pairs}) == len(example.pairs)
    for pair in example.pairs:
        assert {pair.left, pair.right} <= set(ids)
        assert set(pair.levels) <= set(example.levels)
        assert bool(pair.differs_at) == bool(pair.reason)
    assert not example.pairs[0].differs_at, "the headline is a pair that agrees"
    for key in (*(k.key for k in example.known), *example.nonfinite):
        assert recording_keys.parse_key(key).level in example.levels


@pytest.mark.parametrize("example", ALL, ids=lambda e: e.name)
def test_parameters_of_examples_belong_to_layers(example: ExampleSpec) -> None:
    parameters = example.training.parameters if example.training else ()
    assert len({p.name for p in parameters}) == len(parameters)
    for parameter in parameters:
        assert example.training is not None
        assert parameter.name.split("/")[0] in example.training.layers


def test_a_size_may_hold_out_another_number_of_samples(training_spec: ExampleSpec) -> None:
    training = dataclasses.replace(training_spec.training, validation=7)
    assert training.held(Size("full", epochs=1)) == 7
    assert training.held(Size("full", epochs=1, validation=3)) == 3
    assert training.held(Size("full", epochs=1, validation=0)) == 0


def test_a_size_survives_a_request(training_spec: ExampleSpec, tmp_path: Path) -> None:
    size = Size("embedded", epochs=2, train=9, test=4, validation=3)
    spec = retrained(training_spec, default=size)
    assert pipeline.RunRequest(SUITE, (spec,), tmp_path).size(spec) == size
    cut = pipeline.RunRequest(SUITE, (spec,), tmp_path, epochs=1, train=8).size(spec)
    assert cut == Size("embedded", epochs=1, train=8, test=4, validation=3)


def test_a_way_may_change_the_question(training_spec: ExampleSpec) -> None:
    """What a way changes is asked of it; ways that change the same may be compared."""
    size = Size("embedded", epochs=2)
    plain = training_spec.ways[0]
    changes: list[dict[str, object]] = [
        {},
        {"classes": (1, 0)},
        {"classes": (0, 1)},
        {"samples": 50},
        {"validation": 5},
        {"batch_size": 5},
        {"layers": ("hidden",)},
        {"parameters": (ParameterSpec("hidden/bias", (5,), Initial("normal", 1.0)),)},
        {"parameters": (ParameterSpec("hidden/bias", (5,), Initial("file", file="a")),)},
        {
            "parameters": (
                ParameterSpec("hidden/bias", (5,), Initial("file", file="a"), frozen=True),
            )
        },
        {"scaling": "standard", "mean": (1.0,), "deviation": (-1.0,)},
        {"watched": "epochs"},
    ]
    digests = [
        training_spec.digest(size, 20, "abc", dataclasses.replace(plain, changes=some))
        for some in changes
    ]
    assert len(set(digests)) == len(digests)
    assert digests[0] == training_spec.digest(size, 20, "abc")
    for some, digest in zip(changes, digests, strict=True):
        other = dataclasses.replace(training_spec.ways[1], changes=some, batch_size=7)
        assert training_spec.digest(size, 20, "abc", other) == digest


def test_the_two_ways_of_a_pair_change_the_same() -> None:
    for example in (e for e in ALL if e.training):
        assert example.training is not None
        for pair in example.pairs:
            left, right = (example.training.way(id_) for id_ in (pair.left, pair.right))
            assert left.changes == right.changes, f"{example.name}/{pair.name}"
