"""Recordings made by hand, so that the engine is tested without a framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import hypothesis
import numpy as np
import pytest

from parity.comparator import compare, noise
from parity.comparator.key_arrays import KeyArrays
from parity.core import recording_keys
from parity.recording.recording_file import Header, Recording, Runs
from parity.spec.cases import Case
from parity.spec.example import (
    GLOROT,
    ZEROS,
    ComparedPair,
    ExampleSpec,
    ParameterSpec,
    Size,
    Training,
    TrainingVariant,
)

# Cores are shared, so no deadline; the same examples every time, so that red means a change.
hypothesis.settings.register_profile("engine", deadline=None, derandomize=True)
hypothesis.settings.load_profile("engine")

Arrays = Mapping[str, Any]


@pytest.fixture(scope="session")
def runs() -> Callable[..., Runs]:
    """``runs("torch", arrays64)``: one side. float32 is the rounded float64 unless it is given."""

    def make(
        title: str,
        float64: Arrays | None,
        float32: Arrays | str | None = "rounded",
        nudged: Arrays | None = None,
        *,
        side: str | None = None,
        **header: Any,
    ) -> Runs:
        def recording(precision: str, arrays: Arrays | None, **more: Any) -> Recording | None:
            if arrays is None:
                return None
            head = Header(
                **{"example": "made", "side": side or title, "precision": precision} | header | more
            )
            held = {key: np.asarray(value) for key, value in arrays.items()}
            return Recording(head, held, f"{title}-{precision}{'-n' if more else ''}")

        low = rounded(float64) if isinstance(float32, str) else float32
        return Runs(
            title,
            recording("float32", low),
            recording("float64", float64),
            recording("float64", nudged, nudged=True),
        )

    return make


def rounded(arrays: Arrays | None) -> Arrays | None:
    if arrays is None:
        return None
    held = {key: np.asarray(value) for key, value in arrays.items()}
    return {k: a.astype(np.float32) if a.dtype.kind == "f" else a for k, a in held.items()}


@pytest.fixture(scope="session")
def found(runs: Callable[..., Runs]) -> Callable[..., dict[str, noise.Finding]]:
    """``found(left64, right64, **question)``: findings by key of two rounded sides."""

    def make(left: Any, right: Any, **question: Any) -> dict[str, noise.Finding]:
        sides = [
            some if isinstance(some, Runs) else runs(title, some)
            for title, some in (("torch", left), ("keras", right))
        ]
        result = compare.compare(*sides, compare.Question(**question))
        return {finding.key: finding for finding in result.findings}

    return make


@pytest.fixture(scope="session")
def judge() -> Callable[..., noise.Finding]:
    """``judge(key, l32, l64, r32, r64, nudged_left, nudged_right, step=…)``."""

    def make(key: str, *arrays: Any, step: int | None = None) -> noise.Finding:
        parsed = recording_keys.parse_key(key)
        precisions = [
            p
            for p, i in (("float32", 0), ("float64", 1))
            if arrays[i] is not None and arrays[i + 2] is not None
        ]
        base = noise.Finding(key, parsed.level, "identical", step=step)
        return noise.judge(base, parsed, KeyArrays(*arrays), precisions)

    return make


@pytest.fixture(scope="session")
def values_spec() -> ExampleSpec:
    """An example of values: one number with a witness, one without."""
    return ExampleSpec(
        name="made",
        title="Made",
        part="Tests",
        summary="Made for tests.",
        cases=(Case("ease", {"x": (1.0, 2.0)}, {"y": (2.0, 4.0)}),),
    )


@pytest.fixture(scope="session")
def training_spec() -> ExampleSpec:
    """A trained example with a pair, a second pair and a contrast."""
    return ExampleSpec(
        name="made",
        title="Made",
        part="Tests",
        summary="Made for tests.",
        training=Training(
            dataset="made",
            batch_size=4,
            parameters=(
                ParameterSpec("hidden/kernel", (3, 5), GLOROT),
                ParameterSpec("hidden/bias", (5,), ZEROS),
            ),
            layers=("hidden", "relu"),
            default=Size("embedded", epochs=2),
            full=Size("full", epochs=3),
            ways=(
                TrainingVariant("torch", "loop", "loop"),
                TrainingVariant("keras", "tape", "tape"),
                TrainingVariant("keras", "fit", "fit", loop="fit"),
            ),
            pairs=(
                ComparedPair("matched", "loop ~ tape", "torch/loop", "keras/tape"),
                ComparedPair("fit", "tape ~ fit", "keras/tape", "keras/fit"),
                ComparedPair(
                    "contrast",
                    "loop ~ fit",
                    "torch/loop",
                    "keras/fit",
                    differs_at="weights/step1/",
                    reason="other Adam",
                ),
            ),
        ),
    )


@pytest.fixture(scope="session")
def trained() -> Callable[..., dict[str, np.ndarray]]:
    """``trained()``: every required array of `training_spec`, float64, in causal order."""

    def make(steps: int = 20, seed: int = 1) -> dict[str, np.ndarray]:
        random = np.random.default_rng(seed)
        kernel = random.normal(size=(3, 5))
        gradient = {"kernel": random.normal(size=(3, 5)), "bias": random.normal(size=5)}
        start = {"kernel": kernel.astype("f4").astype("f8"), "bias": np.zeros(5)}
        arrays: dict[str, np.ndarray] = {
            "inputs/images": random.random((4, 3)).astype("f4").astype("f8"),
            "inputs/labels": np.arange(4) % 3,
            "inputs/batches": random.integers(0, 2**32, steps, dtype=np.uint32),
        }
        arrays |= {f"weights/initial/hidden/{k}": v for k, v in start.items()}
        arrays["activations/step0/hidden"] = random.normal(size=(4, 5))
        arrays["activations/step0/relu"] = np.maximum(arrays["activations/step0/hidden"], 0)
        arrays["predictions/initial"] = random.dirichlet(np.ones(3), 5)
        arrays["metrics/initial_loss"] = np.array(1.1)
        arrays["loss/step0"] = np.array(1.2345678901234)
        arrays |= {f"gradients/step0/hidden/{k}": v for k, v in gradient.items()}
        arrays |= {f"state/step1/hidden/{k}/m": 0.1 * v for k, v in gradient.items()}
        after = {k: start[k] - 1e-3 * v / (np.abs(v) + 1e-8) for k, v in gradient.items()}
        arrays |= {f"weights/step1/hidden/{k}": v for k, v in after.items()}
        for step in recording_keys.recorded_steps(steps)[1:]:
            arrays |= {f"weights/step{step}/hidden/{k}": v + 0.01 * step for k, v in after.items()}
        arrays["loss/curve"] = 1.2345678901234 * 0.9 ** np.arange(steps)
        arrays |= {f"weights/final/hidden/{k}": v + 0.01 * steps for k, v in after.items()}
        arrays["predictions/test"] = random.dirichlet(np.ones(3), 7)
        arrays["metrics/test_loss"] = np.array(0.5)
        arrays["metrics/test_accuracy"] = np.array(5 / 7)
        return arrays

    return make
