"""What to write where the line that is wrong lies in a library: an argument of it, or nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from parity.diagnosis.causes import Cause

_CALLED = {
    "activation": ("activation", "act"),
    "bias": ("bias",),
    "dilation": ("dilation",),
    "dropout": ("dropout", "rate"),
    "epsilon": ("epsilon", "eps"),
    "groups": ("groups", "heads"),
    "kernel_size": ("kernel",),
    "momentum": ("momentum",),
    "padding": ("padding",),
    "stride": ("stride",),
    "units": ("dim", "units", "size", "width"),
}
"""Kind of cause → what an argument is called that sets it, or part of that."""


def advised(cause: Cause, libraries: Mapping[str, Mapping[str, Any]]) -> Cause:
    """The cause with what can be written by who did not write the layer.

    Args:
        cause: one with a line to be corrected.
        libraries: as `parity.checker.graph.graph.Graph.libraries`, of the right.
    """
    place = cause.right[0].removeprefix("(before ").removeprefix("(behind ").removesuffix(")")
    made = libraries.get(place)
    if not cause.fix or cause.fix_side != "right" or made is None:
        return cause
    name, wanted, now = made["object"], cause.left[1], cause.right[1]
    words = _CALLED.get(cause.kind, ())
    given = {k: v for k, v in made["arguments"].items() if any(w in k.split("_") for w in words)}
    within = f"# This lies in {made['library']}"
    reached = [k for k, v in given.items() if _is(v, now)]
    if len(reached) == 1:
        value = f'"{wanted}"' if isinstance(given[reached[0]], str) else wanted
        return replace(cause, fix=f"{within}: {name}({reached[0]}={value}) may reach it.")
    told = [f"{k} is {v} already" for k, v in given.items() if _is(v, wanted)]
    if told:
        return replace(cause, fix=f"{within}: {name}'s {told[0]}, and does not reach it.")
    if given:
        return replace(cause, fix=f"{within}: {' or '.join(given)} of {name} may reach it.")
    end = f", and no argument of {name} reaches it."
    if not words:  # what an argument is called that sets it, nobody knows
        end = f"; whether an argument of {name} sets it, the check cannot tell."
    copied = "" if cause.fix.startswith("#") else f" In a copy of it:\n{cause.fix}"
    if cause.kind == "extra_layer" and not copied:
        copied = f" In a copy of it: without the {place.rpartition('.')[2]}."
    return replace(cause, fix=f"{within}{end}{copied}")


def _is(value: Any, text: str) -> bool:
    """Whether an argument has the value that is written there."""
    with contextlib.suppress(TypeError, ValueError):
        return float(value) == float(text)
    return str(value) == text
