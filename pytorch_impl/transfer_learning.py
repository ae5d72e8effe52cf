"""A network pretrained on one task and used for another: new head, frozen backbone, fine-tuning.

Twin: keras_impl/transfer_learning.py
Look at: `Classifier.train`, because freezing is a flag on tensors here and running statistics are
no parameters: BatchNorm must be put into evaluation mode too; `half_frozen_model`, which forgets
it; and `replace_head`, where loading goes by name.
"""

import tempfile
from pathlib import Path

import safetensors.torch
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 25
EPOCHS = 20

loss_fn = nn.CrossEntropyLoss()


def backbone():
    """Two blocks, ``(batch, 1, 28, 28)`` to ``(batch, 16, 6, 6)``; BatchNorm's β is the bias."""
    return nn.Sequential(
        nn.Conv2d(1, 8, kernel_size=5, stride=3, bias=False),
        nn.BatchNorm2d(8, eps=1e-3, momentum=0.1),
        nn.SiLU(),
        nn.Conv2d(8, 16, kernel_size=3, bias=False),
        nn.BatchNorm2d(16, eps=1e-3, momentum=0.1),
        nn.SiLU(),
    )


class Classifier(nn.Module):
    """A backbone and a head of its own, to logits ``(batch, classes)``."""

    def __init__(self, classes=5, frozen=False):
        super().__init__()
        self.backbone = backbone()
        self.flatten = nn.Flatten()
        self.head = nn.Linear(6 * 6 * 16, classes)
        self.frozen = frozen
        self.backbone.requires_grad_(not frozen)

    def forward(self, images):
        """Features, flattened, to logits."""
        return self.head(self.flatten(self.backbone(images)))

    def train(self, mode=True):
        """As every module's, but a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self


def build_model():
    """Everything is trained: pretraining, fine-tuning, and from scratch."""
    return Classifier()


def frozen_model():
    """Feature extraction: only the head is trained."""
    return Classifier(frozen=True)


def half_frozen_model():
    """A mistake: the weights are frozen, but BatchNorm still trains on every batch."""
    model = Classifier()
    model.backbone.requires_grad_(False)
    return model


def trained(model):
    """Parameters that have a gradient."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def make_optimizer(model):
    """For a new head, or a whole network that knows nothing yet."""
    return torch.optim.SGD(trained(model), lr=0.1)


def make_gentle_optimizer(model):
    """For fine-tuning: small steps, so that what was learnt before is not thrown away."""
    return torch.optim.SGD(trained(model), lr=0.03)


def train_step(model, optimizer, images, labels):
    """One step of the optimizer on one batch; the mean loss before it."""
    loss = loss_fn(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def train_one_epoch(model, optimizer, loader):
    """Every batch once; the mean loss of the epoch, as it went down."""
    model.train()
    total = 0.0
    for images, labels in loader:
        loss = train_step(model, optimizer, images, labels)
        total += loss.item() * len(labels)
    return total / len(loader.dataset)


@torch.no_grad()
def evaluate(model, loader):
    """Mean loss and accuracy."""
    model.eval()
    total, correct, samples = 0.0, 0, 0
    for images, labels in loader:
        logits = model(images)
        total += loss_fn(logits, labels).item() * len(labels)
        correct += (logits.argmax(dim=1) == labels).sum().item()
        samples += len(labels)
    return total / samples, correct / samples


@torch.no_grad()
def predict(model, images):
    """Probabilities ``(batch, classes)``: softmax makes confidences of logits."""
    model.eval()
    return F.softmax(model(images), dim=1)


def counts():
    """How many numbers there are, and how many of them train."""
    return {
        "parameters": sum(p.numel() for p in build_model().parameters()),
        "trained": sum(p.numel() for p in trained(build_model())),
        "trained_when_frozen": sum(p.numel() for p in trained(frozen_model())),
        "trained_when_half_frozen": sum(p.numel() for p in trained(half_frozen_model())),
    }


def _equal(one, other):
    """Whether two modules hold the same numbers, bit for bit, running statistics included."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def save_and_load():
    """`torch.save` and safetensors hold tensors by name, not code, nor what was frozen."""
    model, state = frozen_model(), frozen_model().state_dict()
    model.load_state_dict(state)
    fresh, other = build_model(), build_model()
    before = _equal(model, fresh)
    with tempfile.TemporaryDirectory() as folder:
        torch.save(state, Path(folder) / "weights.pt")
        safetensors.torch.save_file(state, Path(folder) / "weights.safetensors")
        fresh.load_state_dict(torch.load(Path(folder) / "weights.pt", weights_only=True))
        other.load_state_dict(safetensors.torch.load_file(Path(folder) / "weights.safetensors"))
    return {
        "arrays": len(state),
        "equal_before": before,
        "equal_after": _equal(model, fresh),
        "equal_from_other_format": _equal(model, other),
        "weights_remember_freezing": len(trained(fresh)) < len(trained(build_model())),
        "other_format_remembers_freezing": len(trained(other)) < len(trained(build_model())),
    }


def replace_head():
    """`strict=False` allows missing names, never other shapes: leave the old head out by name."""
    source, target, same_size = Classifier(5), Classifier(3), Classifier(5)
    state = source.state_dict()
    fresh = {name: tensor.clone() for name, tensor in target.head.state_dict().items()}
    try:
        Classifier(3).load_state_dict(state, strict=False)  # what fits is written even so
        wrong_shape = "none"
    except RuntimeError as error:
        wrong_shape = type(error).__name__
    without_head = {name: v for name, v in state.items() if not name.startswith("head.")}
    target.load_state_dict(without_head, strict=False)
    untouched = all(torch.equal(v, fresh[name]) for name, v in target.head.state_dict().items())
    same_size.load_state_dict(state)  # nothing complains: this head still knows the old classes
    return {
        "head_parameters": sum(p.numel() for p in target.head.parameters()),
        "wrong_shape": wrong_shape,
        "backbone_loaded": _equal(source.backbone, target.backbone),
        "head_untouched": untouched,
        "stale_head_of_same_size": _equal(source.head, same_size.head),
    }


def _batch_norm(*weights):
    layer = nn.BatchNorm2d(3, eps=1e-3, momentum=0.1)
    names = ("weight", "bias", "running_mean", "running_var")
    layer.load_state_dict(dict(zip(names, weights, strict=True)), strict=False)
    return layer


def freeze_batch_norm(x, gamma, beta, mean, variance):
    """The flag stops gradients only; evaluation mode stops the statistics."""
    flag_only = _batch_norm(gamma, beta, mean, variance).requires_grad_(False)
    frozen = _batch_norm(gamma, beta, mean, variance).requires_grad_(False).eval()
    y_flag_only, y_frozen = flag_only(x), frozen(x)
    return {
        "y_frozen": y_frozen,
        "frozen_moves": not torch.equal(frozen.running_mean, mean),
        "y_weights_only": y_flag_only,
        "moving_mean_weights_only": flag_only.running_mean,
        "moving_variance_weights_only": flag_only.running_var,
        "flag_alone_moves": not torch.equal(flag_only.running_mean, mean),
    }


def models_of_timm():
    """timm beside torchvision: list, create with another number of classes, take the features."""
    try:
        import timm  # noqa: PLC0415  # an extra package
    except ImportError:
        return "timm is not installed"
    model = timm.create_model("resnet18", pretrained=False, num_classes=100)
    features = model.forward_features(torch.zeros(1, 3, 64, 64))
    return len(timm.list_models("resnet*")), model.num_features, tuple(features.shape)


def loaders(data, classes, samples):
    """Batches of these classes only, renumbered from 0; of the first so many samples."""
    part = data.of_classes(classes).first(samples)
    sets = []
    for images, labels in (
        (part.train_images, part.train_labels),
        (part.test_images, part.test_labels),
    ):
        scaled = torch.from_numpy(images).float().unsqueeze(1) / 255
        sets.append(TensorDataset(scaled, torch.from_numpy(labels)))
    return DataLoader(sets[0], batch_size=BATCH_SIZE, shuffle=True), DataLoader(sets[1], 500)


def main():
    """Pretrain on five kinds of garment; then 50 samples of five others, in three ways."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    data = load("fashion_mnist", "available")
    print(data.describe())
    for name, value in counts().items():
        print(f"{name.replace('_', ' ')}: {value}")
    source = build_model()
    train_loader, test_loader = loaders(data, (0, 1, 2, 3, 4), 0)
    train_one_epoch(source, make_optimizer(source), train_loader)
    print("pretrained: loss {:.4f}, accuracy {:.4f}".format(*evaluate(source, test_loader)))

    train_loader, test_loader = loaders(data, (5, 6, 7, 8, 9), 50)
    backbone_state = source.backbone.state_dict()
    found = {}
    for name, build, make in (
        ("from scratch", build_model, make_optimizer),
        ("frozen backbone", frozen_model, make_optimizer),
        ("fine-tuned", build_model, make_gentle_optimizer),
    ):
        model = build()
        if name != "from scratch":
            model.backbone.load_state_dict(backbone_state)
        optimizer = make(model)
        found[name] = []
        for _ in range(EPOCHS):
            train_one_epoch(model, optimizer, train_loader)
            found[name].append(evaluate(model, test_loader)[1])
        print(f"{name}: accuracy {found[name][-1]:.4f} after {EPOCHS} epochs of 50 samples")
    print("timm:", models_of_timm())
    plots.curves("accuracy", found)


if __name__ == "__main__":
    main()
