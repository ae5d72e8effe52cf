"""A process of a side, made ready before there is a model for it, and with what it has loaded."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from parity.checker.graph.model_interface import RecordRequest
from parity.checker.graph.target import Target
from parity.checker.workers.remote_model import RemoteModel
from parity.checker.workers.request import CheckRequest
from parity.core.errors import ParityError
from parity.core.sides import SIDE_PACKAGES, Precision, Side


class Spare:
    """A process of one side, with a folder of its own for what it records.

    Args:
        side: whose framework it imports.
        request: its interpreter, threads and time-out.

    Attributes:
        model: the near end.
    """

    def __init__(self, side: Side, request: CheckRequest) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="parity-check-"))
        self.model = RemoteModel(
            side,
            self._folder,
            python=request.pythons.get(side, sys.executable),
            threads=request.threads,
            timeout=request.timeout,
        )
        self._side: Side = side

    def warm(self) -> None:
        """Run a small model: what a framework does at its first call only is done then.

        One that cannot is no worse than one that did not: its first model says why.
        """
        x = np.linspace(-1.0, 1.0, 2 * 6 * 6 * 3).reshape(2, 6, 6, 3)
        with contextlib.suppress(ParityError, OSError, SafetensorError):  # closed meanwhile
            self.model.load(Target(f"{SIDE_PACKAGES[self._side]}.checker.warm", "model", {}))
            outputs = self.model.trace([x]).graph.outputs
            self.model.set_weights(self.model.weights())
            projections = [np.ones(source.shape) for source in outputs]
            precisions: tuple[Precision, ...] = ("float32", "float64")
            for precision in precisions:
                self.model.record(RecordRequest(precision, "evaluate", [x], projections))
                self.model.record(RecordRequest(precision, "train", [x], projections, 1, 0.01))
            self.model.forget()

    def close(self) -> None:
        """End the process, and remove what it recorded."""
        self.model.__exit__(KeyboardInterrupt)
        shutil.rmtree(self._folder, ignore_errors=True)
