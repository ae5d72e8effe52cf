"""A check from beginning to end: trace, align, take the weights across, record, judge, explain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from parity.checker.align import derived_weights
from parity.checker.align.matches import output_links
from parity.checker.canonical import split_layers
from parity.checker.canonical.canonical_graph import CanonicalGraph
from parity.checker.diagnose import diagnosis
from parity.checker.graph import model_inputs as feeding
from parity.checker.graph import model_outputs
from parity.checker.graph.arrangement import Arrangement
from parity.checker.graph.model_interface import Array, Mode, Model, RecordRequest, Traced
from parity.checker.graph.storage import CompactArrays
from parity.checker.graph.target import ModelError, Target
from parity.checker.judge import dropouts, float32_constants, judging, untraced_views
from parity.checker.judge.judging import Recorded
from parity.checker.result.check_result import CheckResult
from parity.checker.training import user_training
from parity.checker.transfer import biases, degenerate, input_layout, leftovers, mapping
from parity.checker.transfer.mapping import AxisMaps
from parity.checker.transfer.subject import Subject, unique
from parity.checker.workers.pair import Clock, ModelPair, Say
from parity.checker.workers.remote_model import RemoteModel
from parity.checker.workers.request import CheckRequest, processes
from parity.comparator.noise import U32
from parity.core.errors import UsageError
from parity.core.sides import SIDES, Side

Weights = tuple[Mapping[str, Array], Mapping[str, Array]]

_RATE = 0.01
"""Of the steps of gradient descent: any will do that moves the weights visibly."""
_LARGER, _ASIDE = 16.0, 4.0
"""What the second draw's inputs are multiplied by, and how far off zero the third's are."""
_ROUNDED = 8.0
"""Units of float32's rounding that a sum of two biases, say, may be off."""


def check_targets(
    torch: Target, keras: Target, request: CheckRequest, say: Say = lambda words: None
) -> CheckResult:
    """Check two models by name, each in a process of its own.

    Raises:
        ModelError: a model cannot be loaded or run.
        WorkerError: a process does not start, dies or hangs.
        UsageError: inputs are missing, or names to be paired do not exist.
    """
    with processes(request) as remotes:
        return check_in(remotes, (torch, keras), request, say)


def check_in(
    remotes: tuple[RemoteModel, RemoteModel],
    targets: tuple[Target, Target],
    request: CheckRequest,
    say: Say = lambda words: None,
) -> CheckResult:
    """Check two models in processes that are there; raises as `check_targets` does."""
    clock = Clock(say)
    both = ModelPair(*remotes, parallel=True)
    try:
        with clock.stage("load", "importing and building both models"):
            both(lambda: remotes[0].load(targets[0]), lambda: remotes[1].load(targets[1]))
        return _Check(both, request, clock, lambda: remotes[1].load(targets[1])).run()
    finally:
        both.close()
        for remote in remotes:
            remote.forget()


def check(torch: Model, keras: Model, request: CheckRequest) -> CheckResult:
    """Check two models in this process; raises as `check_targets` does."""
    both = ModelPair(torch, keras, parallel=False)
    return _Check(both, request, Clock(lambda words: None)).run()


class _Check:
    """One check; its methods are its stages, in order."""

    def __init__(
        self,
        both: ModelPair,
        request: CheckRequest,
        clock: Clock,
        rebuild: input_layout.Rebuild | None = None,
    ) -> None:
        self._both, self._request, self._clock = both, request, clock
        self._rebuild = rebuild
        self._notes: list[str] = []
        self._wanted: tuple[feeding.Input, ...] = ()
        self._vocabulary: int | None = None
        self._moves: list[Arrangement] = []
        self._precisions: tuple[str, ...] = ("float32", "float64")
        self._outputs: tuple[int, ...] | None = None
        self._raw: tuple[Mapping[str, Array], Mapping[str, Array]] = ({}, {})
        self._lessons: user_training.UserTraining | None = None

    def run(self) -> CheckResult:
        stage = self._clock.stage
        with stage("trace", "running and tracing both"):
            left, right, layouts = self._traced()
        with stage("align", "aligning the two graphs"):
            pairs, remote = self._request.pairs, self._both.keras
            laid = input_layout.align_in_best_layout(left, right, self._moves, pairs)
            laid = input_layout.fitting(
                laid, remote, self._arrays(0), layouts, rebuild=self._rebuild, pairs=pairs
            )
            self._moves, self._outputs, right = laid.moves, laid.order, laid.right
            torch, keras, alignment = laid.torch, laid.keras, laid.alignment
            matched, paths = laid.matched, laid.paths
        self._notes += laid.notes
        self._notes += [*left.graph.notes, *right.graph.notes]
        with stage("weights", "taking the weights across"):
            weights = self._take_weights(torch, keras, paths)
        subject = Subject(
            torch,
            keras,
            matched,
            tuple(torch.by_id[n] for n in alignment.left_only),
            tuple(keras.by_id[n] for n in alignment.right_only),
            paths,
            weights,
            (left.graph, right.graph),
            output_links(alignment, torch, keras),
        )
        subject = float32_constants.mark_derived(subject)
        if not self._request.keep_weights:
            self._set(torch, keras, weights)
        with stage("record", "running both in float32 and float64, forwards and backwards"):
            recorded = self._record(subject, "evaluate", draw=0)
            subject, recorded = self._arranged(subject, recorded)
        subject, found = float32_constants.note_constants(subject, recorded)
        self._notes += [*found, *model_outputs.turned(move for *_, move in subject.outputs())]
        with stage("judge", "comparing"):
            judged = judging.judge_evaluation(subject, recorded, dropouts.active(subject))
            again = subject.tables and judged.agrees
            if again and float32_constants.hidden(
                subject, recorded, judged, self._both.keras.replay
            ):
                subject = replace(subject, strict=True)
                judged = judging.judge_evaluation(subject, recorded, dropouts.active(subject))
        if not judged.agrees and not self._request.keep_weights:
            subject, recorded, judged = self._left_over(subject, recorded, judged)
        if judged.agrees:
            subject, recorded, judged = self._more_draws(subject, recorded, judged)
        trained = None
        if self._request.train:
            with stage("train", "training both for a few steps"):
                self._lessons = self._learn(subject)
                trained = self._record(subject, "train", draw=0)
                lessons = self._lessons
                learnt = (
                    partial(user_training.judge_user_training, subject, trained, lessons)
                    if lessons
                    else None
                )
                judged = judging.judge_training(
                    subject, judged, trained, dropouts.rates(subject), learnt
                )
        with stage("explain", "looking for causes"):
            return diagnosis.explain(
                subject,
                judged,
                recorded,
                trained=trained,
                lessons=self._lessons,
                replay=self._both.keras.replay,
                titles={"torch": left.graph.title, "keras": right.graph.title},
                inputs=tuple(self._input_words()),
                notes=tuple(dict.fromkeys(self._notes)),
                seconds=self._clock.seconds,
            )

    def _learn(self, subject: Subject) -> user_training.UserTraining | None:
        """Hand the user's own loss and optimizer to both sides, and draw targets."""
        recipe, both = self._request.recipe, self._both
        if not recipe:
            return None
        loss, optimizer = recipe.loss, recipe.optimizer
        told = both(
            lambda: both.torch.learn(loss.get("torch"), optimizer.get("torch")),
            lambda: both.keras.learn(loss.get("keras"), optimizer.get("keras")),
        )
        self._notes += [note for side in told for note in side["notes"]]
        return user_training.UserTraining(
            told,
            user_training.targets(self._request.targets, subject, told, self._request.seed),
            self._request.steps,
            bool(loss),
            bool(optimizer),
        )

    def _traced(self) -> tuple[Traced, Traced, list[list[Arrangement]]]:
        """Both, in the first layout that Keras' model runs on, and all that could be tried."""
        both, request = self._both, self._request
        declared = both.keras.input_shapes()
        wanted = request.inputs or feeding.stated(declared)
        if wanted is None:
            raise UsageError(
                "The Keras model does not state the shape of its inputs. Give one --input for "
                "each, batch first, in PyTorch's layout: --input 8,3,64,64"
            )
        rows = [n for n in both(both.torch.vocabulary, both.keras.vocabulary) if n is not None]
        self._wanted, self._vocabulary = wanted, min(rows, default=None)
        if wanted[0].shape[0] == 1:
            self._notes.append(
                "The batch is 1: a fault that mixes up samples cannot be seen. Take 2 or more."
            )
        arrays = self._arrays(0)
        left = both.torch.trace(arrays)
        options = list(input_layout.tries(feeding.layouts(wanted, left, declared, request.layout)))
        right, self._moves, notes = input_layout.traced(both.keras, arrays, options, self._rebuild)
        self._notes += notes
        return left, right, options

    def _input_words(self) -> Iterator[str]:
        for wanted, move in zip(self._wanted, self._moves, strict=True):
            words = str(wanted)
            if not move.is_identity:
                words += f" in PyTorch, {' × '.join(map(str, move.right))} in Keras"
            yield words

    def _arrays(self, draw: int) -> list[Array]:
        if self._request.given is not None and draw == 0:
            return [
                a.astype(np.float32).astype(np.float64) if a.dtype.kind == "f" else a
                for a in self._request.given
            ]
        # Larger ones than the first, so that what saturates (relu6, a clipped value) is reached;
        # then those off zero, so that whole channels are negative, and padding is not.
        scale, aside = (_LARGER, 0.0) if draw == 1 else (1.0, _ASIDE if draw else 0.0)
        seed = self._request.seed + draw
        return feeding.draw(self._wanted, seed, self._vocabulary, scale, aside)

    def _take_weights(
        self, torch: CanonicalGraph, keras: CanonicalGraph, paths: AxisMaps
    ) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
        both, request = self._both, self._request
        raw = both(both.torch.weights, both.keras.weights)
        self._raw = raw
        found = (
            split_layers.spread_weights(torch, raw[0]),
            split_layers.spread_weights(keras, raw[1]),
        )
        if request.keep_weights:
            return self._made(torch, keras, paths, self._kept(paths, *found))
        left, right = (
            degenerate.randomise_degenerate(normal.parameters.values(), weights, request.seed)
            for normal, weights in zip((torch, keras), found, strict=True)
        )
        if request.weights_from == "torch":
            right.update(mapping.transfer_weights(paths.tied, left, source="torch"))
        else:
            left.update(mapping.transfer_weights(paths.tied, right, source="keras"))
        return self._made(torch, keras, paths, (left, right))

    def _made(
        self, torch: CanonicalGraph, keras: CanonicalGraph, paths: AxisMaps, weights: Weights
    ) -> Weights:
        """What a side computes of its weights, for the other that has it as one weight."""
        both = CompactArrays(weights[0]), CompactArrays(weights[1])
        if not any(one.left.computed or one.right.computed for one in paths.tied):
            return both
        if not self._request.keep_weights:
            self._set(torch, keras, both)
        moved = [m(a) for m, a in zip(self._moves, self._arrays(0), strict=True)]
        recorded = self._both(
            lambda: self._both.torch.record(RecordRequest("float64", "evaluate", self._arrays(0))),
            lambda: self._both.keras.record(RecordRequest("float64", "evaluate", moved)),
        )
        for side, normal in enumerate((torch, keras)):
            made = derived_weights.values(normal, recorded[side])
            both[side].update(split_layers.spread_weights(normal, made))
        if not self._request.keep_weights:
            for side, source in enumerate(SIDES):
                ties = [t for t in paths.tied if (t.left, t.right)[side].computed]
                both[1 - side].update(mapping.transfer_weights(ties, both[side], source=source))
        return both

    def _kept(
        self, paths: AxisMaps, left: Mapping[str, Array], right: Mapping[str, Array]
    ) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
        """The weights as they are; what float32 rounded in taking them across is rounded back."""
        left, right = CompactArrays(left), CompactArrays(right)
        rounded = [set[str](), set[str]()]
        for one in unique(paths.tied):
            if one.index is None or one.left.id not in left or one.right.id not in right:
                continue
            mine, theirs = one.to_right(np.asarray(left[one.left.id])), right[one.right.id]
            if mine.shape != theirs.shape or mine.dtype.kind != "f":
                continue
            apart = float(np.max(np.abs(mine - theirs), initial=0.0))
            if 0 < apart <= _ROUNDED * U32 * float(np.max(np.abs(mine), initial=0.0)):
                single = mine.astype(np.float32).astype(np.float64)
                left[one.left.id], right[one.right.id] = one.to_left(single), single
                rounded[0].add(one.left.id)
                rounded[1].add(one.right.id)
        if rounded[0]:
            self._both.torch.set_weights({n: left[n] for n in rounded[0]})
            self._both.keras.set_weights({n: right[n] for n in rounded[1]})
            self._notes.append(
                f"{len(rounded[0])} weights are the same but for the rounding of float32; "
                "PyTorch's were taken for both."
            )
        return left, right

    def _record(self, subject: Subject, mode: Mode, draw: int, *, whole: bool = True) -> Recorded:
        """Both sides in both precisions, on the same inputs and with the same loss."""
        both, request = self._both, self._request
        arrays = self._arrays(draw)
        moved = [m(a) for m, a in zip(self._moves, arrays, strict=True)]
        weights = judging.projections(subject, request.seed) if whole else ([], [])
        own = model_outputs.given_back(weights[1], self._outputs)
        runs: dict[tuple[Side, str], Mapping[str, Array]] = {}
        lessons = self._lessons if mode == "train" else None
        targets = lessons.targets if lessons else ((), ())
        for precision in self._precisions:

            def order(
                given: list[Array],
                projections: list[Array],
                targets: Sequence[Array],
                of: str = precision,
            ) -> RecordRequest:
                return RecordRequest(
                    learn=lessons is not None,
                    targets=targets,
                    precision=of,  # type: ignore[arg-type]
                    mode=mode,
                    inputs=given,
                    projections=projections,
                    steps=request.steps if mode == "train" else 0,
                    rate=_RATE,
                    keep_values=whole,
                )

            left, right = (
                order(arrays, weights[0], targets[0]),
                order(moved, own, targets[1]),
            )
            try:
                runs["torch", precision], runs["keras", precision] = both(
                    lambda left=left: both.torch.record(left),  # type: ignore[misc]
                    lambda right=right: both.keras.record(right),  # type: ignore[misc]
                )
            except ModelError as error:
                if precision == "float32":
                    raise
                self._precisions = ("float32",)
                self._notes.append(
                    "Compared in float32 only, by the tolerance of torch.testing instead of "
                    f"measured noise: {str(error).splitlines()[0]}"
                )
                runs = {key: run for key, run in runs.items() if key[1] == "float32"}
        if self._outputs is not None:
            runs |= {
                key: model_outputs.Reordered(run, self._outputs)
                for key, run in runs.items()
                if key[0] == "keras"
            }
        normals = {"torch": subject.torch, "keras": subject.keras}
        spread = {key: split_layers.spread(normals[key[0]], run) for key, run in runs.items()}
        return Recorded(spread, arrays, moved)

    def _arranged(self, subject: Subject, recorded: Recorded) -> tuple[Subject, Recorded]:
        """What an untraced node yields, in the order that the numbers tell, and weights by it."""
        known: dict[str, Arrangement] = {}
        while found := untraced_views.arrangements(subject, recorded):
            known |= found
            paths = mapping.map_axes(
                subject.matches, subject.torch, subject.keras, self._moves, known
            )
            weights = self._take_weights(subject.torch, subject.keras, paths)
            subject = float32_constants.mark_derived(
                replace(subject, across=paths, weights=weights)
            )
            if not self._request.keep_weights:
                self._set(subject.torch, subject.keras, weights)
            recorded = self._record(subject, "evaluate", draw=0)
        return subject, recorded

    def _left_over(
        self, subject: Subject, recorded: Recorded, judged: judging.CheckFindings
    ) -> tuple[Subject, Recorded, judging.CheckFindings]:
        """Weights that no layers tie, tied by their shapes, if the outputs agree then."""
        tried = False
        for guess in leftovers.match_by_shape(subject):
            weights = self._take_weights(guess.torch, guess.keras, guess.across)
            other, tried = replace(guess, weights=weights), True
            self._set(other.torch, other.keras, weights)
            if judging.outputs_agree(other, self._record(other, "evaluate", 0, whole=False)):
                again = self._record(other, "evaluate", draw=0)
                found = judging.judge_evaluation(other, again, dropouts.active(other))
                if found.agrees:
                    self._notes.append(leftovers.NOTE)
                    return other, again, found
        if tried:
            self._set(subject.torch, subject.keras, subject.weights)
        return subject, recorded, judged

    def _more_draws(
        self, subject: Subject, recorded: Recorded, judged: judging.CheckFindings
    ) -> tuple[Subject, Recorded, judging.CheckFindings]:
        """Other inputs and other biases: a fault may hide behind a ReLU on the first."""
        # With one precision the tolerance is absolute, too: larger numbers would be held to more.
        fixed = self._request.given is not None or len(self._precisions) == 1
        for draw in range(1, 1 if fixed else self._request.draws):
            with self._clock.stage("record", "running both on other inputs"):
                other = subject
                if not self._request.keep_weights:
                    other = replace(
                        subject,
                        weights=biases.perturb_biases(
                            subject, self._request.weights_from, self._request.seed, draw
                        ),
                    )
                    self._set(other.torch, other.keras, other.weights)
                again = self._record(other, "evaluate", draw, whole=False)
            if not judging.outputs_agree(other, again):
                with self._clock.stage("record", "running both on these inputs, in full"):
                    again = self._record(other, "evaluate", draw)
                return other, again, judging.judge_evaluation(other, again, dropouts.active(other))
            self._set(subject.torch, subject.keras, subject.weights)
        return subject, recorded, judged

    def _set(self, torch: CanonicalGraph, keras: CanonicalGraph, weights: Weights) -> None:
        """Set weights on both sides."""
        mine, theirs = (
            split_layers.gather_weights(normal, own, whole)
            for normal, own, whole in zip((torch, keras), weights, self._raw, strict=True)
        )
        self._both(
            lambda: self._both.torch.set_weights(mine), lambda: self._both.keras.set_weights(theirs)
        )
