"""Recordings in the cache: what is counted, what is removed, and what never is."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from parity.cli.main import app
from parity.core.errors import UsageError
from parity.core.text import bytes_text, parse_bytes
from parity.run import cache_limit
from parity.run.cache_limit import in_use, prune, recording_sets, total_bytes
from parity.run.pipeline import RunOutcome, RunRequest
from shared.suite import SUITE

HOLD = """
import sys
from pathlib import Path
from parity.run.cache_limit import in_use
with in_use([(Path(sys.argv[1]), 20)]):
    print("held", flush=True)
    sys.stdin.read()
"""
MLP, TENSORS = "fashion_mlp/embedded-5-epochs", "tensors"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache of its own, where all commands look."""
    monkeypatch.setenv("PARITY_RECORDINGS_DIR", str(tmp_path / "recordings"))
    monkeypatch.setenv("PARITY_SWEEPS_DIR", str(tmp_path / "sweeps"))
    monkeypatch.delenv(cache_limit.VARIABLE, raising=False)
    return tmp_path / "recordings"


def record(folder, home, *, age, size=100, seed=20, names=("torch-loop", "keras-fit")):
    """Fake recordings of one set; `age` in seconds."""
    (folder / home).mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder / home / f"{name}-float32-seed{seed}.safetensors"
        path.write_bytes(bytes(size))
        os.utime(path, (1e9 - age, 1e9 - age))
    return folder / home


def left(folder):
    return sorted({(one.example, one.seed) for one in recording_sets(folder)})


def cache(*arguments):
    """A command in this process, whose input is no terminal."""
    return CliRunner().invoke(app, ["cache", *arguments])


def complaint(done):
    assert isinstance(done.exception, UsageError), done.output
    return str(done.exception)


class TestPrune:
    def test_removes_what_is_least_recently_used_and_no_more_than_needed(self, folder):
        record(folder, "tensors", age=300)
        record(folder, "autograd", age=200)
        record(folder, MLP, age=100)
        assert prune(folder, 450) == 200
        assert left(folder) == [("autograd", 20), ("fashion_mlp", 20)]
        assert not (folder / TENSORS).exists()
        assert prune(folder, 450) == 0

    def test_using_a_set_makes_it_the_newest_and_leaves_its_files_as_they_are(self, folder):
        home = record(folder, "tensors", age=300)
        record(folder, "autograd", age=200)
        before = {path: path.stat() for path in home.iterdir()}
        with in_use([(home, 20)]):
            pass
        assert {path: path.stat() for path in before} == before  # by which verdicts are kept
        prune(folder, 200)
        assert left(folder) == [("tensors", 20)]

    def test_a_seed_is_a_set_of_its_own(self, folder):
        record(folder, MLP, age=100, seed=1)
        home = record(folder, MLP, age=200, seed=2)
        (home / "verdict.json").write_text("{}")
        prune(folder, 200)
        assert left(folder) == [("fashion_mlp", 1)]
        assert (home / "verdict.json").exists()

    def test_what_this_process_uses_stays(self, folder):
        home = record(folder, TENSORS, age=300)
        record(folder, MLP, age=100)
        with in_use([(home, 20)]):
            assert prune(folder, 0) == 200
            assert left(folder) == [("tensors", 20)]
        assert prune(folder, 0) == 200

    def test_what_another_process_uses_stays_though_it_is_killed_later(self, folder):
        home = record(folder, MLP, age=300)
        unfinished = home / ".torch-loop-float64-seed20-ab_12xyz"
        unfinished.write_bytes(b"half")
        command = [sys.executable, "-c", HOLD, str(home)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as holder:
            assert holder.stdout.readline() == "held\n"
            assert prune(folder, 0) == 0
            assert unfinished.exists()
            assert "which a run is using" in cache("clear", "--yes").output
            holder.kill()
        assert prune(folder, 0) == 204
        assert not home.parent.exists()

    def test_a_set_that_is_removed_while_a_run_waits_for_it_is_locked_anew(
        self, folder, monkeypatch
    ):
        home = record(folder, MLP, age=1)
        opened = cache_limit._opened
        waiting = [True]

        def removed_behind(path):
            handle = opened(path)
            if waiting and waiting.pop():
                path.unlink()  # as another process does that had the lock until now
            return handle

        monkeypatch.setattr(cache_limit, "_opened", removed_behind)
        with in_use([(home, 20)]):
            assert prune(folder, 0) == 0
        assert left(folder) == [("fashion_mlp", 20)]

    def test_nothing_is_touched_but_recordings(self, folder, tmp_path):
        home = record(folder, MLP, age=100)
        others = [folder / "thesis.safetensors", folder / "a" / "notes.txt", home / "mine.txt"]
        elsewhere = record(tmp_path / "elsewhere", MLP, age=100)
        for path in others:
            path.parent.mkdir(exist_ok=True)
            path.write_text("mine")
        (folder / "linked").symlink_to(elsewhere)
        one = next(elsewhere.iterdir())
        (home / "torch-link-float32-seed20.safetensors").symlink_to(one)
        assert total_bytes(recording_sets(folder)) == 200
        assert cache("clear", "--yes").exit_code == 0
        assert left(folder) == []
        assert all(path.exists() for path in [*others, one])


def test_a_file_of_two_names_counts_once(folder):
    home = record(folder, TENSORS, age=100, size=1000, names=["torch-a"])
    other = folder / "autograd"
    other.mkdir()
    file = home / "torch-a-float32-seed20.safetensors"
    os.link(file, home / "torch-b-float32-seed20.safetensors")
    os.link(file, other / "torch-a-float32-seed20.safetensors")
    record(folder, MLP, age=50, size=10)
    assert total_bytes(recording_sets(folder)) == 1020
    document = json.loads(cache("status", "--json").stdout)
    assert {row["name"]: row["files"] for row in document["examples"]} == {
        "tensors": 1,
        "autograd": 1,
        "fashion_mlp": 2,
    }
    assert prune(folder, 1019) == 1000  # nothing is free before its last name has gone
    assert left(folder) == [("fashion_mlp", 20)]


class TestCommands:
    def test_status_shows_sizes_by_example_and_sweeps_apart(self, folder, tmp_path):
        record(folder, TENSORS, age=100)
        record(folder, MLP, age=10, size=2_000_000)
        (tmp_path / "sweeps").mkdir()
        (tmp_path / "sweeps" / "results.sqlite").write_bytes(bytes(3000))
        document = json.loads(cache("status", "--json").stdout)
        assert document["limit"] == 4_000_000_000
        assert (document["bytes"], document["files"]) == (4_000_200, 4)
        assert [row["name"] for row in document["examples"]] == ["fashion_mlp", "tensors"]
        assert document["examples"][0]["newest"] == "2001-09-09T01:46:30+00:00"
        assert document["sweeps"]["bytes"] == 3000
        words = cache("status").output
        assert "4 MB of 4 GB" in words
        assert max(map(len, words.splitlines())) <= 80 or "/" in words
        for part in ("example", "days ago", "all", "3 kB", "parity data status"):
            assert part in words

    def test_of_an_empty_cache(self, folder):
        assert "0 B of 4 GB" in cache("status").output
        assert "0 B removed" in cache("prune").output
        assert not folder.exists()

    def test_prune_takes_a_limit_or_the_default(self, folder, monkeypatch):
        record(folder, TENSORS, age=100)
        record(folder, MLP, age=10)
        assert "0 B removed" in cache("prune").output
        monkeypatch.setenv(cache_limit.VARIABLE, "300B")
        assert "200 B removed; the cache holds 200 B." in cache("prune").output
        assert "200 B removed; the cache holds 0 B." in cache("prune", "--limit", "1 b").output

    def test_clear_asks_and_says_how_where_nobody_can_answer(self, folder):
        record(folder, TENSORS, age=100)
        (folder / "data-0123456789ab.json").write_text("{}")
        assert "parity cache clear --yes" in complaint(cache("clear"))
        assert left(folder) == [("tensors", 20)]
        assert "200 B removed" in cache("clear", "--yes").output
        assert not any(path.suffix for path in folder.glob("*") if path.name != ".prune.lock")

    @pytest.mark.parametrize("text", ["4", "4 potatoes", "GB", "-1GB", "1e3MB", "nan GB"])
    def test_a_limit_that_is_no_size_is_refused(self, folder, monkeypatch, text):
        assert "Expected a number with its unit" in complaint(cache("prune", f"--limit={text}"))
        monkeypatch.setenv(cache_limit.VARIABLE, text)
        assert "PARITY_CACHE_LIMIT" in complaint(cache("status"))

    def test_no_limit_prunes_to_nothing(self, folder, monkeypatch):
        monkeypatch.setenv(cache_limit.VARIABLE, "0")
        assert "parity cache clear" in complaint(cache("prune"))
        assert "0 B, no limit" in cache("status").output


class TestTheEndOfARun:
    def ended(self, folder):
        """What a run of `tensors` says when it ends."""
        from parity.cli.cache_command import kept_to_limit

        request = RunRequest(SUITE, (SUITE.find("tensors"),), folder)
        with kept_to_limit(request) as told:
            record(folder, TENSORS, age=1000)
            return told(RunOutcome((), {}, {}, {}, made=2, reused=0, seconds=1.0, bytes_made=200))

    def test_older_recordings_go_and_its_own_stay(self, folder, monkeypatch):
        record(folder, MLP, age=10)
        monkeypatch.setenv(cache_limit.VARIABLE, "150B")
        told = self.ended(folder)
        assert left(folder) == [("tensors", 20)]
        assert told.startswith("Recordings: 200 B written in ")
        assert "200 B of older ones removed; the cache holds 200 B of 150 B" in told

    def test_below_the_limit_or_without_one_nothing_goes(self, folder, monkeypatch):
        record(folder, MLP, age=10)
        assert "the cache holds 400 B of 4 GB: parity cache status" in self.ended(folder)
        monkeypatch.setenv(cache_limit.VARIABLE, "0")
        assert "the cache holds 400 B, no limit" in self.ended(folder)

    def test_a_folder_of_the_users_choice_is_never_pruned(self, folder, tmp_path, monkeypatch):
        record(folder, MLP, age=10)
        record(tmp_path / "mine", MLP, age=10)
        monkeypatch.setenv(cache_limit.VARIABLE, "1B")
        assert "cache" not in self.ended(tmp_path / "mine").partition("mine")[2]
        assert left(folder) == left(tmp_path / "mine")[:1] == [("fashion_mlp", 20)]
        assert not list((tmp_path / "mine").rglob("*.lock"))

    def test_a_bad_limit_is_said_before_the_work(self, folder, monkeypatch):
        monkeypatch.setenv(cache_limit.VARIABLE, "lots")
        with pytest.raises(UsageError, match="'lots' is no size"):
            self.ended(folder)
        assert not folder.exists()


def test_names_of_recordings_are_those_that_runs_give(folder):
    """Else nothing would ever be found."""
    from parity.run import pipeline

    for name in ("tensors", "fashion_mlp"):
        spec = SUITE.find(name)
        request = RunRequest(SUITE, (spec,), folder, seed=7, train=5)
        path = pipeline.recording_path(request, spec, spec.ways[0], "float64", nudged=True)
        path.parent.mkdir(parents=True)
        path.touch()
        assert pipeline.recording_sets(request) == [(path.parent, 7)]
    assert left(folder) == [("fashion_mlp", 7), ("tensors", 7)]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (999_600, "1 MB"), (1.9e9, "1.9 GB")],
)
def test_bytes_in_words_and_back(count, text):
    assert bytes_text(count) == text
    assert parse_bytes(text, "--limit") == pytest.approx(count, rel=0.01)
