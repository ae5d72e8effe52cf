"""A model whose answers are kept: what was asked before is not computed again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from parity.checker.graph.input_names import Signature
from parity.checker.graph.loadable_model import LoadableModel
from parity.checker.graph.model_interface import Array, Kept, RecordRequest, Traced
from parity.checker.graph.storage import CompactArrays
from parity.checker.graph.target import ModelError, Target
from parity.checker.references import questions
from parity.checker.references.questions import AskedState, Extent, Question
from parity.core.sides import Precision

T = TypeVar("T")
_GRADIENTS = ("loss", "gradients/")


@dataclass(frozen=True)
class Answer:
    """What was answered, or why there was no answer.

    Attributes:
        question: that was asked.
        value: the answer.
        failure: message of the `ModelError` in its place; empty: there was an answer.
        extent: of a recording.
    """

    question: Question
    value: Any = None
    failure: str = ""
    extent: Extent | None = None

    def taken(self) -> Any:
        """The answer.

        Raises:
            ModelError: the model had none.
        """
        if self.failure:
            raise ModelError(self.failure)
        return self.value


@dataclass
class Memory:
    """Answers of one model, by question."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)

    def add(self, answer: Answer) -> Answer:
        """Keep one more."""
        self.answers.setdefault(questions.key(answer.question), []).append(answer)
        return answer

    def every(self) -> Iterator[Answer]:
        """All of them."""
        return itertools.chain.from_iterable(self.answers.values())

    def find(self, question: Question, extent: Extent | None = None) -> Answer | None:
        """The answer to a question, or to one that asks for more; None where there is none.

        That a model could not tell more than was asked says nothing of what was asked.
        """
        known = self.answers.get(questions.key(question), [])
        if extent is None:
            return known[0] if known else None
        exact = [a for a in known if a.extent == extent]
        more = [a for a in known if not a.failure and a.extent and a.extent.covers(extent)]
        return next(iter((*exact, *more)), None)


def narrowed(answer: Answer, extent: Extent) -> Any:
    """Of an answer what was asked for: a gradient that nobody asked for would lack its partner.

    Raises:
        ModelError: the model had no answer.
    """
    arrays = answer.taken()
    if answer.extent == extent or extent.projections or answer.question["learn"]:
        return arrays
    return Part(arrays, lambda key: not key.startswith(_GRADIENTS))


class Part(Mapping[str, Array]):
    """Some of a recording's arrays; each is read when it is asked for."""

    def __init__(self, arrays: Mapping[str, Array], wanted: Callable[[str], bool]) -> None:
        self._arrays = arrays
        self._keys = tuple(key for key in arrays if wanted(key))

    def __getitem__(self, key: str) -> Array:
        if key not in self:
            raise KeyError(key)
        return self._arrays[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys


class RememberingModel(LoadableModel):
    """A model in front of a live one, which is asked only what it has not answered before.

    What is set in it reaches the live one with the next question that is new.

    Args:
        live: the model, as it was loaded.
        memory: its answers so far.
    """

    def __init__(self, live: LoadableModel, memory: Memory) -> None:
        self.live, self.memory = live, memory
        self._state, self._reached = AskedState(), AskedState()
        self._target: Target | None = None
        self._loaded: Target | None = None
        self._names: Sequence[str] | None = None
        self._trace: tuple[str, Callable[[], Any]] = "", lambda: None
        self._traced = ""
        self._weights = CompactArrays()

    def load(self, target: Target) -> None:
        """See `LoadableModel.load`; the live one is not told before it is asked."""
        self._state, self._target = AskedState(), target
        self._trace, self._weights = ("", lambda: None), CompactArrays()
        if self.memory.find({"do": "signature"}) is None:
            self._catch_up()

    def revive(self) -> bool:
        """See `LoadableModel.revive`."""
        ended = self.live.revive()
        if ended:
            self._loaded = None
        return ended

    def forget(self) -> None:
        """Nothing: to keep it is what this is for."""

    def limit(self, count: int) -> None:
        """Forget everything where that is more than so many answers."""
        if sum(1 for _ in self.memory.every()) > count:
            self.memory.answers.clear()
            self.live.forget()

    def trace(self, inputs: Sequence[Array], *, apart: Sequence[str] = ()) -> Traced:
        """See `Model.trace`."""
        question = self._state.tracing(inputs, apart)
        self._state.apart = tuple(apart)
        traced: Traced = self._asked(question, lambda: self._live_trace(inputs, apart))
        self._trace = questions.key(question), lambda: self.live.trace(inputs, apart=apart)
        return traced

    def weights(self, into: Kept | None = None) -> Mapping[str, Array]:
        """See `Model.weights`."""
        found: Mapping[str, Array] = self._asked(self._state.own_weights(), self._live_weights)
        return found

    def set_weights(self, weights: Mapping[str, Array]) -> None:
        """See `Model.set_weights`."""
        own = weights if isinstance(weights, CompactArrays) else CompactArrays(weights)
        self._state.set_weights(own)
        self._weights.arrays |= own.arrays

    def record(self, request: RecordRequest, into: Kept | None = None) -> Mapping[str, Array]:
        """See `Model.record`; what is kept is whole."""
        request = replace(request, skipped=())
        question, extent = self._state.recording(request), Extent.of(request)
        answer = self.memory.find(question, extent) or self._new(
            Answer(question, extent=extent), lambda: self.live.record(request)
        )
        found: Mapping[str, Array] = narrowed(answer, extent)
        return found

    def learn(self, loss: Any, optimizer: Any) -> Mapping[str, Any]:
        """See `Model.learn`; asked in any case, for it is set by that."""
        self._catch_up()
        return self.live.learn(loss, optimizer)

    def replay(self, node: str, sources: Sequence[Array], precision: Precision) -> dict[str, Array]:
        """See `Model.replay`."""
        self._catch_up()
        return self.live.replay(node, sources, precision)

    def vocabulary(self) -> int | None:
        """See `Model.vocabulary`."""
        rows: int | None = self._asked({"do": "vocabulary"}, self.live.vocabulary)
        return rows

    def signature(self) -> Signature | None:
        """See `Model.signature`."""
        takes: Signature | None = self._asked({"do": "signature"}, self.live.signature)
        return takes

    def name_inputs(self, names: Sequence[str] | None) -> None:
        """See `Model.name_inputs`."""
        self._state.set_names(names, self.signature())
        self._names = names

    def load_weights(self, path: str, *, partial: bool = False) -> None:
        """See `Model.load_weights`."""
        self._catch_up()
        self.live.load_weights(path, partial=partial)

    def stored(self, wanted: Sequence[str] = (), *, datasets: bool = False) -> Mapping[str, Any]:
        """See `Model.stored`."""
        self._catch_up()
        return self.live.stored(wanted, datasets=datasets)

    def save_weights(self, path: str, types: Mapping[str, str]) -> None:
        """See `Model.save_weights`."""
        self._catch_up()
        self.live.save_weights(path, types)

    def _live_trace(self, inputs: Sequence[Array], apart: Sequence[str]) -> Traced:
        try:
            traced = self.live.trace(inputs, apart=apart)
        except ModelError:
            self._loaded = None  # what a run that failed has left in the model is not known
            raise
        self._traced = questions.key(self._state.tracing(inputs, apart))
        return traced

    def _live_weights(self) -> Mapping[str, Array]:
        return self.live.weights()

    def _asked(self, question: Question, ask: Callable[[], Any]) -> Any:
        answer = self.memory.find(question) or self._new(Answer(question), ask)
        return answer.taken()

    def _new(self, asked: Answer, ask: Callable[[], Any]) -> Answer:
        """Ask the live model, which is told first what was set since; keep what it says."""
        self._catch_up()
        try:
            return self.memory.add(replace(asked, value=ask()))
        except ModelError as error:
            return self.memory.add(replace(asked, failure=str(error)))

    def _catch_up(self) -> None:
        """Set in the live model what was set here; load it again where more was set in it."""
        wanted, reached = self._state, self._reached
        if self._loaded != self._target or not reached.weights.keys() <= wanted.weights.keys():
            assert self._target is not None
            self.live.load(self._target)
            self._loaded, self._traced = self._target, ""
            self._reached = reached = AskedState()
        if reached.names != wanted.names:
            self.live.name_inputs(self._names)
            reached.names = wanted.names
        if self._trace[0] not in ("", self._traced):
            self._trace[1]()
            self._traced = self._trace[0]
        changed = [n for n, digest in wanted.weights.items() if reached.weights.get(n) != digest]
        if changed:
            self.live.set_weights({name: self._weights[name] for name in changed})
            reached.weights |= {name: wanted.weights[name] for name in changed}
