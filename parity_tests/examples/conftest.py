"""Recordings of every example, and of the headline examples on the full data, made once."""

import os
import shutil

import pytest

from parity.run import pipeline
from parity_tests.draws import LONG
from parity_tests.examples import sizes
from shared import data
from shared.examples import ALL
from shared.suite import SUITE

HEADLINES = {"fashion_mlp": ("matched",)}
"""Examples, and pairs of them, trained on the full data in the tests; all the others are in the
committed reports: ``parity report --full``."""


@pytest.fixture(scope="package")
def record(example_recordings, forked_workers):
    """Records examples where that is not done yet. Missing data fails where tests must not skip.

    The recordings are gigabytes: they go with the last test that asks for them.
    """

    def recorded(specs):
        request = pipeline.RunRequest(
            SUITE, tuple(specs), example_recordings, reuse=True, options=forked_workers()
        )
        made = pipeline.run_examples(request)
        if made.failures and os.environ.get("CI"):
            pytest.fail("\n".join(made.failures.values()))
        return made

    yield recorded
    shutil.rmtree(example_recordings, ignore_errors=True)


@pytest.fixture(scope="package")
def outcome(record):
    """Every example, both sides, all pairs; which are at their default size, `sizes` says."""
    return record(sizes.SPECS)


@pytest.fixture(scope="package")
def uncut(outcome):
    """Side/way → recordings of an example; skips where it is cut down in this run."""

    def runs(spec):
        if spec not in sizes.UNCUT:
            pytest.skip(f"{spec.name} has a few steps in this run: PARITY_LONG=1 for all of them")
        return outcome.runs[spec.name]

    return runs


@pytest.fixture(scope="package")
def fast_outcome(record):
    """The examples of `sizes.FAST`, each drawn fast path beside what it stands for."""
    return record(sizes.FAST)


@pytest.fixture(scope="session")
def full_data():
    """The full Fashion-MNIST; where tests must not skip, its absence is an error."""
    state = next(s for s in data.status() if s.name == "fashion_mnist")
    if state.full != "present":
        reason = f"the full Fashion-MNIST is not here ({state.detail})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def full_outcome(full_data, tmp_path_factory):
    """The headline examples on the full data, both sides; all epochs with ``PARITY_LONG``."""
    folder = tmp_path_factory.mktemp("full")
    specs = tuple(spec for spec in ALL if spec.name in HEADLINES)
    pairs = tuple(pair for some in HEADLINES.values() for pair in some)
    return pipeline.run_examples(
        pipeline.RunRequest(
            SUITE, specs, folder, full=True, pairs=pairs, epochs=None if LONG else 1
        )
    )
