"""What tests that write their own pairs of models share."""

from contextlib import ExitStack

import pytest

from shared.check import inputs
from shared.check.request import Request, processes
from shared.check.session import check_in
from shared.check.target import Target


@pytest.fixture(scope="module")
def ask(request, tmp_path_factory):
    """The result for a pair of the models that the test's module has in `TORCH` and `KERAS`."""
    folder = tmp_path_factory.mktemp("pair")
    (folder / "t.py").write_text(request.module.TORCH, "utf-8")
    (folder / "k.py").write_text(request.module.KERAS, "utf-8")
    with ExitStack() as stack:
        remotes = stack.enter_context(processes(Request()))

        def asked(torch, torch_given, keras, keras_given, shape, *, train=False):
            targets = (Target(f"{folder}/t.py", torch, torch_given),
                       Target(f"{folder}/k.py", keras, keras_given))  # fmt: skip
            return check_in(remotes, targets, Request(inputs=(inputs.parse(shape),), train=train))

        yield asked
