"""The answers of a model without what can be computed again: what a compact reference keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from parity.checker.references import compact_runs, questions
from parity.checker.references.compact_runs import Ran
from parity.checker.references.questions import Question
from parity.checker.references.remembering_model import Answer, Memory


def compacted(memory: Memory, ran: Mapping[str, Ran]) -> Memory:
    """The same answers, of which runs are kept as `CompactRun`.

    Args:
        memory: all that was answered.
        ran: question of a run → what its values follow from.
    """
    made: dict[int, Answer] = {}
    for answer in _needed(memory):
        double = _partner(memory, answer, "float64", None)
        known = ran.get(questions.key(answer.question))
        if answer.extent is None or known is None or double is None or answer.question["learn"]:
            made[id(answer)] = answer
        elif answer is double:
            single = _partner(memory, answer, "float32", None)
            nudged = _partner(memory, answer, "float64", [])
            runs = compact_runs.compacted(
                known,
                answer.value,
                None if single is None else single.value,
                None if nudged is None else nudged.value,
            )
            for one, run in zip((answer, single, nudged), runs, strict=True):
                if one is not None:
                    assert one.extent is not None
                    extent = one.extent
                    if not known.as_traced:
                        extent = replace(extent, projections="", values=False)
                    made[id(one)] = replace(one, value=run, extent=extent)
        else:
            made.setdefault(id(answer), answer)
    kept = Memory()
    for answer in _needed(memory):
        kept.add(made[id(answer)])
    return kept


def double(question: Question) -> Question:
    """The same run in float64, with nothing nudged."""
    return {**question, "precision": "float64", "nudged": None}


def _partner(
    memory: Memory, answer: Answer, precision: str, nudged: list[str] | None
) -> Answer | None:
    """The same run in another precision, as much of it."""
    asked = {**answer.question, "precision": precision, "nudged": nudged}
    known = [a for a in _of(memory, asked) if not a.failure and a.extent == answer.extent]
    return known[0] if known else None


def _needed(memory: Memory) -> Iterator[Answer]:
    """All but those that another one covers."""
    for known in list(memory.answers.values()):
        yield from _of(memory, known[0].question)


def _of(memory: Memory, question: Question) -> list[Answer]:
    """The answers to a question, without those that another one covers."""
    known = memory.answers.get(questions.key(question), [])
    return [
        one
        for at, one in enumerate(known)
        if not any(
            other.extent is not None
            and one.extent is not None
            and not other.failure
            and other.extent.covers(one.extent)
            and (not one.extent.covers(other.extent) or before < at)
            for before, other in enumerate(known)
            if other is not one
        )
    ]
