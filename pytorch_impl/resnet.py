"""ResNet-18 as torchvision has it, with a new head and running statistics as Keras keeps them.

Twin: keras_impl/resnet.py
Look at: `build_model`, which is one call here and written out there; `norm_layer`, because
`nn.BatchNorm2d` keeps another running variance; and `take_weights`, which turns no array.
"""

import torch
from safetensors.numpy import load_file
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torchvision.models import resnet18

from parity.torch_side.layers import KerasBatchNorm2d
from parity.torch_side.optimizers import KerasSGD


def build_model():
    """ResNet-18 and a head of ten classes: ``(batch, 3, h, w)`` to logits ``(batch, 10)``."""
    model = resnet18(norm_layer=KerasBatchNorm2d)
    model.fc = nn.Linear(512, 10)
    return model


def pretrained(path):
    """The model with pretrained weights from a file, all but the head, which stays new.

    `python -m parity.torch_side.imagenet FILE` fetches those of ImageNet.
    """
    model = build_model()
    state = {name: a for name, a in load_file(path).items() if not name.startswith("fc.")}
    take_weights(model, state)
    return model


def weights_of(model):
    """All weights as arrays by PyTorch's names; copies, or they would move with the model."""
    return {name: w.numpy(force=True).copy() for name, w in model.state_dict().items()}


def take_weights(model, state):
    """Weights by PyTorch's names into the model; what is not given stays as it is."""
    own = model.state_dict()
    if unknown := sorted(state.keys() - own.keys()):
        raise KeyError(f"ResNet-18 has no weights named {', '.join(unknown)}")
    model.load_state_dict(own | {name: torch.from_numpy(a) for name, a in state.items()})


def keras_sgd(model):
    """SGD as Keras computes it; `torch.optim.SGD` takes the same steps while lr stays the same."""
    return KerasSGD(model.parameters(), lr=0.01, momentum=0.9)


def loss_and_gradients(model, images, labels):
    """Mean cross-entropy of the batch, and its gradient for every parameter."""
    model.train()
    model.zero_grad()
    logits = model(images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    return loss, gradients


def train(model, batches, optimizer):
    """One optimizer step a batch; yields the loss before each step."""
    for images, labels in batches:
        loss, _ = loss_and_gradients(model, images, labels)
        optimizer.step()
        yield loss


def evaluate(model, images, labels):
    """Probabilities ``(batch, 10)`` and mean cross-entropy, without tracking gradients."""
    model.eval()
    with torch.no_grad():
        logits = model(images)
        probabilities = F.softmax(logits, dim=1)
        loss = F.cross_entropy(logits, labels)
    return probabilities, loss
