"""What the README and its doors tell people to type works, and prints what they show."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from parity.cli.main import app
from parity_tests.examples.sizes import SPECS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
DOORS = [ROOT / "docs" / f"{name}.md" for name in ("learn", "port", "decide", "commands")]
WORDS = "\n".join([README, *(door.read_text("utf-8") for door in DOORS)])
DOCS = [*sorted(ROOT.glob("[CRS]*.md")), *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", WORDS, re.DOTALL)
    for line in block.splitlines()
]


def run(command, folder, *more):
    words = shlex.split(command)
    here = Path(sys.executable)
    words[0] = str(here if words[0] == "python" else here.with_name(words[0]))
    if words[1] == "run":
        words += ["--out", str(folder), *more]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_works(command, tmp_path):
    done = run(command, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_make_knows_the_commands():
    for target in re.findall(r"^\$ make (\w+)", README, re.MULTILINE):
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == 0, target


def test_the_output_shown_is_the_output(example_recordings):
    """Digits may differ between machines, and sizes; the rungs and the words may not.

    The size is the one that the example has in this run: the default one with ``PARITY_LONG``.
    """
    size = next(spec.training.default for spec in SPECS if spec.name == "fashion_mlp")
    sizes = {"train": size.train, "test": size.test, "epochs": size.epochs}
    asked = [f"--{name}={number}" for name, number in sizes.items() if number]
    done = run("parity run fashion_mlp", example_recordings, "--reuse", *asked)

    def bare(text):
        words = re.sub(r"[\d.,e+\-]+", "#", text)
        return [line.split() for line in words.splitlines() if "│" in line]

    pattern = r"<!-- output of: parity run fashion_mlp -->\n```text\n(.*?)```"
    shown = bare(re.search(pattern, WORDS, re.DOTALL)[1])
    assert len(shown) > 15
    # Of the first divergence only the beginning: which element is worst may differ.
    assert shown[:18] == bare(done.stdout)[:18]


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


def _commands(group):
    """Name → command, those within a group too: ``cache status``."""
    found = dict(group.commands)
    for name, command in group.commands.items():
        below = getattr(command, "commands", {})
        found |= {f"{name} {one}": command for one, command in below.items()}
    return found


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_options_that_are_shown_are_there(path):
    """Of commands in blocks, and between backticks."""
    commands = _commands(typer.main.get_command(app))
    text = path.read_text("utf-8").replace("\\\n", " ")
    names = "|".join(sorted(commands, reverse=True))  # `cache status` before `cache`
    shown = re.findall(rf"(?:^ *\$ |`)parity ({names})\b([^`\n]*)", text, re.MULTILINE)
    for name, options in shown:
        known = {opt for parameter in commands[name].params for opt in parameter.opts}
        assert {*re.findall(r"(?<![\w-])--[\w-]+", options)} <= {*known, "--help"}, path.name


def test_the_python_example_of_the_format_works(tmp_path, monkeypatch):
    from parity.recording import recording_file

    text = (ROOT / "docs" / "recording.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], {})
    made = recording_file.read(tmp_path / "jax-float32.safetensors")
    assert made.header.side == "jax"
    assert set(made.keys()) == {"activations/step0/hidden", "loss/step0"}


def test_every_example_is_in_the_table():
    from shared.examples import ALL

    for spec in ALL:
        assert f"[`{spec.name}`](../reports/{spec.name}.md)" in WORDS


def test_the_readme_is_two_screens():
    """What it is, the commands, one picture, and three doors to pages of their own."""
    assert len(README.splitlines()) <= 80
    assert README.count("![") == 1
    for door in ("learn", "port", "decide"):
        assert f"(docs/{door}.md)" in README
