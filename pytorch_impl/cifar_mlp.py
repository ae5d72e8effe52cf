"""A perceptron on CIFAR-10 colour images, normalised channel by channel.

Twin: keras_impl/cifar_mlp.py
Look at: `nn.Flatten` (red plane, green plane, blue plane here; pixel by pixel there), which is why
the first kernel's rows stand in another order, though the model is the same.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 32
EPOCHS = 10
MEAN = (0.4914, 0.48216, 0.44653)
DEVIATION = (0.24703, 0.24349, 0.26159)

loss_fn = nn.CrossEntropyLoss()


class Perceptron(nn.Module):
    """3072-500-10: images ``(batch, 3, 32, 32)`` to logits ``(batch, 10)``."""

    def __init__(self):
        super().__init__()
        self.flatten = nn.Flatten()  # as x.view(-1, 32 * 32 * 3) would
        self.hidden = nn.Linear(32 * 32 * 3, 500)
        self.relu = nn.ReLU()
        self.logits = nn.Linear(500, 10)

    def forward(self, images):
        """Red plane, green plane, blue plane, behind each other."""
        return self.logits(self.relu(self.hidden(self.flatten(images))))


def build_model():
    """A fresh network."""
    return Perceptron()


class Images(Dataset):
    """Arrays as `torchvision.datasets.CIFAR10` gives them: transformed when they are asked for."""

    def __init__(self, images, labels, transform):
        self.data, self.targets, self.transform = images, labels, transform

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        return self.transform(self.data[index]), int(self.targets[index])


def make_optimizer(model):
    """Adam; it is told which tensors it moves."""
    return torch.optim.Adam(model.parameters(), lr=3e-4)


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


@torch.no_grad()
def count_correct(model, loader):
    """The prediction loop as everyone writes it: correct and total."""
    model.eval()
    correct = total = 0
    for images, labels in loader:
        predicted = torch.max(model(images), 1).indices
        total += labels.size(0)
        correct += (predicted == labels).sum().item()
    return correct, total


def main():
    """Normalise, load in batches, train, and count."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    data = load("cifar10", "available")
    print(data.describe())
    # ToTensor: height × width × 3 bytes to 3 × height × width, 0…1; then each channel by itself.
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, DEVIATION)])
    train_set = Images(data.train_images, data.train_labels, transform)
    test_set = Images(data.test_images, data.test_labels, transform)
    train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True, num_workers=0)
    test_loader = DataLoader(test_set, batch_size=BATCH_SIZE, num_workers=0)
    print(test_set.data.shape, len(train_loader), "batches of", train_loader.batch_size)
    images, labels = next(iter(train_loader))
    print("a batch:", tuple(images.shape), images.dtype, tuple(labels.shape), labels.dtype)

    model = build_model()
    print(model)
    history = fit(model, make_optimizer(model), train_loader, test_loader, EPOCHS)
    correct, total = count_correct(model, test_loader)
    print(f"{correct} of {total} right: {100 * correct / total:.1f} %")

    images = torch.stack([test_set[index][0] for index in range(25)])
    best = predict(model, images).argmax(dim=1)
    plots.gallery("predictions", data.test_images[:25], data.test_labels, data.class_names, best)
    plots.curves("training", history)


if __name__ == "__main__":
    main()
