"""A side of a check that answers from a reference, and needs no framework."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parity.checker.align import cells
from parity.checker.canonical import settled
from parity.checker.graph.input_names import Signature
from parity.checker.graph.loadable_model import LoadableModel
from parity.checker.graph.model_interface import Array, Kept, RecordRequest, Traced
from parity.checker.graph.storage import CompactArrays
from parity.checker.graph.target import ModelError, Target
from parity.checker.references import reference_file
from parity.checker.references.questions import AskedState, Extent, Question
from parity.checker.references.reference_file import Reference, ReferenceFileError
from parity.checker.references.remembering_model import narrowed
from parity.core.sides import TITLES, Precision


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
        return traced

    def weights(self, into: Kept | None = None) -> Mapping[str, Array]:
        """See `Model.weights`."""
        own = AskedState(apart=self._state.apart).own_weights()
        found = CompactArrays(self._asked(own, "its weights"))
        found.arrays |= self._set.arrays
        return found

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
        """See `Model.replay`.

        Raises:
            ModelError: always; a check does without.
        """
        raise ModelError(f"{node} is of a reference and cannot be run alone.")

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
