"""What parts between the backends of one Keras is what is known, and nothing else.

A run asks about a few known findings and a few functions, drawn by ``PARITY_SEED``;
``PARITY_LONG=1`` about all. What is known was found with all three backends: without JAX one way of
parting may stand before another, and these tests are left out.
"""

import base64
import importlib.util
import random

import numpy as np
import pytest

from parity_tests.backends import fuzz, judge, known, programs
from parity_tests.backends.backends import BACKENDS, panel
from parity_tests.backends.judge import Parting, Runs
from parity_tests.backends.templates import calls, lines
from parity_tests.draws import LONG, SEED

INSTALLED = tuple(b for b in BACKENDS if importlib.util.find_spec(b) is not None)
SLOW = ("crashes", "lacks float64")
FINDINGS = [f for f in known.findings() if f.kind not in SLOW]
with_jax = pytest.mark.skipif(
    tuple(BACKENDS) != INSTALLED, reason="JAX is not installed: pip install '.[backends]'"
)


def few(items, many):
    return list(items) if LONG else random.Random(SEED).sample(list(items), many)


@pytest.fixture(scope="module")
def every():
    with panel() as found:
        yield found


def told(values, dtype="float32"):
    values = np.asarray(values, dtype)
    data = base64.b64encode(values.tobytes()).decode()
    return {"dtype": dtype, "kept": values.dtype.str, "shape": list(values.shape), "data": data}


def runs(values, values64=None, dtype="float32"):
    wide = "float64" if dtype == "float32" else dtype
    both = told(values, dtype), told(values if values64 is None else values64, wide)
    return Runs(*({"outputs": [one], "count": 1} for one in both))


NUMBERS = np.random.default_rng(0).normal(size=(3, 4))
SAME = runs(NUMBERS)


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (SAME, None),
        (runs(NUMBERS * (1 + 2.0**-24), NUMBERS * (1 + 2.0**-52)), None),
        (runs(NUMBERS.T), "shape"),
        (runs(NUMBERS[:, ::-1]), "values"),
        (runs(NUMBERS * (1 + 1e-9), NUMBERS * (1 + 1e-9)), "precision"),
        (runs(np.where(NUMBERS > 1, np.nan, NUMBERS)), "nonfinite"),
        (runs(NUMBERS, dtype="float64"), "dtype"),
        (Runs({"raised": "no"}, {"raised": "no"}), "lacks"),
        (Runs(SAME.float32, {"raised": "no"}), "lacks float64"),
        (Runs({"raised": "no", "crashed": True}, {"raised": "no"}), "crashes"),
        (Runs(*({"outputs": [], "count": 0} for _ in range(2))), "structure"),
    ],
)
def test_each_kind_of_parting_is_named(other, kind):
    found = judge.partings({"jax": SAME, "tensorflow": SAME, "torch": other})
    assert [p.kind for p in found] == ([kind] if kind else [])
    if kind:
        alone = kind in ("lacks", "lacks float64", "crashes")
        assert found[0].apart == ("torch" if alone else "jax tensorflow | torch")


def test_what_a_nudge_changes_is_no_finding():
    moved = NUMBERS + 1.0
    nudged = Runs(SAME.float32, SAME.float64, {"outputs": [told(moved, "float64")], "count": 1})
    assert judge.partings({"jax": nudged, "torch": runs(NUMBERS + 1e-3)})[0].kind == "values"
    assert not judge.partings({"jax": nudged, "torch": runs(NUMBERS, NUMBERS + 1e-3)})


def test_a_call_that_every_backend_refuses_is_no_call():
    refused = Runs({"raised": "no"}, {"raised": "no"})
    assert not judge.partings({"jax": refused, "torch": refused})


def test_templates_shrink_to_their_first_call():
    from hypothesis import find, settings

    text = "ops.f(<s:(2, <n:1..4>)>, <s>, <=2 * n><|, axis=<0|1>>, 'a->b')"
    quiet = settings(database=None)
    assert find(calls(text), lambda _: True, settings=quiet) == "ops.f((2, 1), (2, 1), 2, 'a->b')"
    assert find(calls(text), lambda c: "axis" in c, settings=quiet).endswith("axis=0, 'a->b')")


def test_names_in_braces_are_all_meant():
    assert {"ops.max_pool", "ops.average_pool", "layers.MaxPooling1D"} <= set(lines())


def test_every_cause_has_findings():
    findings = known.findings()
    for cause in known.causes():
        for pattern in cause.covers:
            alone = known.Cause(cause.name, "", (pattern,), "")
            assert any(map(alone.has, findings)), f"{cause.name}: nothing is {pattern!r}"


@with_jax
@pytest.mark.parametrize("finding", few(FINDINGS, 6), ids=lambda f: f"{f.function}-{f.kind}")
def test_known_findings_still_hold(finding, every):
    found = {(finding.function, p.kind, p.apart) for p in every.partings(finding.call)}
    assert finding.key(BACKENDS) in found, f"stale: {finding.call} gives {found}"


@with_jax
@pytest.mark.parametrize("function", few([n for n, r in known.reached().items() if r["calls"]], 2))
def test_nothing_new_parts(function, every):
    parameters = fuzz.functions(every)[function]
    drawn = fuzz.sample(function, parameters)
    keys = {f.key(BACKENDS) for f in known.findings()}
    new = [
        finding
        for finding in fuzz.findings(every, function, parameters, drawn, shrink=False)
        if (finding.function, finding.kind, finding.apart) not in keys
    ]
    assert not new


FAULTS = [cause for cause in known.causes() if cause.program]


@pytest.mark.parametrize("cause", few(FAULTS, 1), ids=lambda c: c.name)
def test_programs_print_what_is_said(cause):
    printed = programs.outputs(cause, INSTALLED)
    assert programs.holds(cause, printed), printed


@pytest.mark.parametrize("cause", FAULTS, ids=lambda c: c.name)
def test_programs_are_short(cause):
    assert len(cause.program.strip().splitlines()) <= 10


def test_a_parting_that_is_planted_is_found(every):
    """Another function under a backend's name: its numbers are another equation's."""
    call = (
        f"ops.exp(normal((2, 3), 0)) * {{'{INSTALLED[0]}': 1.0001}}.get(keras.backend.backend(), 1)"
    )
    assert [(p.kind, p.ratio > 1) for p in every.partings(call)] == [("values", True)]
    assert isinstance(every.partings(call)[0], Parting)
