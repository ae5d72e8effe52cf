"""Which input of one model is which of the other: by name where both have names, else by position.

PyTorch's forward takes ``input_ids, attention_mask, token_type_ids``, Keras' model a dictionary of
``token_ids, padding_mask, segment_ids``: what they mean is the same, and their order is not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from parity.core.errors import UsageError

_SAME = (
    ("ids", "input_ids", "token_ids", "tokens", "token", "input_word_ids", "word_ids"),
    ("mask", "attention_mask", "padding_mask", "input_mask", "pad_mask", "attn_mask"),
    ("types", "token_type_ids", "segment_ids", "input_type_ids", "type_ids", "token_types"),
    ("positions", "position_ids", "position", "pos_ids", "input_positions"),
    ("images", "pixel_values", "image", "pixels", "img"),
    ("features", "input_features", "input_values", "audio", "mel"),
    ("embeddings", "inputs_embeds", "input_embeds", "input_embeddings"),
)
"""Names that mean the same; a mask that is true where there is *no* padding among them only."""
_MEANINGS = {name: group[0] for group in _SAME for name in group}


@dataclass(frozen=True)
class Argument:
    """Something that a model takes.

    Attributes:
        name: as its author calls it.
        required: it has no default.
        shape: as the model states it, batch first, None where free; None where it states none.
        dtype: as the model states it; empty where it states none.
    """

    name: str
    required: bool = True
    shape: tuple[int | None, ...] | None = None
    dtype: str = ""

    def __str__(self) -> str:
        if self.shape is not None:
            sizes = " × ".join("?" if n is None else str(n) for n in self.shape)
            return f"{self.name} {sizes}{f' {self.dtype}' if self.dtype else ''}"
        return self.name if self.required else f"{self.name}=…"


@dataclass(frozen=True)
class Signature:
    """What a model takes, in order.

    Attributes:
        arguments: all that could be given.
        exact: all of them have to be.
        bundle: it takes one argument, which may be a list or a dictionary of all.
    """

    arguments: tuple[Argument, ...]
    exact: bool = False
    bundle: bool = False

    @classmethod
    def from_json(cls, raw: Mapping[str, object] | None) -> Signature | None:
        """Read what `dataclasses.asdict` made."""
        if raw is None:
            return None
        arguments = []
        for one in raw["arguments"]:  # type: ignore[attr-defined]
            shape = None if one["shape"] is None else tuple(one["shape"])
            arguments.append(Argument(**{**one, "shape": shape}))
        return cls(tuple(arguments), bool(raw["exact"]), bool(raw["bundle"]))

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many inputs."""
        if self.bundle:
            return True
        least = len(self.arguments) if self.exact else sum(a.required for a in self.arguments)
        return least <= count <= len(self.arguments)

    def shapes(self, names: Sequence[str] | None = None) -> list[tuple[int | None, ...]] | None:
        """What it states of the inputs that are given under these names; None if it states none."""
        known = {argument.name: argument.shape for argument in self.arguments}
        found = [known.get(name) for name in (known if names is None else names)]
        return (
            None if any(shape is None for shape in found) else [s for s in found if s is not None]
        )

    def words(self) -> str:
        """As a sentence needs it: ``2 inputs (token_ids ? × ?, padding_mask ? × ?)``."""
        names = ", ".join(str(a) for a in self.arguments)
        return f"{len(self.arguments)} input{'' if len(self.arguments) == 1 else 's'} ({names})"


@dataclass(frozen=True)
class NamedInputs:
    """The inputs of a check by the names of both sides.

    Attributes:
        torch, keras: the name of each input on that side; None where they go by position.
        note: what there is to be said of it.
    """

    torch: tuple[str, ...] | None = None
    keras: tuple[str, ...] | None = None
    note: str = ""


def matched(
    typed: Sequence[str],
    torch: Signature | None,
    keras: Signature | None,
    by_hand: Mapping[str, str] = MappingProxyType({}),
) -> NamedInputs:
    """Which input is which.

    Args:
        typed: for each input the name that the user gave it; empty where there is none.
        torch, keras: what the two models take; None where nobody knows.
        by_hand: names of PyTorch's inputs → names of Keras'.

    Raises:
        UsageError: there are too few or too many, or a name is none of either side's.
    """
    count = len(typed)
    for title, signature in (("PyTorch", torch), ("Keras", keras)):
        if signature is not None and not signature.takes(count):
            raise UsageError(_miscounted(title, count, torch, keras))
    _expect_pairs(by_hand, torch, keras)
    if any(typed):
        back = {b: a for a, b in by_hand.items()}
        mine = [back.get(name, name) for name in typed]
        theirs = [by_hand.get(name, name) for name in typed]
        _expect_known(typed, torch, keras)
        return NamedInputs(_resolved(mine, torch), _resolved(theirs, keras))
    if torch is None or keras is None:
        return NamedInputs()
    pairs = _pairs(count, torch, keras, by_hand)
    if pairs is None:
        if by_hand:
            raise UsageError(
                "--pair-input: with these pairs it is still not told which input is which. "
                f"{_what_they_take(torch, keras)} Give each a name: --input NAME=8,20:int."
            )
        return NamedInputs()
    first = [(a.name, b.name) for a, b in zip(torch.arguments, keras.arguments, strict=False)]
    if pairs == first[:count]:
        return NamedInputs()
    told = ", ".join(f"{a}={b}" for a, b in pairs)
    return NamedInputs(
        tuple(a for a, _ in pairs),
        tuple(b for _, b in pairs),
        f"The inputs go by name, PyTorch's first: {told}.",
    )


def _resolved(typed: Sequence[str], signature: Signature | None) -> tuple[str, ...]:
    """The model's own names; what it calls otherwise stands in the order of what is left."""
    if signature is None or signature.bundle:
        return tuple(typed)
    known = [_named(name, signature) for name in typed]
    rest = iter([a.name for a in signature.arguments if a.name not in known])
    return tuple(next(rest) if name is None else name for name in known)


def meaning(name: str) -> str:
    """One word for all names that mean the same."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    decoder = "decoder " if plain.startswith("decoder_") else ""
    bare = plain.removeprefix("decoder_").removeprefix("encoder_")
    return decoder + _MEANINGS.get(bare, bare)


def _pairs(
    count: int, torch: Signature, keras: Signature, by_hand: Mapping[str, str]
) -> list[tuple[str, str]] | None:
    """(PyTorch's, Keras') name of each input, in PyTorch's order; None where no names tell."""
    if torch.bundle or keras.bundle or count < 1:
        return None
    back = {b: a for a, b in by_hand.items()}
    means = (
        {a.name: _word(a.name, by_hand, a.name) for a in torch.arguments},
        {a.name: _word(a.name, back, back.get(a.name, "")) for a in keras.arguments},
    )
    if any(len({*own.values()}) < len(own) for own in means):
        return None  # two that mean the same: names tell nothing
    both = [word for word in means[0].values() if word in means[1].values()]
    # What has to be given is there in any case; the rest, as far as both have a name for it.
    chosen = [
        _chosen(signature, {n for n, w in own.items() if w in both}, count)
        for signature, own in zip((torch, keras), means, strict=True)
    ]
    if any(len(names) != count for names in chosen):
        return None
    words = [{own[n]: n for n in names} for own, names in zip(means, chosen, strict=True)]
    shared = [word for word in words[0] if word in words[1]]
    if not shared:
        return None
    rest = [[n for w, n in own.items() if w not in shared] for own in words]
    others = dict(zip(*rest, strict=True))
    return [
        (name, words[1][means[0][name]] if means[0][name] in shared else others[name])
        for name in chosen[0]
    ]


def _word(name: str, by_hand: Mapping[str, str], pair: str) -> str:
    """One word for an input: of a pair that is made by hand one that no other has."""
    return f"by hand: {pair}" if name in by_hand else meaning(name)


def _expect_pairs(
    by_hand: Mapping[str, str], torch: Signature | None, keras: Signature | None
) -> None:
    for number, (title, signature) in enumerate((("PyTorch", torch), ("Keras", keras))):
        if signature is None or signature.bundle:
            continue
        known = [a.name for a in signature.arguments]
        for pair in by_hand.items():
            if pair[number] not in known:
                raise UsageError(
                    f"--pair-input {pair[0]}={pair[1]}: the {title} model takes no input that is "
                    f"called '{pair[number]}'. {_what_they_take(torch, keras)}"
                )


def _chosen(signature: Signature, both: Collection[str], count: int) -> list[str]:
    """Names of the inputs that are given, in the model's order.

    Args:
        signature: the model's.
        both: names of what the other side has a name for, too.
        count: so many.
    """
    every = [a.name for a in signature.arguments]
    if signature.exact or len(every) == count:
        return every
    ranked = sorted(
        signature.arguments,
        key=lambda a: (not a.required, a.name not in both, every.index(a.name)),
    )
    taken = {a.name for a in ranked[:count]}
    return [name for name in every if name in taken]


def _named(name: str, signature: Signature) -> str | None:
    """The model's own name for what the user calls so."""
    names = [a.name for a in signature.arguments]
    if name in names:
        return name
    alike = [n for n in names if meaning(n) == meaning(name)]
    return alike[0] if len(alike) == 1 else None


def _expect_known(typed: Sequence[str], torch: Signature | None, keras: Signature | None) -> None:
    if not all(typed):
        raise UsageError(
            "--input: some inputs have a name and some have none. Expected a name for each, as in "
            "--input input_ids=8,20:int, or for none."
        )
    known = [s for s in (torch, keras) if s is not None]
    for name in typed:
        if len(known) == 2 and not any(s.bundle or _named(name, s) for s in known):
            raise UsageError(
                f"--input: neither model takes an input that is called '{name}'. "
                f"{_what_they_take(torch, keras)}"
            )


def _miscounted(title: str, count: int, torch: Signature | None, keras: Signature | None) -> str:
    given = f"{count} --input {'was' if count == 1 else 'were'} given"
    signature = torch if title == "PyTorch" else keras
    assert signature is not None
    names = ", ".join(a.name for a in signature.arguments)
    takes = f"The {title} model takes {len(signature.arguments)} inputs ({names})"
    return (
        f"{takes}; {given}. {_what_they_take(torch, keras)} Give one --input for each, in "
        "PyTorch's order and layout, or by name: --input NAME=8,20:int."
    )


def _what_they_take(torch: Signature | None, keras: Signature | None) -> str:
    """What each model takes, in order."""
    told: Iterable[tuple[str, Signature | None]] = (("PyTorch", torch), ("Keras", keras))
    return " ".join(f"{title} takes, in order, {s.words()}." for title, s in told if s is not None)
