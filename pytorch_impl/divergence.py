"""How long two equal programs stay equal: a network with batch normalisation on CIFAR-10.

Twin: keras_impl/divergence.py
Look at: `build_model` (the normalisation layers follow Keras' equations, `nn.BatchNorm2d`: biased
running variance, momentum as the weight of the *new*), and the convolutions, which have no bias:
the normalisation behind them would subtract it, so its true gradient is zero and it would wander.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 32
EPOCHS = 10
MEAN = (0.4914, 0.48216, 0.44653)
DEVIATION = (0.24703, 0.24349, 0.26159)

loss_fn = nn.CrossEntropyLoss()


def build_model():
    """Four blocks 32-64-128-256, global average, dense 128, dense 10: images to logits."""
    blocks = []
    for block, (inputs, outputs) in enumerate([(3, 32), (32, 64), (64, 128), (128, 256)], 1):
        blocks += [
            nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-5, momentum=0.1),
            nn.ReLU(),
        ]
        if block < 4:
            blocks.append(nn.MaxPool2d(2))
    return nn.Sequential(
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


def make_optimizer(model):
    """Adam; it is told which tensors it moves."""
    return torch.optim.Adam(model.parameters(), lr=1e-3)


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
    """Probabilities ``(batch, 10)``: the model gives logits, softmax makes them confidences."""
    model.eval()
    return F.softmax(model(images), dim=1)


def fit(model, optimizer, train_loader, test_loader, epochs):
    """Your own `fit`: prints and keeps loss and accuracy of every epoch."""
    history = {"loss": [], "test loss": [], "test accuracy": []}
    for epoch in range(1, epochs + 1):
        loss = train_one_epoch(model, optimizer, train_loader)
        test_loss, accuracy = evaluate(model, test_loader)
        for name, value in zip(history, (loss, test_loss, accuracy), strict=True):
            history[name].append(value)
        print(f"epoch {epoch}: loss {loss:.4f}, test loss {test_loss:.4f}, accuracy {accuracy:.4f}")
    return history


def main():
    """Train a network with batch normalisation on CIFAR-10."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    data = load("cifar10", "available")
    print(data.describe())
    sets = []
    for images, labels in (
        (data.train_images, data.train_labels),
        (data.test_images, data.test_labels),
    ):
        scaled = torch.from_numpy(images).float() / 255
        normalised = (scaled - torch.tensor(MEAN)) / torch.tensor(DEVIATION)
        channels_first = normalised.permute(0, 3, 1, 2).contiguous()
        sets.append(TensorDataset(channels_first, torch.from_numpy(labels)))
    train_loader = DataLoader(sets[0], batch_size=BATCH_SIZE, shuffle=True)
    test_loader = DataLoader(sets[1], batch_size=1000)

    model = build_model()
    print(model)
    history = fit(model, make_optimizer(model), train_loader, test_loader, EPOCHS)
    plots.curves("training", history)


if __name__ == "__main__":
    main()
