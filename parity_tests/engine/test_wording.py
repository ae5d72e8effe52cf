"""`parity.verdict.wording`: every finding a sentence with both values and the next thing to do."""

import dataclasses
import typing

import pytest

from parity.comparator.noise import Finding, Status
from parity.core.recording_keys import LADDER, VALUES
from parity.diagnosis.array_hypotheses import Hypothesis, LowPrecision
from parity.diagnosis.optimizer_step import OptimizerStep
from parity.verdict import wording


def said(status: Status, key: str = "weights/step1/a/kernel", **fields: object) -> str:
    both = {"left": "0.25", "right": "0.5"}
    finding = Finding(key, "L3", status, **(both | fields))  # type: ignore[arg-type]
    return wording.sentence(finding, "torch", "keras")


def test_every_status_has_words_and_a_sentence() -> None:
    for status in typing.get_args(Status):
        assert wording.STATUS_WORDS[status]
        words = said(
            status,
            sides=("keras",),
            ratio=2.5,
            rule="equation",
            distance64=1e-3,
            own_left=1e-3,
            own_right=1e-6,
            expected="1.0",
        )
        assert words.startswith("weights/step1/a/kernel")
        assert words.endswith(".")
    assert set(wording.STATUS_WORDS) == set(typing.get_args(Status))


@pytest.mark.parametrize(
    ("status", "fields", "words"),
    [
        ("identical", {"ratio": 0.0}, "kernel: exactly equal."),
        ("rounding", {"ratio": 0.125}, "equal to rounding, 0.12 of the bound."),
        ("rounding", {"ratio": 0.125, "rule": "zero"}, "equal to rounding, 0.12 of the bound."),
        ("known", {}, "a listed difference, as listed."),
        ("missing", {"sides": ("keras",)}, "kernel: keras did not record it, torch did."),
        ("extra", {"sides": ("torch",)}, "kernel: torch did not record it, keras did."),
        (
            "missing",
            {"sides": ("torch", "keras")},
            "torch and keras did not record it, though the example requires it.",
        ),
        (
            "shape",
            {"left": "(6, 5)", "right": "(6, 4)"},
            "kernel has shape (6, 5) in torch and (6, 4) in keras.",
        ),
        ("shape", {"left": "(6, 5)", "right": "(5, 6)"}, "they are transposes: Dense stores (in,"),
        (
            "shape",
            {"left": "(6, 5)", "right": "(5, 6)"},
            "Convert with parity.core.axis_layouts.permute.",
        ),
        ("shape", {"left": "(6,)", "right": "()"}, "has shape (6,) in torch and () in keras."),
        (
            "dtype",
            {"left": "float32", "right": "float64"},
            "has dtype float32 in torch and float64 in keras; both must compute in the run's",
        ),
        (
            "nonfinite",
            {"left": "nan", "right": "0.5", "index": (1, 2)},
            "kernel at [1, 2] is nan in torch and 0.5 in keras: expected finite numbers on both",
        ),
        (
            "wrong",
            {"sides": ("torch", "keras"), "expected": "0.75"},
            "is 0.25 in torch and keras, expected 0.75: torch and keras are off.",
        ),
        ("wrong", {"sides": ("keras",), "expected": "0.75"}, "expected 0.75: keras is off."),
        ("stale", {}, "is 0.25 in torch and 0.5 in keras: the listed difference no longer holds"),
        ("undecided", {}, "differs, but beyond the horizon: there a nudge of one ulp"),
        (
            "different",
            {"rule": "equation", "ratio": 2.0, "distance64": 0.25, "index": (3, 4)},
            "kernel at [3, 4] is 0.25 in torch and 0.5 in keras: 0.25 apart in float64, 2 × the "
            "bound; would agree with C ≥ 64 (C is 32).",
        ),
        (
            "different",
            {"rule": "numbers", "ratio": 1.5, "distance32": 0.125, "distance64": 0.5},
            "0.12 apart in float32, 1.5 × the bound; would agree with C ≥ 48 (C is 32).",
        ),
        (
            "different",
            {"rule": "fallback", "ratio": 3.14159},
            "is 0.25 in torch and 0.5 in keras: 3.14 × torch.testing's tolerance for one "
            "precision.",
        ),
        (
            "different",
            {"rule": "copied", "index": (1,)},
            "at [1] is 0.25 in torch and 0.5 in keras: these are copied, not computed",
        ),
        ("different", {"rule": "copied"}, "not computed, so they must be exactly equal."),
        (
            "different",
            {"rule": "exact"},
            "keras: these are whole numbers or words, so they must be equal.",
        ),
        (
            "different",
            {"rule": "exact", "expected": "0.5", "sides": ("torch",)},
            "; expected 0.5, so torch is wrong.",
        ),
        (
            "different",
            {
                "rule": "equation",
                "ratio": 2.0,
                "distance64": 0.25,
                "expected": "0.75",
                "sides": ("torch", "keras"),
            },
            "; expected 0.75, so torch and keras are wrong.",
        ),
        (
            "different",
            {"rule": "equation", "ratio": 2.0, "distance64": 0.25, "expected": "0.4"},
            "; expected 0.4, and both are within its digits.",
        ),
        (
            "noisy",
            {"rule": "noise", "own_left": 0.5, "own_right": 1e-7, "ratio": 1234.0},
            "float32 is 0.5 from float64 in torch and 1e-07 in keras; torch computes in a lower",
        ),
        (
            "noisy",
            {"rule": "noise", "own_left": 1e-7, "own_right": 0.5, "ratio": 1234.0},
            "float32 is 0.5 from float64 in keras and 1e-07 in torch; keras computes in a lower",
        ),
        (
            "noisy",
            {"rule": "noise", "own_left": 1e-7, "own_right": 0.5, "ratio": 1234.0},
            "path is broken (1.2e+03 × the bound).",
        ),
        (
            "noisy",
            {"rule": "restless", "own_left": 0.5, "own_right": 1e-7, "ratio": 1234.0},
            "a nudge of one ulp moves torch by 0.5 and keras by 1e-07; torch is not the same "
            "program",
        ),
        (
            "noisy",
            {"rule": "sudden", "step": 21, "own_left": 0.5, "own_right": 1e-7, "ratio": 9.0},
            " at step 21: torch's float32 leaves its float64 all at once, to 0.5, while keras's "
            "stays within 1e-07. From this step on torch computes something else in float32",
        ),
        (
            "noisy",
            {"rule": "sudden", "step": 21, "own_left": 1e-7, "own_right": 0.5, "ratio": 9.0},
            "keras's float32 leaves its float64 all at once, to 0.5, while torch's stays within",
        ),
    ],
)
def test_sentences(status, fields, words: str) -> None:
    assert words in said(status, **fields)


def test_sentences_about_steps() -> None:
    curve = said(
        "different", "loss/curve", rule="equation", ratio=2.0, distance64=0.25, step=7, index=(6,)
    )
    assert curve.startswith("loss/curve at step 7 is 0.25 in torch and 0.5 in keras")
    assert "at step 7" in said("undecided", "loss/curve", step=7, index=(6,))
    assert "inputs/batches at step 3 is" in said(
        "different", "inputs/batches", rule="exact", step=3
    )
    shapes = said("shape", "loss/curve", left="(20,)", right="(15,)")
    assert "they took different numbers of steps" in shapes
    final = said(
        "different", "weights/final/a", rule="equation", ratio=2.0, distance64=0.25, step=7
    )
    assert "step 7" not in final


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            Hypothesis("transposed", (0, 1), (1, 0)),
            "keras's is torch's with axes transposed (1, 0)",
        ),
        (
            Hypothesis("scale", 1.0, 3.5, 0.5),
            "keras's is 3.5 × torch's everywhere (then 0.5 of the bound is left).",
        ),
        (Hypothesis("scale", 1.0, 255.0), "One side feeds bytes 0–255, the other 0–1."),
        (Hypothesis("scale", 1.0, 1 / 255), "One side feeds bytes 0–255, the other 0–1."),
        (Hypothesis("scale", 1.0, 32.0), "A sum instead of a mean over 32, or gradients added up?"),
        (Hypothesis("scale", 1.0, 0.03125), "A mean over 32 instead of a sum?"),
        (Hypothesis("offset", 0.0, -0.25), "keras's is torch's plus -0.25 everywhere"),
        (
            Hypothesis("activation", None, "softmax", side="right"),
            "keras's is the softmax of torch's: softmax was applied once more",
        ),
        (
            Hypothesis("activation", "softmax", None, side="left"),
            "torch's is the softmax of keras's",
        ),
        (
            Hypothesis("shift", 0, -1, where=(0,)),
            "keras's is torch's shifted by -1 along axis 0",
        ),
        (Hypothesis("reordered"), "Both hold the same values in another order"),
        (Hypothesis("element", 1.0, 2.0, where=(2, 3)), "Only one element differs, at (2, 3)."),
        (
            Hypothesis("zero", None, 0.0, side="right"),
            "keras's is zero everywhere: dropped, or never computed.",
        ),
        (Hypothesis("zero", 0.0, None, side="left"), "torch's is zero everywhere"),
        (
            Hypothesis(
                "precision", LowPrecision(3.9e-3, "bfloat16 (8 bits)"), "float32", side="left"
            ),
            "torch's float32 is off by 3.9e-03, the size of bfloat16 (8 bits) rounding.",
        ),
        (
            Hypothesis("precision", "float32", LowPrecision(1e-5, ""), side="right"),
            "keras's float32 is off by 1.0e-05.",
        ),
    ],
)
def test_hypotheses_in_words(found: Hypothesis, words: str) -> None:
    assert words in wording.hypothesis_words(found, "torch", "keras")


@pytest.mark.parametrize("factor", [3.5, 1.0000001, 0.7500001, -1.0, 256.0, 1e-300])
def test_an_ordinary_factor_is_not_explained(factor: float) -> None:
    words = wording.hypothesis_words(Hypothesis("scale", 1.0, factor), "torch", "keras")
    assert "bytes" not in words
    assert factor in (256.0, 1e-300) or "instead of" not in words


def test_an_unknown_hypothesis_says_nothing() -> None:
    assert wording.hypothesis_words(Hypothesis("else"), "torch", "keras") == ""


def test_steps_in_words() -> None:
    words = wording.step_words(
        (("torch", OptimizerStep({"rule": "sgd"}, 0.01, 3e-16)), ("keras", None))
    )
    assert words == (
        "torch's first step is SGD with learning rate 0.01 (reproduced in NumPy to 3e-16); "
        "keras's first step fits none, or several, of the equations known here."
    )


def test_adam_is_said_with_its_epsilon_and_where_that_stands() -> None:
    adam = {"rule": "adam", "title": "Adam", "equation": "keras", "epsilon": 1e-7}
    words = wording.step_words((("keras", OptimizerStep(adam, 1e-3, 3e-16)),))
    assert words == (
        "keras's first step is Adam, ε = 1e-07 before the bias correction (Keras' equation) with "
        "learning rate 0.001 (reproduced in NumPy to 3e-16)."
    )


def test_a_clause_is_about_what_the_sentence_says() -> None:
    finding = Finding("k", "L1", "different", rule="equation", ratio=2.0, distance64=0.25)
    assert wording.clause(finding, "its output", "PyTorch", "Keras").startswith("its output is ")
    measured = dataclasses.replace(finding, distance32=0.5)
    assert wording.clause(measured, "its output", "PyTorch", "Keras") == (
        "its output is 0.25 apart in float64, 2 × the bound (would agree with C ≥ 64, C is 32)"
    )
    assert wording.number(None) == "–"
    assert wording.number(float("inf")) == "∞"


def test_levels_and_places_in_words() -> None:
    assert wording.level_words("L3") == "L3 one optimizer step"
    assert wording.level_words(VALUES) == "values"
    for level in LADDER:
        assert wording.level_words(level).startswith(f"{level} ")
    assert wording.place_words("weights/initial/a") == "weights before training"
    assert wording.place_words("weights/final/a") == "weights after training"
    assert wording.place_words("loss/curve") == "loss of every step"
    assert wording.place_words("weights/step5/a") == "weights after step 5"
    assert wording.place_words("gradients/step0/a") == "gradients for the first batch"


def test_a_frozen_weight_that_moved_is_said_with_its_mover() -> None:
    words = said("wrong", rule="frozen", sides=("keras",))
    assert words == (
        "weights/step1/a/kernel: keras moved a weight that the spec says is frozen; "
        "expected its initial value, bit for bit."
    )
    assert "torch and keras moved" in said("wrong", rule="frozen", sides=("torch", "keras"))
