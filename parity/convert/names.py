"""Which name of a weights file is which of the model: prefixes that wrappers leave taken off."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from parity.core.errors import UsageError

_WRAPPERS = ("module", "model", "state_dict", "_orig_mod", "net", "network", "backbone", "ema")
"""What `DataParallel`, `torch.compile` and training loops put before every name."""
_SHOWN = 8


@dataclass(frozen=True)
class Fit:
    """A file's names against a model's.

    Attributes:
        names: the model's name → the file's.
        missing: names of the model that the file lacks.
        unexpected: names of the file that the model has none for.
        prefix: what was taken off.
    """

    names: Mapping[str, str]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    prefix: str = ""

    @property
    def complaint(self) -> str:
        """What is wrong with the names; empty if nothing."""
        parts = []
        for words, names in (
            ("lacks", self.missing),
            ("has, and the model does not know,", self.unexpected),
        ):
            if names:
                more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
                parts.append(f"{words} {', '.join(names[:_SHOWN])}{more}")
        return "; it ".join(parts)

    @property
    def notes(self) -> list[str]:
        """What there is to be said of names that fit well enough."""
        notes = [f"The names of the file begin with {self.prefix}; it is taken off."]
        notes = notes if self.prefix else []
        return [*notes, f"The file {self.complaint}."] if self.complaint else notes


def fitted(
    found: Collection[str], wanted: Collection[str], alike: Mapping[str, str] | None = None
) -> Fit:
    """Take off the prefix with which most names are the model's.

    Args:
        found: names of the file.
        wanted: names of the model.
        alike: name of the model → another name of the same weight: either will do.
    """
    alike = alike or {}
    known = set(wanted)
    best = max(
        sorted(_prefixes(found), key=len),
        key=lambda prefix: len(known & {name.removeprefix(prefix) for name in found}),
    )
    here = {name.removeprefix(best): name for name in found}
    groups: dict[str, list[str]] = {}
    for name in wanted:
        groups.setdefault(alike.get(name, name), []).append(name)
    names = {n: here[n] for n in wanted if n in here}
    for group in groups.values():
        present = [n for n in group if n in here]
        if present:
            names |= {n: here[present[0]] for n in group if n not in here}
    return Fit(
        names,
        tuple(n for n in wanted if n not in names),
        tuple(n for own, n in here.items() if own not in known),
        best,
    )


def expect_all(fit: Fit, path: str, title: str, *, partial: bool = False) -> None:
    """Every name on both sides has its partner.

    Raises:
        UsageError: some have none, unless `partial`; or none at all has.
    """
    if fit.complaint and not (partial and fit.names):
        raise UsageError(
            f"'{path}' is not of {title}: it {fit.complaint}. Expected the weights of just this "
            "model; with --anyway the rest stays as the model builds it."
        )


def _prefixes(found: Collection[str]) -> set[str]:
    prefixes = {""}
    for name in found:
        head = ""
        for part in name.split(".")[:-1]:
            if part not in _WRAPPERS:
                break
            head += f"{part}."
            prefixes.add(head)
    return prefixes


def expect_shapes(
    shapes: Mapping[str, Sequence[int]], wanted: Mapping[str, Sequence[int]], path: str, title: str
) -> None:
    """Every weight of the file has the model's shape.

    Raises:
        UsageError: some have another.
    """
    odd = [n for n in shapes if n in wanted and tuple(shapes[n]) != tuple(wanted[n])]
    if odd:
        told = ", ".join(f"{n} {_sizes(shapes[n])} for {_sizes(wanted[n])}" for n in odd[:_SHOWN])
        raise UsageError(
            f"'{path}' is of another size than {title}: it has {told}"
            f"{' …' if len(odd) > _SHOWN else ''}. Expected the weights of just this model."
        )


def _sizes(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape)) or "a number"
