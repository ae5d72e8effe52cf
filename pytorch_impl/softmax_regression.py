"""Softmax regression on Fashion-MNIST: once from scratch, once with the API.

Twin: keras_impl/softmax_regression.py
Look at: `OwnDense` (a module's parameters are attributes; a layer's weights are added in `build`),
`OwnSGD` (updates must be hidden from autograd here), and `fit`, which is yours to write here.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 256
EPOCHS = 10

loss_fn = nn.CrossEntropyLoss()


class OwnDense(nn.Module):
    """x·W + b, with W as ``(in, out)``."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        """Rows ``(batch, in)`` to rows ``(batch, out)``."""
        return x @ self.kernel + self.bias


def build_own_model():
    """Images ``(batch, 28, 28)`` to logits ``(batch, 10)``, with a layer of our own."""
    return nn.Sequential(nn.Flatten(), OwnDense(784, 10))


def initialise(model):
    """Weights from N(0, 0.01²), biases zero: `apply` goes through every module."""

    def of_module(module):
        if isinstance(module, OwnDense):
            nn.init.normal_(module.kernel, std=0.01)
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)

    return model.apply(of_module)


def own_softmax(logits):
    """exp(x) / Σ exp(x), row by row."""
    powers = torch.exp(logits)
    return powers / powers.sum(dim=1, keepdim=True)


def own_cross_entropy(probabilities, labels):
    """−log of the probability that each row gives to its label, ``(batch,)``."""
    chosen = probabilities[torch.arange(len(labels)), labels]
    return -torch.log(chosen)


def cross_entropy_of_two_rows(probabilities, labels):
    """What two rows lose by their labels."""
    return {"losses": own_cross_entropy(probabilities, labels)}


class OwnSGD:
    """What an optimizer is: w ← w − lr·g; the update itself must not be tracked."""

    def __init__(self, parameters, lr):
        self.parameters, self.lr = list(parameters), lr

    def zero_grad(self):
        """Gradients add up until they are cleared."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self):
        """Down the slope."""
        for parameter in self.parameters:
            parameter.sub_(self.lr * parameter.grad)


def make_own_optimizer(model):
    """Ours, with the learning rate of `make_optimizer`."""
    return OwnSGD(model.parameters(), lr=0.1)


def own_train_step(model, optimizer, images, labels):
    """One step on one batch, with a softmax, a loss and an optimizer of our own."""
    loss = own_cross_entropy(own_softmax(model(images)), labels).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


@torch.no_grad()
def own_evaluate(model, loader):
    """Mean loss and accuracy."""
    total, correct, samples = 0.0, 0, 0
    for images, labels in loader:
        probabilities = own_softmax(model(images))
        total += own_cross_entropy(probabilities, labels).sum().item()
        correct += (probabilities.argmax(dim=1) == labels).sum().item()
        samples += len(labels)
    return total / samples, correct / samples


@torch.no_grad()
def own_predict(model, images):
    """Probabilities ``(batch, 10)``."""
    return own_softmax(model(images))


def build_model():
    """The same with the framework's own dense layer."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def make_optimizer(model):
    """Plain stochastic gradient descent; the learning rate must be given, the defaults differ."""
    return torch.optim.SGD(model.parameters(), lr=0.1)


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


class Accumulator:
    """Sums of several quantities over batches."""

    def __init__(self, count):
        self.sums = [0.0] * count

    def add(self, *values):
        """One batch."""
        self.sums = [total + float(value) for total, value in zip(self.sums, values, strict=True)]


def accuracy(probabilities, labels):
    """Number of right predictions in a batch."""
    return (probabilities.argmax(dim=1) == labels).sum()


@torch.no_grad()
def evaluate_accuracy(predict, model, loader):
    """Share of right predictions, batch by batch."""
    found = Accumulator(2)
    for images, labels in loader:
        found.add(accuracy(predict(model, images), labels), len(labels))
    return found.sums[0] / found.sums[1]


def the_slip(x, kernel, bias):
    """softmax(XW + b), and the slip softmax(XW) + b, whose rows sum to 1 + Σ b."""
    right = own_softmax(x @ kernel + bias)
    wrong = own_softmax(x @ kernel) + bias
    return right.sum(dim=1), wrong.sum(dim=1)


def fit(model, optimizer, loaders, plots, name, own):
    """Ten epochs from scratch or with the API; a figure grows with every epoch."""
    step, probabilities = (own_train_step, own_predict) if own else (train_step, predict)
    history = {"training loss": [], "training accuracy": [], "test accuracy": []}
    for epoch in range(1, EPOCHS + 1):
        model.train()
        found = Accumulator(2)
        for images, labels in loaders[0]:
            found.add(step(model, optimizer, images, labels) * len(labels), len(labels))
        history["training loss"].append(found.sums[0] / found.sums[1])
        history["training accuracy"].append(evaluate_accuracy(probabilities, model, loaders[0]))
        history["test accuracy"].append(evaluate_accuracy(probabilities, model, loaders[1]))
        words = ", ".join(f"{what} {values[-1]:.4f}" for what, values in history.items())
        print(f"{name}, epoch {epoch}: {words}")
        plots.curves(name, history)


def main():
    """The same regression twice: with functions of our own, and with PyTorch's."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    data = load("fashion_mnist", "available")
    print(data.describe())
    sets = []
    for images, labels in (
        (data.train_images, data.train_labels),
        (data.test_images, data.test_labels),
    ):
        scaled = torch.from_numpy(images).float() / 255
        sets.append(TensorDataset(scaled, torch.from_numpy(labels)))
    loaders = [DataLoader(s, batch_size=BATCH_SIZE, shuffle=s is sets[0]) for s in sets]

    own = initialise(build_own_model())
    fit(own, make_own_optimizer(own), loaders, plots, "from scratch", own=True)
    model = initialise(build_model())
    fit(model, make_optimizer(model), loaders, plots, "with the API", own=False)

    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    right, wrong = the_slip(rows, torch.eye(2), torch.tensor([0.5, 0.25]))
    print("rows of softmax(XW + b) sum to", right.tolist(), "of softmax(XW) + b to", wrong.tolist())
    test_images = sets[1].tensors[0][:25]
    best = predict(model, test_images).argmax(dim=1)
    plots.gallery("predictions", data.test_images[:25], data.test_labels, data.class_names, best)


if __name__ == "__main__":
    main()
