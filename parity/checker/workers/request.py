"""What to check, and the processes in which it is done."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from parity.checker.graph import model_inputs as feeding
from parity.checker.graph.model_interface import Array
from parity.checker.graph.training_recipe import Recipe
from parity.checker.workers.remote_model import RemoteModel
from parity.core.sides import SIDES, Side
from parity.workers.signals import signals_as_interrupt


@dataclass(frozen=True)
class CheckRequest:
    """What to check.

    Attributes:
        inputs: None: what the Keras model states.
        given: arrays for these inputs, instead of random numbers.
        also: other inputs, on which all is done once more.
        train: also compare training.
        steps: of training, with `train`.
        recipe: the user's own loss and optimizer, with `train`.
        targets: for that loss, as `inputs`.
        keep_weights: leave the weights as the models have them.
        weights_from: the side whose weights are taken across.
        corrected: the side that is the port: lines that repair a cause are written for it.
        pairs: names of PyTorch's layers → names of Keras', by hand.
        input_pairs, output_pairs: the same of what the models take and return.
        layout: of image inputs in Keras.
        seed: of inputs, projections and generated weights.
        draws: of inputs; the first is compared layer by layer, the others by their outputs.
        drawn_for: sides whose tables and code tell which ids are drawn; where one is a reference,
            it alone.
        sampled: one side is a compact reference, which has some places of gradients alone.
        pythons: interpreter of each side.
        threads: CPU threads of each side.
        timeout: seconds for one request to a side.
        memory: bytes that all processes may hold together, told before anything is recorded; None:
            with `train` what the machine has left, else nobody asks.
    """

    inputs: tuple[feeding.Input, ...] | None = None
    given: tuple[Array, ...] | None = None
    also: tuple[feeding.Fed, ...] = ()
    train: bool = False
    steps: int = 3
    recipe: Recipe = field(default_factory=Recipe)
    targets: tuple[feeding.Input, ...] = ()
    keep_weights: bool = False
    weights_from: Side = "torch"
    corrected: Side = "keras"
    pairs: Mapping[str, str] = field(default_factory=dict)
    input_pairs: Mapping[str, str] = field(default_factory=dict)
    output_pairs: Mapping[str, str] = field(default_factory=dict)
    layout: feeding.InputLayout = "auto"
    seed: int = 0
    draws: int = 3
    drawn_for: tuple[Side, ...] = SIDES
    sampled: bool = False
    pythons: Mapping[Side, str] = field(default_factory=dict)
    threads: int = 1
    timeout: float = 600.0
    memory: float | None = None


@contextmanager
def processes(request: CheckRequest) -> Iterator[tuple[RemoteModel, RemoteModel]]:
    """A process for each side, and a folder for what they record; all gone at the end."""
    with started(request, SIDES) as models:
        yield models[0], models[1]


@contextmanager
def started(request: CheckRequest, sides: Sequence[Side]) -> Iterator[list[RemoteModel]]:
    """A process for each of these sides, in one folder; all gone at the end."""
    with ExitStack() as stack:
        stack.enter_context(signals_as_interrupt())
        # Recordings hold every layer's output four times: on disk, not in memory.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parity-check-")))

        def start(side: Side) -> RemoteModel:
            python = request.pythons.get(side, sys.executable)
            return stack.enter_context(
                RemoteModel(
                    side, folder, python=python, threads=request.threads, timeout=request.timeout
                )
            )

        yield [start(side) for side in sides]
