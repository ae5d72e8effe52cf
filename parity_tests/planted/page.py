"""``reports/planted.md``: what was planted, what was caught, and where it was named."""

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "reports" / "planted.md"
TITLES = {"torch": "PyTorch", "keras": "Keras", "torch+keras": "both"}
HEAD = """# Planted faults

A check that cannot fail says nothing. So mistakes that people make are planted in one side's \
program, one at a time, and the verdict must differ and name the first key that is wrong; honest \
variations, which compute the same in another way, must raise no alarm. `make test` does it \
anew with a part of them, `make test-all` with all, and prints this table.

{summary}
"""


@dataclass(frozen=True)
class Told:
    """What the verdict said of one change of an example.

    Attributes:
        example, side, what: what was changed, and whose.
        verdict: agree, differ or undecided.
        found: key of the first divergence, if there was one.
        named: whether it is where the fault was planted; None for an honest variation.
    """

    example: str
    side: str
    what: str
    verdict: str
    found: str
    named: bool | None = None

    @property
    def honest(self) -> bool:
        return self.named is None

    @property
    def right(self) -> bool:
        return self.verdict == "agree" if self.honest else bool(self.named)


def count(rows) -> str:
    """All of it in a line."""
    faults, honest = ([r for r in rows if r.honest is h] for h in (False, True))
    return (
        f"{len(faults)} planted, {sum(r.verdict == 'differ' for r in faults)} caught, "
        f"{sum(r.right for r in faults)} named at the right place; {len(honest)} honest "
        f"variations, {sum(not r.right for r in honest)} false alarms"
    )


def summary(rows) -> str:
    """The bold line of the page."""
    return f"**{count(rows)}.**"


def text(rows) -> str:
    """The page."""
    lines = [HEAD.format(summary=summary(rows))]
    for example in dict.fromkeys(r.example for r in rows):
        lines += [
            f"## {example}\n",
            "| planted | in | verdict | first divergence | |",
            "|---|---|---|---|---|",
        ]
        mine = [r for r in rows if r.example == example]
        for r in sorted(mine, key=lambda r: r.honest):
            what = f"honest: {r.what}" if r.honest else r.what
            found = f"`{r.found}`" if r.found else "–"
            wrong = "✗ false alarm" if r.honest else "✗ misnamed"
            mark = ("✓" if r.honest else "✓ named") if r.right else wrong
            lines.append(f"| {what} | {TITLES[r.side]} | {r.verdict} | {found} | {mark} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
