"""The command in every trouble, with processes that only make results up."""

import json
import os
import signal
import sqlite3

import psutil
import pytest
from scipy import stats

from parity.sweep.store import FILE, StoreError
from parity_tests.waiting import PATIENCE, wait_for

LEVELS = (0.9, 1 - 0.1 / 3)


def jobs(fakes):
    """(side, setting, seed) of what is kept; read as another process may, at any time."""
    if not (fakes.folder / FILE).is_file():
        return []
    db = sqlite3.connect(f"{(fakes.folder / FILE).as_uri()}?mode=ro", uri=True)
    try:
        rows = [json.loads(text)["job"] for (text,) in db.execute("SELECT task FROM jobs")]
    except sqlite3.OperationalError:
        return []
    finally:
        db.close()
    return sorted(f"{row['side']} {row['setting']} {row['seed']}" for row in rows)


def test_one_document_and_everything_behind_it(fakes, tmp_path):
    code, out, errors = fakes.run("--json", "--details", tmp_path / "d.json", seeds=5)
    document = json.loads(out)
    assert errors == ""
    assert set(document) == {"format", "examples", "jobs"}
    assert document["jobs"] == {"done": 20, "reused": 0, "failed": 0}
    for row, division in zip(document["examples"], ("native", "matched"), strict=True):
        assert set(row) == {"example", "division", "seeds", "margin", "gap", "verdict"}
        assert (row["example"], row["division"]) == ("softmax_regression", division)
        assert row["seeds"] == 5
        assert row["gap"]["low"] < row["gap"]["mean"] < row["gap"]["high"]
        assert row["verdict"] == "undecided"
    assert code == 2
    behind = json.loads((tmp_path / "d.json").read_text())
    assert {"churn", "mcnemar", "classes", "p_equal"} <= behind["examples"][0].keys()
    assert len(behind["runs"]) == 20
    assert len(behind["examples"][0]["classes"]) == 10


@pytest.mark.parametrize(("gap", "code", "verdict"), [(0, 0, "equal"), (0.3, 1, "different")])
def test_exit_codes(fakes, monkeypatch, gap, code, verdict):
    monkeypatch.setenv("FAKE_GAP", str(gap))
    document, _ = fakes.sweep(margin=20, seeds=6)
    assert fakes.exit_code == code
    assert {row["verdict"] for row in document["examples"]} == {verdict}


def test_kill_9_in_the_middle_repeats_nothing_finished(fakes, tmp_path):
    (tmp_path / "whole").mkdir()
    whole = type(fakes)(tmp_path / "whole")
    expected, _ = whole.sweep()
    everything = sorted(set(fakes.begun()))
    fakes.log.write_text("")

    process = fakes.start("--json", "--workers", "2", FAKE_HOLD=7)
    wait_for(lambda: len(jobs(fakes)) >= 5)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) == 2
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    psutil.wait_procs(children, timeout=PATIENCE)
    assert not any(child.is_running() for child in children)

    finished, begun = jobs(fakes), fakes.begun()
    assert 5 <= len(finished) <= 7
    code, out, _ = fakes.run("--json", "--workers", "2")
    again = fakes.begun()[len(begun) :]
    assert not set(again) & set(finished)
    assert sorted([*again, *finished]) == everything
    made = json.loads(out)
    assert made["examples"] == expected["examples"]
    assert made["jobs"] == {"done": 16 - len(finished), "reused": len(finished), "failed": 0}

    before = fakes.begun()
    assert fakes.sweep()[0] == made | {"jobs": {"done": 0, "reused": 16, "failed": 0}}
    assert fakes.begun() == before
    assert code == 2


def test_no_resume_does_everything_again(fakes):
    fakes.sweep(seeds=2)
    assert fakes.sweep(seeds=2, resume=False)[0]["jobs"] == {"done": 8, "reused": 0, "failed": 0}
    assert len(jobs(fakes)) == 8


def test_more_seeds_take_over_the_first_ones(fakes):
    fakes.sweep(seeds=2)
    assert fakes.sweep(seeds=3)[0]["jobs"] == {"done": 4, "reused": 8, "failed": 0}


def test_what_follows_from_what_is_finished(fakes, tmp_path):
    report = tmp_path / "r"
    code, out, errors = fakes.run("--finished", "--json", "--report", report)
    assert code == 2
    assert [row["seeds"] for row in json.loads(out)["examples"]] == [0, 0]
    assert "nothing was written" in errors
    assert not report.exists()
    fakes.sweep(seeds=3)
    before = fakes.begun()
    code, out, _ = fakes.run("--finished", "--json", "--margin", 20, "--report", report)
    assert code == 2  # another seed was asked for
    assert fakes.begun() == before
    assert json.loads(out)["jobs"] == {"done": 0, "reused": 12, "failed": 0}
    for row in json.loads(out)["examples"]:
        # By three of four seeds it would be equal; but who asks after every seed errs too often.
        assert (row["seeds"], row["verdict"]) == (3, "undecided")
    told = json.loads((report / "sweep.json").read_text())["examples"]
    assert [(row["verdict"], row["level"]) for row in told] == 2 * [("undecided", 0.9)]
    assert all(row["words"].startswith("so far: equal") for row in told)
    assert fakes.sweep(margin=20)[0]["examples"][0]["verdict"] == "equal"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_keeps_what_is_finished(fakes, number):
    process = fakes.start("--workers", "1", FAKE_HOLD=2)
    wait_for(lambda: jobs(fakes))
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "Interrupted after" in errors
    assert "goes on from there" in errors
    assert "Traceback" not in errors
    assert not psutil.wait_procs(children, timeout=PATIENCE)[1]


def test_two_at_once_on_one_folder(fakes):
    first = fakes.start(FAKE_HOLD=0)
    wait_for(fakes.begun)
    with pytest.raises(StoreError, match=f"another sweep, process {first.pid}, works here"):
        fakes.sweep()
    first.kill()
    first.communicate()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("raise", "no such data here"),
        ("die", "exit code 9"),
        ("rubbish", "printed something that is no event"),
        ("hang", "no sign of life for 10 s"),
        ("other", "the answer is that of another job"),
        ("empty", "This is no summary of a training"),
        ("short", "has 499 predictions, expected 500"),
        ("boast", "its predictions"),
    ],
)
def test_a_job_that_fails_leaves_the_others(fakes, monkeypatch, fault, words):
    monkeypatch.setenv("FAKE_FAULT", f"{fault} 2")
    timeout = 10.0 if fault == "hang" else PATIENCE  # longer than an interpreter takes to start
    document, failures = fakes.sweep(seeds=3, divisions=("matched",), timeout=timeout)
    assert all(words in failure for failure in failures)
    assert document["jobs"] == {"done": 4, "reused": 0, "failed": 2}
    assert fakes.exit_code == 2
    assert document["examples"][0]["seeds"] == 2
    assert fakes.begun().count("torch matched 2") == (
        3 if fault in ("die", "rubbish", "hang") else 1
    )


def test_a_process_that_dies_once_is_replaced(fakes, monkeypatch):
    monkeypatch.setenv("FAKE_FAULT", "die_once 1")
    document, failures = fakes.sweep(seeds=2)
    assert document["jobs"] == {"done": 8, "reused": 0, "failed": 0}
    assert failures == []


def test_a_replacement_that_dies_while_it_starts_is_replaced(fakes, monkeypatch):
    """Memory was short for a moment: no reason to end a sweep that has long been at work."""
    monkeypatch.setenv("FAKE_FAULT", "die_once 1")
    monkeypatch.setenv("FAKE_START", "2")
    document, failures = fakes.sweep(seeds=2)
    assert failures == []
    assert document["jobs"] == {"done": 8, "reused": 0, "failed": 0}


def test_a_process_that_has_grown_large_is_replaced(fakes, monkeypatch):
    monkeypatch.setenv("FAKE_START", "never")  # but the starts are counted
    fakes.sweep(seeds=2, workers=1)
    starts = [fakes.log.with_suffix(f".{side}") for side in ("torch", "keras")]
    assert [len(file.read_text().splitlines()) for file in starts] == [1, 1]
    monkeypatch.setattr("parity.sweep.crew.LARGEST", 1)
    document, failures = fakes.sweep(seeds=2, workers=1, resume=False)
    assert failures == []
    assert document["jobs"]["done"] == 8
    assert [len(file.read_text().splitlines()) for file in starts] == [5, 5]


def test_seeds_that_failed_leave_the_question_open(fakes, monkeypatch, tmp_path):
    """Else it would be decided by a number of seeds that nobody planned, and perhaps twice."""
    monkeypatch.setenv("FAKE_FAULT", "raise 2")
    asked = ("--margin", 20, "--json", "--details", tmp_path / "d.json")
    code, out, _ = fakes.run(*asked, seeds=6)
    assert code == 2
    assert {(r["seeds"], r["verdict"]) for r in json.loads(out)["examples"]} == {(5, "undecided")}
    words = {row["words"] for row in json.loads((tmp_path / "d.json").read_text())["examples"]}
    assert words == {"so far, 1 failed: equal within the margin of 20"}
    monkeypatch.delenv("FAKE_FAULT")
    code, out, _ = fakes.run(*asked, seeds=6)
    assert code == 0
    assert json.loads(out)["jobs"] == {"done": 4, "reused": 20, "failed": 0}


def test_a_failed_seed_keeps_a_look_from_deciding(fakes, monkeypatch):
    monkeypatch.setenv("FAKE_GAP", "0.15")
    monkeypatch.setenv("FAKE_FAULT", "raise 2")
    document, _ = fakes.sweep(stop=True, seeds=12, divisions=("native",))
    assert document["examples"][0]["verdict"] == "undecided"
    assert document["examples"][0]["seeds"] == 11


def test_what_is_still_to_be_done_is_no_success(fakes, tmp_path):
    fakes.sweep(margin=20, seeds=3)
    asked = ("--finished", "--margin", 20, "--details", tmp_path / "d.json")
    assert fakes.run(*asked, seeds=3)[0] == 0
    code, out, _ = fakes.run(*asked, "--attribution", seeds=3)
    assert code == 2
    waiting = json.loads((tmp_path / "d.json").read_text())["waiting"]
    assert waiting > 0
    assert f"{waiting} still to be done" in out


def test_it_is_read_while_a_sweep_writes(fakes):
    first = fakes.start(FAKE_HOLD=4)
    wait_for(lambda: jobs(fakes))
    code, out, _ = fakes.run("--finished", "--json")
    assert code == 2
    assert json.loads(out)["jobs"]["reused"] > 0
    code, out, _ = fakes.run("--dry-run", "--json")
    assert code == 0
    planned = json.loads(out)
    assert planned["jobs"]["planned"] == 16
    assert planned["jobs"]["finished"] > 0
    assert [(part["side"], part["jobs"]) for part in planned["planned"]] == [
        ("torch", 8),
        ("keras", 8),
    ]
    assert "300 + 500 of" in planned["planned"][0]["data"]
    assert "4 epochs" in planned["planned"][0]["data"]
    first.kill()
    first.communicate()


def test_damaged_results_are_said_and_repaired(fakes):
    fakes.sweep()
    path = fakes.folder / FILE
    content = bytearray(path.read_bytes())
    content[8192:12288] = b"\xa5" * 4096
    path.write_bytes(bytes(content))
    with pytest.raises(StoreError, match="is damaged"):
        fakes.sweep()
    document, _ = fakes.sweep(repair=True)
    assert document["jobs"]["done"] + document["jobs"]["reused"] == 16
    assert document["jobs"]["reused"] > 8


def test_a_dry_run_does_nothing(fakes):
    code, out, _ = fakes.run("--dry-run", "--stop-when-decided", seeds=12)
    assert code == 0
    assert "48 jobs, 0 of them finished" in out
    assert "looks after 4, 8, 12 seeds" in out
    assert not fakes.folder.exists()


def test_stopping_early(fakes, monkeypatch):
    """A gap as wide as this is clear at the first look; of the other seeds few are begun."""
    monkeypatch.setenv("FAKE_GAP", "0.15")
    monkeypatch.setenv("FAKE_SECONDS", "0.2")  # or all were begun before the first is looked at
    asked = {"stop": True, "seeds": 12, "divisions": ("native",)}
    document, _ = fakes.sweep(workers=1, **asked)
    assert document["examples"][0]["verdict"] == "different"
    assert document["examples"][0]["seeds"] == 4
    assert document["jobs"]["done"] <= 10
    again, _ = fakes.sweep(**asked)
    assert again["examples"] == document["examples"]
    assert again["jobs"]["done"] == 0


def test_who_is_quick_does_not_decide(fakes, monkeypatch):
    """The verdict of a sweep that stops rests on the seeds of its look, whatever else is there."""
    monkeypatch.setenv("FAKE_GAP", "0.15")
    whole, _ = fakes.sweep(seeds=12, divisions=("native",))
    stopped, _ = fakes.sweep(seeds=12, divisions=("native",), stop=True)
    assert whole["examples"][0]["seeds"] == 12
    assert stopped["examples"][0]["seeds"] == 4
    first, _ = fakes.sweep(seeds=4, divisions=("native",))  # the same seeds, planned as one look
    few, many = (told["examples"][0]["gap"] for told in (first, stopped))
    assert few["mean"] == many["mean"]
    # Three looks: an interval of 1 - 2 · 5 % / 3, wider than that of 90 %.
    width = {level: sum(abs(bound) for bound in stats.t.interval(level, 3)) for level in LEVELS}
    wider = (many["high"] - many["low"]) / (few["high"] - few["low"])
    assert wider == pytest.approx(width[LEVELS[1]] / width[LEVELS[0]])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--division", "nativ"], "expected native or matched"),
        (["--margin", "0.1"], "worth 0.2 points"),
        (["--torch-python", "/no/python"], "--torch-python PATH"),
        (["--torch-python", "/bin/false"], "--torch-python PATH"),
        (["--scheduler", "tcp://127.0.0.1:1"], "one or the other"),
        (["--finished", "--no-resume"], "one or the other"),
        (["--attribution", "--stop-when-decided"], "one or the other"),
        (["--margin", "inf"], "less than or equal to 100"),
        (["--timeout", "inf"], "less than or equal to 1000000"),
    ],
)
def test_bad_options(fakes, options, words):
    code, _, errors = fakes.run(*options)
    assert code == 2
    assert words in errors
    assert fakes.begun() == []


def test_a_side_that_cannot_start_ends_the_sweep(fakes):
    (fakes.home / "keras").write_text(
        (fakes.home / "keras").read_text().replace("parity_tests.sweep.fake", "no_such_module")
    )
    code, _, errors = fakes.run()
    assert code == 2
    assert "--keras-python PATH" in errors
