"""What a page says in sentences: the strongest that is true, and no stronger."""

from __future__ import annotations

import math
from collections import Counter

from parity.report.formatting import count, listed, number, prose
from parity.report.result import ReportInput, side_names
from parity.report.series import Drift
from parity.verdict import wording
from parity.verdict.judgement import PairVerdict


def lead(result: ReportInput) -> str:
    """The verdict on an example in a bold sentence."""
    verdict = result.verdict
    pair = verdict.headline
    left, right = side_names(result.spec, pair.pair)
    if verdict.verdict == "agree":
        if verdict.chosen and pair.pair.differs_at:
            return f"**{left} and {right} agree.**"
        if identical(pair):
            return f"**{left} and {right} give exactly the same numbers{_everywhere(result)}.**"
        words = "agree to rounding" if result.spec.training else "give the same numbers"
        listed_ones = sum(f.status == "known" for f in pair.findings)
        beyond = f", except in {count(listed_ones, 'listed difference')}" if listed_ones else ""
        return f"**{left} and {right} {words}{_everywhere(result)}{beyond}.**"
    if pair.verdict == "differ" and (verdict.chosen or not pair.pair.differs_at):
        return f"**{left} and {right} differ.**"
    if verdict.verdict == "differ":
        wrong = [p.pair.title for p in verdict.pairs if not p.as_expected]
        return f"**Not as it should be: {listed(wrong)}.**"
    return f"**Whether {left} and {right} agree could not be decided.**"


def _everywhere(result: ReportInput) -> str:
    if result.spec.training is None:
        return ""
    end = "the last weight" if result.spec.training.whole else "the first optimizer step"
    return f", from the first tensor to {end}"


def identical(pair: PairVerdict) -> bool:
    """Every key is exactly equal."""
    return all(f.status == "identical" for f in pair.findings)


def divergence(pair: PairVerdict) -> str:
    """The first divergence: where, what, and its cause."""
    if pair.first is None:
        return ""
    first = pair.first
    where = f"First divergence on {wording.level_words(first.level)}"
    place = wording.place_words(first.key)
    told = prose(pair.text)
    others = listed([f"`{key}`" for key in pair.others])
    also = f" Guilty by themselves, not in consequence: {others}." if others else ""
    return f"{where} ({place}). {told}{also}"


def counted(pair: PairVerdict) -> str:
    """How many keys have which status: ``31 exactly equal, 5 equal to rounding``."""
    words = {
        "identical": "exactly equal",
        "rounding": "equal to rounding",
        "known": "as listed among the known differences",
        "undecided": "beyond the horizon, undecided",
    }
    tally: Counter[str] = Counter(
        f.status if f.status in words else "different" for f in pair.findings
    )
    order = (*words, "different")
    parts = [f"{tally[s]:,} {words.get(s, 'different')}" for s in order if tally[s]]
    return f"Of {count(len(pair.findings), 'array')}: {'; '.join(parts)}."


def strongest(pair: PairVerdict, drift: Drift | None, names: tuple[str, str]) -> str:
    """To how many decimal places the weights are equal at the end."""
    if identical(pair):
        return f"Every one of {count(len(pair.findings), 'array')} is exactly equal."
    if drift is None or drift.apart64 is None:
        return counted(pair)
    steps, apart = count(int(drift.steps[-1]), "step"), float(drift.apart64[-1])
    begin = f"After {steps} in float64, the weights of {names[0]} and {names[1]} are"
    if apart == 0:
        return f"{begin} exactly equal."
    places = math.floor(-math.log10(apart)) if 0 < apart < 1 else 0
    if places < 2:
        return f"{begin} up to {number(apart, 2)} apart."
    return f"{begin} equal to {places} decimal places."


def nudged(drift: Drift | None, names: tuple[str, str]) -> str:
    """How far apart the weights end, beside how far each side moves from itself."""
    if drift is None or drift.apart64 is None or not (apart := float(drift.apart64[-1])):
        return ""
    itself = {
        name: float(moved[-1])
        for name, moved in zip(names, (drift.self_left, drift.self_right), strict=True)
        if moved is not None and moved[-1] > 0
    }
    text = (
        "In float64 no two recorded weights that should be equal end more than "
        f"{number(apart, 2)} apart."
    )
    if not itself:
        return text
    measured = [f"{name} by {number(moved, 2)}" for name, moved in itself.items()]
    return (
        f"{text} For comparison: when the initial weights change by one ulp, the last "
        f"bit, the same training moves {listed(measured)}."
    )


def single(drift: Drift | None, names: tuple[str, str]) -> str:
    """What float32 does meanwhile."""
    if drift is None or drift.apart32 is None or drift.own_left is None or drift.own_right is None:
        return ""
    apart, own = float(drift.apart32[-1]), (float(drift.own_left[-1]), float(drift.own_right[-1]))
    if apart == 0:
        return "In float32 they are exactly equal."
    return (
        "In float32, training amplifies rounding. No two weights that should be equal end more "
        f"than {number(apart, 2)} apart. From its own float64 run, {names[0]} ends up to "
        f"{number(own[0], 2)} away, and {names[1]} up to {number(own[1], 2)}."
    )


def horizon(pair: PairVerdict) -> str:
    """How far the training can be followed step by step."""
    if pair.last_step is None:
        return ""
    steps = count(pair.last_step, "step")
    if pair.horizon is None:
        return (
            f"No nudged run was recorded, so the horizon of these {steps} is not known: bounds "
            "count the rounding of every step only."
        )
    if pair.horizon >= pair.last_step:
        return (
            f"**All {steps} can be followed.** A change of one ulp never grows past 2⁻²⁴ of the "
            "scale, float32's own rounding. So float64 speaks about the whole training."
        )
    return (
        f"**Step {pair.horizon:,} of {pair.last_step:,} is the last that can be followed.** Behind "
        "it a change of one ulp has grown past 2⁻²⁴ of the scale, float32's own rounding. There "
        "float64 is no surer than float32, and only statistics speak."
    )


def contrast(pair: PairVerdict, drift: Drift | None, bridged: Drift | None) -> str:
    """What a contrast costs, measured against the bridged pair."""
    if drift is None or drift.apart64 is None:
        return ""
    apart = float(drift.apart64[-1])
    steps = count(int(drift.steps[-1]), "step")
    text = f"After {steps} the float64 weights are {number(apart, 2)} apart"
    if bridged is not None and bridged.apart64 is not None and bridged.apart64[-1] > 0:
        text += f", {number(apart / float(bridged.apart64[-1]), 2)} × as far as in the headline"
    if "float64" in pair.agreement:
        same, of = pair.agreement["float64"]
        text += f"; {of - same:,} of {of:,} test samples get another class even in float64"
    if drift.apart32 is not None and apart > 0.1 * float(drift.apart32[-1]):
        text += ". This is no rounding: in float64 it is as large as in float32"
    return f"{text}."
