"""Transfer learning: the committed backbone, the bit-for-bit proof, and what the table says."""

import numpy as np
import pytest
from safetensors import safe_open

from parity.core.sides import SIDES
from shared import pretrain
from shared.data import load
from shared.examples.transfer_learning import TRANSFER_LEARNING
from shared.initial_weights import PRETRAINED

SPEC = TRANSFER_LEARNING
FILE = PRETRAINED / pretrain.FILE
FROZEN = [
    p.name for p in SPEC.training.of(SPEC.training.way("torch/features_few")).parameters if p.frozen
]


def test_the_backbone_answers_todays_question():
    size = SPEC.training.default
    with safe_open(FILE, framework="np") as file:
        said = file.metadata()
    data = load(SPEC.training.dataset, size.part, train=size.train, test=size.test)
    way = SPEC.training.way("torch/pretrain")
    assert said["digest"] == SPEC.digest(size, SPEC.seed, data.checksum, way)
    assert (said["example"], said["way"], said["precision"]) == (SPEC.name, "pretrain", "float64")
    assert FILE.stat().st_size < 150_000


@pytest.mark.parametrize("side", SIDES)
def test_both_sides_still_arrive_at_the_backbone(uncut, side):
    """To one ulp of float32: a value between two of them may be rounded either way."""
    made = uncut(SPEC)[f"{side}/pretrain"].float64
    with safe_open(FILE, framework="np") as file:
        held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert sorted(held) == sorted(FROZEN)
    for name, values in held.items():
        now = made[f"weights/final/{name}"].astype(np.float32)
        assert values.dtype == np.float32
        assert np.all(np.abs(now - values) <= np.spacing(np.abs(values))), name


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("way", ["features_few", "features_many", "features_few_negative"])
def test_frozen_weights_are_the_backbone_bit_for_bit(uncut, side, way):
    runs = uncut(SPEC)[f"{side}/{way}"]
    with safe_open(FILE, framework="np") as file:
        held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    for recording in runs.present:
        keys = [k for k in recording.keys() if k.startswith("weights/")]  # noqa: SIM118
        assert {k.split("/", 2)[2] for k in keys} == {*FROZEN, "head/kernel", "head/bias"}
        for key in keys:
            if (name := key.split("/", 2)[2]) in held:
                np.testing.assert_array_equal(recording[key], held[name], err_msg=key)
        for stage in ("gradients/step0/backbone", "state/"):
            assert not [k for k in recording.keys() if k.startswith(stage)]  # noqa: SIM118
        assert np.any(
            recording["weights/final/head/kernel"] != recording["weights/initial/head/kernel"]
        )


def accuracy(runs, how, cell):
    """Of both sides in float64, which are equal."""
    return [float(runs[f"{side}/{how}_{cell}"].float64["metrics/test_accuracy"]) for side in SIDES]


def test_what_the_table_says(uncut):
    """What the summary says, asserted on what was measured."""
    cells = ("few", "many", "few_negative", "many_negative")
    table = {}
    for how in ("scratch", "features", "fine"):
        for cell in cells:
            left, right = accuracy(uncut(SPEC), how, cell)
            assert left == right
            table[how, cell] = left
    assert abs(table["features", "few"] - table["scratch", "few"]) < 0.01
    assert abs(table["features", "many"] - table["scratch", "many"]) < 0.01
    assert table["features", "few_negative"] < table["scratch", "few_negative"] - 0.01
    for cell in cells:
        values = [table[how, cell] for how in ("scratch", "features", "fine")]
        assert max(values) - min(values) < 0.03
        assert min(values) > 0.75
