"""`parity check --watch`: every save is seen, by what it changed, and judged as it is now."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading

import pytest

from parity.checker.graph import target
from parity.recording.provenance import ROOT
from parity_tests.waiting import PATIENCE

TORCH = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        return self.fc(torch.relu(self.bn(self.conv(x))).mean((2, 3)))
"""
KERAS = """
import keras
from keras import layers
from parts import norm

def net():
    inputs = keras.Input((8, 10, 3))
    x = norm()(layers.Conv2D(8, 3, padding="same", name="conv")(inputs))
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    return keras.Model(inputs, layers.Dense(5, name="fc")(x))
"""
PARTS = """
from keras import layers

def norm():
    return layers.BatchNormalization(epsilon=1e-5, name="bn")
"""


def _interruptible():
    """Whoever runs the tests in the background may have Ctrl-C ignored, which is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Watching:
    """The command, and what it prints, line by line."""

    def __init__(self, folder, *words):
        self.folder = folder
        command = [sys.executable, "-c", "from parity.cli.main import main; main()", "check"]
        command += ["--torch", "t.py:Net", "--keras", "k.py:net", "--input", "2,3,8,10", *words]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=_interruptible,  # noqa: PLW1509 - no other process is started meanwhile
        )
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *rest):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def answer(self):
        """All that is printed until it watches again, and the seconds that it says."""
        text = ""
        while "Watching; Ctrl-C" not in text:
            line = self.lines.get(timeout=PATIENCE)
            assert line is not None, text
            text += line
        return text, float(re.search(r"([\d.]+) s\. Watching", text).group(1))

    def save(self, name, old, new):
        """As an editor does: another file takes the place of the old one."""
        path = self.folder / name
        text = path.read_text("utf-8")
        assert old in text
        (self.folder / "swap").write_text(text.replace(old, new), "utf-8")
        os.replace(self.folder / "swap", path)

    def interrupt(self):
        os.kill(self.process.pid, signal.SIGINT)
        code = self.process.wait(PATIENCE)
        rest = ""
        while (line := self.lines.get(timeout=PATIENCE)) is not None:
            rest += line
        return code, rest


@pytest.fixture
def folder(tmp_path):
    for name, text in (("t.py", TORCH), ("k.py", KERAS), ("parts.py", PARTS)):
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def quick(forked):
    """Options by which the processes of both sides have their framework as they start."""
    return [f"--{side}-python={python}" for side, python in forked.items()]


def children(pid):
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return [int(row[0]) for row in rows if row[1] == str(pid)]


def test_every_save_is_judged_by_what_it_says_now(folder, quick, capsys):
    with Watching(folder, "--watch", *quick) as watching:
        cold, first = watching.answer()
        assert "agree:" in cold
        took = []

        def saved(name, old, new):
            watching.save(name, old, new)
            text, seconds = watching.answer()
            took.append(seconds)
            assert f"{name} saved" in text
            return text

        # A module that the model imports, and back.
        assert "epsilon (confirmed)" in saved("parts.py", "1e-5", "1e-3")
        assert "agree:" in saved("parts.py", "1e-3", "1e-5")
        # The other side.
        assert "differ:" in saved("t.py", "torch.relu", "torch.tanh")
        assert "agree:" in saved("t.py", "torch.tanh", "torch.relu")
        # A mistake of writing is an error, and no end; in a module, too.
        assert "SyntaxError" in saved("k.py", "def net():", "def net(:")
        assert "agree:" in saved("k.py", "def net(:", "def net():")
        assert "SyntaxError" in saved("parts.py", "def norm():", "def norm(:")
        assert "agree:" in saved("parts.py", "def norm(:", "def norm():")
        code, rest = watching.interrupt()
    assert code == 0
    assert "Traceback" not in rest
    with capsys.disabled():
        print(f"\ncold {first:.1f} s; saved: {', '.join(f'{s:.1f}' for s in took)} s")


def test_what_is_saved_while_it_checks_is_not_missed(folder, quick):
    with Watching(folder, "--watch", *quick) as watching:
        watching.answer()
        watching.save("parts.py", "1e-5", "1e-3")
        watching.save("k.py", "ReLU", "ELU")
        text = ""
        while not ("epsilon" in text and "activation" in text):
            text, _ = watching.answer()
        watching.interrupt()


def test_one_that_never_ran_is_watched_until_it_does(folder):
    """With processes as they are: of these none is left."""
    (folder / "parts.py").rename(folder / "later.py")
    with Watching(folder, "--watch") as watching:
        text, _ = watching.answer()
        assert "No module named 'parts'" in text
        (folder / "later.py").rename(folder / "parts.py")
        watching.save("k.py", "import keras\n", "import keras  # saved\n")
        text, _ = watching.answer()
        assert "agree:" in text
        mine = children(watching.process.pid)
        assert len(mine) >= 2
        code, rest = watching.interrupt()
    assert code == 0
    assert "Traceback" not in rest
    assert not [pid for pid in mine if is_there(pid)]


def test_two_saves_within_a_second_are_two(tmp_path, monkeypatch):
    """Bytecode is known by the second of the last save and by the size, so it is not read."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    file, part = tmp_path / "saved_twice.py", tmp_path / "a_part_saved_twice.py"
    file.write_text("from a_part_saved_twice import word\n")
    for word in ("relu", "tanh"):
        part.write_text(f"word = '{word}'\n")
        os.utime(part, (1e9, 1e9))
        for name in ("a_part_saved_twice", "_checked_saved_twice"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        assert target._load_file(file).word == word
