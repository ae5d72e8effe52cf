"""Findings → words: every sentence about a finding; screens and pages put headings around it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from parity.comparator.noise import C, Finding
from parity.core.recording_keys import LEVEL_TITLES, parse_key
from parity.diagnosis.array_hypotheses import Hypothesis
from parity.diagnosis.optimizer_settings import said
from parity.diagnosis.optimizer_step import OptimizerStep
from parity.recording.thinning import Thinned

STATUS_WORDS = {
    "identical": "exactly equal",
    "rounding": "equal to rounding",
    "known": "a listed difference, as listed",
    "different": "different",
    "noisy": "one side's float32 is noisier than rounding",
    "missing": "missing",
    "extra": "extra",
    "shape": "different shapes",
    "dtype": "different dtypes",
    "nonfinite": "NaN or infinity",
    "wrong": "equal to each other, but not the right number",
    "stale": "a listed difference that no longer holds",
    "undecided": "beyond the horizon",
}


def sentence(finding: Finding, left: str, right: str) -> str:
    """One finding in a sentence or two: what is so, on both sides, and how far from agreeing.

    Args:
        finding: what was found.
        left: name of the left side.
        right: name of the right side.
    """
    f = finding
    both = f"{f.left} in {left} and {f.right} in {right}"
    match f.status:
        case "identical" | "rounding" | "known":
            return f"{f.key}: {STATUS_WORDS[f.status]}{_ratio(f)}."
        case "missing" | "extra":
            return (
                f"{f.key}: {' and '.join(f.sides)} did not record it{_where_else(f, left, right)}."
            )
        case "shape":
            return f"{_shapes(f, f.key, left, right)}{_transposes(f)}."
        case "dtype":
            return f"{f.key} has dtype {both}; both must compute in the run's precision."
        case "nonfinite":
            return f"{f.key}{_place(f)} is {both}: expected finite numbers on both sides."
        case "wrong" if f.rule == "frozen":
            return (
                f"{f.key}: {' and '.join(f.sides)} moved a weight that the spec says is frozen; "
                "expected its initial value, bit for bit."
            )
        case "wrong":
            words = f"{f.key} is {f.left} in {left} and {right}, expected {f.expected}"
            return f"{words}: {' and '.join(f.sides)} {_be(f)} off."
        case "stale":
            return (
                f"{f.key} is {both}: the listed difference no longer holds. "
                "Measure it again and correct the spec."
            )
        case "noisy":
            return _noisy(f, left, right)
        case "undecided":
            return (
                f"{f.key} differs{_place(f)}, but beyond the horizon: there a nudge of one ulp "
                "moves a side as far from itself. Only statistics speak here."
            )
        case _:
            return _different(f, left, right)


def clause(finding: Finding, where: str, left: str, right: str) -> str:
    """One finding in a clause, for a sentence about more than a recorded key.

    Args:
        finding: what was found.
        where: what the clause is about, ``its output`` say.
        left: name of the left side.
        right: name of the right side.
    """
    f = finding
    match f.status:
        case "shape":
            return _shapes(f, where, left, right)
        case "nonfinite":
            return f"{where} is not finite: {f.left} in {left}, {f.right} in {right}"
        case "missing":
            return f"{where} is missing in {' and '.join(f.sides)}"
        case "noisy":
            loud, _, low, high = _loudness(f, left, right)
            return (
                f"{where}: {loud}'s float32 is {high:.2g} from its float64, the other's {low:.2g}; "
                f"{loud} computes in a lower precision there"
            )
        case "undecided":
            return (
                f"{where} is {_apart(f)}, where {left}'s float32 is {f.own_left:.2g} from its "
                f"float64 and {right}'s {f.own_right:.2g}, of {f.scale:.2g}: rounding bounds "
                "nothing there"
            )
    if f.rule in ("exact", "frozen", "dropout") or f.distance32 is None:
        return f"{where} is {f.left} in {left} and {f.right} in {right}"
    if f.rule == "fallback":
        return (
            f"{where} is {f.distance32:.2g} apart in float32, {number(f.ratio)} × the tolerance of "
            "torch.testing (there is no float64 to measure noise with)"
        )
    return (
        f"{where} is {_apart(f)}, {number(f.ratio)} × the bound (would agree with C ≥ "
        f"{number((f.ratio or 0) * C)}, C is {C:g})"
    )


def number(ratio: float | None) -> str:
    """A ratio to the bound."""
    if ratio is None:
        return "–"
    return f"{ratio:.2g}" if math.isfinite(ratio) else "∞"


def _shapes(f: Finding, where: str, left: str, right: str) -> str:
    return f"{where} has shape {f.left} in {left} and {f.right} in {right}"


def _apart(f: Finding) -> str:
    """``0.25 apart in float64``: the distance that the ratio is of."""
    single = f.rule == "numbers"
    distance = f.distance32 if single else f.distance64
    return f"{distance:.2g} apart in {'float32' if single else 'float64'}"


def _loudness(f: Finding, left: str, right: str) -> tuple[str, str, float, float]:
    """(noisier side, the other, its noise, the noisier one's)."""
    low, high = sorted((f.own_left or 0.0, f.own_right or 0.0))
    loud, quiet = (left, right) if (f.own_left or 0) > (f.own_right or 0) else (right, left)
    return loud, quiet, low, high


_MUST_BE_EQUAL = {
    "copied": "these are copied, not computed, so they must be exactly equal",
    "exact": "these are whole numbers or words, so they must be equal",
    "bits": "of this pair every number must be exactly equal, to the last bit",
}


def _different(f: Finding, left: str, right: str) -> str:
    if rule := _MUST_BE_EQUAL.get(f.rule):
        return (
            f"{f.key}{_place(f)} is {f.left} in {left} and {f.right} in {right}: {rule}{_off(f)}."
        )
    words = f"{f.key}{_place(f)} is {f.left} in {left} and {f.right} in {right}"
    if f.ratio is not None:
        if f.rule == "fallback":
            return f"{words}: {f.ratio:.3g} × torch.testing's tolerance for one precision{_off(f)}."
        words += (
            f": {_apart(f)}, {f.ratio:.2g} × the bound; "
            f"would agree with C ≥ {f.ratio * C:.2g} (C is {C:g})"
        )
    return f"{words}{_off(f)}."


def _noisy(f: Finding, left: str, right: str) -> str:
    loud, quiet, low, high = _loudness(f, left, right)
    if f.rule == "sudden":
        return (
            f"{f.key} at step {f.step}: {loud}'s float32 leaves its float64 all at once, to "
            f"{high:.2g}, while {quiet}'s stays within {low:.2g}. From this step on {loud} "
            "computes something else in float32: a lower precision, another learning rate?"
        )
    if f.rule == "restless":
        return (
            f"{f.key}: a nudge of one ulp moves {loud} by {high:.2g} and {quiet} by {low:.2g}; "
            f"{loud} is not the same program twice. Look for something random or unseeded."
        )
    return (
        f"{f.key}: float32 is {high:.2g} from float64 in {loud} and {low:.2g} in {quiet}; "
        f"{loud} computes in a lower precision somewhere (bfloat16, TF32, float16?) or its float32 "
        "path is broken"
        f" ({f.ratio:.2g} × the bound)."
    )


def _ratio(f: Finding) -> str:
    return f", {f.ratio:.2g} of the bound" if f.ratio else ""


def _off(f: Finding) -> str:
    if not f.expected:
        return ""
    so = (
        f"so {' and '.join(f.sides)} {_be(f)} wrong"
        if f.sides
        else "and both are within its digits"
    )
    return f"; expected {f.expected}, {so}"


def _be(f: Finding) -> str:
    return "are" if len(f.sides) > 1 else "is"


def _where_else(f: Finding, left: str, right: str) -> str:
    others = [s for s in (left, right) if s not in f.sides]
    return f", {others[0]} did" if others else ", though the example requires it"


def _transposes(f: Finding) -> str:
    if f.key == "loss/curve":
        return "; they took different numbers of steps"
    if f.left.strip("()").split(", ")[::-1] == f.right.strip("()").split(", "):
        return (
            "; they are transposes: Dense stores (in, out), Linear (out, in). Convert with "
            "parity.core.axis_layouts.permute"
        )
    return ""


def _place(f: Finding) -> str:
    if f.key in ("loss/curve", "inputs/batches") and f.step:
        return f" at step {f.step}"
    return f" at {list(f.index)}" if f.index else ""


def hypothesis_words(found: Hypothesis, left: str, right: str) -> str:
    """A proven cause in a sentence."""
    proof = f" (then {found.ratio:.1g} of the bound is left)"
    side, other = (left, right) if found.side == "left" else (right, left)
    match found.kind:
        case "transposed":
            return f"{right}'s is {left}'s with axes transposed {found.right}{proof}."
        case "scale":
            factor = f"{found.right:.7g}"
            return f"{right}'s is {factor} × {left}'s everywhere{proof}.{_factor(float(factor))}"
        case "offset":
            return f"{right}'s is {left}'s plus {found.right:.7g} everywhere{proof}."
        case "activation":
            return f"{side}'s is the softmax of {other}'s: softmax was applied once more there."
        case "shift":
            (axis,) = found.where
            return f"{right}'s is {left}'s shifted by {found.right} along axis {axis}{proof}."
        case "reordered":
            return f"Both hold the same values in another order{proof}."
        case "element":
            return f"Only one element differs, at {found.where}."
        case "zero":
            return f"{side}'s is zero everywhere: dropped, or never computed."
        case "precision":
            coarse = found.left if found.side == "left" else found.right
            unit = f", the size of {coarse.format} rounding" if coarse.format else ""
            return f"{side}'s float32 is off by {coarse.error:.1e}{unit}."
    return ""


def thinned_words(thinned: Thinned, example: str) -> str:
    """What a cause was looked for in, where not all elements were kept."""
    return (
        f"Of its {math.prod(thinned.shape):,} elements {thinned.kept:,} were kept, and sums of "
        f"all; to look for a cause in all of them: parity run {example} --whole."
    )


def _factor(factor: float) -> str:
    if 254 < factor < 256 or 1 / 256 < factor < 1 / 254:
        return " One side feeds bytes 0–255, the other 0–1."
    if abs(factor - round(factor)) < 1e-6 and factor > 1.5:
        return f" A sum instead of a mean over {round(factor)}, or gradients added up?"
    if 0 < factor < 0.7 and abs(1 / factor - round(1 / factor)) < 1e-6:
        return f" A mean over {round(1 / factor)} instead of a sum?"
    return ""


def step_words(steps: Sequence[tuple[str, OptimizerStep | None]]) -> str:
    """Which optimizer equation each side's first step follows."""
    words = [
        f"{title}'s first step is {_equation(step)} with learning rate {step.learning_rate:.9g} "
        f"(reproduced in NumPy to {step.error:.0e})"
        if step
        else f"{title}'s first step fits none, or several, of the equations known here"
        for title, step in steps
    ]
    return "; ".join(words) + "."


def _equation(step: OptimizerStep) -> str:
    """``Adam, ε = 1e-08 after the bias correction (PyTorch's equation)``."""
    told = step.settings
    if told["rule"] == "sgd":
        return "SGD"
    where = said("equation", told).removeprefix("epsilon ")
    return f"{told['title']}, ε = {told['epsilon']:g} {where}"


def level_words(level: str) -> str:
    """``L3 one optimizer step``."""
    return LEVEL_TITLES[level] if level == "values" else f"{level} {LEVEL_TITLES[level]}"


def place_words(key: str) -> str:
    """Where in the program a key stands, for people who do not know the grammar."""
    parsed = parse_key(key)
    when = {"initial": "before training", "final": "after training", "curve": "of every step"}
    step = f"after step {parsed.step}" if parsed.step else "for the first batch"
    return f"{parsed.stage} {when.get(parsed.when, step)}"
