"""Stacks of layers as `nn.Module`: made, named, copied, saved, frozen.

Twin: keras_impl/modules.py
Look at: `three_ways`, where an activation is a layer of its own and every layer is told its
input size; `own_model` for the names; and `freezing`, which is a flag on each tensor.
"""

import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

_WEIGHTS = (
    "first_kernel",
    "first_bias",
    "second_kernel",
    "second_bias",
    "third_kernel",
    "third_bias",
)


def _load(model, *weights):
    """Weights in the order of the model's own names."""
    model.load_state_dict(dict(zip(model.state_dict(), weights, strict=True)))
    return model


def _stack():
    """3 → 2 → 3 → 4 with ReLU between, from a list."""
    return nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4))


def _dense(model):
    return [module for module in model.modules() if isinstance(module, nn.Linear)]


def three_ways(x, first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias):
    """From a list, one by one, and by hand; without the last layer, two are left."""
    weights = (first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias)
    from_list = _load(_stack(), *weights)

    one_by_one = nn.Sequential()
    one_by_one.append(nn.Linear(3, 2))
    one_by_one.append(nn.ReLU())
    one_by_one.append(nn.Linear(2, 3))
    one_by_one.append(nn.ReLU())
    one_by_one.append(nn.Linear(3, 4))
    y = _load(one_by_one, *weights)(x)
    dense_layers = len(_dense(one_by_one))
    one_by_one.pop(-1)

    first, second, third = _dense(from_list)
    return {
        "from_list": from_list(x),
        "one_by_one": y,
        "by_hand": third(F.relu(second(F.relu(first(x))))),
        "after_pop": one_by_one(x),
        "dense_layers": dense_layers,
        "dense_layers_after_pop": len(_dense(one_by_one)),
    }


class Three(nn.Module):
    """Layers are made in `__init__` and used in `forward`."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 2)
        self.second = nn.Linear(2, 3)
        self.third = nn.Linear(3, 4)

    def forward(self, x):
        """``(batch, 3)`` to ``(batch, 4)``."""
        hidden = F.relu(self.first(x))
        hidden = F.relu(self.second(hidden))
        return self.third(hidden)


def own_model(
    x, first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias, upstream
):
    """A class of one's own: assigning a layer registers it, under the attribute's name."""
    weights = (first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias)
    model = _load(Three(), *weights)
    y = model(x.requires_grad_())
    y.backward(upstream)
    named = dict(model.named_parameters())
    gradients = (weight.grad for weight in named.values())
    return {
        "y": y,
        "dx": x.grad,
        **{f"d{name}": g for name, g in zip(_WEIGHTS, gradients, strict=True)},
        "children": tuple(name for name, _ in model.named_children()),
        "names": tuple(named),
        "shapes": tuple(tuple(weight.shape) for weight in named.values()),
        "parameters": sum(weight.numel() for weight in named.values()),
    }


def weights_out_and_in(
    x, first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias
):
    """`state_dict` is a dictionary by name; loading checks names and shapes."""
    weights = (first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias)
    model, copy = _load(Three(), *weights), Three()
    equal_before = torch.equal(model(x), copy(x))
    state = model.state_dict()
    copy.load_state_dict(state)
    try:
        copy.load_state_dict(state | {"first.weight": third_kernel})
    except RuntimeError as error:
        wrong_shape = type(error).__name__
    return {
        "y": copy(x),
        "arrays": len(state),
        "equal_before": equal_before,
        "equal_after": torch.equal(model(x), copy(x)),
        "wrong_shape": wrong_shape,
    }


def saving_and_loading(
    x, first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias
):
    """Weights alone need the code to load into; a whole module is a pickle: trust its source."""
    weights = (first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias)
    model = _load(_stack(), *weights)
    with tempfile.TemporaryDirectory() as folder:
        torch.save(model.state_dict(), Path(folder) / "weights.pt")
        torch.save(model, Path(folder) / "whole.pt")
        fresh = _stack()
        fresh.load_state_dict(torch.load(Path(folder) / "weights.pt", weights_only=True))
        whole = torch.load(Path(folder) / "whole.pt", weights_only=False)
    return {"from_weights": fresh(x), "from_whole": whole(x)}


def freezing(x, first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias):
    """`requires_grad_(False)` on a part: no gradient comes, and the step leaves it alone."""
    weights = (first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias)
    model = _load(Three(), *weights)
    model.first.requires_grad_(False)
    trainable = [weight for weight in model.parameters() if weight.requires_grad]
    loss = (model(x) ** 2).mean()
    loss.backward()
    torch.optim.SGD(trainable, lr=0.5).step()
    frozen = model.first.weight.grad
    return {
        "loss": loss,
        "first_kernel": model.first.weight,
        "second_kernel": model.second.weight,
        "third_kernel": model.third.weight,
        "trainable": sum(weight.numel() for weight in trainable),
        "of": sum(weight.numel() for weight in model.parameters()),
        "frozen_gradient": "none" if frozen is None else "on request",
    }
