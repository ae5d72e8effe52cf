"""Defaults, settings and summaries: what they are, without a framework."""

import dataclasses
import json

import numpy as np
import pytest

from parity.core.errors import UsageError
from parity.core.sides import SIDES
from parity.native.defaults import _MATCHED, pairs
from parity.native.settings import examples, plan, settings
from parity.native.summary import Summary
from parity_tests.native.synthetic import summaries
from shared.examples import ALL
from shared.suite import SUITE

PLANS = [
    plan(SUITE, spec.name, side, pair.name)
    for spec in examples(SUITE)
    for pair in pairs(spec)
    for side in SIDES
]
IDS = [f"{p.example}-{p.pair}-{p.side}" for p in PLANS]


def test_every_trained_example_has_a_native_division_of_its_headline():
    trained = [spec for spec in ALL if spec.training and spec.training.whole]
    assert [spec.name for spec in examples(SUITE)] == [spec.name for spec in trained]
    assert all(pairs(spec)[0] == spec.pairs[0] for spec in trained)
    assert sum(len(pairs(spec)) for spec in trained) == len(_MATCHED)


@pytest.mark.parametrize("known", PLANS, ids=IDS)
def test_the_chain_goes_from_native_to_matched_one_default_at_a_time(known):
    moving = [d.name for d in known.defaults if d.moves]
    assert known.native.native == tuple(moving)
    assert known.matched.native == ()
    for one, following in zip(known.chain, known.chain[1:], strict=False):
        assert one.native[1:] == following.native
    assert len(known.chain) == len(moving) + 1


@pytest.mark.parametrize("known", PLANS, ids=IDS)
def test_alone_and_given_change_one_default(known):
    for name, setting in known.alone.items():
        assert setting.native == (name,)
    for name, setting in known.given.items():
        assert setting.of(name) == "other"
        assert {*setting.native, name} == {*known.native.native, name}
        rest = [d.name for d in known.defaults if d.name != name]
        assert all(setting.of(n) == known.native.of(n) for n in rest)


@pytest.mark.parametrize("known", PLANS, ids=IDS)
def test_names_are_unique_and_found(known):
    names = [setting.name for setting in known.settings]
    assert len(names) == len(set(names))
    assert names[:2] == ["matched", "native"]
    assert all(known.find(name).name == name for name in names)


def test_what_applies_is_what_the_example_has():
    def moving(*of):
        return plan(SUITE, *of).native.native

    assert moving("softmax_regression", "torch") == ("initialiser", "shuffling")
    assert moving("fashion_mlp", "torch") == ("initialiser", "optimizer", "shuffling")
    assert moving("fashion_mlp", "keras") == ("fit", "initialiser", "shuffling")
    assert moving("iris_mlp", "torch") == ("initialiser", "batch_norm_unbiased", "shuffling")
    assert moving("iris_mlp", "keras") == (
        "fit",
        "initialiser",
        "batch_norm_epsilon",
        "batch_norm_momentum",
        "shuffling",
    )
    assert moving("regularisation", "keras", "dropout") == (
        "fit",
        "initialiser",
        "optimizer",
        "dropout",
        "shuffling",
    )


def test_the_other_framework_has_what_this_one_has_not():
    for spec in examples(SUITE):
        for pair in pairs(spec):
            torch, keras = (
                {d.name: d for d in plan(SUITE, spec.name, side, pair.name).defaults}
                for side in SIDES
            )
            for name in torch.keys() & keras.keys():
                if torch[name].other:
                    assert torch[name].other == keras[name].native
                    assert keras[name].other == torch[name].native


@pytest.mark.parametrize("wrong", ["tensors", "resnet", "nothing"])
def test_an_example_without_one_is_refused(wrong):
    with pytest.raises(UsageError):
        settings(SUITE, wrong, "torch")


def test_a_wrong_pair_or_setting_names_the_right_ones():
    with pytest.raises(UsageError, match="plain, dropout, biased"):
        settings(SUITE, "regularisation", "torch", "stopped")
    with pytest.raises(UsageError, match=r"expected one of: matched, native"):
        plan(SUITE, "fashion_mlp", "torch").find("natvie")


def test_a_summary_survives_json():
    made = dataclasses.replace(summaries(seeds=1)[0], test_loss=float("nan"))
    found = Summary.from_dict(json.loads(made.to_json()))
    assert np.array_equal(found.predictions, made.predictions)
    assert found.predictions.dtype == np.uint8
    assert np.isnan(found.per_class[1])
    assert np.isnan(found.test_loss)
    assert found.to_json() == made.to_json()
    assert found.key == made.key


@pytest.mark.parametrize("damage", [{"predictions": "x"}, {"seed": None, "more": 1}, {}])
def test_a_damaged_summary_is_refused(damage):
    fields = summaries(seeds=1)[0].to_dict()
    fields = fields | damage if damage else {"example": "fashion_mlp"}
    with pytest.raises(UsageError, match="no summary"):
        Summary.from_dict(fields)
