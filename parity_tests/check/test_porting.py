"""`docs/porting.md`: its port has these mistakes, and what it writes makes it right."""

import re

import pytest

from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.graph.target import Target
from parity.checker.result import wording
from parity.checker.workers.request import CheckRequest
from parity.recording.provenance import ROOT

PAGE = (ROOT / "docs/porting.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def applied(text, change):
    old, new = (
        "".join(line[1:] for line in change.splitlines(keepends=True) if line[0] == mark)
        for mark in "-+"
    )
    assert text.count(old) == 1
    return text.replace(old, new)


@pytest.fixture
def checked(remotes, tmp_path):
    def run(port, *, train):
        (tmp_path / "net_torch.py").write_text(blocks("python")[0], "utf-8")
        (tmp_path / "net_keras.py").write_text(port, "utf-8")
        targets = (Target(f"{tmp_path}/net_{side}.py", "Net", {}) for side in ("torch", "keras"))
        inputs = (model_inputs.parse("8,3,32,32"),)
        return check_in(remotes, tuple(targets), CheckRequest(inputs=inputs, train=train))

    return run


def test_the_port_differs_as_the_page_shows(checked):
    """Digits may differ between machines; the layers, the causes and the lines may not."""
    shown = next(block for block in blocks("console") if "differ: " in block)
    said = wording.plain(checked(blocks("python")[1], train=False))
    facts = r"First divergence: \w+|Cause: \w+ \(\w+\): .*? in Keras|write: .*?(?= Cause:| Without)"
    found, expected = (re.findall(facts, " ".join(text.split())) for text in (said, shown))
    assert found == expected
    assert len(found) == 1 + 3 * 2


def test_with_what_it_writes_the_port_agrees(checked):
    port = blocks("python")[1]
    for change in blocks("diff"):
        port = applied(port, change)
    result = checked(port, train=True)
    assert (result.verdict, result.latent) == ("agree", ())
