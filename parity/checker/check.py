"""A check from beginning to end: trace, align, take the weights across, record, judge, explain."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from parity.checker.align import bias_sums, cells, derived_weights
from parity.checker.align.matches import output_links
from parity.checker.canonical import settled, split_layers
from parity.checker.canonical.canonical_graph import CanonicalGraph
from parity.checker.diagnose import diagnosis
from parity.checker.graph import input_names, memory, model_outputs, special_inputs
from parity.checker.graph import model_inputs as feeding
from parity.checker.graph.arrangement import Arrangement
from parity.checker.graph.graph import Graph
from parity.checker.graph.loadable_model import LoadableModel
from parity.checker.graph.model_interface import Array, Mode, Model, RecordRequest, Traced
from parity.checker.graph.statements import with_statements
from parity.checker.graph.storage import CompactArrays
from parity.checker.graph.target import ModelError, Target
from parity.checker.judge import (
    dropouts,
    empty_rows,
    float32_constants,
    judging,
    settled_gradients,
    untraced_views,
)
from parity.checker.judge.judging import RecordedRuns
from parity.checker.references import compact_runs
from parity.checker.result.check_result import CheckResult, ComparedQuantity
from parity.checker.training import user_training
from parity.checker.transfer import biases, degenerate, input_layout, leftovers, mapping, parts
from parity.checker.transfer.comparison import ModelComparison, unique_mappings
from parity.checker.transfer.mapping import AxisMaps
from parity.checker.workers.pair import Clock, ModelPair, Say
from parity.checker.workers.request import CheckRequest
from parity.comparator.noise import U32, Finding
from parity.core.errors import CrashError, UsageError
from parity.core.sides import SIDES, Precision, Side

T = TypeVar("T")
Arrange = Callable[[Sequence[feeding.Input]], Sequence[Arrangement]]
Weights = tuple[Mapping[str, Array], Mapping[str, Array]]

_SAMPLED = ("gradients", "state", "steps", "evaluation")
_OTHER = 8
"""So many other inputs are drawn in place of the first, and their seeds lie as far from its own."""
_RATE = 0.01
"""Of the steps of gradient descent: any will do that moves the weights visibly."""
_LARGER, _ASIDE = 16.0, 4.0
"""What the second draw's inputs are multiplied by, and how far off zero the third's are."""
_ROUNDED = 8.0
"""Units of float32's rounding that a sum of two biases, say, may be off."""


def check_in(
    remotes: tuple[LoadableModel, LoadableModel],
    targets: tuple[Target, Target],
    request: CheckRequest,
    say: Say = lambda words: None,
) -> CheckResult:
    """Check two models in processes that are there; raises as `named.check_targets` does.

    A process that has ended is started anew. One that native code brings down in the middle gets
    a second chance: such crashes come and go, and the answer says so.
    """
    try:
        with _checking(remotes, targets, request, say) as checking:
            return checking.run_all()
    except CrashError as crash:
        say(f"once more: {crash}")
        with _checking(remotes, targets, request, say) as checking:
            result = checking.run_all()
        return replace(result, notes=(*result.notes, f"The first try broke off. {crash}"))


@dataclass(frozen=True)
class Carried:
    """A check, after which one model has the other's weights, just as those are.

    Attributes:
        result: of the check, with telling numbers in place of zeros and ones.
        comparison: the two models, with the weights as they are.
        findings: what is found with these.
        inputs: what both were run on, in each side's own layout.
        names: of the inputs on each side; None where they go by position.
    """

    result: CheckResult
    comparison: ModelComparison
    findings: judging.CheckFindings
    inputs: tuple[list[Array], list[Array]]
    names: tuple[tuple[str, ...] | None, tuple[str, ...] | None]


def carry_in(
    remotes: tuple[LoadableModel, LoadableModel],
    targets: tuple[Target, Target],
    request: CheckRequest,
    say: Say = lambda words: None,
) -> Carried:
    """Check two models as `check_in` does, and leave them with the weights taken across."""
    others = []
    for fed in request.also:  # first, for each check leaves other weights behind
        other = replace(request, inputs=fed.inputs, given=fed.given, also=())
        others.append(check_in(remotes, targets, other, say))
    with _checking(remotes, targets, replace(request, also=()), say) as checking:
        carried = checking.carried(checking.run())
    return replace(carried, result=_together(carried.result, others))


@contextlib.contextmanager
def _checking(
    remotes: tuple[LoadableModel, LoadableModel],
    targets: tuple[Target, Target],
    request: CheckRequest,
    say: Say,
) -> Iterator[_Check]:
    clock = Clock(say)
    for remote in remotes:
        remote.revive()
    models = ModelPair(*remotes, parallel=True)
    try:
        with clock.stage("load", "importing and building both models"):
            models(lambda: remotes[0].load(targets[0]), lambda: remotes[1].load(targets[1]))
        yield _Check(
            models,
            request,
            clock,
            lambda: remotes[1].load(targets[1]),
            sources=targets[0].sources,
        )
    finally:
        models.close()
        for remote in remotes:
            remote.forget()


def check(
    torch: Model,
    keras: Model,
    request: CheckRequest,
    arrange: Arrange | None = None,
) -> CheckResult:
    """Check two models in this process; raises as `check_targets` does.

    Args:
        torch, keras: the models.
        request: what to check.
        arrange: how inputs lie in both; None: in `torch` as they are given.
    """
    models = ModelPair(torch, keras, parallel=False)
    return _Check(models, request, Clock(lambda words: None), arrange=arrange).run_all()


def _together(first: CheckResult, others: Sequence[CheckResult]) -> CheckResult:
    """Checks of the same two models on several inputs as one: the first that does not agree."""
    told = first
    for other in others:
        if told.verdict != "agree":
            break
        fed = ", ".join(other.inputs)
        if other.verdict == "agree":
            told = replace(told, notes=(*told.notes, f"Compared on {fed}, too: the same."))
        else:
            note = f"On {', '.join(first.inputs)} the two agree; this is of {fed}."
            told = replace(other, notes=(note, *other.notes))
    return told


class _Check:
    """One check; its methods are its stages, in order."""

    def __init__(
        self,
        models: ModelPair,
        request: CheckRequest,
        clock: Clock,
        rebuild: input_layout.Rebuild | None = None,
        arrange: Arrange | None = None,
        *,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        self._sources = sources or {}
        self._models, self._request, self._clock = models, request, clock
        self._rebuild, self._arrange = rebuild, arrange
        self._notes: list[str] = []
        self._wanted: tuple[feeding.Input, ...] = ()
        self._vocabulary: int | None = None
        self._moves: list[Arrangement] = []
        self._special: list[list[Array]] = []
        self._precisions: tuple[Precision, ...] = ("float32", "float64")
        self._outputs: model_outputs.OutputOrder = (None, None)
        self._own_weights: tuple[Mapping[str, Array], Mapping[str, Array]] = ({}, {})
        self._sent: tuple[dict[str, object], dict[str, object]] = ({}, {})
        self._first_weights: tuple[Mapping[str, Array], Mapping[str, Array]] | None = None
        self._compared: ModelComparison | None = None
        self._named = input_names.NamedInputs()
        self._differentiable = True
        self._nudged: tuple[list[str], list[str]] | None = None
        self._training: user_training.UserTraining | None = None

    def run_all(self) -> CheckResult:
        """On all inputs, as far as the two agree."""
        result = self.run()
        others: list[CheckResult] = []
        for fed in self._request.also:
            if result.verdict == "agree" and all(other.verdict == "agree" for other in others):
                request = replace(self._request, inputs=fed.inputs, given=fed.given, also=())
                clock = Clock(self._clock.say)
                other = _Check(
                    self._models,
                    request,
                    clock,
                    self._rebuild,
                    self._arrange,
                    sources=self._sources,
                )
                others.append(other.run())
        seconds = {"other inputs": sum(sum(other.seconds.values()) for other in others)}
        together = _together(result, others)
        return replace(together, seconds={**result.seconds, **(seconds if others else {})})

    def run(self) -> CheckResult:
        stage = self._clock.stage
        with stage("trace", "running and tracing both"):
            left, right, layouts = self._traced()
        with stage("align", "aligning the two graphs"):
            pairs, remote = self._request.pairs, self._models.keras
            aligned = input_layout.align_in_best_layout(
                left,
                right,
                self._moves,
                pairs,
                self._settled,
                output_pairs=self._request.output_pairs,
            )
            aligned = input_layout.fitting(
                aligned,
                remote,
                self._arrays(0),
                layouts,
                rebuild=self._rebuild,
                pairs=pairs,
                settle=self._settled,
                output_pairs=self._request.output_pairs,
            )
            aligned = self._apart(aligned)
            self._moves, self._outputs = aligned.moves, aligned.output_order
            left, right = aligned.left, aligned.right
            torch, keras, alignment = aligned.torch, aligned.keras, aligned.alignment
            matched, axis_maps = aligned.matched, aligned.axis_maps
            made_of = parts.mappings((torch, keras), (left.graph, right.graph), axis_maps)
            axis_maps.weight_mappings.extend(list(made_of))
        self._expect_memory((left.graph, right.graph))
        self._notes += aligned.notes
        self._notes += [*left.graph.notes, *right.graph.notes]
        with stage("weights", "taking the weights across"):
            weights = self._take_weights(torch, keras, axis_maps)
        comparison = ModelComparison(
            torch,
            keras,
            matched,
            tuple(torch.by_id[n] for n in alignment.left_only),
            tuple(keras.by_id[n] for n in alignment.right_only),
            axis_maps,
            weights,
            (left.graph, right.graph),
            output_links(alignment, torch, keras),
            corrected=self._request.corrected,
        )
        comparison = float32_constants.mark_derived(comparison)
        if not self._request.keep_weights:
            self._set(torch, keras, weights)
        with stage("record", "running both in float32 and float64, forwards and backwards"):
            recorded = self._record(comparison)
            comparison, recorded = self._arrange_untraced(comparison, recorded)
        comparison, notes = float32_constants.note_constants(comparison, recorded)
        self._notes += [
            *notes,
            *([] if self._request.keep_weights else leftovers.made_notes(comparison)),
            *float32_constants.halved_note(comparison),
            *model_outputs.layout_notes(move for *_, move in comparison.outputs()),
        ]
        with stage("judge", "comparing"):
            comparison, recorded, findings = self._first_judged(comparison, recorded)
        if not findings.agrees and not self._request.keep_weights:
            comparison, recorded, findings = self._match_leftovers(comparison, recorded, findings)
        if findings.agrees:
            comparison, recorded, findings = self._more_draws(comparison, recorded, findings)
        trained = None
        if self._request.train:
            with stage("train", "training both for a few steps"):
                self._training = self._hand_over_training(comparison)
                trained = self._record(comparison, "train")
                training = self._training
                learnt = (
                    partial(user_training.judge_user_training, comparison, trained, training)
                    if training
                    else None
                )
                findings = judging.judge_training(
                    comparison,
                    findings,
                    trained,
                    before=dropouts.rates(comparison),
                    learnt=learnt,
                    doubtful=dropouts.rates(comparison, added=True),
                )
        self._compared = comparison
        if self._request.sampled and any(p.stage in _SAMPLED for p in findings.parts):
            self._notes.append(compact_runs.NOTE)
        with stage("explain", "looking for causes"):
            return diagnosis.explain(
                comparison,
                findings,
                recorded,
                trained=trained,
                training=self._training,
                replay=self._models.keras.replay,
                unstopped=partial(self._unstopped, comparison, list(recorded.left_inputs)),
                own_weights=self._request.keep_weights,
                titles={"torch": left.graph.title, "keras": right.graph.title},
                inputs=tuple(self._input_words()),
                notes=tuple(dict.fromkeys(self._notes)),
                seconds=self._clock.seconds,
            )

    def _expect_memory(self, graphs: Sequence[Graph]) -> None:
        """Stop where more memory would be taken than there may be."""
        needed = memory.estimate(graphs, train=self._request.train)
        if self._request.memory is not None:
            needed.expect_within(self._request.memory)
            self._clock.say(f"this takes {needed.words}")
        elif self._request.train:  # which alone holds all weights at a time
            needed.expect_available()

    def carried(self, result: CheckResult) -> Carried:
        """Take the weights across once more, as they are, and compare with them.

        Args:
            result: of `run`, which has put telling numbers in the place of zeros and ones.
        """
        assert self._compared is not None
        torch, keras = self._compared.torch, self._compared.keras
        with self._clock.stage("carry", "taking the weights across as they are"):
            weights = self._take_weights(
                torch, keras, self._compared.axis_maps, self._first_weights
            )
            self._set(torch, keras, weights)
            comparison = replace(self._compared, weights=weights)
            recorded, findings = self._judged(comparison, self._record(comparison))
        inputs = list(recorded.left_inputs), list(recorded.right_inputs)
        names = self._named.torch, self._named.keras
        return Carried(result, comparison, findings, inputs, names)

    def _judged(
        self, comparison: ModelComparison, recorded: RecordedRuns
    ) -> tuple[RecordedRuns, judging.CheckFindings]:
        """Judge, by what rounding of the code's constants to float32 does, too, where it may tell.

        That is measured by runs in which they are nudged.
        """
        recorded, self._nudged = recorded.plain, None
        findings = judging.judge_evaluation(comparison, recorded, dropouts.active(comparison))
        if not float32_constants.explains(findings):
            return recorded, findings
        self._nudged = float32_constants.untied(comparison)
        nudged = self._record(comparison, arrays=list(recorded.left_inputs))
        outcome = judging.judge_evaluation(comparison, nudged, dropouts.active(comparison))
        if outcome.agrees:
            apart = float32_constants.diverging(
                comparison, recorded, findings, self._models.keras.replay
            )
            if float32_constants.set_apart(apart):  # a fault, and no larger than rounding
                self._nudged = None
                return recorded, findings
            within = [m for m in apart if outcome.layers[m.left.id].agrees]
            self._notes.append(float32_constants.nudged_note(within))
        return nudged, outcome

    def _first_judged(
        self, comparison: ModelComparison, recorded: RecordedRuns
    ) -> tuple[ModelComparison, RecordedRuns, judging.CheckFindings]:
        """Judged on the first inputs, or on others where these have nothing to attend to."""
        recorded, findings = self._judged(comparison, recorded)
        again = comparison.tables and findings.agrees
        if again and float32_constants.hidden(
            comparison,
            float32_constants.diverging(comparison, recorded, findings, self._models.keras.replay),
        ):
            comparison = replace(comparison, strict=True)
            findings = judging.judge_evaluation(comparison, recorded, dropouts.active(comparison))
        if not findings.agrees and self._request.given is None:
            recorded, findings = self._without_empty_rows(comparison, recorded, findings)
        return comparison, recorded, findings

    def _unstopped(
        self,
        comparison: ModelComparison,
        arrays: list[Array],
        passing: Mapping[Side, Sequence[str]],
    ) -> judging.CheckFindings:
        """What is found where gradients pass that a model stops."""
        recorded = self._record(comparison, arrays=arrays, passing=passing)
        return judging.judge_evaluation(comparison, recorded, dropouts.active(comparison))

    def _hand_over_training(self, comparison: ModelComparison) -> user_training.UserTraining | None:
        """Hand the user's own loss and optimizer to both sides, and draw targets."""
        recipe, models = self._request.recipe, self._models
        if not recipe:
            return None
        loss, optimizer = recipe.loss, recipe.optimizer
        learnt = models(
            lambda: models.torch.learn(loss.get("torch"), optimizer.get("torch")),
            lambda: models.keras.learn(loss.get("keras"), optimizer.get("keras")),
        )
        self._notes += [note for side in learnt for note in side["notes"]]
        return user_training.UserTraining(
            learnt,
            user_training.targets(self._request.targets, comparison, learnt, self._request.seed),
            self._request.steps,
            bool(loss),
            bool(optimizer),
        )

    def _traced(self) -> tuple[Traced, Traced, list[list[Arrangement]]]:
        """Both, in the first layout that Keras' model runs on, and all that could be tried."""
        models, request = self._models, self._request
        takes = models(models.torch.signature, models.keras.signature)
        wanted = request.inputs or feeding.stated(takes[1])
        if wanted is None:
            raise UsageError(
                "The Keras model does not state the shape of its inputs. Give one --input for "
                "each, batch first, in PyTorch's layout: --input 8,3,64,64"
            )
        self._named = named = input_names.matched(
            [one.name for one in wanted], *takes, request.input_pairs
        )
        declared = None if takes[1] is None else takes[1].shapes(named.keras)
        if request.inputs is None and named.keras is not None and takes[1] is not None:
            places = [argument.name for argument in takes[1].arguments]
            wanted = tuple(wanted[places.index(name)] for name in named.keras)
        models(
            lambda: models.torch.name_inputs(named.torch),
            lambda: models.keras.name_inputs(named.keras),
        )
        self._notes += [named.note] if named.note else []
        smallest = self._telling(*models(models.torch.vocabulary, models.keras.vocabulary))
        self._wanted = wanted
        self._vocabulary = min((n for n in smallest if n is not None), default=None)
        if wanted[0].shape[0] == 1:
            self._notes.append(
                "The batch is 1: a fault that mixes up samples cannot be seen. Take 2 or more."
            )
        arrays = self._arrays(0)
        lying = [replace(o, shape=a.shape) for o, a in zip(wanted, arrays, strict=True)]

        def layouts(left: Traced) -> list[list[Arrangement]]:
            return list(input_layout.tries(feeding.layouts(lying, left, declared, request.layout)))

        def traced() -> tuple[Traced, list[Arrangement], tuple[str, ...]]:
            return input_layout.traced(models.keras, arrays, options, self._rebuild)

        options = layouts(feeding.UNSEEN)
        if len(options) == 1:  # whatever PyTorch's model does with them
            left, seen = models(lambda: models.torch.trace(arrays), traced)
        else:
            left = models.torch.trace(arrays)
            options = layouts(left)
            seen = traced()
        right, self._moves, notes = seen
        self._notes += notes
        if request.given is None:
            graphs = self._telling(left.graph, right.graph)
            rows = special_inputs.rows_reached(graphs)
            wanted = tuple(
                replace(one, high=one.high or rows.get(i)) if one.kind == "int" else one
                for i, one in enumerate(wanted)
            )
            self._wanted = wanted
            telling = special_inputs.telling_ids(graphs)
            drawn = special_inputs.draws(wanted, request.seed, self._vocabulary, telling)
            self._special = [self._laid(arrays) for arrays in drawn]
        if request.corrected == "torch":
            left = replace(left, graph=with_statements(left.graph, self._sources))
        return left, right, options

    def _telling(self, left: T, right: T) -> list[T]:
        """Of the two sides those that tell what is drawn."""
        return [
            one
            for side, one in zip(SIDES, (left, right), strict=True)
            if side in self._request.drawn_for
        ]

    def _apart(self, aligned: input_layout.AlignedGraphs) -> input_layout.AlignedGraphs:
        """With recurrent layers step by step, where more of the weights find their partners so."""
        kinds = cells.unlike(aligned.left.graph, aligned.right.graph)
        if not aligned.misfits or not kinds:
            return aligned
        arrays, models = self._arrays(0), self._models
        moved = [m(a) for m, a in zip(aligned.moves, arrays, strict=True)]

        def traced(apart: Sequence[str]) -> tuple[Traced, Traced]:
            return models(
                lambda: models.torch.trace(arrays, apart=apart),
                lambda: models.keras.trace(moved, apart=apart),
            )

        other = input_layout.align_in_best_layout(
            *traced(kinds),
            aligned.moves,
            self._request.pairs,
            self._settled,
            output_pairs=self._request.output_pairs,
        )
        if other.misfits < aligned.misfits:
            return other
        traced(())
        return aligned

    def _settled(
        self, left: Traced, right: Traced, moves: Sequence[Arrangement]
    ) -> tuple[Traced, Traced]:
        """Both graphs, as far as what they make of several inputs settles them."""
        if not any(settled.needs_runs(traced.graph) for traced in (left, right)):
            return left, right
        runs: tuple[list[settled.FedRun], list[settled.FedRun]] = ([], [])
        possible = []
        for arrays in (self._arrays(0), *self._special):
            moved = [m(a) for m, a in zip(moves, arrays, strict=True)]
            requests = [
                RecordRequest("float32", "evaluate", inputs, whole_only=True)
                for inputs in (arrays, moved)
            ]
            try:
                found = self._models(
                    lambda requests=requests: self._models.torch.record(requests[0]),  # type: ignore[misc]
                    lambda requests=requests: self._models.keras.record(requests[1]),  # type: ignore[misc]
                )
            except ModelError:
                if not runs[0]:
                    raise
                continue  # an id that this model does not take
            runs[0].append(settled.FedRun(arrays, found[0]))
            runs[1].append(settled.FedRun(moved, found[1]))
            possible.append(arrays)
        self._special = possible[1:]
        return settled.settle(left, runs[0]), settled.settle(right, runs[1])

    def _input_words(self) -> Iterator[str]:
        for wanted, move in zip(self._wanted, self._moves, strict=True):
            words = str(wanted)
            if not move.is_identity:
                words += f" in PyTorch, {' × '.join(map(str, move.right))} in Keras"
            yield words

    def _arrays(self, draw: int) -> list[Array]:
        if self._request.given is not None and draw == 0:
            return self._laid(
                a.astype(np.float32).astype(np.float64) if a.dtype.kind == "f" else a
                for a in self._request.given
            )
        # Larger ones than the first, so that what saturates (relu6, a clipped value) is reached;
        # then those off zero, so that whole channels are negative, and padding is not.
        scale, aside = (_LARGER, 0.0) if draw == 1 else (1.0, _ASIDE if draw else 0.0)
        seed = self._request.seed + draw
        return self._laid(feeding.draw(self._wanted, seed, self._vocabulary, scale, aside))

    def _laid(self, arrays: Iterable[Array]) -> list[Array]:
        """Inputs in PyTorch's layout, as the left takes them."""
        if self._arrange is None:
            return list(arrays)
        moves = self._arrange(self._wanted)
        return [move(array) for move, array in zip(moves, arrays, strict=True)]

    def _take_weights(
        self,
        torch: CanonicalGraph,
        keras: CanonicalGraph,
        axis_maps: AxisMaps,
        given: Weights | None = None,
    ) -> Weights:
        """Both sides' weights, those of one taken across.

        Args:
            torch, keras: the two graphs.
            axis_maps: between them.
            given: both sides' own, as they are; else what they have now, with telling numbers in
                place of zeros and ones.
        """
        models, request = self._models, self._request
        raw = given or models(models.torch.weights, models.keras.weights)
        self._first_weights = self._first_weights or raw
        self._own_weights = raw
        own = (
            split_layers.spread_weights(torch, raw[0]),
            split_layers.spread_weights(keras, raw[1]),
        )
        if request.keep_weights:
            return self._with_derived(torch, keras, axis_maps, self._rounded_alike(axis_maps, *own))
        left, right = (
            CompactArrays(weights)
            if given
            else degenerate.randomise_degenerate(graph.parameters.values(), weights, request.seed)
            for graph, weights in zip((torch, keras), own, strict=True)
        )
        source = SIDES.index(request.weights_from)
        for side, graph, weights in zip(range(2), (torch, keras), (left, right), strict=True):
            if not given or side != source:  # a checkpoint's own biases stay, and are added
                weights.update({name: np.zeros_like(weights[name]) for name in graph.left_out})
        carried = bias_sums.folded((torch, keras)[source], (left, right)[source])
        taken = mapping.transfer_weights(
            axis_maps.weight_mappings, carried, source=request.weights_from
        )
        (left, right)[1 - source].update(taken)
        self._see_anew(1 - source, (torch, keras)[1 - source], (left, right)[1 - source], taken)
        return self._with_derived(torch, keras, axis_maps, (left, right))

    def _see_anew(
        self, side: int, graph: CanonicalGraph, weights: CompactArrays, taken: Mapping[str, Array]
    ) -> None:
        """What is a weight seen in another way, a table that is a kernel too, follows that weight.

        It would be set to what it was before, and the weight with it.
        """
        behind = {name for own in taken for name in graph.parameters[own].names}
        others = [
            own
            for own, parameter in graph.parameters.items()
            if own not in taken and parameter.names and behind.issuperset(parameter.names)
        ]
        if others:
            model = (self._models.torch, self._models.keras)[side]
            settable = {n: weights[n] for n in taken if not graph.parameters[n].computed}
            model.set_weights(split_layers.gather_weights(graph, settable, self._own_weights[side]))
            now = split_layers.spread_weights(graph, model.weights())
            weights.update({own: now[own] for own in others if own in now})

    def _with_derived(
        self, torch: CanonicalGraph, keras: CanonicalGraph, axis_maps: AxisMaps, weights: Weights
    ) -> Weights:
        """What a side computes of its weights, for the other that has it as one weight."""
        completed = CompactArrays(weights[0]), CompactArrays(weights[1])
        if not any(one.left.computed or one.right.computed for one in axis_maps.weight_mappings):
            return completed
        if not self._request.keep_weights:
            self._set(torch, keras, completed)
        recorded = self._in_best_precision()
        for side, graph in enumerate((torch, keras)):
            made = derived_weights.values(graph, recorded[side], completed[side])
            completed[side].update(split_layers.spread_weights(graph, made))
        if not self._request.keep_weights:
            for side, source in enumerate(SIDES):
                mappings = [
                    t for t in axis_maps.weight_mappings if (t.left, t.right)[side].computed
                ]
                completed[1 - side].update(
                    mapping.transfer_weights(mappings, completed[side], source=source)
                )
        return completed

    def _in_best_precision(self) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
        """What both make of the first inputs, in float64 where both can compute in it."""
        arrays = self._arrays(0)
        moved = [m(a) for m, a in zip(self._moves, arrays, strict=True)]
        torch, keras = (
            RecordRequest(self._precisions[-1], "evaluate", inputs) for inputs in (arrays, moved)
        )
        try:
            return self._models(
                lambda: self._models.torch.record(torch),
                lambda: self._models.keras.record(keras),
            )
        except ModelError as error:
            if self._precisions == ("float32",):
                raise
            self._take_float32_alone(error)
            return self._in_best_precision()

    def _take_float32_alone(self, error: ModelError) -> None:
        """From now on: one of the models cannot compute in float64."""
        self._precisions = ("float32",)
        self._notes.append(
            "Compared in float32 only, by the tolerance of torch.testing instead of measured "
            f"noise: {str(error).splitlines()[0]}"
        )

    def _rounded_alike(
        self, axis_maps: AxisMaps, left: Mapping[str, Array], right: Mapping[str, Array]
    ) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
        """The weights as they are; what float32 rounded in taking them across is rounded back."""
        left, right = CompactArrays(left), CompactArrays(right)
        rounded = [set[str](), set[str]()]
        for one in unique_mappings(axis_maps.weight_mappings):
            if one.index is None or one.left.id not in left or one.right.id not in right:
                continue
            own = np.asarray(left[one.left.id]), np.asarray(right[one.right.id])
            mine, theirs = one.to_right(own[0]), one.of_right(own[1])
            if mine.shape != theirs.shape or mine.dtype.kind != "f":
                continue
            apart = float(np.max(np.abs(mine - theirs), initial=0.0))
            if 0 < apart <= _ROUNDED * U32 * float(np.max(np.abs(mine), initial=0.0)):
                single = mine.astype(np.float32).astype(np.float64)
                left[one.left.id] = one.to_left(single, own[0])
                right[one.right.id] = one.to_right(left[one.left.id], own[1])
                rounded[0].add(one.left.id)
                rounded[1].add(one.right.id)
        if rounded[0]:
            self._models.torch.set_weights({n: left[n] for n in rounded[0]})
            self._models.keras.set_weights({n: right[n] for n in rounded[1]})
            self._sent = {}, {}
            self._notes.append(
                f"{len(rounded[0])} weights are the same but for the rounding of float32; "
                "PyTorch's were taken for both."
            )
        return left, right

    def _record(
        self,
        comparison: ModelComparison,
        mode: Mode = "evaluate",
        arrays: list[Array] | None = None,
        *,
        whole: bool = True,
        gradients: bool = True,
        lean: bool = False,
        passing: Mapping[Side, Sequence[str]] | None = None,
    ) -> RecordedRuns:
        """Both sides in both precisions, on the same inputs and with the same loss.

        Args:
            comparison: the two models.
            mode: in which they are run.
            arrays: inputs in PyTorch's layout; those of the first draw without.
            whole: all values and gradients, not the outputs alone.
            gradients: with `whole`, the gradients, too.
            lean: those that float32 settles in float32 alone.
            passing: values whose gradient passes though the model stops it.
        """
        models, request = self._models, self._request
        arrays = self._arrays(0) if arrays is None else arrays
        moved = [m(a) for m, a in zip(self._moves, arrays, strict=True)]
        weights = ([], [])  # type: tuple[list[Array], list[Array]]
        if whole and gradients and self._differentiable:
            weights = judging.projections(comparison, request.seed, request.drawn_for[0])
        own = [
            list(given) if chosen is None else chosen.given_back(given)
            for chosen, given in zip(self._outputs, weights, strict=True)
        ]
        runs: dict[tuple[Side, str], Mapping[str, Array]] = {}
        training = self._training if mode == "train" else None
        targets = training.targets if training else ((), ())
        settled: Mapping[str, Finding] = {}
        skipped: tuple[Sequence[str], Sequence[str]] = (), ()
        for precision in (*self._precisions, *(["nudged"] if self._nudged is not None else [])):

            def request_for(
                inputs: list[Array],
                projections: list[Array],
                targets: Sequence[Array],
                side: int,
                of: str = precision,
            ) -> RecordRequest:
                return RecordRequest(
                    learn=training is not None,
                    targets=targets,
                    precision="float32" if of == "float32" else "float64",
                    nudged=self._nudged[side] if of == "nudged" and self._nudged else None,
                    mode=mode,
                    inputs=inputs,
                    projections=projections,
                    steps=request.steps if mode == "train" else 0,
                    rate=_RATE,
                    keep_values=whole,
                    passing=(passing or {}).get(SIDES[side], ()),
                )

            left, right = (
                request_for(arrays, own[0], targets[0], 0),
                request_for(moved, own[1], targets[1], 1),
            )
            if precision == "float64":
                left, right = replace(left, skipped=skipped[0]), replace(right, skipped=skipped[1])
            try:
                runs["torch", precision], runs["keras", precision] = models(
                    lambda left=left: models.torch.record(left),  # type: ignore[misc]
                    lambda right=right: models.keras.record(right),  # type: ignore[misc]
                )
            except ModelError as error:
                if weights[0] and mode == "evaluate":
                    return self._without_gradients(comparison, arrays, error)
                if precision == "float32":
                    raise
                self._take_float32_alone(error)
                runs = {key: run for key, run in runs.items() if key[1] == "float32"}
            if lean and precision == "float32" and len(self._precisions) > 1:
                single = RecordedRuns(self._as_compared(comparison, runs), arrays, moved)
                settled = settled_gradients.settled(comparison, single)
                skipped = settled_gradients.skipped(comparison, settled)
        return RecordedRuns(self._as_compared(comparison, runs), arrays, moved, settled)

    def _as_compared(
        self, comparison: ModelComparison, runs: Mapping[tuple[Side, str], Mapping[str, Array]]
    ) -> dict[tuple[Side, str], Mapping[str, Array]]:
        """What was recorded, by the ids of both canonical graphs, outputs in their order."""
        chosen = dict(zip(SIDES, self._outputs, strict=True))
        graphs = {"torch": comparison.torch, "keras": comparison.keras}
        return {
            key: split_layers.spread(
                graphs[key[0]],
                run if (one := chosen[key[0]]) is None else model_outputs.Reordered(run, one),
            )
            for key, run in runs.items()
        }

    def _without_gradients(
        self, comparison: ModelComparison, arrays: list[Array], error: ModelError
    ) -> RecordedRuns:
        """Where it is the gradients that fail, they are not compared, and all else is."""
        precisions, self._differentiable = self._precisions, False
        found = self._record(comparison, arrays=arrays)
        if self._precisions == precisions:
            self._notes.append(f"Gradients are not compared: {str(error).splitlines()[0]}")
            return found
        self._differentiable = True  # it is float64 that fails
        return self._record(comparison, arrays=arrays)

    def _arrange_untraced(
        self, comparison: ModelComparison, recorded: RecordedRuns
    ) -> tuple[ModelComparison, RecordedRuns]:
        """What untraced nodes and the models yield, in the order that the numbers tell, and weights
        by it."""
        known: dict[str, Arrangement] = {}
        while arrangements := untraced_views.arrangements(comparison, recorded):
            known |= arrangements
            axis_maps = mapping.map_axes(
                comparison.matches, comparison.torch, comparison.keras, self._moves, known
            )
            weights = self._take_weights(comparison.torch, comparison.keras, axis_maps)
            comparison = float32_constants.mark_derived(
                replace(comparison, axis_maps=axis_maps, weights=weights)
            )
            if not self._request.keep_weights:
                self._set(comparison.torch, comparison.keras, weights)
            recorded = self._record(comparison)
        if layouts := untraced_views.output_layouts(comparison, recorded):
            comparison = replace(comparison, output_layouts=layouts)
            recorded = self._record(comparison)
        return comparison, recorded

    def _match_leftovers(
        self, comparison: ModelComparison, recorded: RecordedRuns, findings: judging.CheckFindings
    ) -> tuple[ModelComparison, RecordedRuns, judging.CheckFindings]:
        """Weights that no layers map, matched by their shapes where the numbers then prove it."""
        best: list[mapping.WeightMapping] = []
        tried = False
        for guess in leftovers.match_by_shape(comparison, findings.layers):
            other = self._with_weights(guess)
            run, tried = self._record(other, gradients=False), True
            if judging.outputs_agree(other, run, nearly=True):
                again, outcome = self._judged(other, self._record(other))
                if outcome.agrees:
                    self._notes.append(leftovers.note(other))
                    return other, again, outcome
            layers = judging.judge_layers(other, run, guarded=True)
            best = max(best, leftovers.proven(guess, comparison, layers), key=len)
        if not best:
            if tried:
                self._set(comparison.torch, comparison.keras, comparison.weights)
            return comparison, recorded, findings
        kept = self._with_weights(leftovers.with_ties(comparison, best))
        self._notes.append(leftovers.note(kept))
        return kept, *self._judged(kept, self._record(kept))

    def _with_weights(self, comparison: ModelComparison) -> ModelComparison:
        """The comparison with its weights taken across, and set."""
        weights = self._take_weights(comparison.torch, comparison.keras, comparison.axis_maps)
        self._set(comparison.torch, comparison.keras, weights)
        return replace(comparison, weights=weights)

    def _without_empty_rows(
        self, comparison: ModelComparison, recorded: RecordedRuns, findings: judging.CheckFindings
    ) -> tuple[RecordedRuns, judging.CheckFindings]:
        """Judged on other inputs, where attention has a row that keeps nothing on the first."""
        if not empty_rows.keeps_nothing(comparison, recorded):
            return recorded, findings
        for seed in range(self._request.seed + _OTHER, self._request.seed + 2 * _OTHER):
            arrays = self._laid(feeding.draw(self._wanted, seed, self._vocabulary, 1.0, 0.0))
            with self._clock.stage("record", "running both on other inputs"):
                again = self._record(comparison, arrays=arrays)
            if not empty_rows.keeps_nothing(comparison, again):
                self._notes.append(empty_rows.NOTE)
                return self._judged(comparison, again)
        return recorded, findings

    def _more_draws(
        self, comparison: ModelComparison, recorded: RecordedRuns, findings: judging.CheckFindings
    ) -> tuple[ModelComparison, RecordedRuns, judging.CheckFindings]:
        """Other inputs and other biases: a fault may hide behind a ReLU on the first."""
        self._notes += [
            f"This holds for the sizes that were given. With a batch of one {part.finding.key} "
            "differs; an --input with one sample tells why."
            for part in self._single(comparison)
        ]
        for arrays in self._special:
            try:
                with self._clock.stage("record", "running both on special inputs"):
                    again = self._record(comparison, arrays=arrays, lean=self._nudged is None)
            except ModelError:
                continue  # an input that these models do not take
            told = judging.judge_evaluation(comparison, again, dropouts.active(comparison))
            if any(p.finding.status != "nonfinite" for p in told.parts if not p.finding.agrees):
                if not empty_rows.keeps_nothing(comparison, again):
                    if again.settled:  # what differs is explained by all that there is
                        again = self._record(comparison, arrays=arrays)
                        told = judging.judge_evaluation(
                            comparison, again, dropouts.active(comparison)
                        )
                    return comparison, again, told
                self._notes.append(empty_rows.NOTE)
        # With one precision the tolerance is absolute, too: larger numbers would be held to more.
        fixed = self._request.given is not None or len(self._precisions) == 1
        for draw in range(1, 1 if fixed else self._request.draws):
            with self._clock.stage("record", "running both on other inputs"):
                other, arrays = comparison, self._arrays(draw)
                if not self._request.keep_weights:
                    other = replace(
                        comparison,
                        weights=biases.perturb_biases(
                            comparison, self._request.weights_from, self._request.seed, draw
                        ),
                    )
                    self._set(other.torch, other.keras, other.weights)
                again = self._record(other, arrays=arrays, whole=False)
            if not judging.outputs_agree(other, again):
                with self._clock.stage("record", "running both on these inputs, in full"):
                    again = self._record(other, arrays=arrays)
                if not empty_rows.keeps_nothing(other, again):
                    told = judging.judge_evaluation(other, again, dropouts.active(other))
                    return other, again, told
                self._notes.append(empty_rows.NOTE)
            self._set(comparison.torch, comparison.keras, comparison.weights)
        return comparison, recorded, findings

    def _single(self, comparison: ModelComparison) -> list[ComparedQuantity]:
        """What differs with a batch of one alone."""
        arrays = self._arrays(0)
        batch = len(arrays[0]) if arrays[0].ndim else 0
        if batch < 2 or any(len(a) != batch if a.ndim else True for a in arrays):
            return []
        try:
            with self._clock.stage("record", "running both on one sample"):
                again = self._record(comparison, arrays=[a[:1] for a in arrays], whole=False)
        except ModelError:
            return []  # a model that was written for this batch
        return judging.judge_single(comparison, again, batch)

    def _set(self, torch: CanonicalGraph, keras: CanonicalGraph, weights: Weights) -> None:
        """Set weights on both sides, as far as they are others than those set before."""
        mine, theirs = (
            split_layers.gather_weights(graph, own, whole)
            for graph, own, whole in zip((torch, keras), weights, self._own_weights, strict=True)
        )
        new = CompactArrays(), CompactArrays()
        for told, sent, now in zip(new, self._sent, (mine, theirs), strict=True):
            told.arrays |= {n: a for n, a in now.arrays.items() if sent.get(n) is not a}
        self._models(
            lambda: self._models.torch.set_weights(new[0]),
            lambda: self._models.keras.set_weights(new[1]),
        )
        for told, sent in zip(new, self._sent, strict=True):
            sent.update(told.arrays)
