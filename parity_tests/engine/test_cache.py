"""What was found before is taken only while everything that it came from is unchanged."""

import dataclasses
import json
import os
import shutil

import pytest

from parity.recording import provenance
from parity.recording.recording_file import Header, write
from parity.run import cache
from parity.spec.example import Size
from parity.verdict import judgement
from shared.suite import SUITE

EXAMPLES = ("autograd", "optimizers", "fashion_mlp")


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the sources, so that they can be changed."""
    for name in ("parity", "shared", "pytorch_impl", "keras_impl"):
        left_out = shutil.ignore_patterns("__pycache__", "embedded", "*.safetensors")
        shutil.copytree(provenance.ROOT / name, tmp_path / "root" / name, ignore=left_out)
    monkeypatch.setattr(provenance, "ROOT", tmp_path / "root")
    return tmp_path / "root"


@pytest.fixture
def recorded(tmp_path, trained):
    paths = [tmp_path / "a", tmp_path / "b"]
    for path in paths:
        write(path, trained(), Header("made", "torch", "float64"))
    return paths


def keys(recorded, asked=("size",)):
    """Example → key, with sources read anew."""
    for cached in (cache._digest, cache._versions, provenance.code_digest):
        cached.cache_clear()
    return {name: cache.key(SUITE.find(name), recorded, asked) for name in EXAMPLES}


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("file", "stale"),
    [
        ("parity/comparator/noise.py", set(EXAMPLES)),
        ("parity/report/pages.py", set(EXAMPLES)),
        ("parity/report/templates/training.md.j2", set(EXAMPLES)),
        ("shared/data/images.py", set(EXAMPLES)),
        ("parity/run/cache.py", set(EXAMPLES)),
        ("shared/suite.py", set(EXAMPLES)),
        ("parity/training/nudge.py", set(EXAMPLES)),
        ("parity/torch_side/optimizers.py", set(EXAMPLES)),
        ("parity/keras_side/named_weights.py", set(EXAMPLES)),
        ("pytorch_impl/autograd.py", {"autograd"}),
        ("keras_impl/fashion_mlp.py", {"fashion_mlp"}),
        ("shared/examples/autograd.py", {"autograd"}),
        ("parity/reference/optimizers.py", set(EXAMPLES)),
        ("parity/diagnosis/array_hypotheses.py", set(EXAMPLES)),
        ("shared/examples/iris_mlp.py", set()),
        ("shared/examples/__init__.py", set()),
        ("pytorch_impl/iris_mlp.py", set()),
        ("parity/checker/result/wording.py", set()),
        ("shared/differences/losses.py", set()),
    ],
)
def test_a_source_makes_just_what_comes_from_it_stale(copy, recorded, file, stale):
    before = keys(recorded)
    assert keys(recorded) == before
    with open(copy / file, "a") as source:
        source.write("\nx = 1" if file.endswith(".py") else "\nchanged")
    assert changed(before, keys(recorded)) == stale


def test_a_new_source_counts(copy, recorded):
    before = keys(recorded)
    (copy / "parity" / "report" / "new.py").write_text("x = 1")
    assert changed(before, keys(recorded)) == set(EXAMPLES)


def test_the_differences_come_from_their_own_files(copy, recorded):
    from shared.differences import DIFFERENCES

    names = {file.relative_to(copy).as_posix() for file in cache.sources(DIFFERENCES)}
    assert "shared/differences/losses.py" in names
    assert "shared/examples/autograd.py" not in names


def test_a_version_makes_everything_stale(recorded, monkeypatch):
    before = keys(recorded)
    monkeypatch.setattr(cache.importlib.metadata, "version", lambda name: "99")
    assert changed(before, keys(recorded)) == set(EXAMPLES)


def test_another_question_is_another_key(recorded):
    before = keys(recorded)
    assert changed(before, keys(recorded, ("another size",))) == set(EXAMPLES)


@pytest.mark.parametrize("how", ["touched", "rewritten", "other bytes, same times"])
def test_a_recording_that_was_touched_is_another(recorded, how):
    before = keys(recorded)
    state = recorded[0].stat()
    if how == "touched":
        os.utime(recorded[0], ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    elif how == "rewritten":
        shutil.copy2(recorded[0], recorded[0].with_name("c"))
        os.replace(recorded[0].with_name("c"), recorded[0])
    else:
        with open(recorded[0], "r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"\x7f")
        os.utime(recorded[0], ns=(state.st_atime_ns, state.st_mtime_ns))
    assert changed(before, keys(recorded)) == set(EXAMPLES)


def test_a_missing_recording_has_no_key_and_nothing_is_kept_under_it(tmp_path, recorded):
    recorded[1].unlink()
    assert set(keys(recorded).values()) == {""}
    (tmp_path / cache.VERDICT).write_text(json.dumps({"key": "", "found": {"pairs": []}}))
    assert cache.verdict(tmp_path, SUITE.find("autograd"), "") is None


@pytest.fixture
def judged(training_spec, trained, runs):
    """A verdict with a listed index, a ratio that is infinite, and a pair that differs."""
    sides = [runs(title, trained()) for title in ("torch", "keras")]
    other = trained()
    other["weights/step1/hidden/kernel"] = other["weights/step1/hidden/kernel"] + 1
    bad = runs("keras", other)
    pairs = [
        judgement.judge_pair(
            pair, sides[0], right, judgement.question(training_spec, pair, SUITE.load)
        )
        for pair, right in zip(training_spec.pairs, (sides[1], sides[1], bad), strict=True)
    ]
    return judgement.ExampleVerdict(training_spec, tuple(pairs), seconds={"torch": 1.5})


def test_a_verdict_is_kept_to_the_last_digit(tmp_path, judged):
    first = judged.pairs[0]
    odd = dataclasses.replace(first.findings[0], ratio=float("inf"), index=(1, 2), sides=("torch",))
    judged = dataclasses.replace(
        judged,
        pairs=(dataclasses.replace(first, findings=(odd, *first.findings[1:])), *judged.pairs[1:]),
    )
    cache.keep_verdict(tmp_path, "key", judged)
    assert judged.pairs[2].first is not None
    assert cache.verdict(tmp_path, judged.spec, "key") == judged
    assert cache.verdict(tmp_path, judged.spec, "another") is None


DAMAGED = [
    '{"key": "key"}',
    '{"key": "key", "found": {}}',
    '{"key": "key", "found": {"pairs": [{"pair": "none"}]}}',
]


@pytest.mark.parametrize("content", ["", "[]", *DAMAGED])
def test_what_cannot_be_read_is_found_anew(tmp_path, judged, content):
    (tmp_path / cache.VERDICT).write_text(content)
    assert cache.verdict(tmp_path, judged.spec, "key") is None


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path, judged):
    cache.keep_verdict(tmp_path / "none", "key", judged)
    assert list(tmp_path.iterdir()) == []


def test_pages_are_current_only_byte_for_byte(tmp_path):
    pages, other = tmp_path / "pages", tmp_path / "other"
    (pages / "figures").mkdir(parents=True)
    written = [pages / "a.md", pages / "figures" / "a.png"]
    for path in written:
        path.write_bytes(b"content")
    assert not cache.drawn(tmp_path, "key", pages)
    cache.keep_drawn(tmp_path, "key", pages, written)
    assert cache.drawn(tmp_path, "key", pages)
    assert not cache.drawn(tmp_path, "another", pages)
    shutil.copytree(pages, other)
    assert not cache.drawn(tmp_path, "key", other)
    written[1].write_bytes(b"Content")
    assert not cache.drawn(tmp_path, "key", pages)
    written[1].unlink()
    assert not cache.drawn(tmp_path, "key", pages)


def test_data_is_loaded_once_and_again_when_a_file_was_touched(tmp_path, monkeypatch):
    """From the cache, the repository or a library: what was verified is not verified again."""
    loads = []
    suite = dataclasses.replace(SUITE, load=lambda *a, **k: loads.append(a) or SUITE.load(*a, **k))
    monkeypatch.setattr("shared.suite.EMBEDDED_FOLDER", tmp_path)
    (tmp_path / "mnist").mkdir()
    file = tmp_path / "mnist" / "made"
    file.write_bytes(b"made")
    folder, size = tmp_path / "recordings", Size("embedded", 1, 10, 5)
    first = cache.dataset(suite, folder, "mnist", size, reuse=True)
    assert cache.dataset(suite, folder, "mnist", size, reuse=True) == first
    assert len(loads) == 1
    cache.dataset(suite, folder, "mnist", size, reuse=False)
    cache.dataset(suite, folder, "mnist", Size("embedded", 1, 10, 6), reuse=True)
    assert len(loads) == 3
    os.utime(file)
    assert cache.dataset(suite, folder, "mnist", size, reuse=True) == first
    assert len(loads) == 4
