"""A model that answers more than it is asked: what a check of it may ask beside another model."""

from __future__ import annotations

import contextlib
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from parity.checker.graph.graph import Graph, Parameter
from parity.checker.graph.loadable_model import LoadableModel
from parity.checker.graph.model_interface import Array, Kept, RecordRequest, Traced
from parity.checker.graph.storage import CompactArrays
from parity.checker.graph.target import ModelError
from parity.checker.references import questions
from parity.checker.references.compact_runs import Ran
from parity.checker.references.drawn_weights import LEAST, DrawnWeights, Recipe
from parity.checker.references.questions import AskedState
from parity.checker.references.remembering_model import Memory, RememberingModel
from parity.checker.transfer import degenerate


class RecordingModel(RememberingModel):
    """What a check of a model with itself asks of it, and what one with another would ask.

    Telling numbers stand in the place of zeros and ones from the beginning, for a reference has
    its weights: which of them a check would make up goes by the partner, too.

    Args:
        live: the model.
        memory: its answers.
        seed: of these numbers; None: the weights are kept as they are.
        apart: cells whose layers are traced step by step, whatever is asked.
        drawn: weights are drawn like the model's own, and not kept; see `drawn_weights`.

    Attributes:
        ran: question of a run → what its values follow from.
    """

    def __init__(
        self,
        live: LoadableModel,
        memory: Memory,
        seed: int | None,
        apart: Sequence[str] = (),
        *,
        drawn: bool = False,
    ) -> None:
        super().__init__(live, memory)
        self._seed, self._apart, self._drawn = seed, apart, drawn
        self.ran: dict[str, Ran] = {}
        self._latest: Traced | None = None
        self._parameters: Mapping[str, Parameter] = {}
        self._projections: Sequence[Array] = ()

    def trace(self, inputs: Sequence[Array], *, apart: Sequence[str] = ()) -> Traced:
        """See `Model.trace`."""
        self._latest = super().trace(inputs, apart=apart or self._apart)
        return self._latest

    def record(self, request: RecordRequest, into: Kept | None = None) -> Mapping[str, Array]:
        """See `Model.record`."""
        self._projections = request.projections or self._projections
        if request.mode == "evaluate" and not request.whole_only:
            # Where another model differs on these inputs, all is asked for, to tell why.
            self._try(replace(request, keep_values=True, projections=self._projections))
            if request.projections and request.precision == "float64":
                self._try(replace(request, nudged=()))
        return self._run(request)

    def _run(self, request: RecordRequest) -> Mapping[str, Array]:
        if self._latest is not None:
            own = self.memory.find(AskedState(apart=self._state.apart).own_weights())
            weights = ChainMap(CompactArrays(self._weights), {} if own is None else own.taken())
            ran = Ran(self._latest, request.inputs, weights, request.mode)
            self.ran[questions.key(self._state.recording(request))] = ran
        return super().record(request)

    def _try(self, request: RecordRequest) -> None:
        """Ask; that there is no answer is kept, too."""
        with contextlib.suppress(ModelError):
            self._run(request)

    def _live_trace(self, inputs: Sequence[Array], apart: Sequence[str]) -> Traced:
        traced = super()._live_trace(inputs, apart)
        self._parameters = traced.graph.parameters
        graph = _portable(traced.graph)
        return replace(traced, graph=graph if self._seed is None else _told(graph))

    def _live_weights(self) -> Mapping[str, Array]:
        own = super()._live_weights()
        if self._seed is None:
            return own
        told = degenerate.randomise_degenerate(self._parameters.values(), own, self._seed)
        if not self._drawn:
            return told
        recipes = {
            name: Recipe.like(told.kept(name))
            for name in told
            if degenerate.is_replaceable(self._parameters[name], told.kept(name))
            and told.kept(name).size > LEAST
        }
        return DrawnWeights(
            {name: told[name] for name in told if name not in recipes}, recipes, self._seed
        )


def _told(graph: Graph) -> Graph:
    """A graph none of whose weights is all zeros or all ones any more."""
    weights = {name: replace(p, constant=False) for name, p in graph.parameters.items()}
    return replace(graph, parameters=weights)


def _portable(graph: Graph) -> Graph:
    """With files as they are seen from here: a reference is committed, and read elsewhere."""
    places = {name: (from_here(file), line) for name, (file, line) in graph.places.items()}
    graph = replace(graph, title=from_here(graph.title), places=places)
    # Only what repairs a file asks which expressions PyTorch's operations are.
    return replace(graph, made={}, called={}) if graph.side == "torch" else graph


def from_here(path: str) -> str:
    """A path below the working directory as it is seen from there; any other as it is."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path
