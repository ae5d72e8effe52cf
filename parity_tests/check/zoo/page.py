"""``reports/zoo.md``: real pairs, what is true of them, and what the tool says.

``python -m parity_tests.check.zoo.page`` asks about all of them and writes it; with patterns of
names it asks about those, and only says what is wrong.
"""

import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from parity.checker.result.check_result import CheckResult
from parity_tests.check.zoo.answers import Outcome, ask, missing
from parity_tests.check.zoo.pair import all_pairs
from parity_tests.check.zoo.truth import Truth, stored

FILE = Path(__file__).parents[3] / "reports" / "zoo.md"
KNOW = (
    (
        "keras_hub",
        "qwen3",
        "`Qwen3TransformerDecoder` does not hand its `layer_norm_epsilon` to its "
        "attention: the norms of queries and keys have 1e-5, whatever `Qwen3Backbone` is given.",
    ),
    (
        "keras_hub",
        "clip-text",
        "The last norm of `CLIPTextEncoder` has epsilon 1e-6, all others of "
        "CLIP 1e-5; no argument reaches it.",
    ),
    (
        "keras_hub",
        "clip-vision",
        "`CLIPVisionEncoder`'s `position_ids` are a weight that begins "
        "with zeros: a model that is built and not loaded adds one position to all tokens.",
    ),
    (
        "keras_hub",
        "whisper",
        "The positions of `WhisperBackbone`'s encoder are random until weights are loaded, and "
        "never learn; Whisper's are sinusoids.",
    ),
    (
        "keras_hub",
        "segformer",
        "In `MiTBackbone` the norms of a block have epsilon 1e-6, and GELU "
        "is by its tanh formula; the published SegFormer has 1e-5 and erf.",
    ),
    (
        "transformers",
        "segformer",
        "`SegformerConfig.layer_norm_eps` is read nowhere: every norm has PyTorch's default.",
    ),
    (
        "keras_hub",
        "bert",
        "BERT, ELECTRA and GPT-NeoX have GELU by its tanh formula, which no "
        "argument reaches; the published models have erf.",
    ),
    (
        "keras_hub",
        "bloom",
        "BLOOM counts ALiBi's positions over all tokens, where transformers "
        "counts over the mask; Falcon does as transformers.",
    ),
    (
        "keras_hub",
        "opt",
        "OPT counts positions over all tokens, where transformers counts over the "
        "mask; so does RoBERTa, where transformers counts over ids that are no padding.",
    ),
    (
        "keras_hub",
        "mixtral",
        "The rotary embedding's longest wave is 10000 by default; Mixtral's is 1000000.",
    ),
    (
        "transformers",
        "mixtral-matched",
        "The default of Mixtral's experts cannot compute in "
        'float64 (`_grouped_mm`); `_experts_implementation = "eager"` can.',
    ),
    (
        "ncps",
        "ncps-cfc",
        "Keras' `CfCCell` has no tanh on its two heads, and `-t_a * t + t_b` where "
        "PyTorch's has `t_a * t + t_b`: weights cannot be taken across.",
    ),
    (
        "ncps",
        "ncps-ltc",
        "Keras' `LTCCell` has no softplus on its positive weights (PyTorch's has "
        "one unless `implicit_param_constraints=False`), and float32 weights in every precision.",
    ),
    (
        "nbeats-keras",
        "nbeats",
        "A block of seasonality has a kernel for each of its thetas; "
        "nbeats-pytorch shares one. Names of layers hold a slash, which Keras 3 refuses.",
    ),
    (
        "pytorch-tcn, keras-tcn",
        "tcn-skip",
        "Of the last block the one adds what it hands on, the "
        "other what stands before its residual connection.",
    ),
)
"""Package, the pair that shows it, and what its authors may want to know."""


def text(outcomes: Sequence[Outcome], truths: dict[str, Truth]) -> str:
    """The page."""
    agree = [o for o in outcomes if truths[o.pair.name].verdict == "agree"]
    differ = [o for o in outcomes if truths[o.pair.name].verdict == "differ"]
    false = sum("is false" in fault for o in outcomes for fault in o.faults)
    lines = [
        "# Real pairs",
        "",
        "Models of public packages in both frameworks, as they come and made to correspond, in",
        "tiny configurations with random weights (`parity_tests/check/zoo`). What is true of each",
        "was established without the tool: every weight is ported by name, by a function written",
        "for the family, and both are run in processes of their own, forwards and backwards. The",
        "numbers are how far outputs or weights' gradients are apart in float64, relative to the",
        "largest (`python -m parity_tests.check.zoo.truth`). `make zoo` asks the tool again.",
        "",
        f"- **{_right(agree)} of {len(agree)} pairs that agree** are answered rightly.",
        f"- **{_right(differ)} of {len(differ)} pairs that differ** are: verdict, first",
        "  divergence, a true cause, and no confirmed cause that is false.",
        f"- Confirmed causes that are false: **{false}**.",
        "",
        "| pair | weights | truth | answer | causes | s | MB |",
        "|---|--:|---|---|---|--:|--:|",
    ]
    for outcome in outcomes:
        truth = truths[outcome.pair.name]
        memory = f"{outcome.memory / 1e6:.0f}" if outcome.memory else ""
        lines.append(
            f"| {outcome.pair.name} | {truth.weights} | {truth.words} | {_answer(outcome)} | "
            f"{_causes(outcome)} | {outcome.seconds:.1f} | {memory} |"
        )
    lines += ["", "Time and memory of both sides together, which serve one pair after the other."]
    lines += ["", "## What differs", "", "| pair | packages | why |", "|---|---|---|"]
    lines += [f"| {o.pair.name} | {', '.join(o.pair.packages)} | {o.pair.why} |" for o in differ]
    lines += ["", "## Not answered rightly", "", "| pair | what is wrong |", "|---|---|"]
    lines += [f"| {o.pair.name} | {'; '.join(o.faults)} |" for o in outcomes if o.faults]
    lines += ["", "## What the packages may want to know", "", "| package | shown by | what |"]
    lines += ["|---|---|---|", *(f"| {who} | {pair} | {what} |" for who, pair, what in KNOW)]
    return "\n".join(lines) + "\n"


def _right(outcomes: Sequence[Outcome]) -> int:
    return sum(not o.faults for o in outcomes)


def _answer(outcome: Outcome) -> str:
    word = outcome.given.verdict if isinstance(outcome.given, CheckResult) else "error"
    return f"{word} {'✗' if outcome.faults else '✓'}"


def _causes(outcome: Outcome) -> str:
    causes = outcome.given.causes if isinstance(outcome.given, CheckResult) else ()
    return ", ".join(dict.fromkeys(f"{c.kind} {c.status}" for c in causes))


def main(patterns: Sequence[str]) -> int:
    """Ask about what matches; write the page if that is everything. 1 where an answer is wrong."""
    truths = stored()
    chosen = [p for p in all_pairs() if any(fnmatchcase(p.name, x) for x in patterns or ["*"])]
    absent = {name for pair in chosen for name in missing(pair)}
    if absent:
        print(f"Not installed: {', '.join(sorted(absent))}. pip install '.[zoo]'", file=sys.stderr)
        return 2
    outcomes = []
    for outcome in ask(chosen, truths):
        outcomes.append(outcome)
        _say(outcome, truths[outcome.pair.name])
    print(f"{_right(outcomes)} of {len(outcomes)} right")
    if not patterns:
        FILE.write_text(text(outcomes, truths), "utf-8")
    return int(_right(outcomes) < len(outcomes))


def _say(outcome: Outcome, truth: Truth) -> None:
    mark = "WRONG" if outcome.faults else "right"
    memory = f"{(outcome.memory or 0) / 1e6:.0f} MB"
    told = "; ".join(outcome.faults)
    print(
        f"{mark}  {outcome.pair.name}  {truth.verdict}  {outcome.seconds:.0f} s  {memory}  {told}",
        flush=True,
    )
    for cause in getattr(outcome.given, "causes", ()):
        places = f"{cause.left} / {cause.right}"
        print(f"       {cause.kind} {cause.status} × {cause.layers}: {places} | {cause.fix}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
