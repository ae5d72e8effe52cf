"""`parity.recording.recording_file`: the file both sides write, whole or not at all."""

import contextlib
import errno
import json
import os
import struct
import tempfile
from pathlib import Path

import hypothesis
import hypothesis.extra.numpy as hypothesis_numpy
import hypothesis.strategies as st
import numpy as np
import pytest
from safetensors.numpy import save_file

from parity.core.errors import RecordingError
from parity.recording import recording_file
from parity.recording.recording_file import Header, Recording, Runs, read, write

HEADER = Header(example="made", side="torch", precision="float64")
DTYPES = st.sampled_from(["f4", "f8", "i1", "i4", "i8", "u1", "u4", "u8", "?"])
SHAPES = hypothesis_numpy.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
ARRAYS = DTYPES.flatmap(lambda dtype: hypothesis_numpy.arrays(dtype, SHAPES))
NAMES = st.from_regex(r"values/[A-Za-z0-9_.\-]{1,8}", fullmatch=True)
TEXT = st.dictionaries(st.text(max_size=5), st.text(max_size=8), max_size=3)
FACTS = st.dictionaries(NAMES, st.text(max_size=8), max_size=3)


@hypothesis.given(st.dictionaries(NAMES, ARRAYS, max_size=5), st.randoms(use_true_random=False))
def test_arrays_come_back_as_they_were_and_in_order(arrays, random) -> None:
    keys = list(arrays)
    random.shuffle(keys)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.safetensors"
        write(path, {key: arrays[key] for key in keys}, HEADER)
        back = read(path)
        assert back.keys() == tuple(keys)
        for key in keys:
            np.testing.assert_array_equal(back[key], arrays[key], strict=True)


@hypothesis.given(ARRAYS)
def test_arrays_with_odd_strides_come_back(array: np.ndarray) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.safetensors"
        views = {"values/t": array.T, "values/r": array[::-1] if array.ndim else array}
        write(path, views, HEADER)
        for key, view in views.items():
            np.testing.assert_array_equal(read(path)[key], view, strict=True)


@hypothesis.given(TEXT, FACTS, st.booleans(), st.integers(-(2**40), 2**40), st.floats(0, 1e6))
def test_headers_come_back(versions, facts, nudged, seed, seconds) -> None:
    header = Header(
        example="modèle",
        side="keras",
        precision="float32",
        digest="d",
        way="fit",
        mode="native",
        nudged=nudged,
        seed=seed,
        versions=versions,
        environment=versions,
        size={"epochs": 5, "train": None},
        timings={"seconds": seconds},
        facts=facts,
        code="c",
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.safetensors"
        write(path, {"values/b": np.ones(2), "values/a": np.ones(2)}, header)
        back = read(path).header
    assert back.order == ("values/b", "values/a")
    assert back == Header(**{**vars(header), "order": back.order})


def test_another_byte_order_is_the_same_numbers(tmp_path: Path) -> None:
    write(tmp_path / "a", {"values/x": np.array([1.5, 2.5], ">f4")}, HEADER)
    np.testing.assert_array_equal(read(tmp_path / "a")["values/x"], np.array([1.5, 2.5], "f4"))


def test_arrays_are_read_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write(path, {"values/x": np.ones(3), "values/y": np.zeros(2)}, HEADER)
    opened = read(path)
    write(path, {"values/x": np.full(3, 7.0), "values/y": np.zeros(2)}, HEADER)
    np.testing.assert_array_equal(opened["values/x"], np.full(3, 7.0))
    path.unlink()
    assert "values/y" in opened
    assert "values/z" not in opened
    with pytest.raises(RecordingError, match="cannot read 'values/y'"):
        opened["values/y"]


def test_files_behave_as_mappings(tmp_path: Path) -> None:
    write(tmp_path / "a", {"values/x": np.ones(3), "values/y": np.zeros(2)}, HEADER)
    opened = read(tmp_path / "a")
    assert len(opened.arrays) == 2
    assert set(opened.arrays) == {"values/x", "values/y"}
    assert opened.origin == str(tmp_path / "a")
    with pytest.raises(KeyError):
        opened["values/z"]


def test_keys_without_an_order_come_last_by_name() -> None:
    header = Header("made", "torch", "float64", order=("values/z", "values/gone", "values/z"))
    made = Recording(header, {f"values/{n}": np.ones(1) for n in "bza"})
    assert made.keys() == ("values/z", "values/a", "values/b")


@pytest.mark.parametrize("dtype", ["O", "S3", "U3", "c16", "M8[s]"])
def test_only_numbers_are_recorded(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(RecordingError, match=r"'values/x' has dtype .*: only numbers"):
        write(tmp_path / "a", {"values/x": np.zeros(2, dtype)}, HEADER)
    assert not list(tmp_path.iterdir())


def test_a_dtype_that_the_format_lacks(tmp_path: Path) -> None:
    if np.longdouble == np.float64:
        pytest.skip("here long double is float64")
    with pytest.raises(RecordingError, match="Cannot write the recording"):
        write(tmp_path / "a", {"values/x": np.zeros(2, np.longdouble)}, HEADER)
    assert not list(tmp_path.iterdir())


def test_keys_and_facts_outside_the_grammar_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="not in the grammar"):
        write(tmp_path / "a", {"x": np.ones(1)}, HEADER)
    with pytest.raises(RecordingError, match="not in the grammar"):
        write(tmp_path / "a", {}, Header("made", "torch", "float64", facts={"x": "1"}))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(), (2, 2)])
@pytest.mark.parametrize("key", ["loss/curve", "inputs/batches"])
def test_one_value_a_step_means_one_axis(tmp_path: Path, key: str, shape) -> None:
    with pytest.raises(RecordingError, match=rf"'{key}' has {len(shape)} axes: expected one"):
        write(tmp_path / "a", {key: np.ones(shape)}, HEADER)
    foreign(tmp_path / "b", arrays={key: np.ones(shape)})
    with pytest.raises(RecordingError, match=rf"b: '{key}' has {len(shape)} axes: expected one"):
        read(tmp_path / "b")


# --- Files whose bytes have changed ---------------------------------------------------------------


def flipped(path: Path, at: int) -> None:
    """One bit of a file turned over."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("size", [3, 100_000])
def test_one_bit_in_an_array_is_found_when_the_array_is_read(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a"
    write(path, {"values/x": np.ones(size), "values/y": np.zeros(2)}, HEADER)
    flipped(path, path.stat().st_size - 8 * size // 2 - 16)
    with pytest.raises(RecordingError, match=r"'values/x'.* not those that were written\. Copy or"):
        read(path)["values/x"]
    np.testing.assert_array_equal(read(path)["values/y"], np.zeros(2))


@hypothesis.given(st.randoms(use_true_random=False), ARRAYS)
def test_one_bit_anywhere_is_found(random, array: np.ndarray) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        write(path, {"values/x": array, "values/y": np.arange(5.0)}, HEADER)
        before = read(path)
        told = before.header, {k: np.array(before[k]) for k in before.arrays}
        flipped(path, random.randrange(path.stat().st_size))
        with contextlib.suppress(RecordingError):
            after = read(path)
            found = {k: np.array(after[k]) for k in after.arrays}
            # What is not refused was padding, or says the same in other letters.
            assert after.header == told[0]
            assert found.keys() == told[1].keys()
            for key, value in found.items():
                np.testing.assert_array_equal(value, told[1][key], strict=True)


def test_a_header_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write(path, {"values/x": np.ones(3)}, Header("made", "torch", "float64", digest="abcd"))
    path.write_bytes(path.read_bytes().replace(b"abcd", b"abce"))
    with pytest.raises(RecordingError, match="its header is not the one that was written"):
        read(path)


def test_an_array_under_another_name_is_not_it(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write(path, {"values/x": np.ones(3), "values/y": np.zeros(3)}, HEADER)
    content = path.read_bytes()
    table, rest = content[8:].split(b"}}", 1)
    swapped = table.replace(b'"values/x":{"d', b'"values/?":{"d').replace(
        b'"values/y":{"d', b'"values/x":{"d'
    )
    path.write_bytes(content[:8] + swapped.replace(b"values/?", b"values/y") + b"}}" + rest)
    with pytest.raises(RecordingError, match=r"not those that were written|not a complete"):
        read(path)["values/x"]


def test_files_by_others_have_no_checksums(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(foreign(tmp_path / "a"))["values/x"], np.ones(3))


def test_checksums_that_are_none(tmp_path: Path) -> None:
    for text in ("3", "{", "[1]"):
        with pytest.raises(RecordingError, match="checksums cannot be read"):
            read(foreign(tmp_path / "a", checksums=text))


# --- Files that others wrote, or that were damaged ------------------------------------------------


def foreign(path: Path, arrays=None, **metadata: str | None) -> Path:
    text = {"format": "1", "example": "made", "side": "mine", "precision": "float32"} | metadata
    kept = {k: v for k, v in text.items() if v is not None}
    save_file({"values/x": np.ones(3)} if arrays is None else arrays, path, metadata=kept or None)
    return path


def test_four_fields_are_enough(tmp_path: Path) -> None:
    header = read(foreign(tmp_path / "a", unheard_of="field")).header
    assert header == Header("made", "mine", "float32", format=1)


@pytest.mark.parametrize("field", recording_file.REQUIRED)
def test_a_required_field_is_missing(tmp_path: Path, field: str) -> None:
    with pytest.raises(RecordingError, match=rf"a: the header lacks {field}; a recording states"):
        read(foreign(tmp_path / "a", **{field: None}))


def test_no_metadata_at_all(tmp_path: Path) -> None:
    save_file({"values/x": np.ones(3)}, tmp_path / "a")
    with pytest.raises(RecordingError, match="lacks format, example, side, precision"):
        read(tmp_path / "a")


@pytest.mark.parametrize("version", ["0", "3", "1.0", "one", ""])
def test_another_format_version(tmp_path: Path, version: str) -> None:
    with pytest.raises(RecordingError, match=rf"format {version}, but this version reads .* 1 and"):
        read(foreign(tmp_path / "a", format=version))


@pytest.mark.parametrize("precision", ["bfloat16", "Float32", ""])
def test_another_precision(tmp_path: Path, precision: str) -> None:
    with pytest.raises(RecordingError, match=f"precision '{precision}'; expected float32 or float"):
        read(foreign(tmp_path / "a", precision=precision))


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("facts", "{"),
        ("facts", "[]"),
        ("facts", '{"values/x": 1}'),
        ("order", "{}"),
        ("order", "[[]]"),
        ("order", "not json"),
        ("versions", "3"),
        ("timings", "null"),
        ("size", "[" * 100_000),
        ("thinned", '{"weights/final/a/b": 3}'),
        ("thinned", '{"weights/final/a/b": {"shape": [2]}}'),
        ("seed", "twenty"),
        ("seed", "1.5"),
    ],
)
def test_a_field_that_cannot_be_read(tmp_path: Path, field: str, text: str) -> None:
    with pytest.raises(RecordingError, match="a: unreadable header"):
        read(foreign(tmp_path / "a", **{field: text}))


@pytest.mark.parametrize(("text", "nudged"), [("True", True), ("False", False), ("", False)])
def test_nudged_is_read(tmp_path: Path, text: str, nudged: bool) -> None:
    assert read(foreign(tmp_path / "a", nudged=text)).header.nudged is nudged


def test_a_key_or_fact_outside_the_grammar(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"a: Key 'fc1\.weight' is not in the grammar"):
        read(foreign(tmp_path / "a", {"fc1.weight": np.ones(3)}))
    with pytest.raises(RecordingError, match="b: Key 'bad' is not in the grammar"):
        read(foreign(tmp_path / "b", facts='{"bad": "1"}'))


def test_every_truncation_is_refused_at_once_or_at_the_array(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write(path, {"values/x": np.arange(4.0)}, HEADER)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(RecordingError, match="not a complete safetensors file"):
            read(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage " * 40,
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        b"PK\x03\x04" + bytes(99),
    ],
)
def test_garbage_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(RecordingError, match="not a complete safetensors file"):
        read(tmp_path / "a")


def test_no_such_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(RecordingError, match=r"No recording at .*\. Make one: parity run"):
            read(path)


# --- Whole or not at all --------------------------------------------------------------------------


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "a.safetensors"
    write(path, {"values/x": np.ones(3)}, HEADER)
    return path


def test_a_new_recording_replaces_the_old(old: Path) -> None:
    write(old, {"values/y": np.zeros(2)}, HEADER)
    assert read(old).keys() == ("values/y",)
    assert list(old.parent.iterdir()) == [old]


def test_folders_are_made_and_the_file_can_be_read_by_others(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "a.safetensors"
    write(path, {}, HEADER)
    assert read(path).keys() == ()
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("broken", ["save_file", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_recording(old: Path, monkeypatch, broken: str) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = old.read_bytes()
    monkeypatch.setattr(recording_file if broken == "save_file" else os, broken, fail)
    with pytest.raises(RecordingError, match=r"Cannot write .*No space left.*Nothing was changed"):
        write(old, {"values/x": np.zeros(3)}, HEADER)
    monkeypatch.undo()
    assert old.read_bytes() == before
    assert list(old.parent.iterdir()) == [old]


def test_an_interrupt_leaves_no_temporary_file(old: Path, monkeypatch) -> None:
    def interrupt(*_args: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(recording_file, "save_file", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(old, {"values/x": np.zeros(3)}, HEADER)
    assert list(old.parent.iterdir()) == [old]
    np.testing.assert_array_equal(read(old)["values/x"], np.ones(3))


def test_a_folder_that_cannot_be_made(old: Path) -> None:
    with pytest.raises(RecordingError, match=r"Cannot write the recording .*choose another folder"):
        write(old / "below" / "b.safetensors", {"values/x": np.zeros(3)}, HEADER)
    assert list(old.parent.iterdir()) == [old]


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a" / "inside").mkdir(parents=True)
    with pytest.raises(RecordingError, match="Cannot write the recording"):
        write(tmp_path / "a", {"values/x": np.zeros(3)}, HEADER)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_the_header_is_text_without_pickle(old: Path) -> None:
    raw = old.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    metadata = json.loads(raw[8 : 8 + length])["__metadata__"]
    assert all(isinstance(value, str) for value in metadata.values())
    assert metadata["format"] == "2"
    assert json.loads(metadata["order"]) == ["values/x"]


def test_runs_know_their_side_and_what_is_present() -> None:
    single = Recording(HEADER, {})
    assert Runs("mine", None, single).present == (single,)
    assert Runs("mine", None, single).side == "torch"
    assert Runs("mine", None, None, single).present == ()
    assert Runs("mine", None, None, single).side == ""
