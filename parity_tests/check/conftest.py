"""What tests that write their own pairs of models share."""

import contextlib

import pytest

from parity.checker import named
from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.graph.target import Target
from parity.checker.workers.request import CheckRequest
from parity.core.sides import SIDES


@pytest.fixture
def serving(remotes, monkeypatch):
    """Whatever asks for a check in processes of its own has it from those that are there."""
    by_side = dict(zip(SIDES, remotes, strict=True))
    monkeypatch.setattr(
        named, "started", lambda request, live: contextlib.nullcontext([by_side[s] for s in live])
    )


@pytest.fixture(scope="module")
def ask(request, remotes, tmp_path_factory):
    """The result for a pair of the models that the test's module has in `TORCH` and `KERAS`."""
    folder = tmp_path_factory.mktemp("pair")
    (folder / "t.py").write_text(request.module.TORCH, "utf-8")
    (folder / "k.py").write_text(request.module.KERAS, "utf-8")

    def asked(torch, torch_given, keras, keras_given, shape, *, train=False):
        targets = (
            Target(f"{folder}/t.py", torch, torch_given),
            Target(f"{folder}/k.py", keras, keras_given),
        )
        return check_in(
            remotes, targets, CheckRequest(inputs=(model_inputs.parse(shape),), train=train)
        )

    return asked
