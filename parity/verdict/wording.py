"""Findings → words. All wording about agreement and difference stands here."""

from __future__ import annotations

from parity.comparator.noise import C, Finding
from parity.core.recording_keys import LEVEL_TITLES, parse_key
from parity.verdict.hypotheses import Hypothesis
from parity.verdict.optimizer_step import OptimizerStep

STATUS_WORDS = {
    "identical": "identical, bit for bit",
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
            return f"{f.key} has shape {both}{_transposes(f)}."
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


def _different(f: Finding, left: str, right: str) -> str:
    if f.rule in ("copied", "exact"):
        rule = "these are copied, not computed, so they must be equal bit for bit"
        if f.rule == "exact":
            rule = "these are whole numbers or words, so they must be equal"
        return (
            f"{f.key}{_place(f)} is {f.left} in {left} and {f.right} in {right}: {rule}{_off(f)}."
        )
    words = f"{f.key}{_place(f)} is {f.left} in {left} and {f.right} in {right}"
    if f.ratio is not None:
        if f.rule == "fallback":
            return f"{words}: {f.ratio:.3g} × torch.testing's tolerance for one precision{_off(f)}."
        apart = f.distance32 if f.rule == "numbers" else f.distance64
        precision = "float32" if f.rule == "numbers" else "float64"
        words += (
            f": {apart:.2g} apart in {precision}, {f.ratio:.2g} × the bound; "
            f"would agree with C ≥ {f.ratio * C:.2g} (C is {C:g})"
        )
    return f"{words}{_off(f)}."


def _noisy(f: Finding, left: str, right: str) -> str:
    loud, quiet = (left, right) if (f.own_left or 0) > (f.own_right or 0) else (right, left)
    low, high = sorted((f.own_left or 0.0, f.own_right or 0.0))
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


def clue_words(clue: Hypothesis, left: str, right: str) -> str:
    """A proven cause in a sentence."""
    proof = f" (then {clue.residual:.1g} of the bound is left)"
    match clue.kind:
        case "transposed":
            return f"{right}'s is {left}'s with axes transposed {clue.value}{proof}."
        case "factor":
            return f"{right}'s is {clue.value} × {left}'s everywhere{proof}.{_factor(clue.value)}"
        case "offset":
            return f"{right}'s is {left}'s plus {clue.value} everywhere{proof}."
        case "softmax":
            once, twice = (left, right) if clue.value == "right" else (right, left)
            return f"{twice}'s is the softmax of {once}'s: softmax was applied once more there."
        case "rolled":
            shift, axis = clue.value.split("|")
            return f"{right}'s is {left}'s shifted by {-int(shift)} along axis {axis}{proof}."
        case "reordered":
            return f"Both hold the same values in another order{proof}."
        case "element":
            return f"Only one element differs, at {clue.value}."
        case "zero":
            side = right if clue.value == "right" else left
            return f"{side}'s is zero everywhere: dropped, or never computed."
        case "coarse":
            side, error, name = clue.value.split("|")
            unit = f", the size of {name} rounding" if name else ""
            return f"{left if side == 'left' else right}'s float32 is off by {error}{unit}."
    return ""


def _factor(value: str) -> str:
    factor = float(value)
    if 254 < factor < 256 or 1 / 256 < factor < 1 / 254:
        return " One side feeds bytes 0–255, the other 0–1."
    if abs(factor - round(factor)) < 1e-6 and factor > 1.5:
        return f" A sum instead of a mean over {round(factor)}, or gradients added up?"
    if 0 < factor < 0.7 and abs(1 / factor - round(1 / factor)) < 1e-6:
        return f" A mean over {round(1 / factor)} instead of a sum?"
    return ""


def step_words(steps: tuple[tuple[str, OptimizerStep | None], ...]) -> str:
    """Which optimizer equation each side's first step follows."""
    words = [
        f"{title}'s first step is {step.name} with learning rate {step.learning_rate:.9g} "
        f"(reproduced in NumPy to {step.error:.0e})"
        if step
        else f"{title}'s first step fits none, or several, of the equations known here"
        for title, step in steps
    ]
    return "; ".join(words) + "."


def level_words(level: str) -> str:
    """``L3 one optimizer step``."""
    return LEVEL_TITLES[level] if level == "values" else f"{level} {LEVEL_TITLES[level]}"


def place_words(key: str) -> str:
    """Where in the program a key stands, for people who do not know the grammar."""
    parsed = parse_key(key)
    when = {"initial": "before training", "final": "after training", "curve": "of every step"}
    step = f"after step {parsed.step}" if parsed.step else "for the first batch"
    return f"{parsed.stage} {when.get(parsed.when, step)}"
