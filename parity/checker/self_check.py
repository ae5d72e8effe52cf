"""A model checked against itself: that asks all that a check of it asks, for a reference."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from parity.checker import check
from parity.checker.align import cells
from parity.checker.graph import arrangement
from parity.checker.graph import model_inputs as feeding
from parity.checker.graph.arrangement import Arrangement
from parity.checker.graph.model_inputs import Fed
from parity.checker.graph.model_interface import Traced
from parity.checker.graph.target import Target
from parity.checker.references import compact_memory, reference_file
from parity.checker.references.recording_model import RecordingModel, from_here
from parity.checker.references.reference_file import Header, Reference, ReferenceFileError
from parity.checker.references.remembering_model import Memory
from parity.checker.transfer import input_layout
from parity.checker.workers.pair import Say
from parity.checker.workers.remote_model import RemoteModel
from parity.checker.workers.request import CheckRequest, started
from parity.core.errors import UsageError
from parity.core.sides import Side


def record(
    side: Side,
    target: Target,
    request: CheckRequest,
    path: Path,
    say: Say = lambda words: None,
    *,
    compact: bool = True,
) -> Reference:
    """Write a reference of one side.

    Args:
        side: of the model.
        target: the model.
        request: as of a check; its inputs are given, or drawn.
        path: of the file.
        say: told what is being done.
        compact: keep what cannot be computed again; else everything.

    Raises:
        ModelError: the model cannot be loaded or run.
        ReferenceFileError: the check does not find it equal to itself, or the file cannot be
            written.
    """
    with started(request, (side,)) as (live,):
        return record_in(live, target, request, path, say, compact=compact)


def record_in(
    live: RemoteModel,
    target: Target,
    request: CheckRequest,
    path: Path,
    say: Say = lambda words: None,
    *,
    compact: bool = True,
) -> Reference:
    """Write a reference of a model in a process that is there; raises as `record` does."""
    say("importing and building the model")
    live.load(target)
    if request.inputs is None:
        request = replace(request, inputs=_stated(live))
    assert request.inputs is not None
    arrange = _layout(live, target, request) if live.side == "keras" else None
    alone = replace(request, layout="same", weights_from="torch")
    memory, seed = Memory(), None if request.keep_weights else request.seed
    say("recording all that a check asks")
    model = RecordingModel(live, memory, seed, drawn=compact)
    model.load(target)
    result = check.check(model, model, alone, arrange)
    ran = dict(model.ran)
    for apart in _apart(memory):
        say(f"recording it once more, with the {' and the '.join(apart)} step by step")
        other = RecordingModel(live, memory, seed, apart, drawn=compact)
        other.load(target)
        check.check(other, other, alone, arrange)
        ran |= other.ran
    if result.verdict != "agree":
        raise ReferenceFileError(
            f"{target.title} is not found equal to itself ({result.verdict}), so that no "
            "reference can be made of it. What depends on chance or on earlier calls cannot "
            "be compared."
        )
    header = Header(
        live.side,
        from_here(target.title),
        (Fed(request.inputs, request.given), *request.also),
        request.seed,
        request.draws,
        request.train,
        request.steps,
        request.keep_weights,
        live.versions(),
        compact,
    )
    if compact:
        say("finding out what can be computed again")
        memory = compact_memory.compacted(memory, ran)
    reference = Reference(header, memory)
    reference_file.write(path, reference)
    live.forget()
    return reference


def _apart(memory: Memory) -> Iterator[tuple[str, ...]]:
    """Which layers another model may have as steps: of each kind of cell, and of several."""
    graphs = [a.value.graph for a in memory.every() if isinstance(a.value, Traced)]
    kinds = sorted({kind for graph in graphs for kind in cells.kinds(graph)})
    for count in range(1, len(kinds) + 1):
        yield from itertools.combinations(kinds, count)


def _stated(live: RemoteModel) -> tuple[feeding.Input, ...]:
    """Inputs of the shapes that a model states itself.

    Raises:
        UsageError: it states none.
    """
    stated = feeding.stated(live.signature())
    if stated is None:
        raise UsageError(
            "The model does not state the shape of its inputs. Give one --input for each, batch "
            "first, in PyTorch's layout: --input 8,3,64,64"
        )
    return stated


def _layout(live: RemoteModel, target: Target, request: CheckRequest) -> check.Arrange:
    """The first layout of its inputs that a Keras model can be run on.

    Raises:
        ModelError: there is none.
    """
    inputs, takes = request.inputs or (), live.signature()
    declared = None if takes is None else takes.shapes()
    options = list(
        input_layout.tries(feeding.layouts(inputs, feeding.UNSEEN, declared, request.layout))
    )
    arrays = list(request.given or feeding.draw(inputs, request.seed, live.vocabulary()))
    _, chosen, _ = input_layout.traced(live, arrays, options, lambda: live.load(target))
    moved = [not move.is_identity for move in chosen]

    def arrange(others: Sequence[feeding.Input]) -> list[Arrangement]:
        return [
            (arrangement.channels_moved if last else arrangement.identity)(one.shape)
            for one, last in zip(others, moved, strict=True)
        ]

    return arrange
