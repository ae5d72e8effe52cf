"""Every model of the bench builds and runs, and the table names layers that exist."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from parity_tests.check.bench.rows import names
from parity_tests.check.bench.side import key
from parity_tests.check.bench.table import CORRECT, FAULTY, KEPT_CORRECT, KEPT_FAULTY

if not os.environ.get("PARITY_LONG"):  # the bench itself builds and runs them all the same
    pytest.skip("PARITY_LONG is not set", allow_module_level=True)
ROOT = Path(__file__).parents[3]
FAULTS = (*FAULTY, *KEPT_FAULTY)
PAIRS = (*CORRECT, *KEPT_CORRECT)
KINDS = names(
    "epsilon momentum padding stride kernel_size dilation groups activation bias kernel_order "
    "flatten_order axis pooling padding_counted resize normalisation dropout missing_layer "
    "extra_layer scale offset units gate_order reset_after direction mask frozen affine order "
    "wiring weights operation initial_state"
)
FUNCTIONS = names(
    "abs add add_ iadd cat celu concat div dropout einsum elu expand_dims gelu hardswish hardtanh "
    "image.resize interpolate leaky_relu linear log_softmax matmul mean mul multiply relu relu6 "
    "resize resize_images rmul scaled_dot_product_attention sigmoid silu softmax sqrt square sub "
    "sum tanh truediv divide var pad"
)
SHAPES = {"stride_swapped", "pool_stride", "pool_window", "odd_sizes_pooled"}
"""Faults that change the shape of the output."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What the models of both sides answered; a process for each side."""
    folder = tmp_path_factory.mktemp("bench")
    processes = {
        side: subprocess.Popen(
            [sys.executable, "-m", "parity_tests.check.bench.side", side, str(folder / side)],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for side in ("torch", "keras")
    }
    for process in processes.values():
        _, errors = process.communicate()
        assert process.returncode == 0, errors[-3000:]
    return {side: json.loads((folder / side).read_text()) for side in processes}


@pytest.mark.parametrize("row", [*PAIRS, *FAULTS], ids=lambda row: row.name)
def test_runs_on_both_sides(answers, row):
    left, right = (answers[side][key(row, side)] for side in ("torch", "keras"))
    assert left["finite"]
    assert right["finite"]
    if row.name not in SHAPES:
        assert [sorted(s) for s in left["shapes"]] == [sorted(s) for s in right["shapes"]]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda row: row.name)
def test_named_layers_exist(answers, fault):
    for cause in fault.causes:
        for side, named in (("torch", cause.torch), ("keras", cause.keras)):
            layers = {*answers[side][key(fault, side)]["layers"], ""}
            for name in named:
                assert name in layers or is_known(name, layers), (name, sorted(layers))
            assert named


def is_known(name, layers):
    """Whether it is a layer or a function called in one, maybe not for the first time."""
    name = re.sub(r"_\d+$", "", name)
    parent, _, function = name.rpartition(".")
    return name in layers or name in FUNCTIONS or (parent in layers and function in FUNCTIONS)


def test_the_table_is_in_order():
    for rows in (PAIRS, FAULTS, (*CORRECT, *FAULTY)):
        assert len({row.name for row in rows}) == len(rows)
    assert all(set(cause.kinds) <= set(KINDS) for fault in FAULTS for cause in fault.causes)
    assert {fault.base for fault in FAULTS} <= {pair.name for pair in PAIRS}
    for row in (*PAIRS, *FAULTS):
        for place in (row.torch, row.keras):
            assert (ROOT / place.split(":")[0]).exists(), place
