"""A multi-layer perceptron on Fashion-MNIST: a loader, a loss, an optimizer, and your own loop.

Twin: keras_impl/fashion_mlp.py
Look at: `train_step` (gradients are stored on the parameters and must be cleared here; there a
tape returns them), `train_one_epoch` (the loop is yours here; there it is `fit`), and `evaluate`
(modes are switched on the model here, passed with the call there).
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 32
EPOCHS = 5

loss_fn = nn.CrossEntropyLoss()


def build_model():
    """Flatten, dense 128, ReLU, dense 10: images ``(batch, 28, 28)`` to logits ``(batch, 10)``."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(28 * 28, 128),
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


def same_training(images, labels):
    """Logits with `CrossEntropyLoss`, log-probabilities with `NLLLoss`: the same training.

    Returns the losses of both; the first way takes softmax and logarithm in one, and cannot
    overflow.
    """
    losses = []
    for last, loss_of in ((nn.Identity(), nn.CrossEntropyLoss()), (nn.LogSoftmax(1), nn.NLLLoss())):
        torch.manual_seed(1)
        model = nn.Sequential(build_model(), last)
        optimizer = make_optimizer(model)
        for at in range(0, 10 * BATCH_SIZE, BATCH_SIZE):
            batch = slice(at, at + BATCH_SIZE)
            loss = loss_of(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses[:10], losses[10:]


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


def draw(plots, data, confidences, history):
    """The first image, 25 images of each set, and the training; where ``--plots`` is given."""
    best = confidences.argmax(dim=1)
    names = data.class_names
    plots.image("first image", data.train_images[0])
    plots.gallery("training images", data.train_images[:25], data.train_labels, names)
    plots.gallery("predictions", data.test_images[:25], data.test_labels, names, best)
    plots.curves("training", history)


def main():
    """Train for five epochs, then look at what was learnt."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    data = load("fashion_mnist", "available")
    print(data.describe())
    train_images = torch.from_numpy(data.train_images).float() / 255  # bytes 0…255 to 0…1
    test_images = torch.from_numpy(data.test_images).float() / 255
    train_labels = torch.from_numpy(data.train_labels)
    test_labels = torch.from_numpy(data.test_labels)
    train_set = TensorDataset(train_images, train_labels)
    test_set = TensorDataset(test_images, test_labels)
    train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=1000)

    model = build_model()
    print(model)
    history = fit(model, make_optimizer(model), train_loader, test_loader, EPOCHS)

    confidences = predict(model, test_images[:25])
    print("first test image:", [round(p, 4) for p in confidences[0].tolist()])
    best = confidences[0].argmax()
    print(f"predicted {best}, {data.class_names[best]}; truly {data.class_names[test_labels[0]]}")

    logits, probabilities = same_training(train_images, train_labels)
    print("loss from logits:       ", [round(loss, 5) for loss in logits[:5]])
    print("from log-probabilities: ", [round(loss, 5) for loss in probabilities[:5]])
    draw(plots, data, confidences, history)


if __name__ == "__main__":
    main()
