"""A small convolutional network on MNIST digits, as a module with a `forward` of its own.

Twin: keras_impl/digit_cnn.py
Look at: `DigitCNN` (a subclass here; there a functional model, whose calls are recorded once), and
padding (a number of pixels here, the word "same" there; for stride 1 they are equal).
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 64
EPOCHS = 3

loss_fn = nn.CrossEntropyLoss()


class DigitCNN(nn.Module):
    """Conv 5, pool, conv 10, pool, dense 10: ``(batch, 1, 28, 28)`` to logits ``(batch, 10)``."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 5, kernel_size=3, padding=1)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(5, 10, kernel_size=3, padding=1)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.logits = nn.Linear(7 * 7 * 10, 10)

    def forward(self, images):
        """28×28 to 14×14 to 7×7, then 490 numbers to 10."""
        x = self.pool1(self.relu1(self.conv1(images)))
        x = self.pool2(self.relu2(self.conv2(x)))
        return self.logits(self.flatten(x))


def build_model():
    """A fresh network."""
    return DigitCNN()


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
    """Images with a channel, batches, training, and what the network makes of 25 images."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    data = load("mnist", "available")
    print(data.describe())
    # One channel, in front: (n, 28, 28) to (n, 1, 28, 28).
    train_images = torch.from_numpy(data.train_images).float().unsqueeze(1) / 255
    test_images = torch.from_numpy(data.test_images).float().unsqueeze(1) / 255
    train_labels = torch.from_numpy(data.train_labels)
    test_labels = torch.from_numpy(data.test_labels)
    train_set = TensorDataset(train_images, train_labels)
    test_set = TensorDataset(test_images, test_labels)
    train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=1000)

    model = build_model()
    print(model)
    history = fit(model, make_optimizer(model), train_loader, test_loader, EPOCHS)
    best = predict(model, test_images[:25]).argmax(dim=1)
    plots.gallery("predictions", data.test_images[:25], data.test_labels, data.class_names, best)
    plots.curves("training", history)


if __name__ == "__main__":
    main()
