"""A deep perceptron with batch normalisation on Iris.

Twin: keras_impl/iris_mlp.py
Look at: the normalisation layers (momentum is the weight of the *new* statistics here and of the
old ones there; Keras' default epsilon is 100 times larger; the running variance is unbiased here,
biased there), and `evaluate`, where the running statistics are used.
"""

import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 4
EPOCHS = 20

loss_fn = nn.CrossEntropyLoss()


class IrisNet(nn.Module):
    """4-128-64-32-16-3: rows ``(batch, 4)`` to logits ``(batch, 3)``."""

    def __init__(self):
        super().__init__()
        self.dense1 = nn.Linear(4, 128)
        self.norm1 = nn.BatchNorm1d(128, eps=1e-5, momentum=0.1)
        self.relu1 = nn.ReLU()
        self.dense2 = nn.Linear(128, 64)
        self.norm2 = nn.BatchNorm1d(64, eps=1e-5, momentum=0.1)
        self.relu2 = nn.ReLU()
        self.dense3 = nn.Linear(64, 32)
        self.norm3 = nn.BatchNorm1d(32, eps=1e-5, momentum=0.1)
        self.relu3 = nn.ReLU()
        self.dense4 = nn.Linear(32, 16)
        self.relu4 = nn.ReLU()
        self.logits = nn.Linear(16, 3)

    def forward(self, rows):
        """Three normalised layers, one without, and the logits."""
        x = self.relu1(self.norm1(self.dense1(rows)))
        x = self.relu2(self.norm2(self.dense2(x)))
        x = self.relu3(self.norm3(self.dense3(x)))
        return self.logits(self.relu4(self.dense4(x)))


def build_model():
    """A fresh network; 16 parameter tensors."""
    return IrisNet()


def count_parameters():
    """16 parameter tensors: five kernels, five biases, three pairs of scale and shift."""
    parameters = list(build_model().parameters())
    return {
        "tensors": len(parameters),
        "numbers": sum(p.numel() for p in parameters),
        "first": tuple(parameters[0].shape),
    }


def make_optimizer(model):
    """Plain stochastic gradient descent; the learning rate must be given, the defaults differ."""
    return torch.optim.SGD(model.parameters(), lr=0.001)


def train_step(model, optimizer, rows, labels):
    """One step of the optimizer on one batch; the mean loss before it."""
    loss = loss_fn(model(rows), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def train_one_epoch(model, optimizer, loader):
    """Every batch once; the mean loss of the epoch, as it went down."""
    model.train()
    total = 0.0
    for rows, labels in loader:
        loss = train_step(model, optimizer, rows, labels)
        total += loss.item() * len(labels)
    return total / len(loader.dataset)


@torch.no_grad()
def evaluate(model, loader):
    """Mean loss and accuracy."""
    model.eval()
    total, correct, samples = 0.0, 0, 0
    for rows, labels in loader:
        logits = model(rows)
        total += loss_fn(logits, labels).item() * len(labels)
        correct += (logits.argmax(dim=1) == labels).sum().item()
        samples += len(labels)
    return total / samples, correct / samples


@torch.no_grad()
def predict(model, rows):
    """Probabilities ``(batch, 3)``: the model gives logits, softmax makes them confidences."""
    model.eval()
    return F.softmax(model(rows), dim=1)


def look_at_the_data():
    """What scikit-learn brings: a description, (150, 4) numbers, three classes; and two splits."""
    iris = load_iris()
    print("\n".join(iris.DESCR.splitlines()[:28]))
    print(iris.data.shape, iris.feature_names, list(iris.target_names))
    for stratify in (None, iris.target):
        _, _, train, test = train_test_split(
            iris.data, iris.target, test_size=0.25, random_state=0, stratify=stratify
        )
        how = "by chance" if stratify is None else "stratified"
        counts = [[int((part == c).sum()) for c in range(3)] for part in (train, test)]
        print(f"split {how}: {len(train)} and {len(test)} rows, by class {counts}")


def gradients_are_filled(rows, labels):
    """A bias has no gradient before `backward`, and one afterwards."""
    model = build_model()
    before = model.dense1.bias.grad
    loss_fn(model(rows), labels).backward()
    return before, model.dense1.bias.grad


def fit(model, optimizer, train_loader, test_loader, epochs):
    """Your own `fit`: prints and keeps loss and accuracy of every epoch."""
    history = {"loss": [], "accuracy": [], "test loss": [], "test accuracy": []}
    for epoch in range(1, epochs + 1):
        train_one_epoch(model, optimizer, train_loader)
        found = (*evaluate(model, train_loader), *evaluate(model, test_loader))
        for name, value in zip(history, found, strict=True):
            history[name].append(value)
        words = ", ".join(f"{name} {value:.4f}" for name, value in zip(history, found, strict=True))
        print(f"epoch {epoch}: {words}")
    return history


def main():
    """Look at the data, train, and compare predictions with the truth."""
    plots = Plots(__file__)
    look_at_the_data()
    torch.manual_seed(0)
    data = load("iris")
    train_rows = torch.from_numpy(data.train_images).float()
    test_rows = torch.from_numpy(data.test_images).float()
    train_labels = torch.from_numpy(data.train_labels)
    test_labels = torch.from_numpy(data.test_labels)
    train_set = TensorDataset(train_rows, train_labels)
    train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)
    test_loader = DataLoader(TensorDataset(test_rows, test_labels), batch_size=len(test_rows))

    before, after = gradients_are_filled(train_rows[:4], train_labels[:4])
    print("gradient of a bias before backward:", before, "and after:", after[:3])
    model = build_model()
    print(model, count_parameters())
    history = fit(model, make_optimizer(model), train_loader, test_loader, EPOCHS)

    confidence, predicted = torch.max(predict(model, test_rows), 1)
    for row in range(5):
        print(
            f"predicted {data.class_names[predicted[row]]} ({confidence[row]:.2f}), "
            f"truly {data.class_names[test_labels[row]]}"
        )
    plots.curves("loss", {name: history[name] for name in ("loss", "test loss")})
    plots.curves("accuracy", {name: history[name] for name in ("accuracy", "test accuracy")})


if __name__ == "__main__":
    main()
