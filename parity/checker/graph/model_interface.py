"""What the check asks of each framework: one abstract class, implemented once a side.

An implementation lives in `parity.torch_side.checker` and `parity.keras_side.checker`; it is used
in a process of its own (`checker.workers.serve`) or, for models that exist already, in the
caller's.
Arrays are NumPy's; keys of dictionaries are the ids of `parity.checker.graph.graph`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from parity.checker.graph.graph import Graph, Source
from parity.checker.graph.input_names import Signature
from parity.core.sides import Precision

Array = NDArray[Any]
Mode = Literal["evaluate", "train"]


class Kept(Protocol):
    """Where arrays are put as they come: a dictionary, or a file."""

    def __setitem__(self, key: str, array: Array, /) -> None:
        """Put one there."""


@dataclass(frozen=True)
class Traced:
    """A graph and the index arrays that its sources name.

    Attributes:
        graph: the model.
        ids: key of a source → which element of the flattened root stands where.
        numbers: root value → array, of constants that are whole numbers, where they are known.
        aliases: a source as it was traced → what stands for it, once the graph is settled.
    """

    graph: Graph
    ids: Mapping[str, NDArray[np.int64]]
    numbers: Mapping[str, Array] = field(default_factory=dict)
    aliases: Mapping[Source, Source] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordRequest:
    """What to record.

    Attributes:
        precision: of weights, inputs and every floating tensor.
        mode: ``evaluate``: as in inference, dropout off, running statistics used; ``train``: batch
            statistics, dropout still the identity.
        inputs: one array an input, in this side's layout; floats in float64, to be cast.
        projections: one array an output of the model, float64: the loss is the sum over all
            floating outputs of ``sum(output · projection)``. Empty: no gradients.
        steps: so many steps of plain gradient descent on that loss, after the first gradients.
        rate: learning rate of these steps.
        keep_values: whether the value of every node is recorded, or the outputs only.
        whole_only: of the values only whole numbers and masks.
        learn: with the loss and the optimizer that `Model.learn` was given, in place of
            projections and of plain gradient descent, each where it was given.
        targets: one array a target, in this side's layout, for that loss.
        nudged: weights to be moved by half a unit of float32 (see `parity.checker.graph.nudge`),
            and with them every constant of the user's code; None: nothing is moved.
        skipped: weights whose gradients need not be computed, without `steps` and `learn`.
        passing: of the graph's `stopped` values those whose gradient is to pass all the same.
    """

    precision: Precision
    mode: Mode
    inputs: Sequence[Array]
    projections: Sequence[Array] = ()
    steps: int = 0
    rate: float = 0.0
    keep_values: bool = True
    whole_only: bool = False
    learn: bool = False
    targets: Sequence[Array] = ()
    nudged: Sequence[str] | None = None
    skipped: Sequence[str] = ()
    passing: Sequence[str] = ()


class Model(ABC):
    """A user's model on one side."""

    @abstractmethod
    def trace(self, inputs: Sequence[Array], *, apart: Sequence[str] = ()) -> Traced:
        """Run it once in evaluation mode and float32, and say what it did.

        Args:
            inputs: one array an input, in this side's layout.
            apart: lstm, gru or rnn: layers of these cells are written down step by step.

        Raises:
            ParityError: the model cannot be run on these inputs; says why, in the user's lines.
        """

    def keep_in(self, folder: str) -> None:  # noqa: B027 - where there is room, nothing is to do
        """Keep large weights in files, of which a layer's are in memory while it computes.

        Args:
            folder: where files may lie. Before the first `trace`, and not with a model that
                somebody else uses.
        """

    @abstractmethod
    def weights(self, into: Kept | None = None) -> Mapping[str, Array]:
        """Every parameter, canonical, float64: id → array.

        Args:
            into: where they go one at a time, instead of into what is returned; float32 there
                where that holds all of their numbers.
        """

    @abstractmethod
    def set_weights(self, weights: Mapping[str, Array]) -> None:
        """Set parameters from canonical arrays; those not named keep what they have."""

    @abstractmethod
    def record(self, request: RecordRequest, into: Kept | None = None) -> Mapping[str, Array]:
        """Run it and keep what comes by.

        Args:
            request: what to record.
            into: where that goes as it comes, instead of into what is returned.

        Returns:
            ``values/n12:0`` every root value that a node yields, in this side's layout;
            ``outputs/0`` …; ``loss``; ``gradients/PARAMETER`` canonical, every trainable parameter
            that has one; ``gradients/input:0`` … of floating inputs; in mode ``train`` also
            ``state/PARAMETER`` the running statistics after the first pass (with the *biased*
            batch variance on both sides), ``steps/loss`` (steps + 1,), ``steps/PARAMETER`` after
            all steps, and ``after/0`` …: the outputs in evaluation mode afterwards. The weights
            are then as they were before the call. With ``learn`` also ``gradients/output:0`` … (of
            the loss by the outputs), ``slopes-1/PARAMETER`` and ``weights-1/PARAMETER`` …: the
            gradient before and the weight after each step, and ``rates`` (steps,).
        """

    @abstractmethod
    def learn(self, loss: Any, optimizer: Any) -> Mapping[str, Any]:
        """Take the user's own loss and optimizer; the model was traced before.

        Args:
            loss: a `Target`, a word that the framework knows, or an object;
                None where there is none.
            optimizer: the same.

        Returns:
            ``loss``: its settings in the words of `parity.reference.losses`; ``optimizer``:
            PARAMETER → settings in the words of `parity.diagnosis.optimizer_settings`;
            ``notes``. JSON values only.

        Raises:
            ParityError: it cannot be made; says why.
        """

    @abstractmethod
    def replay(self, node: str, sources: Sequence[Array], precision: Precision) -> dict[str, Array]:
        """Run one node alone, in evaluation mode, on other sources.

        Args:
            node: its id.
            sources: as the node sees them, one for each of `Node.sources`.
            precision: of the sources and the node's weights.

        Returns:
            ``values/n12:0`` … as `record` would.

        Raises:
            ParityError: this node cannot be run alone.
        """

    @abstractmethod
    def vocabulary(self) -> int | None:
        """Rows of the smallest embedding, so that token ids can be drawn; None without one."""

    @abstractmethod
    def signature(self) -> Signature | None:
        """What it takes, in order, with the shapes that it states; None if it does not say."""

    @abstractmethod
    def name_inputs(self, names: Sequence[str] | None) -> None:
        """From now on inputs come in this order, each to be given by its name.

        Args:
            names: of the model's own arguments; None: by position, as it takes them.
        """

    # Weights files

    @abstractmethod
    def load_weights(self, path: str, *, partial: bool = False) -> None:
        """Read a weights file of the framework's own; before the model is traced.

        Args:
            path: of the file.
            partial: it may lack some of the model's weights, and have others.

        Raises:
            ParityError: it cannot be read, or is not of this model; also later, when it is traced.
        """

    @abstractmethod
    def stored(self, wanted: Sequence[str] = (), *, datasets: bool = False) -> Mapping[str, Any]:
        """What a weights file of the model holds, and how that stands to `weights`.

        Args:
            wanted: ids of the weights that are to be written.
            datasets: also where a ``.weights.h5`` has each.

        Returns:
            As `parity.convert.stored.Stored.to_json`, and ``notes``.
        """

    @abstractmethod
    def save_weights(self, path: str, types: Mapping[str, str]) -> None:
        """Write the weights as they are now, in a format of the framework's own by its suffix.

        Args:
            path: of the file.
            types: name in the file → type, taken where it holds every number.

        Raises:
            ParityError: the framework cannot write it.
        """
