"""Counting what is right: by hand, with an accumulator, with a metric object, epoch by epoch.

Twin: keras_impl/metrics.py
Look at: `Accuracy`, which you write here or take from `torchmetrics` or `torcheval`, and which is
a part of the framework there; and `epoch_and_evaluation`: what is averaged while the weights move
is not what the model reaches at the end.
Seen in notes, wrong because: `prediction = y_test` assigns, it does not compare; then every sample
is "right" (`==`). Evaluating without `model.eval()` leaves dropout and batch statistics on.
"""

import importlib

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

from shared import metrics
from shared.data import load
from shared.plots import Plots


class Accuracy:
    """Told batch by batch; between two epochs it is reset."""

    def __init__(self):
        self.reset()

    def reset(self):
        """Forget every sample."""
        self.correct, self.samples = 0, 0

    def update(self, logits, labels):
        """Count a batch: logits ``(batch, classes)``, labels ``(batch,)``."""
        self.correct += (logits.argmax(dim=1) == labels).sum().item()
        self.samples += len(labels)

    def compute(self):
        """The share of all samples since the last reset that was right."""
        return self.correct / max(self.samples, 1)


def by_hand(logits, labels):
    """The class of the largest logit, compared with the label; softmax would change nothing."""
    predicted = logits.argmax(dim=1)
    right = predicted == labels
    return {
        "predicted": predicted,
        "right": int(right.sum()),
        "accuracy": right.to(logits.dtype).mean(),
        "of_probabilities": (F.softmax(logits, dim=1).argmax(dim=1) == labels).to(logits).mean(),
        "in_numpy": logits.new_tensor(metrics.accuracy(logits.numpy(), labels.numpy())),
    }


def accumulated(logits, labels):
    """Sums over batches, divided at the end. A mean of means is wrong: the last batch is short."""
    right, samples, means = 0, 0, []
    for some, truth in zip(logits.split(4), labels.split(4), strict=True):
        correct = (some.argmax(dim=1) == truth).sum()
        right, samples = right + correct, samples + len(truth)
        means.append(correct / len(truth))
    return {
        "accuracy": (right / samples).to(logits),
        "mean_of_means": torch.stack(means).mean().to(logits),
        "samples": samples,
    }


def metric_object(logits, labels):
    """What it says after every batch is of all samples so far."""
    metric, running = Accuracy(), []
    for some, truth in zip(logits.split(4), labels.split(4), strict=True):
        metric.update(some, truth)
        running.append(metric.compute())
    metric.reset()
    running = torch.tensor(running, dtype=logits.dtype)
    return {"running": running, "after_reset": running.new_tensor(metric.compute())}


def library_accuracy(logits, labels):
    """The same from `torchmetrics` or `torcheval`, whichever is installed; None without."""
    classes = logits.shape[1]
    if importlib.util.find_spec("torchmetrics"):
        metric = importlib.import_module("torchmetrics").Accuracy("multiclass", num_classes=classes)
    elif importlib.util.find_spec("torcheval"):
        metric = importlib.import_module("torcheval.metrics").MulticlassAccuracy()
    else:
        return None
    for some, truth in zip(logits.split(4), labels.split(4), strict=True):
        metric.update(some, truth)
    return metric.compute().item()


def one_logit(logits, labels):
    """One logit a sample: class 1 begins at logit 0, which is probability one half."""
    above_zero, above_half = (logits > 0) == labels, (logits > 0.5) == labels
    return {
        "above_zero": above_zero.to(logits).mean(),
        "above_half": above_half.to(logits).mean(),
        "of_probabilities": ((torch.sigmoid(logits) > 0.5) == labels).to(logits).mean(),
    }


def epoch_and_evaluation(x, kernel, labels):
    """One epoch of one layer: the mean of the losses on the way, and the loss at the end.

    The mean is over samples, so a short last batch counts less. `evaluate` goes through the same
    samples with the weights of the end.
    """
    model = nn.Linear(x.shape[1], kernel.shape[0], bias=False)
    model.load_state_dict({"weight": kernel})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    total, metric, first = 0.0, Accuracy(), None
    for some, truth in zip(x.split(4), labels.split(4), strict=True):
        logits = model(some)
        loss = F.cross_entropy(logits, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(truth)
        metric.update(logits, truth)
        first = loss if first is None else first
    with torch.no_grad():
        logits = model(x)
    return {
        "first_batch": first,
        "epoch_loss": x.new_tensor(total / len(x)),
        "epoch_accuracy": x.new_tensor(metric.compute()),
        "evaluated_loss": F.cross_entropy(logits, labels),
        "evaluated_accuracy": (logits.argmax(dim=1) == labels).to(x).mean(),
    }


@torch.no_grad()
def _evaluate(model, loader):
    """Accuracy with the weights as they are."""
    model.eval()
    metric = Accuracy()
    for images, labels in loader:
        metric.update(model(images), labels)
    return metric.compute()


def main():
    """Count in every way, then watch a classifier over three epochs."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    logits, labels = torch.randn(10, 3), torch.randint(3, (10,))
    counted = by_hand(logits, labels)
    print(f"predicted {counted['predicted'].tolist()}, truly {labels.tolist()}")
    print(f"by hand: {counted['right']} of 10, accuracy {counted['accuracy']:.3f}")
    sums = accumulated(logits, labels)
    print(f"by sums over batches {sums['accuracy']:.3f},", end=" ")
    print(f"as a mean of means {sums['mean_of_means']:.3f}")
    running = metric_object(logits, labels)["running"]
    print("a metric object, batch by batch:", [round(value, 3) for value in running.tolist()])
    print("torchmetrics or torcheval:", library_accuracy(logits, labels) or "not installed")
    half = one_logit(torch.tensor([-1.0, 0.2, 0.3, 2.0]), torch.tensor([0, 1, 1, 1]))
    print(f"one logit: from 0 {half['above_zero']:.2f}, from one half {half['above_half']:.2f}")

    data = load("fashion_mnist", "available")
    images = torch.from_numpy(data.train_images[:2000]).float() / 255
    train_set = TensorDataset(images, torch.from_numpy(data.train_labels[:2000]))
    loader = DataLoader(train_set, batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    metric = Accuracy()
    history = {"each batch": [], "running": [], "evaluated": []}
    for epoch in range(1, 4):
        model.train()
        metric.reset()
        for batch, truth in loader:
            logits = model(batch)
            optimizer.zero_grad()
            F.cross_entropy(logits, truth).backward()
            optimizer.step()
            metric.update(logits, truth)
            history["each batch"].append((logits.argmax(dim=1) == truth).float().mean().item())
            history["running"].append(metric.compute())
        reached = _evaluate(model, loader)
        history["evaluated"] += [reached] * len(loader)
        print(f"epoch {epoch}: over the epoch {metric.compute():.3f}, at its end {reached:.3f}")

    def draw(figure):
        axes = figure.subplots()
        axes.plot(history["each batch"], ".", color="silver", label="each batch")
        axes.plot(history["running"], label="running mean of the epoch")
        axes.plot(history["evaluated"], "--", label="evaluated after the epoch")
        axes.set(xlabel="step", ylabel="accuracy on the training set")
        axes.legend()

    plots.draw("running", draw)


if __name__ == "__main__":
    main()
