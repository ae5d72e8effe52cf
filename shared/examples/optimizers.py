"""Spec of the optimizers: native and matched, each against NumPy."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.reference import optimizers as eq
from parity.spec.cases import Case, Known, Numbers
from parity.spec.example import ExampleSpec
from parity.spec.expected import as_numbers

Array = NDArray[Any]
Both = tuple[tuple[float, eq.Change], tuple[float, eq.Change]]
"""(learning rate, equation) of PyTorch's defaults and of Keras'."""

_TORCH = "https://pytorch.org/docs/stable/generated/torch.optim."
_KERAS = "https://keras.io/api/optimizers/"


def _gradients() -> Array:
    """(100, 3): one that rises from 1e-12 to 1, one that falls back, one of any size; any sign."""
    random = np.random.Generator(np.random.PCG64(10))
    rising = np.linspace(-12, 0, 100)
    exponents = np.stack([rising, rising[::-1], random.uniform(-12, 0, 100)], axis=1)
    signs = random.choice([-1.0, 1.0], exponents.shape)
    return np.asarray(signs * 10**exponents).astype(np.float32).astype(np.float64)


_GRADIENTS = _gradients()
_WEIGHTS = np.array([0.5, -0.25, 0.125])
_GIVEN: dict[str, Numbers] = {"w": as_numbers(_WEIGHTS), "gradients": as_numbers(_GRADIENTS)}

_EQUATIONS: dict[str, Both] = {
    "sgd": ((1e-3, eq.torch_sgd()), (1e-2, eq.keras_sgd())),
    "momentum": ((1e-3, eq.torch_sgd(0.9)), (1e-2, eq.keras_sgd(0.9))),
    "nesterov": (
        (1e-3, eq.torch_sgd(0.9, nesterov=True)),
        (1e-2, eq.keras_sgd(0.9, nesterov=True)),
    ),
    "adam": ((1e-3, eq.torch_adam()), (1e-3, eq.keras_adam())),
    "amsgrad": ((1e-3, eq.torch_adam(amsgrad=True)), (1e-3, eq.keras_adam(amsgrad=True))),
    "adamw": ((1e-3, eq.torch_adam(decay=0.01)), (1e-3, eq.keras_adam(decay=0.004))),
    "rmsprop": (
        (1e-2, eq.rmsprop(0.99, 1e-8, inside=False)),
        (1e-3, eq.rmsprop(0.9, 1e-7, inside=True)),
    ),
    "adagrad": (
        (1e-2, eq.adagrad(1e-10, inside=False)),
        (1e-3, eq.adagrad(1e-7, inside=True, start=eq.f(0.1))),
    ),
    "adadelta": ((1.0, eq.adadelta(0.9, 1e-6)), (1e-3, eq.adadelta(0.95, 1e-7))),
    "adamax": ((2e-3, eq.torch_adamax()), (1e-3, eq.keras_adamax())),
    "nadam": ((2e-3, eq.torch_nadam()), (1e-3, eq.keras_nadam())),
}
_SGD, _ADAM = (eq.torch_sgd, eq.keras_sgd), (eq.torch_adam, eq.keras_adam)
_WITNESSES: dict[str, tuple[Callable[..., eq.Change], ...]] = {
    "sgd": _SGD,
    "momentum": _SGD,
    "nesterov": _SGD,
    "adam": _ADAM,
    "amsgrad": _ADAM,
    "adamw": _ADAM,
    "rmsprop": (eq.rmsprop,),
    "adagrad": (eq.adagrad,),
    "adadelta": (eq.adadelta,),
    "adamax": (eq.torch_adamax, eq.keras_adamax),
    "nadam": (eq.torch_nadam, eq.keras_nadam),
}
_REASONS = {
    "sgd": "one equation, but lr is 0.001 in PyTorch and 0.01 in Keras",
    "momentum": "lr 0.001 and 0.01; PyTorch's buffer gathers gradients, Keras' steps, so that sign "
    "and size differ; and Keras rounds the momentum 0.9 to float32, in float64 too",
    "nesterov": "as momentum",
    "adam": "the moments are the same, the update is not: ε is 1e-8 after the bias correction in "
    "PyTorch, 1e-7 before it in Keras, which also rounds its betas to float32",
    "amsgrad": "as Adam",
    "adamw": "as Adam; and the decay is 0.01 in PyTorch, 0.004 in Keras",
    "rmsprop": "lr 0.01 and 0.001, decay 0.99 and 0.9; ε is 1e-8 outside the root in PyTorch, 1e-7 "
    "inside it in Keras",
    "adagrad": "lr 0.01 and 0.001; the sum starts at 0 and at float32(0.1); ε is 1e-10 outside "
    "the root in PyTorch, 1e-7 inside it in Keras",
    "adadelta": "one equation with other constants: lr 1 and 0.001, rho 0.9 and 0.95, ε 1e-6 and "
    "1e-7",
    "adamax": "lr 0.002 and 0.001; ε is 1e-8 and kept inside the norm u in PyTorch, 1e-7 and only "
    "added to it in Keras",
    "nadam": "lr 0.002 and 0.001, ε 1e-8 and 1e-7; the momentum warms up as 0.96^(0.004·t) in "
    "PyTorch and as 0.96^t in Keras, whose betas are rounded to float32",
}
_PAGES = {
    "sgd": "SGD",
    "momentum": "SGD",
    "nesterov": "SGD",
    "adam": "Adam",
    "amsgrad": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "adamax": "Adamax",
    "nadam": "NAdam",
}


def _both(name: str, w: Array, gradients: Array) -> tuple[dict[str, Array], dict[str, Array]]:
    torch, keras = _EQUATIONS[name]
    one = eq.follow(torch[1], torch[0], w, gradients)
    return one, eq.follow(keras[1], keras[0], w, gradients)


def _same(one: Array, other: Array) -> bool:
    return bool(np.allclose(one, other, rtol=1e-13, atol=0))


def _reference(name: str, w: Array, gradients: Array) -> dict[str, Array]:
    torch, keras = _both(name, w, gradients)
    found = {f"torch/{k}": v for k, v in torch.items()}
    found |= {f"keras/{k}": v for k, v in keras.items()}
    return found | {f"native/{k}": v for k, v in torch.items() if _same(v, keras.get(k, v + 1))}


def _native(name: str) -> list[Known]:
    """What the defaults give, on each side what NumPy says of its equation."""
    torch, keras = _both(name, _WEIGHTS, _GRADIENTS)
    return [
        Known(
            f"values/{name}/native/{key}",
            as_numbers(torch[key]),
            as_numbers(keras[key]),
            _REASONS[name],
            f"{_TORCH}{_PAGES[name]}.html",
        )
        for key in torch
        if not _same(torch[key], keras[key])
    ]


def _rate(step: int) -> float:
    return 0.5 if step < 6 else 0.0625


def _rate_change(w: Array, gradients: Array) -> dict[str, Array]:
    return {
        "torch": eq.follow(eq.torch_sgd(0.875), _rate, w, gradients)["weights"],
        "keras": eq.follow(eq.keras_sgd(0.875), _rate, w, gradients)["weights"],
    }


def _decayed(change: eq.Change, w: Array = _WEIGHTS, gradients: Array = _GRADIENTS) -> Array:
    return eq.follow(change, 1e-3, w, gradients)["weights"]


def _weight_decay(w: Array, gradients: Array) -> dict[str, Array]:
    return {
        "coupled": _decayed(eq.torch_adam(l2=0.01), w, gradients),
        "decoupled": _decayed(eq.torch_adam(decay=0.01), w, gradients),
    }


def _case(name: str) -> Case:
    reference: Callable[..., Mapping[str, Any]] = partial(_reference, name)
    return Case(name, _GIVEN, reference=reference, witness=_WITNESSES[name])


_CHANGED = _rate_change(_WEIGHTS, _GRADIENTS)
_A, _B = (3.0, 4.0), (12.0, 0.0)
_HALF = 6.5 / (13 + 1e-6)
_EACH = 6 / (12 + 1e-6)

OPTIMIZERS = ExampleSpec(
    name="optimizers",
    title="Optimizers",
    part="Training",
    summary=(
        "Eleven optimizers on one sequence of gradients between 10⁻¹² and 1: the weights and every "
        "slot after 1, 2, 10 and 100 steps, one row each, against NumPy. `native` is what the "
        "defaults give, and differs as listed; `torch` and `keras` are PyTorch's and Keras' "
        "equation on both sides, written out where it is the other's, and agree to rounding."
    ),
    cases=(
        *(_case(name) for name in _EQUATIONS),
        Case("rate_change", _GIVEN, reference=_rate_change),
        Case("weight_decay", _GIVEN, reference=_weight_decay),
        Case("clipping", {"a": _A, "b": _B}, {"by_value": (3.0, 3.5, 3.5, 0.0)}),
        Case(
            "schedules",
            {"rate": 1.0},
            {
                "halved_every_step": tuple(0.5**k for k in range(8)),
                "steps_matched": (1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25),
                "linear_matched": (1.0, 0.75, 0.5, 0.25, 0.0, 0.0, 0.0, 0.0),
            },
        ),
    ),
    known=(
        *(known for name in _EQUATIONS for known in _native(name)),
        Known(
            "values/rate_change/native",
            torch=as_numbers(_CHANGED["torch"]),
            keras=as_numbers(_CHANGED["keras"]),
            reason="same lr, same momentum; when lr falls, PyTorch's past gradients count at the "
            "new lr, Keras' at the old one, because lr is inside its velocity",
            link=_KERAS + "sgd/",
        ),
        Known(
            "values/weight_decay/native",
            torch=as_numbers(_decayed(eq.torch_adam(l2=0.01))),
            keras=as_numbers(_decayed(eq.keras_adam(decay=0.01))),
            reason="`Adam(weight_decay=0.01)`: added to the gradient in PyTorch, taken off the "
            "weights in Keras, which is AdamW",
            link=_TORCH + "Adam.html",
        ),
        Known(
            "values/clipping/global_norm",
            torch=tuple(x * _HALF for x in (*_A, *_B)),
            keras=tuple(x / 2 for x in (*_A, *_B)),
            reason="PyTorch adds 10⁻⁶ to the norm of 13 before it divides",
            link="https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html",
        ),
        Known(
            "values/clipping/each_norm",
            torch=(*_A, 12 * _EACH, 0.0),
            keras=(*_A, 6.0, 0.0),
            reason="the same 10⁻⁶; `clipnorm` is a norm for every variable, "
            "`clip_grad_norm_` one for all that it is given",
            link=_KERAS,
        ),
        Known(
            "values/schedules/steps_at_2_and_4",
            torch=(1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25),
            keras=(1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25),
            reason="Keras' boundary still belongs to the old rate (step ≤ boundary): it changes "
            "one step later",
            link=_KERAS + "learning_rate_schedules/piecewise_constant_decay/",
        ),
        Known(
            "values/schedules/cosine_over_4",
            torch=(
                "1.000000",
                "0.853553",
                "0.500000",
                "0.146447",
                "0.000000",
                "0.146447",
                "0.500000",
                "0.853553",
            ),
            keras=(
                "1.000000",
                "0.853553",
                "0.500000",
                "0.146447",
                "0.000000",
                "0.000000",
                "0.000000",
                "0.000000",
            ),
            reason="after its last step PyTorch's cosine rises again, Keras' stays down",
            link=_TORCH + "lr_scheduler.CosineAnnealingLR.html",
        ),
        Known(
            "values/schedules/linear_over_4",
            torch=(1.0, 0.75, 0.5, 0.25, 0.0, 0.0, 0.0, 0.0),
            keras=(
                "1.000000",
                "0.750025",
                "0.500050",
                "0.250075",
                "0.000100",
                "0.000100",
                "0.000100",
                "0.000100",
            ),
            reason="a polynomial of power 1 ends at 0 in PyTorch, at 10⁻⁴ in Keras",
            link=_KERAS + "learning_rate_schedules/polynomial_decay/",
        ),
    ),
)
