"""What a reference says about a check that it is taken for: it has its inputs, and its weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from parity.checker.graph.model_inputs import Fed
from parity.checker.graph.target import Target
from parity.checker.references import reference_file
from parity.checker.references.reference_file import Header, ReferenceFileError
from parity.checker.workers.request import CheckRequest
from parity.core.errors import UsageError
from parity.core.sides import SIDES, TITLES

_DEFAULTS = CheckRequest()


def fitted(request: CheckRequest, targets: Sequence[Target]) -> CheckRequest:
    """The request as a reference has it, where one of the targets is one.

    Args:
        request: what is asked; what it leaves open the reference says.
        targets: PyTorch's and Keras'.

    Raises:
        ReferenceFileError: the reference was made of something else than is asked.
        UsageError: both are references.
    """
    named = [(side, t) for side, t in zip(SIDES, targets, strict=True) if t.is_reference]
    if not named:
        return request
    if len(named) == len(SIDES):
        raise UsageError(
            "Both sides are references. Expected the model itself on one of them: the other's "
            "weights are taken to it."
        )
    ((side, target),) = named
    path = Path(target.module)
    header = reference_file.read(path).header
    if header.side != side:
        raise ReferenceFileError(
            f"{path.name} is a reference of {TITLES[header.side]}'s {header.title}. "
            f"Expected --{header.side} {path.name}"
        )
    if request.recipe:
        raise ReferenceFileError(
            f"{path.name} holds no training with a loss or an optimizer of one's own: the "
            "targets go by both sides' losses. Leave them out, or give the model itself: "
            f"--{side} {header.title}"
        )
    if side == "torch" and request.weights_from != side:
        raise ReferenceFileError(
            f"{path.name} was recorded with its own weights, which cannot be replaced. Leave out "
            f"--weights-from {request.weights_from}, or give the model itself."
        )
    agreed = {
        name: _agreed(path, header, name, getattr(request, name)) for name in ("seed", "draws")
    }
    if request.train and not header.train:
        raise ReferenceFileError(f"{path.name} holds no training. Record it with --train.")
    if request.train:
        agreed["steps"] = _agreed(path, header, "steps", request.steps)
    if request.keep_weights and not header.keep_weights:
        raise ReferenceFileError(
            f"{path.name} was recorded with telling numbers in place of weights that are all zeros "
            "or all ones. Record it with --keep-weights."
        )
    first, *further = header.fed
    if request.inputs is not None:
        _expect_same(path, header, (Fed(request.inputs, request.given), *request.also))
    return replace(
        request,
        inputs=first.inputs,
        given=first.given,
        also=tuple(further),
        weights_from=side,
        keep_weights=header.keep_weights,
        drawn_for=(side,),
        sampled=header.compact,
        **agreed,
    )


def _agreed(path: Path, header: Header, name: str, asked: Any) -> Any:
    """A number of the reference's; one that was asked for, other than by default, is the same."""
    recorded = getattr(header, name)
    if asked not in (recorded, getattr(_DEFAULTS, name)):
        raise ReferenceFileError(
            f"{path.name} was recorded with --{name} {recorded}, and --{name} {asked} is asked. "
            "Leave it out, or record the reference anew."
        )
    return recorded


def _expect_same(path: Path, header: Header, asked: Sequence[Fed]) -> None:
    """What is asked are the first of the inputs that were recorded: shapes, kinds, numbers."""
    for recorded, wanted in zip(header.fed, asked, strict=False):
        plain = [tuple(replace(one, name="") for one in fed.inputs) for fed in (recorded, wanted)]
        lists = [fed.given for fed in (recorded, wanted)]
        numbers = (lists[0] is None) == (lists[1] is None) and all(
            np.array_equal(a, b, equal_nan=True)
            for a, b in zip(lists[0] or (), lists[1] or (), strict=True)
        )
        if plain[0] != plain[1] or not numbers:
            kind = " of a file" if recorded.given is not None else ""
            raise ReferenceFileError(
                f"{path.name} was recorded on {recorded}{kind}; asked is {wanted}"
                f"{'' if plain[0] != plain[1] else ' with other numbers'}. Leave the inputs out, "
                "or record the reference anew on these."
            )
    if len(asked) > len(header.fed):
        raise ReferenceFileError(
            f"{path.name} was recorded on {'; then '.join(map(str, header.fed))}, not on "
            f"{asked[-1]}. Record it with this --also, too."
        )
