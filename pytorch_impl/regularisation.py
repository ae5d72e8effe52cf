"""Over-fitting, and what is done against it: decay, dropout, batch normalisation, stopping early.

Twin: keras_impl/regularisation.py
Look at: `MaskedDropout` (dropout is a product with a random mask; the rest is luck),
`build_biased_model` (momentum 0.9 here is 0.1 there, and the running variance another), `adam_l2`
(`weight_decay` is L2 in Adam here, decoupled there), and `train_and_stop` (a callback there).
"""

import copy
import itertools

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from parity.torch_side.layers import KerasBatchNorm1d

DECAY = 1e-4
PATIENCE = 1


class MaskedDropout(nn.Module):
    """`nn.Dropout` with the luck from outside: x · kept, which is 0 or 1 / (1 - rate)."""

    def forward(self, x, kept=None):
        """``(batch, n)`` and a mask of that shape; without one, as in evaluation, x itself."""
        return x if kept is None else x * kept


def dropout(x, mask):
    """The framework's dropout, whose mask is its own, and ours, whose mask is given."""
    ours, builtin = MaskedDropout(), nn.Dropout(0.5)
    many = torch.ones(1000, dtype=x.dtype)
    return {
        "masked": ours(x, mask),
        "possible": torch.unique(builtin(many)),
        "evaluated": builtin.eval()(x),
    }


def batch_norm(x):
    """Running statistics after one batch: the framework's, and what the bridge makes of them."""
    norm, bridge = (kind(1, eps=1e-5, momentum=0.9) for kind in (nn.BatchNorm1d, KerasBatchNorm1d))
    y, same = norm(x), bridge(x)
    return {
        "y": y,
        "y_of_bridge": same,
        "moving_mean": norm.running_mean,
        "moving_variance": norm.running_var,
        "moving_variance_of_bridge": bridge.running_var,
    }


def l2(w):
    """The penalty that adds w / 2 to the gradient, as ``weight_decay=0.5`` does: Σ w² / 4."""
    w.requires_grad_()
    penalty = 0.5 / 2 * w.square().sum()
    (gradient,) = torch.autograd.grad(penalty, w)
    return {"penalty": penalty, "gradient": gradient}


def _stack(*between):
    """Dense 128, what is given, dense 10: images ``(batch, 28, 28)`` to logits ``(batch, 10)``."""
    model = nn.Sequential()
    model.add_module("flatten", nn.Flatten())
    # Batch normalisation takes the mean away, and any bias with it.
    model.add_module("hidden", nn.Linear(28 * 28, 128, bias=not between))
    for norm in between:
        model.add_module("norm", norm)
    model.add_module("relu", nn.ReLU())
    model.add_module("logits", nn.Linear(128, 10))
    return model


def build_model():
    """Flatten, dense 128, ReLU, dense 10."""
    return _stack()


def build_biased_model():
    """With batch normalisation whose running variance is Keras': divided by n."""
    return _stack(KerasBatchNorm1d(128, eps=1e-5, momentum=0.9))


def build_unbiased_model():
    """With batch normalisation whose running variance is PyTorch's: divided by n - 1."""
    return _stack(nn.BatchNorm1d(128, eps=1e-5, momentum=0.9))


class DropoutNet(nn.Module):
    """The same layers with dropout before the last; the mask comes with the images."""

    def __init__(self):
        super().__init__()
        self.flatten = nn.Flatten()
        self.hidden = nn.Linear(28 * 28, 128)
        self.relu = nn.ReLU()
        self.dropout = MaskedDropout()
        self.logits = nn.Linear(128, 10)

    def forward(self, images, mask=None):
        """Images ``(batch, 28, 28)`` to logits ``(batch, 10)``."""
        hidden = self.relu(self.hidden(self.flatten(images)))
        return self.logits(self.dropout(hidden, mask))


def build_dropout_model():
    """Flatten, dense 128, ReLU, dropout, dense 10."""
    return DropoutNet()


def adam(model):
    """Adam without any decay."""
    return torch.optim.Adam(model.parameters(), lr=3e-4)


def adam_l2(model):
    """Coupled: DECAY · w joins the gradient, so Adam divides it by the gradient's size."""
    return torch.optim.Adam(model.parameters(), lr=3e-4, weight_decay=DECAY)


def adam_decoupled(model):
    """Decoupled: w shrinks by lr · DECAY · w beside the step, whatever the gradient."""
    return torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=DECAY)


def faster_adam(model):
    """Over-fits sooner, so that stopping early has something to stop."""
    return torch.optim.Adam(model.parameters(), lr=1e-3)


def loss_and_gradients(model, images, labels, *masks):
    """Mean cross-entropy of the batch, and its gradient for every parameter."""
    model.train()
    model.zero_grad()
    logits = model(images, *masks)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    return loss, gradients


def train(model, batches, optimizer):
    """One optimizer step a batch; yields the loss before each step."""
    for images, labels, *masks in batches:
        loss, _ = loss_and_gradients(model, images, labels, *masks)
        optimizer.step()
        yield loss


def train_and_stop(model, batches, optimizer, validation, steps_per_epoch):
    """Until PATIENCE epochs in a row are no better than the best; then back to its weights."""
    images, labels = validation
    best, waited, kept = 0.0, 0, None
    while epoch := list(itertools.islice(batches, steps_per_epoch)):
        yield from train(model, epoch, optimizer)
        probabilities, _ = evaluate(model, images, labels)
        accuracy = (probabilities.argmax(dim=1) == labels).double().mean()
        if accuracy > best:
            best, waited, kept = accuracy, 0, copy.deepcopy(model.state_dict())
        else:
            waited += 1
        if waited == PATIENCE:
            break
    model.load_state_dict(kept)


def evaluate(model, images, labels):
    """Probabilities ``(batch, 10)`` and mean cross-entropy: no mask, running statistics."""
    model.eval()
    with torch.no_grad():
        logits = model(images)
        probabilities = F.softmax(logits, dim=1)
        loss = F.cross_entropy(logits, labels)
    return probabilities, loss
