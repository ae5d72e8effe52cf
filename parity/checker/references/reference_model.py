"""A side of a check that answers from a reference, and needs no framework."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from parity.checker.align import cells
from parity.checker.canonical import settled
from parity.checker.graph.graph import Node
from parity.checker.graph.input_names import Signature
from parity.checker.graph.loadable_model import LoadableModel
from parity.checker.graph.model_interface import Array, Kept, RecordRequest, Traced
from parity.checker.graph.storage import CompactArrays
from parity.checker.graph.target import ModelError, Target
from parity.checker.references import (
    compact_memory,
    compact_runs,
    questions,
    recomputing,
    reference_file,
)
from parity.checker.references.compact_runs import CompactRun, Ran, Restored
from parity.checker.references.questions import AskedState, Extent, Question
from parity.checker.references.recomputing import Recomputed
from parity.checker.references.reference_file import Reference, ReferenceFileError
from parity.checker.references.remembering_model import Answer, narrowed
from parity.core import blockwise
from parity.core.sides import TITLES, Precision
from parity.operations.function import NotInterpretable

_RUNS = 2
"""Whose values are kept, once they were computed: of one that is judged, and of another draw."""


class NotRecordedError(ReferenceFileError):
    """A check asks for what a reference does not hold: only the model itself can tell.

    It is no `ModelError`, which a check may get over: that would be another answer.
    """


class NotTracedError(NotRecordedError, ModelError):
    """It was not traced so. Of several layouts that may be, a check tries the next."""


class ReferenceModel(LoadableModel):
    """A model whose answers were recorded; the target of `load` names the file."""

    def __init__(self) -> None:
        self._path, self._reference = Path(), None  # type: tuple[Path, Reference | None]
        self._state = AskedState()
        self._set = CompactArrays()
        self._latest: Traced | None = None
        self._made: dict[str, Mapping[str, Array]] = {}
        self._computable: dict[str, bool] = {}
        self._own_run: RecordRequest | None = None

    @property
    def reference(self) -> Reference:
        """What was recorded."""
        assert self._reference is not None, "it was not loaded"
        return self._reference

    def load(self, target: Target) -> None:
        """Open the file.

        Raises:
            ReferenceFileError: it is no reference of this format.
        """
        self._path, self._reference = Path(target.module), reference_file.read(Path(target.module))
        self._state, self._set = AskedState(), CompactArrays()
        self._latest, self._own_run = None, None
        self._made, self._computable = {}, {}

    def revive(self) -> bool:
        """Nothing: there is no process."""
        return False

    def forget(self) -> None:
        """Nothing: what was recorded stays in the file."""

    def trace(self, inputs: Sequence[Array], *, apart: Sequence[str] = ()) -> Traced:
        """See `Model.trace`.

        Raises:
            NotTracedError: it was not traced so.
        """
        known = {kind for graph in self._graphs() for kind in cells.kinds(graph)}
        apart = [kind for kind in apart if kind in known]
        how = f"with its {', '.join(apart)} layers step by step" if apart else "on these inputs"
        question = self._state.tracing(inputs, apart)
        traced: Traced = self._asked(question, f"a trace {how}", NotTracedError)
        self._state.apart = tuple(apart)
        self._latest = traced
        return traced

    def weights(self, into: Kept | None = None) -> Mapping[str, Array]:
        """See `Model.weights`."""
        own = CompactArrays(self._own_weights())
        own.arrays |= self._set.arrays
        return own

    def set_weights(self, weights: Mapping[str, Array]) -> None:
        """See `Model.set_weights`; whether anything was recorded with these shows later."""
        own = weights if isinstance(weights, CompactArrays) else CompactArrays(weights)
        self._state.set_weights(own)
        self._set.arrays |= own.arrays

    def record(self, request: RecordRequest, into: Kept | None = None) -> Mapping[str, Array]:
        """See `Model.record`.

        Raises:
            NotRecordedError: it was not run so.
        """
        question, extent = self._state.recording(request), Extent.of(request)
        answer = self.reference.memory.find(question, extent)
        if answer is not None:
            if isinstance(answer.value, CompactRun):
                answer = replace(answer, value=self._restored(answer, request))
            if request.mode == "evaluate" and request.precision == "float64" and extent.values:
                self._own_run = self._own_run or request
            found: Mapping[str, Array] = narrowed(answer, extent)
            return found
        if request.whole_only and not any(map(settled.needs_runs, self._graphs())):
            return {}  # it has no whole numbers of its own
        raise self._lacking(self._difference(question))

    def learn(self, loss: Any, optimizer: Any) -> Mapping[str, Any]:
        """See `Model.learn`.

        Raises:
            NotRecordedError: always.
        """
        raise self._lacking("training with a loss or an optimizer of one's own")

    def replay(self, node: str, sources: Sequence[Array], precision: Precision) -> dict[str, Array]:
        """See `Model.replay`; computed in NumPy.

        Raises:
            ModelError: NumPy does not give what was recorded of this node; a check does without.
        """
        assert self._latest is not None, "it was not traced"
        wanted = self._latest.graph.nodes[int(node[1:])]
        fits = [a.shape for a in sources] == [s.shape for s in wanted.sources]
        if not fits or not self._is_computable(wanted):  # NumPy may take what Keras refuses
            raise ModelError(f"{wanted.name} is of a reference and cannot be run alone on these.")
        fed = [a.astype(precision) if a.dtype.kind == "f" else a for a in sources]
        try:
            made = recomputing.node_values(wanted, fed, self._weights())
        except NotInterpretable as error:
            raise ModelError(str(error)) from error
        return {
            f"values/{name}": a.astype(precision) if a.dtype.kind == "f" else a
            for name, a in made.items()
        }

    def vocabulary(self) -> int | None:
        """See `Model.vocabulary`."""
        rows: int | None = self._asked({"do": "vocabulary"}, "its vocabulary")
        return rows

    def signature(self) -> Signature | None:
        """See `Model.signature`."""
        takes: Signature | None = self._asked({"do": "signature"}, "its signature")
        return takes

    def name_inputs(self, names: Sequence[str] | None) -> None:
        """See `Model.name_inputs`."""
        self._state.set_names(names, self.signature())

    def load_weights(self, path: str, *, partial: bool = False) -> None:
        """See `Model.load_weights`.

        Raises:
            NotRecordedError: always.
        """
        raise self._lacking(f"its outputs with the weights of {path}")

    def stored(self, wanted: Sequence[str] = (), *, datasets: bool = False) -> Mapping[str, Any]:
        """See `Model.stored`.

        Raises:
            NotRecordedError: always.
        """
        raise self._lacking("what a file of its weights holds")

    def save_weights(self, path: str, types: Mapping[str, str]) -> None:
        """See `Model.save_weights`.

        Raises:
            NotRecordedError: always.
        """
        raise self._lacking("a way to write its weights")

    def _own_weights(self) -> Any:
        """A mapping, of which each is made when it is asked for."""
        return self._asked(AskedState(apart=self._state.apart).own_weights(), "its weights")

    def _weights(self) -> Mapping[str, Array]:
        """As they are set now."""
        return ChainMap(CompactArrays(self._set), self._own_weights())

    def _restored(self, answer: Answer, request: RecordRequest) -> Mapping[str, Array]:
        """A run whose values are computed as soon as one of them is asked for."""
        asked, weights = compact_memory.double(answer.question), self._weights()
        name = questions.key(asked)

        def base() -> Mapping[str, Array]:
            if name not in self._made:
                if len(self._made) >= _RUNS:
                    self._made.pop(next(iter(self._made)))
                double, single = (
                    self.reference.memory.find({**asked, "precision": precision}, answer.extent)
                    for precision in ("float64", "float32")
                )
                assert double is not None, "of every compact run that in float64 is kept"
                near = None if single is None else single.value
                self._made[name] = self._computed(double.value, near, weights, request)
            return self._made[name]

        return Restored(answer.value, base)

    def _computed(
        self,
        double: CompactRun,
        single: CompactRun | None,
        weights: Mapping[str, Array],
        request: RecordRequest,
    ) -> Mapping[str, Array]:
        assert self._latest is not None, "it was not traced"
        ran = Ran(self._latest, request.inputs, weights, request.mode)
        made = compact_runs.recomputed(ran, double)
        odd = compact_runs.differing(double, made, single)
        if odd:
            raise self._lacking(
                f"{odd}, which NumPy {np.__version__} does not compute as it was recorded; one "
                "that was recorded with --whole holds all values"
            )
        return made

    def _is_computable(self, node: Node) -> bool:
        """Whether NumPy gives what was recorded of a node on its own sources."""
        if node.id not in self._computable:
            self._computable[node.id] = self._is_recomputed(node)
        return self._computable[node.id]

    def _is_recomputed(self, node: Node) -> bool:
        request, traced = self._own_run, self._latest
        if request is None or traced is None:
            return False
        runs = [self.record(replace(request, precision=p)) for p in ("float64", "float32")]
        known = Recomputed(traced, request.inputs, self._weights())
        for source in node.sources:
            for name in (source.value, source.value.partition(":")[2]):
                if f"values/{name}" in runs[0]:
                    known[name] = np.asarray(runs[0][f"values/{name}"])
        made = known.node(node)
        for value in node.values:
            key = f"values/{value.id}"
            if key not in runs[0] or key not in runs[1]:
                return False
            noise = blockwise.apart(runs[1][key], runs[0][key])
            if not recomputing.is_same(made.get(value.id), runs[0][key], noise):
                return False
        return True

    def _asked(
        self, question: Question, words: str, error: type[NotRecordedError] = NotRecordedError
    ) -> Any:
        answer = self.reference.memory.find(question)
        if answer is None:
            raise self._lacking(words, error)
        return answer.taken()

    def _graphs(self) -> list[Any]:
        answers = self.reference.memory.every()
        return [a.value.graph for a in answers if isinstance(a.value, Traced)]

    def _difference(self, question: Question) -> str:
        """In which way a run is another than those that were recorded."""
        runs = [a.question for a in self.reference.memory.every() if a.extent is not None]
        nearest = max(runs, key=lambda q: sum(q[k] == question[k] for k in question), default={})
        apart = [_WORDS[k] for k in question if k in _WORDS and nearest.get(k) != question[k]]
        return f"a run {' and '.join(apart) or 'in which as much was kept'}"

    def _lacking(
        self, words: str, error: type[NotRecordedError] = NotRecordedError
    ) -> NotRecordedError:
        header = self.reference.header
        return error(
            f"{self._path.name} does not hold all that this check asks of {TITLES[header.side]}'s "
            f"{header.title}: {words}. Expected the model itself: --{header.side} "
            f"{header.title}; or a new reference, where the model or the inputs have changed."
        )


_WORDS = {
    "names": "with inputs by other names",
    "apart": "with other layers step by step",
    "weights": "with other weights",
    "precision": "in another precision",
    "mode": "in another mode",
    "inputs": "on other inputs",
    "steps": "with another number of steps",
    "nudged": "with other constants nudged",
}
"""Part of a question → in which way a run differs by it."""
