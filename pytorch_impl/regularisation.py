"""Over-fitting, and what is done against it: decay, dropout, batch normalisation, stopping early.

Twin: keras_impl/regularisation.py
Look at: `masked` (dropout is a product with a random mask; the rest is luck), `build_norm_model`
(momentum 0.9 here is 0.1 there, and the running variance another), `make_adam_l2` (`weight_decay`
is L2 in Adam here, decoupled there), and `train_until_it_stops` (a callback there).
"""

import copy

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, SubsetRandomSampler, TensorDataset

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 50
EPOCHS = 30

DECAY = 2**-13  # about 0.0001
PATIENCE = 1

loss_fn = nn.CrossEntropyLoss()


def masked(x, kept):
    """What `nn.Dropout` does once its mask is drawn: x · kept, which is 0 or 1 / (1 - rate)."""
    return x * kept


def dropout(x, mask):
    """The framework's dropout, whose mask is its own, and a product with a mask that is given."""
    builtin = nn.Dropout(0.5)
    many = torch.ones(1000, dtype=x.dtype)
    return {
        "masked": masked(x, mask),
        "possible": torch.unique(builtin(many)),
        "evaluated": builtin.eval()(x),
    }


def batch_norm(x):
    """Running statistics after one batch: the variance divides by n - 1 here, by n there."""
    norm = nn.BatchNorm1d(1, eps=1e-5, momentum=0.9)
    return {"y": norm(x), "moving_mean": norm.running_mean, "moving_variance": norm.running_var}


def l2(w):
    """The penalty that adds w / 2 to the gradient, as ``weight_decay=0.5`` does: Σ w² / 4."""
    w.requires_grad_()
    penalty = 0.5 / 2 * w.square().sum()
    (gradient,) = torch.autograd.grad(penalty, w)
    return {"penalty": penalty, "gradient": gradient}


def build_model():
    """Flatten, dense 128, ReLU, dense 10: images ``(batch, 28, 28)`` to logits ``(batch, 10)``."""
    return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 128), nn.ReLU(), nn.Linear(128, 10))


def build_dropout_model():
    """With dropout before the last layer."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(28 * 28, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)
    )


def build_norm_model():
    """With batch normalisation, which takes the mean away, and any bias with it."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(28 * 28, 128, bias=False),
        nn.BatchNorm1d(128, eps=1e-5, momentum=0.9),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


def make_optimizer(model):
    """Adam without any decay."""
    return torch.optim.Adam(model.parameters(), lr=3e-4)


def make_adam_l2(model):
    """Coupled: DECAY · w joins the gradient, so Adam divides it by the gradient's size."""
    return torch.optim.Adam(model.parameters(), lr=3e-4, weight_decay=DECAY)


def make_adamw(model):
    """Decoupled: w shrinks by lr · DECAY · w beside the step, whatever the gradient."""
    return torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=DECAY)


def make_faster_adam(model):
    """Over-fits sooner, so that stopping early has something to stop."""
    return torch.optim.Adam(model.parameters(), lr=1e-3)


def train_step(model, optimizer, images, labels):
    """One step of the optimizer on one batch; the mean loss before it."""
    loss = loss_fn(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def l2_train_step(model, optimizer, images, labels):
    """L2 as books write it: a penalty in the loss, whose gradient is DECAY · w."""
    loss = loss_fn(model(images), labels)
    penalty = DECAY / 2 * sum(parameter.square().sum() for parameter in model.parameters())
    optimizer.zero_grad()
    (loss + penalty).backward()
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


def train_until_it_stops(model, optimizer, loader, validation_loader, epochs):
    """Until PATIENCE epochs in a row are no better than the best; then back to its weights."""
    best, waited, kept = -1.0, 0, None  # any accuracy is better, 0 too
    for _ in range(epochs):
        train_one_epoch(model, optimizer, loader)
        _, accuracy = evaluate(model, validation_loader)
        if accuracy > best:
            best, waited, kept = accuracy, 0, copy.deepcopy(model.state_dict())
        else:
            waited += 1
        if waited == PATIENCE:
            break
    model.load_state_dict(kept)


def split(images, labels, held_out):
    """Two loaders on one dataset: `SubsetRandomSampler` gives each its own samples, shuffled."""
    dataset = TensorDataset(images, labels)
    order = torch.randperm(len(dataset)).tolist()
    return [
        DataLoader(dataset, batch_size=BATCH_SIZE, sampler=SubsetRandomSampler(chosen))
        for chosen in (order[held_out:], order[:held_out])
    ]


def train_for(model, optimizer, loaders, epochs):
    """Loss of what is trained on and of what is held out, after every epoch."""
    history = {"training": [], "validation": []}
    for _ in range(epochs):
        train_one_epoch(model, optimizer, loaders[0])
        for name, loader in zip(history, loaders, strict=True):
            history[name].append(evaluate(model, loader)[0])
    return history


def main():
    """500 images learnt by heart, and what each remedy does about it."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    data = load("fashion_mnist", "available", train=1000)
    print(data.describe())
    images = torch.from_numpy(data.train_images).float() / 255
    labels = torch.from_numpy(data.train_labels)
    loaders = split(images, labels, len(images) // 2)
    for name, build, make in (
        ("nothing", build_model, make_optimizer),
        ("L2", build_model, make_adam_l2),
        ("decoupled decay", build_model, make_adamw),
        ("dropout", build_dropout_model, make_optimizer),
        ("batch normalisation", build_norm_model, make_optimizer),
    ):
        model = build()
        history = train_for(model, make(model), loaders, EPOCHS)
        training, validation = (values[-1] for values in history.values())
        print(f"{name}: loss {training:.4f} in training, {validation:.4f} held out")
        plots.curves(name, history, y="loss")
    model = build_model()
    train_until_it_stops(model, make_faster_adam(model), *loaders, EPOCHS)
    loss, accuracy = evaluate(model, loaders[1])
    print(f"stopped in time: loss {loss:.4f}, accuracy {accuracy:.4f} held out")


if __name__ == "__main__":
    main()
