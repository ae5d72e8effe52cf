"""Faults of each trained example's own kind: a few words of a twin replaced by others.

A fault is caught when the verdict is ``differ``, and named when the first divergence is where it
was planted. An honest variation computes the same in another way; it must raise no alarm.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from dataclasses import dataclass

from parity.core.sides import Side
from parity.spec.example import ComparedPair, Size
from parity_tests.draws import draw
from shared import data
from shared.suite import SUITE

UP_TO_ONE_STEP = ("values", "L0", "L1", "L2", "L3")


@dataclass(frozen=True)
class Row:
    """A change of an example.

    Attributes:
        example, side: whose twin is changed.
        what: the fault in words.
        changes: text of the twin → what stands there instead, everywhere in the file.
        key: what the key of the first divergence must start with; empty for an honest variation.
        pair: the pair that is judged; the headline where none is named.
        plant: a function of `plant_rows`, for faults that sit in the plumbing.
        whole: judged on the whole ladder; otherwise up to the first optimizer step.
    """

    example: str
    side: Side
    what: str
    changes: tuple[tuple[str, str], ...]
    key: str = ""
    pair: str = ""
    plant: str = ""
    whole: bool = False

    @property
    def id(self) -> str:
        return f"{self.example}-{self.side}-{self.what.replace(' ', '_')}"


SIZES = {
    "iris_mlp": Size("full", epochs=1, train=40, test=38),
    "softmax_regression": Size("embedded", epochs=1, train=600, test=100),
    "fashion_mlp": Size("embedded", epochs=1, train=150, test=100),
    "fashion_cnn": Size("embedded", epochs=1, train=150, test=100),
    "cifar_mlp": Size("full", epochs=1, train=80, test=100),
    "binary_cnn": Size("embedded", epochs=1, train=300, test=100),
    "digit_cnn": Size("embedded", epochs=1, train=150, test=100),
    "sequential_cnn": Size("embedded", epochs=1, train=20, test=50),
    "regularisation": Size("embedded", epochs=30, train=1000, test=200, validation=500),
    "transfer_learning": Size("embedded", epochs=1, train=300, test=200),
    "resnet": Size("full", epochs=1, train=8, test=8),
    "divergence": Size("full", epochs=1, train=40, test=50),
}
"""Two or three steps: most of what must be named is wrong from the first."""

_SOFTMAX = "powers.sum(dim=1, keepdim=True)"
_FLATTEN = "rows_not_permuted"


def here() -> list[str]:
    """The examples of the drawn rows whose data is on this machine."""
    full = {state.name for state in data.status() if state.full == "present"}
    embedded = {n for n, size in SIZES.items() if size.part == "embedded"}
    present = [n for n in SIZES if n in embedded or SUITE.find(n).training.dataset in full]
    return [name for name in present if of(name)]


def way(row: Row, side: Side) -> str:
    """The id of a side's way in the pair that a row is judged on."""
    return next(i for i in (pair(row).left, pair(row).right) if i.startswith(f"{side}/"))


def recording(row: Row, side: Side, *, changed: bool) -> str:
    """The name that a side's recordings have, with the change or without."""
    return row.id if changed else f"{row.example}-{way(row, side).replace('/', '-')}"


def pair(row: Row) -> ComparedPair:
    """The pair that a row is judged on, with the rungs that it is judged on."""
    spec = SUITE.find(row.example)
    found = next((p for p in spec.pairs if p.name == row.pair), spec.pairs[0])
    wanted = found.levels if row.whole else UP_TO_ONE_STEP
    return dataclasses.replace(found, levels=tuple(lv for lv in found.levels if lv in wanted))


FAULTS = (
    Row("iris_mlp", "torch", "unbiased running variance", (),
        "weights/step1/norm1/moving_variance", plant="batch_norm_as_it_is"),
    Row("iris_mlp", "keras", "momentum of the new for the old",
        (("momentum=0.9),\n            layers.ReLU(),\n            layers.Dense(64)",
          "momentum=0.1),\n            layers.ReLU(),\n            layers.Dense(64)"),),
        "weights/step1/norm1/moving_"),
    Row("iris_mlp", "keras", "Keras' default epsilon",
        (("epsilon=1e-5, momentum=0.9),\n            layers.ReLU(),\n            layers.Dense(16",
          "momentum=0.9),\n            layers.ReLU(),\n            layers.Dense(16"),),
        "activations/step0/norm3"),
    Row("iris_mlp", "torch", "batch statistics at evaluation",
        (("    model.eval()\n", ""),), "predictions/initial"),
    Row("softmax_regression", "torch", "softmax over the batch",
        ((_SOFTMAX, "powers.sum(dim=0, keepdim=True)"),), "predictions/initial", "scratch"),
    Row("softmax_regression", "torch", "sum instead of mean",
        (("labels).mean()", "labels).sum()"),), "loss/step0", "scratch"),
    Row("softmax_regression", "keras", "default learning rate",
        (("SGD(learning_rate=0.1)", "SGD()"),), "weights/step1/logits/"),
    Row("fashion_mlp", "torch", "PyTorch's Adam with Keras' epsilon", (), "weights/step1/",
        plant="adam_with_epsilon"),
    Row("fashion_mlp", "keras", "logits taken for probabilities",
        (("from_logits=True", "from_logits=False"),), "metrics/initial_loss"),
    Row("fashion_cnn", "torch", "rows behind Flatten in Keras' order", (),
        "activations/step0/hidden", plant=_FLATTEN),
    Row("fashion_cnn", "torch", "average for maximum",
        (("nn.MaxPool2d(2),\n        nn.Flatten()", "nn.AvgPool2d(2),\n        nn.Flatten()"),),
        "activations/step0/pool2"),
    Row("fashion_cnn", "keras", "learning rate of another example",
        (("learning_rate=1e-3", "learning_rate=3e-4"),), "weights/step1/"),
    Row("cifar_mlp", "torch", "the deviations that many tutorials copy", (), "inputs/images",
        plant="copied_deviations"),
    Row("cifar_mlp", "torch", "rows behind Flatten in Keras' order", (),
        "activations/step0/hidden", plant=_FLATTEN),
    Row("cifar_mlp", "keras", "default learning rate",
        (("Adam(learning_rate=3e-4)", "Adam()"),), "weights/step1/"),
    Row("binary_cnn", "torch", "sigmoid twice",
        (("    loss = loss_fn(logits, l", "    loss = loss_fn(torch.sigmoid(logits), l"),),
        "loss/step0"),
    Row("binary_cnn", "keras", "no sigmoid at evaluation",
        (("keras.ops.sigmoid(model(images, training=False))", "model(images, training=False)"),),
        "predictions/initial"),
    Row("binary_cnn", "torch", "rows behind Flatten in Keras' order", (),
        "activations/step0/logit", plant=_FLATTEN),
    Row("digit_cnn", "torch", "padding with the edge instead of zeros",
        (("nn.Conv2d(1, 5, kernel_size=3, padding=1)",
          'nn.Conv2d(1, 5, kernel_size=3, padding=1, padding_mode="replicate")'),
         ("(images)", "(images + 0.1)")), "activations/step0/conv1"),
    Row("digit_cnn", "torch", "a ReLU forgotten",
        (("self.pool2(self.relu2(self.conv2(x)))", "self.pool2(self.conv2(x))"),),
        "activations/step0/relu2"),
    Row("digit_cnn", "keras", "average for maximum",
        (("MaxPooling2D(2)(x)\n    x = layers.Conv2D",
          "AveragePooling2D(2)(x)\n    x = layers.Conv2D"),), "activations/step0/pool1"),
    Row("sequential_cnn", "torch", "another activation",
        (("nn.ReLU(),\n        nn.Linear(2048, 10)",
          "nn.LeakyReLU(),\n        nn.Linear(2048, 10)"),),
        "activations/step0/classifier_relu2"),
    Row("sequential_cnn", "torch", "a layer frozen by mistake",
        (("    return nn.Sequential(f", "    features[0].requires_grad_(False)\n"
          "    return nn.Sequential(f"),), "gradients/step0/features_conv1/"),
    Row("sequential_cnn", "keras", "average for maximum",
        (("MaxPooling2D(2)", "AveragePooling2D(2)"),),
        "activations/step0/features_pool"),
    Row("regularisation", "torch", "dropout left on at evaluation",
        (), "predictions/initial", "dropout", plant="dropout_left_on"),
    Row("regularisation", "torch", "dropout that is not scaled",
        (), "activations/step0/dropout", "dropout", plant="dropout_unscaled"),
    Row("regularisation", "keras", "momentum of the new for the old",
        (("BatchNormalization(epsilon=1e-5, momentum=0.1)",
          "BatchNormalization(epsilon=1e-5, momentum=0.9)"),),
        "weights/step1/norm/moving_", "biased"),
    Row("regularisation", "torch", "unbiased running variance", (),
        "weights/step1/norm/moving_variance", "biased", plant="batch_norm_as_it_is"),
    Row("regularisation", "torch", "coupled instead of decoupled decay",
        (("torch.optim.AdamW(", "torch.optim.Adam("),), "state/step1/", "decoupled"),
    Row("regularisation", "torch", "early stopping one epoch late",
        (("if waited == PATIENCE", "if waited > PATIENCE"),), "loss/curve", "stopped", whole=True),
    Row("regularisation", "keras", "early stopping by the loss",
        (('monitor="val_accuracy", mode="max"', 'monitor="val_loss", mode="min"'),),
        "loss/curve", "stopped", whole=True),
    Row("regularisation", "keras", "the last weights instead of the best",
        (("restore_best_weights=True", "restore_best_weights=False"),),
        "weights/final/", "stopped", whole=True),
    Row("regularisation", "torch", "validation samples in the training",
        (("train_one_epoch(model, optimizer, loader)\n        _,",
          "model.train()\n        batches = [*loader]\n"
          "        batches[-1] = [part[:50] for part in validation_loader[0]]\n"
          "        for images, labels in batches:\n"
          "            train_step(model, optimizer, images, labels)\n        _,"),),
        "loss/curve", "stopped", whole=True),
    Row("transfer_learning", "torch", "a frozen layer that moves",
        (("    optimizer.step()\n", "    optimizer.step()\n"
          "    model.backbone[0].weight.data.mul_(1 + 1e-9)\n"),),
        "weights/step1/backbone_conv1/kernel", "features_few"),
    Row("transfer_learning", "torch", "batch normalisation left in training",
        (("            self.backbone.eval()\n", "            self.backbone.train()\n"),),
        "activations/step0/backbone_bn1", "features_few"),
    Row("transfer_learning", "keras", "fine-tuning with the backbone frozen",
        (('    """Everything is trained: pretraining, fine-tuning, and from scratch."""\n'
          "    return _classifier()",
          '    """Everything is trained: pretraining, fine-tuning, and from scratch."""\n'
          "    return half_frozen_model()"),), "gradients/step0/backbone_", "fine_few"),
    Row("transfer_learning", "torch", "the old head kept",
        (("    without_head = ", "    target = Classifier(5)\n    without_head = "),),
        "values/replace_head/head_", "pretrain"),
    Row("transfer_learning", "torch", "a backbone that was not loaded",
        (('if not name.startswith("head.")}',
          'if not name.startswith(("head.", "backbone."))}'),),
        "values/replace_head/backbone_loaded", "pretrain"),
    Row("resnet", "torch", "unbiased running variance",
        (), "weights/step1/bn1/moving_variance", plant="batch_norm_as_it_is"),
    Row("resnet", "keras", "same padding at stride 2",
        (('use_bias=False, name=name)(\n        _padded(x, size // 2)\n    )',
          'use_bias=False, name=name, padding="same")(x)'),), "activations/step0/conv1"),
    Row("divergence", "torch", "unbiased running variance",
        (), "weights/step1/norm1/moving_variance", plant="batch_norm_as_it_is"),
    Row("divergence", "keras", "momentum of the new for the old",
        (("momentum=0.9", "momentum=0.1"),), "weights/step1/norm1/moving_"),
    Row("divergence", "keras", "maximum for average",
        (("GlobalAveragePooling2D", "GlobalMaxPooling2D"),), "activations/step0/average"),
    Row("divergence", "torch", "PyTorch's Adam with Keras' epsilon", (), "weights/step1/",
        plant="adam_with_epsilon"),
)

HONEST = (
    Row("iris_mlp", "torch", "gradients cleared on the model",
        (("optimizer.zero_grad()", "model.zero_grad(set_to_none=False)"),), whole=True),
    Row("softmax_regression", "torch", "softmax shifted by the maximum",
        (("torch.exp(logits)", "torch.exp(logits - logits.max(dim=1, keepdim=True).values)"),),
        pair="scratch", whole=True),
    Row("fashion_mlp", "keras", "the activation as a name",
        (('layers.Dense(128, activation="relu")',
          'layers.Dense(128),\n            layers.Activation("relu")'),), whole=True),
    Row("fashion_cnn", "torch", "channels last in memory",
        (("        nn.Linear(128, 10),\n    )",
          "        nn.Linear(128, 10),\n    ).to(memory_format=torch.channels_last)"),),
        whole=True),
    Row("cifar_mlp", "torch", "gradients from autograd.grad",
        (("    loss.backward()\n",
          "    gradients = torch.autograd.grad(loss, list(model.parameters()))\n"
          "    for parameter, gradient in zip(model.parameters(), gradients, strict=True):\n"
          "        parameter.grad = gradient\n"),), whole=True),
    Row("binary_cnn", "torch", "cross-entropy by softplus",
        (("    loss = loss_fn(logits, labels.to(logits.dtype))\n",
          "    loss = (nn.functional.softplus(logits) - logits * labels).mean()\n"),), whole=True),
    Row("digit_cnn", "torch", "log_softmax and nll_loss",
        (("loss_fn(model(images), labels)",
          "F.nll_loss(F.log_softmax(model(images), 1), labels)"),),
        whole=True),
    Row("sequential_cnn", "torch", "ReLU in place",
        (("nn.ReLU()", "nn.ReLU(inplace=True)"),)),
    Row("regularisation", "torch", "the best weights cloned one by one",
        (("copy.deepcopy(model.state_dict())",
          "{name: w.clone() for name, w in model.state_dict().items()}"),),
        pair="stopped", whole=True),
    Row("transfer_learning", "torch", "gradients cleared on the model",
        (("optimizer.zero_grad()", "model.zero_grad(set_to_none=False)"),),
        pair="fine_few", whole=True),
    Row("resnet", "torch", "channels last in memory",
        (("    model.fc = nn.Linear(512, 10)\n    return model\n",
          "    model.fc = nn.Linear(512, 10)\n"
          "    return model.to(memory_format=torch.channels_last)\n"),)),
    Row("divergence", "torch", "average pooling by size",
        (("nn.AdaptiveAvgPool2d(1)", "nn.AvgPool2d(4)"),), whole=True),
)


def kinds(row: Row) -> set[Hashable]:
    """What a row stands for: in whose program it is, how it is planted, and where it is seen."""
    seen = "/".join(row.key.split("/")[:2]) if row.key else f"honest, whole: {row.whole}"
    return {row.side, row.plant, seen}


DRAWN = draw((*FAULTS, *HONEST), kinds, 0.25)
"""The rows of this run: of each of `kinds` one at least; with ``PARITY_LONG`` all."""


def of(example: str) -> list[Row]:
    """The changes of an example that are drawn."""
    return [row for row in DRAWN if row.example == example]
