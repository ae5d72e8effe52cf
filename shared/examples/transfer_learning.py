"""Spec of transfer learning: pretraining, a new head, feature extraction, fine-tuning."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.core.recording_keys import LADDER, VALUES
from parity.spec.cases import Case, Known
from parity.spec.example import (
    GLOROT,
    ONES,
    ZEROS,
    ComparedPair,
    ExampleSpec,
    Fast,
    Initial,
    ParameterSpec,
    Size,
    Training,
    TrainingVariant,
    tape_pair,
)
from parity.spec.expected import numbers
from shared.initial_weights import drawn

Array = NDArray[Any]
_TORCH_BATCH_NORM = "https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html"
_TORCH_LOADING = (
    "https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.load_state_dict"
)
_KERAS_FREEZING = "https://keras.io/guides/transfer_learning/"
_KERAS_SAVING = "https://keras.io/guides/serialization_and_saving/"
_PRETRAINED = Initial("file", file="fashion_backbone.safetensors")
_SOURCE = (0, 1, 2, 3, 4)  # T-shirt/top, Trouser, Pullover, Dress, Coat
_TARGET = (5, 6, 7, 8, 9)  # Sandal, Shirt, Sneaker, Bag, Ankle boot
_FEW = 50


def _block(number: int, size: int, inputs: int, outputs: int) -> tuple[ParameterSpec, ...]:
    conv, norm = f"backbone_conv{number}", f"backbone_bn{number}"
    return (
        ParameterSpec(f"{conv}/kernel", (size, size, inputs, outputs), GLOROT),
        ParameterSpec(f"{norm}/gamma", (outputs,), ONES),
        ParameterSpec(f"{norm}/beta", (outputs,), ZEROS),
        ParameterSpec(f"{norm}/moving_mean", (outputs,), ZEROS, trainable=False),
        ParameterSpec(f"{norm}/moving_variance", (outputs,), ONES, trainable=False),
    )


_BACKBONE = (*_block(1, 5, 1, 8), *_block(2, 3, 8, 16))
_HEAD = (
    ParameterSpec("head/kernel", (576, 5), GLOROT, flattened=(6, 6, 16)),
    ParameterSpec("head/bias", (5,), ZEROS),
)
_LOADED = tuple(dataclasses.replace(p, initial=_PRETRAINED) for p in _BACKBONE)
_FROZEN = tuple(dataclasses.replace(p, trainable=False, frozen=True) for p in _LOADED)

_HOW: dict[str, dict[str, Any]] = {
    "scratch": {"parameters": (*_BACKBONE, *_HEAD)},
    "features": {"parameters": (*_FROZEN, *_HEAD)},
    "fine": {"parameters": (*_LOADED, *_HEAD)},
}
_TITLES = {
    "scratch": "from scratch",
    "features": "feature extraction",
    "fine": "fine-tuning",
    "half_frozen": "weights frozen, BatchNorm not",
}
_OPTIMIZERS = {
    ("torch", True): "make_gentle_optimizer",
    ("keras", True): "compile_gently",
}
_MODELS = {"features": "frozen_model", "half_frozen": "half_frozen_model"}
_NEGATIVE = {"scaling": "standard", "mean": (1.0,), "deviation": (-1.0,)}  # 1 − x
_SIMILAR, _DISSIMILAR = "", "_negative"


def _ways(
    amount: str, kind: str, how: str, changed_as: str = ""
) -> tuple[TrainingVariant, TrainingVariant]:
    """One cell of the table on both sides; they differ in nothing but the side."""
    changes: dict[str, Any] = {"classes": _TARGET} | _HOW[changed_as or how]
    changes |= _NEGATIVE if kind else {}
    changes |= {"samples": _FEW} if amount == "few" else {}
    left, right = (
        TrainingVariant(
            side,
            f"{how}_{amount}{kind}",
            _TITLES[how],
            batch_norm_as="keras" if side == "torch" else "",
            optimizer=_OPTIMIZERS.get((side, how == "fine"), ""),
            model=_MODELS.get(how, "build_model"),
            loop="fit" if side == "keras" else "",
            repeat=20 if amount == "few" else 1,
            changes=changes,
        )
        for side in ("torch", "keras")
    )
    return left, right


_PRETRAIN = TrainingVariant("keras", "pretrain", "pretraining", loop="fit")
_CELLS = tuple(
    (amount, kind, how)
    for kind in (_SIMILAR, _DISSIMILAR)
    for amount in ("few", "many")
    for how in _HOW
)


def _pair(amount: str, kind: str, how: str) -> ComparedPair:
    name = f"{how}_{amount}{kind}"
    task = "dissimilar" if kind else "similar"
    samples = f"{_FEW} samples" if amount == "few" else "all samples"
    title = f"{task} task, {samples}, {_TITLES[how]}"
    return ComparedPair(name, title, f"torch/{name}", f"keras/{name}")


def _normalised(x: Array, mean: Array, variance: Array) -> Array:
    return np.asarray((x - mean) / np.sqrt(variance + 1e-3))


_ALL_BUT_CHANNELS = (0, 1, 2)
_X = drawn("transfer_learning/x", (4, 2, 5, 3), 1.5)
_VARIANCE = (0.5, 1.25, 3.0)


def _moved(ddof: int) -> tuple[float, ...]:
    """The running variance after one batch whose variance divides by n - ddof."""
    batch = numbers(_X, "float64").var(axis=_ALL_BUT_CHANNELS, ddof=ddof)
    return tuple(float(v) for v in 0.9 * np.array(_VARIANCE) + 0.1 * batch)


def _freeze_batch_norm(
    x: Array, gamma: Array, beta: Array, mean: Array, variance: Array
) -> dict[str, Array]:
    own_mean, own_variance = x.mean(axis=_ALL_BUT_CHANNELS), x.var(axis=_ALL_BUT_CHANNELS)
    return {
        "y_frozen": gamma * _normalised(x, mean, variance) + beta,
        "y_weights_only": gamma * _normalised(x, own_mean, own_variance) + beta,
        "moving_mean_weights_only": 0.9 * mean + 0.1 * own_mean,
    }


TRANSFER_LEARNING = ExampleSpec(
    name="transfer_learning",
    title="Transfer learning: a new head, frozen layers, fine-tuning",
    part="Training",
    summary=(
        "A small network learns five kinds of garment; its backbone is saved, loaded, given a new "
        "head, and used for five other classes: frozen, fine-tuned, or not at all. The similar "
        "task is the other five classes as they are; the dissimilar one is the *same* images, "
        "classes and test set as photographic negatives, so that nothing but the likeness to the "
        "pretraining changes. The usual advice, few and similar: freeze; many, or dissimilar: "
        "fine-tune or start anew, is measured in the table of pairs, and soberly: with 50 samples "
        "the three lie within or near each other's intervals; with all of them a backbone that "
        "stays frozen gains nothing. Frozen weights and "
        "statistics stay as they were, bit for bit, or the verdict says where they moved."
    ),
    cases=(
        Case(
            "counts",
            {},
            {"trained": 4285, "trained_when_frozen": 2885, "trained_when_half_frozen": 2885},
        ),
        Case(
            "save_and_load",
            {},
            {
                "equal_before": False,
                "equal_after": True,
                "equal_from_other_format": True,
                "weights_remember_freezing": False,
            },
        ),
        Case(
            "replace_head",
            {},
            {
                "head_parameters": 576 * 3 + 3,
                "backbone_loaded": True,
                "head_untouched": True,
                "stale_head_of_same_size": True,
            },
        ),
        Case(
            "freeze_batch_norm",
            {
                "x": _X,
                "gamma": (0.5, 1.5, -2.0),
                "beta": (0.25, -1.0, 0.5),
                "mean": (0.75, -0.5, 2.0),
                "variance": _VARIANCE,
            },
            {"frozen_moves": False},
            roles={"x": "images", "y_frozen": "images", "y_weights_only": "images"},
            reference=_freeze_batch_norm,
        ),
    ),
    known=(
        Known(
            "values/counts/parameters",
            torch=4285,
            keras=4333,
            reason="running statistics are buffers in PyTorch and are not counted; in Keras they "
            "are weights that do not train, and `count_params` has them",
            link="https://keras.io/api/models/model/",
        ),
        Known(
            "values/save_and_load/arrays",
            torch=14,
            keras=12,
            reason="PyTorch's BatchNorm also saves how many batches it has seen, once a layer",
            link=_TORCH_BATCH_NORM,
        ),
        Known(
            "values/save_and_load/other_format_remembers_freezing",
            torch=False,
            keras=True,
            reason="safetensors holds tensors only; a `.keras` file holds the configuration of "
            "every layer, `trainable` included, so a frozen backbone is still frozen when loaded",
            link=_KERAS_SAVING,
        ),
        Known(
            "values/replace_head/wrong_shape",
            torch="RuntimeError",
            keras="ValueError",
            reason="both refuse a head of another shape; PyTorch even with `strict=False`, which "
            "forgives names only",
            link=_TORCH_LOADING,
        ),
        Known(
            "values/freeze_batch_norm/moving_variance_weights_only",
            torch=_moved(1),
            keras=_moved(0),
            reason="PyTorch's running variance divides by n - 1, Keras' by n",
            link=_TORCH_BATCH_NORM,
        ),
        Known(
            "values/freeze_batch_norm/flag_alone_moves",
            torch=True,
            keras=False,
            reason="`requires_grad_(False)` is about gradients, so BatchNorm in training mode "
            "still normalises by the batch and moves its statistics; `trainable = False` puts "
            "Keras' layer into inference mode, whatever `training` says",
            link=_KERAS_FREEZING,
        ),
    ),
    training=Training(
        dataset="fashion_mnist",
        batch_size=25,
        input_shape=(28, 28, 1),
        classes=_SOURCE,
        parameters=(*_BACKBONE, *_HEAD),
        layers=(
            *(f"backbone_{kind}{n}" for n in (1, 2) for kind in ("conv", "bn", "act")),
            "flatten",
            "head",
        ),
        # Not 6,000: of those the last batch would be of one image, which BatchNorm takes for the
        # world, and pretraining would end at 0.59.
        default=Size("embedded", epochs=1, train=6070),
        full=Size("full", epochs=1),
        fast=(Fast("torch/pretrain", channels_last=True, traced=True), Fast("keras/pretrain")),
        ways=(
            TrainingVariant("torch", "pretrain", "pretraining", batch_norm_as="keras"),
            _PRETRAIN,
            _PRETRAIN.by_hand,
            *(way for cell in _CELLS for way in _ways(*cell)),
            *_ways("few", _SIMILAR, "half_frozen", "features"),
            _ways("few", _SIMILAR, "features")[1].by_hand,
        ),
        pairs=(
            ComparedPair(
                "pretrain",
                "pretraining on the first five classes",
                "torch/pretrain",
                "keras/pretrain",
                (VALUES, *LADDER),
            ),
            *(_pair(*cell) for cell in _CELLS),
            tape_pair("pretrain", "pretraining"),
            tape_pair("features_few", "the backbone frozen"),
            ComparedPair(
                "forgotten_eval",
                "PyTorch without `eval()` on the backbone ~ Keras frozen",
                "torch/half_frozen_few",
                "keras/features_few",
                differs_at="activations/step0/backbone_bn1",
                reason="without evaluation mode PyTorch's frozen BatchNorm normalises by the batch",
            ),
            ComparedPair(
                "half_frozen",
                "weights frozen, BatchNorm not, on both sides",
                "torch/half_frozen_few",
                "keras/half_frozen_few",
                levels=LADDER[:-1],
                differs_at="weights/step1/backbone_bn1/moving_",
                reason="both sides make the same mistake and agree with each other, yet statistics "
                "that must stay as they are have moved; every prediction of theirs would pass",
            ),
        ),
    ),
)
