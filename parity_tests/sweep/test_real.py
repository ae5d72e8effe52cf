"""A real sweep, as small as can be: both frameworks, here and on a cluster, bit for bit."""

import dataclasses

import pytest

from parity.native.summary import Summary
from parity.sweep import result, session
from parity.sweep.cluster import Cluster
from parity.sweep.local import Local
from parity.sweep.plan import SweepRequest
from parity.sweep.store import Store
from parity.workers.options import WorkerOptions
from parity_tests.sweep.conftest import Fakes, _unseen
from parity_tests.sweep.test_cluster import Dask
from shared.suite import SUITE

SIZE = {"train": 300, "test": 500, "epochs": 1}


def sweep(folder, place):
    request = SweepRequest(SUITE, (SUITE.find("softmax_regression"),), seeds=3, **SIZE)
    known = session.tasks(request, {})
    with Store(folder) as store:
        board = session.board(request, known, store)
        session.run_sweep(board, known, store, place, _unseen)
        kept = {job: store.get(task) for job, task in known.items()}
    return board, kept


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    return sweep(tmp_path_factory.mktemp("real"), Local(2, WorkerOptions(timeout=1800.0)))


def test_every_job_is_done_and_kept(local):
    board, kept = local
    assert result.to_json(board)["jobs"] == {"done": 12, "reused": 0, "failed": 0}, board.failed
    for job, fields in kept.items():
        summary = Summary.from_dict(fields)
        assert (summary.side, summary.setting, summary.seed) == (job.side, job.setting, job.seed)
        assert len(summary.predictions) == 500
        assert summary.predictions.tobytes() == board.found[job].predictions.tobytes()


def test_matched_is_equal_and_native_is_another_world(local):
    native, matched = result.to_json(local[0])["examples"]
    assert matched["verdict"] == "equal"
    assert matched["gap"]["mean"] == 0.0
    assert -matched["gap"]["low"] == pytest.approx(matched["gap"]["high"])
    assert 0 < matched["gap"]["high"] < 0.1  # rounding to 500 samples
    assert native["gap"]["mean"] != 0
    turned = [local[0].details(row)["churn"] for row in local[0].rows]
    assert turned[1].paired == 0.0
    assert turned[0].paired > 0.05
    assert turned[1].left == turned[1].right > 0.05  # seeds matter on both sides alike


def test_a_cluster_gives_the_same_bits(local, tmp_path):
    pytest.importorskip("distributed")
    (tmp_path / "dask").mkdir()
    dask = Dask(tmp_path / "dask")
    try:
        dask.worker()
        dask.worker()
        board, kept = sweep(tmp_path / "out", Cluster(str(dask.file), 120.0))
    finally:
        dask.close()
    assert board.failed == {}
    for job, fields in kept.items():
        assert {**fields, "seconds": 0} == {**local[1][job], "seconds": 0}, job
    assert result.to_json(board) == result.to_json(local[0])


def test_other_versions_are_refused(local, tmp_path):
    """A worker with other libraries must not answer, or one table would be of two worlds."""
    request = SweepRequest(
        SUITE, (SUITE.find("softmax_regression"),), seeds=1, divisions=("matched",), **SIZE
    )
    known = {
        job: dataclasses.replace(task, versions=task.versions | {"numpy": "0.1"})
        for job, task in session.tasks(request, {}).items()
    }
    made = Fakes(tmp_path)
    with Store(made.folder) as store:
        board = session.board(request, known, store)
        session.run_sweep(
            board, known, store, Local(2, WorkerOptions(commands=made.commands)), _unseen
        )
    assert len(board.failed) == 2
    assert all("expected 0.1" in message for message in board.failed.values())
