"""Zero or one: a convolutional network with a single output.

Twin: keras_impl/binary_cnn.py
Look at: `train_step` (the loss takes logits and labels as floats of the same shape here; there
labels of any dtype, and logits only when told so), `predict`, where the sigmoid is, and `main`,
where model and batches are put on a device.
"""

import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision import io

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 128
EPOCHS = 5

loss_fn = nn.BCEWithLogitsLoss()


def build_model():
    """Conv 16 5×5, ReLU, pool, one dense unit: ``(batch, 1, 28, 28)`` to logits ``(batch, 1)``."""
    return nn.Sequential(
        nn.Conv2d(1, 16, kernel_size=5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(12 * 12 * 16, 1),
    )


def make_optimizer(model):
    """Adam; it is told which tensors it moves."""
    return torch.optim.Adam(model.parameters(), lr=1e-3)


def train_step(model, optimizer, images, labels):
    """One step of the optimizer on one batch; the mean loss before it."""
    logits = model(images).squeeze(1)
    loss = loss_fn(logits, labels.to(logits.dtype))
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
        logits = model(images).squeeze(1)
        total += loss_fn(logits, labels.to(logits.dtype)).item() * len(labels)
        correct += ((logits > 0) == labels).sum().item()
        samples += len(labels)
    return total / samples, correct / samples


@torch.no_grad()
def predict(model, images):
    """Probability of a one ``(batch, 1)``: the sigmoid of the logit."""
    model.eval()
    return torch.sigmoid(model(images))


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


def older_model(width):
    """What came before convolutions: 784 pixels, a few hidden units (2, 30, 256), one output."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, width), nn.ReLU(), nn.Linear(width, 1))


def shapes(model, images):
    """Name and output shape of every layer, for a batch of images."""
    found = [("input", tuple(images.shape))]
    for layer in model:
        images = layer(images)
        found.append((type(layer).__name__, tuple(images.shape)))
    return found


def sigmoid_and_bce(logits, labels):
    """`Sigmoid` with `BCELoss`, and `BCEWithLogitsLoss`: one loss; the second cannot overflow."""
    truth = labels.to(logits.dtype)
    return nn.BCELoss()(torch.sigmoid(logits), truth), nn.BCEWithLogitsLoss()(logits, truth)


def images_from_files(images):
    """Write images as PNG files, read them again, and stack them: ``(n, 1, 28, 28)`` bytes."""
    with tempfile.TemporaryDirectory() as folder:
        for index, image in enumerate(images):
            io.write_png(image, str(Path(folder) / f"{index:05d}.png"))
        return torch.stack([io.decode_image(str(file)) for file in sorted(Path(folder).iterdir())])


def main():
    """Zeros and ones from files, on whatever device there is; then truth against prediction."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
    print("device:", device)
    data = load("mnist", "available").of_classes((0, 1))
    print(data.describe())
    some = images_from_files(torch.from_numpy(data.train_images[:20]).unsqueeze(1))
    print("read from files:", tuple(some.shape), some.dtype)
    train_images = torch.from_numpy(data.train_images).float().unsqueeze(1) / 255
    test_images = torch.from_numpy(data.test_images).float().unsqueeze(1) / 255
    train_labels = torch.from_numpy(data.train_labels)
    test_labels = torch.from_numpy(data.test_labels)
    train_set = TensorDataset(train_images.to(device), train_labels.to(device))
    test_set = TensorDataset(test_images.to(device), test_labels.to(device))
    train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=1000)

    model = build_model().to(device)  # before the optimizer is made: it holds the parameters
    for name, shape in shapes(model, train_images[:100].to(device)):
        print(f"{name:10} {shape}")
    history = fit(model, make_optimizer(model), train_loader, test_loader, EPOCHS)
    for width in (2, 30, 256):
        older = older_model(width).to(device)
        print(f"784-{width}-1:", end=" ")
        fit(older, make_optimizer(older), train_loader, test_loader, 1)

    model = model.to("cpu")  # and back
    with torch.no_grad():
        apart, together = sigmoid_and_bce(model(test_images[:100]).squeeze(1), test_labels[:100])
    print(f"Sigmoid + BCELoss {apart:.6f}, BCEWithLogitsLoss {together:.6f}")
    plots.dots(
        "prediction against label",
        {
            "training": (train_labels[:500], predict(model, train_images[:500]).squeeze(1)),
            "test": (test_labels[:500], predict(model, test_images[:500]).squeeze(1)),
        },
    )
    plots.curves("training", history)


if __name__ == "__main__":
    main()
