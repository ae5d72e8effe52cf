"""Stacks of layers as `nn.Module`: made, printed, named, copied, saved, frozen.

Twin: keras_impl/modules.py
Look at: `three_ways`, where an activation is a layer of its own and every layer is told its
input size (`lazy` is the exception); `own_model` and `other_names`, where a weight is known by its
name; and `freezing`, which is a flag on each tensor.
"""

import importlib.util
import shutil
import tempfile
from pathlib import Path

import torch
from torch import fx, nn
from torch.fx.passes.graph_drawer import FxGraphDrawer
from torch.fx.passes.shape_prop import ShapeProp
from torch.nn import functional as F  # noqa: N812

from shared.plots import Plots


def _load(model, weights):
    """Give a model these weights, in the order of its own."""
    names = model.state_dict()
    model.load_state_dict(dict(zip(names, weights.values(), strict=True)))
    return model


def build_stack():
    """3 → 2 → 3 → 4 with ReLU between, from a list."""
    return nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4))


class Three(nn.Module):
    """The same as a class: layers are made in `__init__` and used in `forward`."""

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


class Nested(nn.Module):
    """A module in a module: two layers in a stack, and one behind it."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 3))
        self.head = nn.Linear(3, 4)

    def forward(self, x):
        """``(batch, 3)`` to ``(batch, 4)``."""
        return self.head(self.body(x))


def three_ways(x, **weights):
    """From a list, one by one, and by hand; without the last layer, two are left."""
    from_list = _load(build_stack(), weights)

    one_by_one = nn.Sequential()
    one_by_one.append(nn.Linear(3, 2))
    one_by_one.append(nn.ReLU())
    one_by_one.append(nn.Linear(2, 3))
    one_by_one.append(nn.ReLU())
    one_by_one.append(nn.Linear(3, 4))
    y = _load(one_by_one, weights)(x)
    dense_layers = sum(isinstance(layer, nn.Linear) for layer in one_by_one)
    one_by_one.pop(-1)

    first, _, second, _, third = from_list
    return {
        "from_list": from_list(x),
        "one_by_one": y,
        "by_hand": third(F.relu(second(F.relu(first(x))))),
        "after_pop": one_by_one(x),
        "dense_layers": dense_layers,
        "dense_layers_after_pop": sum(isinstance(layer, nn.Linear) for layer in one_by_one),
    }


def own_model(x, upstream, **weights):
    """A class of one's own: assigning a layer registers it, under the attribute's name."""
    model = _load(Three(), weights)
    y = model(x.requires_grad_())
    y.backward(upstream)
    named = dict(model.named_parameters())
    gradients = (weight.grad for weight in named.values())
    return {
        "y": y,
        "dx": x.grad,
        **{f"d{name}": gradient for name, gradient in zip(weights, gradients, strict=True)},
        "children": tuple(name for name, _ in model.named_children()),
        "names": tuple(named),
        "shapes": tuple(tuple(weight.shape) for weight in named.values()),
        "parameters": sum(weight.numel() for weight in named.values()),
    }


def inside():
    """`children` are the modules one level down, `modules` all of them, the model first."""
    model = Nested()
    return {
        "children": tuple(name for name, _ in model.named_children()),
        "modules": tuple(type(module).__name__ for module in model.modules()),
    }


def class_and_graph(x, **weights):
    """A class is code; `torch.fx` runs it once and writes down which operations that are.

    What comes out of a layer inside is caught by a hook.
    """
    model = _load(Three(), weights)
    traced = fx.symbolic_trace(model)
    caught = {}
    hook = model.second.register_forward_hook(
        lambda layer, inputs, output: caught.update(second=output)
    )
    y = model(x)
    hook.remove()
    return {
        "y": y,
        "graph_y": traced(x),
        "hidden": F.relu(caught["second"]),
        "graph": tuple(node.name for node in traced.graph.nodes),
    }


def call_and_forward(x, **weights):
    """`model(x)` is `forward` and the hooks around it; `model.forward(x)` leaves the hooks out."""
    model = _load(Three(), weights)
    heard = []
    model.register_forward_hook(lambda *_: heard.append("hook"))
    forward, silent = model.forward(x), not heard
    y = model(x)
    left_out = "hooks" if silent and heard else "nothing"
    return {"y": y, "forward_y": forward, "left_out": left_out}


def one_weight(x, **weights):
    """A parameter holds its numbers (`data`), its gradient (`grad`) and whether it wants one."""
    model = _load(Three(), weights)
    weight = model.third.weight
    before = str(weight.grad)
    model(x).sum().backward()
    gradient = weight.grad.clone()
    weight.data.mul_(0.5)  # today rather: with torch.no_grad(): weight.mul_(0.5)
    return {
        "wants_gradient": weight.requires_grad,
        "gradient_before": before,
        "gradient": gradient,
        "halved": weight,
        "y_after": model(x),
    }


def weights_out_and_in(x, **weights):
    """`state_dict` is a dictionary by name; loading checks names and shapes."""
    model, copy = _load(Three(), weights), Three()
    equal_before = torch.equal(model(x), copy(x))
    state = model.state_dict()
    copy.load_state_dict(state)
    try:
        copy.load_state_dict(state | {"first.weight": state["third.weight"]})
    except RuntimeError as error:
        wrong_shape = type(error).__name__
    return {
        "y": copy(x),
        "arrays": len(state),
        "equal_before": equal_before,
        "equal_after": torch.equal(model(x), copy(x)),
        "wrong_shape": wrong_shape,
    }


def other_names(x, **weights):
    """A state under other names is refused, or, with `strict=False`, silently left out: rename it.

    Of the six arrays of a stack, `0.weight` to `4.bias`, a `Three` knows none by name.
    """
    stack, model = _load(build_stack(), weights), Three()
    state = stack.state_dict()
    try:
        model.load_state_dict(state)
        outcome = "taken"
    except RuntimeError as error:
        outcome = type(error).__name__
    unknown = model.load_state_dict(state, strict=False).unexpected_keys
    places = {"0": "first", "2": "second", "4": "third"}
    renamed = {places[name[0]] + name[1:]: array for name, array in state.items()}
    model.load_state_dict(renamed)
    return {"loading": outcome, "unknown": len(unknown), "y": model(x)}


def saving_and_loading(x, **weights):
    """Weights alone need the code to load into; a whole module is a pickle: trust its source."""
    model = _load(build_stack(), weights)
    with tempfile.TemporaryDirectory() as folder:
        torch.save(model.state_dict(), Path(folder) / "weights.pt")
        torch.save(model, Path(folder) / "whole.pt")
        fresh = build_stack()
        fresh.load_state_dict(torch.load(Path(folder) / "weights.pt", weights_only=True))
        whole = torch.load(Path(folder) / "whole.pt", weights_only=False)
    return {"from_weights": fresh(x), "from_whole": whole(x)}


def freezing(x, **weights):
    """`requires_grad_(False)` on a part: no gradient comes, and the step leaves it alone."""
    model = _load(Three(), weights)
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


def lazy(x, **weights):
    """`LazyLinear` finds its input size out at the first call; there is no weight before."""
    layer_sizes = (2, 3, 4)
    model = nn.Sequential(*(nn.LazyLinear(units) for units in layer_sizes))
    before = sum(not nn.parameter.is_lazy(weight) for weight in model.parameters())
    model(x)
    return {
        "weights_before": before,
        "weights_after": sum(not nn.parameter.is_lazy(weight) for weight in model.parameters()),
        "first_shape": tuple(model[0].weight.shape),
        "y": _load(model, weights)(x),
    }


def draw_graph(model, x, path):
    """The model as boxes and arrows, with the shapes between; pydot and Graphviz draw it."""
    traced = fx.symbolic_trace(model)
    ShapeProp(traced).propagate(x)
    FxGraphDrawer(traced, type(model).__name__).get_dot_graph().write_png(str(path))


def main():
    """Make a model, look into it, move its weights about, freeze a part."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    x = torch.rand(5, 3)
    model = Three()
    print(model)
    weights = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    for name, weight in weights.items():
        print(f"  {name:14} {tuple(weight.shape)}")

    ways = three_ways(x, **weights)
    equal = torch.equal(ways["from_list"], ways["by_hand"])
    print(f"from a list and by hand: equal {equal}, y {tuple(ways['from_list'].shape)}")
    print(f"dense layers {ways['dense_layers']}, after pop {ways['dense_layers_after_pop']}")

    found = own_model(x.clone(), torch.ones(5, 4), **weights)
    print(f"children {found['children']}, {found['parameters']} parameters")
    for name, value in inside().items():
        print(f"nested: {name} {value}")

    print("the graph of its operations:", class_and_graph(x, **weights)["graph"])
    print("model.forward(x) leaves out:", call_and_forward(x, **weights)["left_out"])

    weight = one_weight(x, **weights)
    print(f"a gradient before backward: {weight['gradient_before']}; after:")
    print(weight["gradient"])

    copied = weights_out_and_in(x, **weights)
    print(f"a copy gives the same: before loading {copied['equal_before']}, after", end=" ")
    print(f"{copied['equal_after']}; another shape: {copied['wrong_shape']}")
    named = other_names(x, **weights)
    print(f"under other names: {named['loading']}, {named['unknown']} unknown; renamed:", end=" ")
    print("equal", torch.equal(named["y"], model(x)))
    saved = saving_and_loading(x, **weights)
    print("saved and loaded: equal", torch.equal(saved["from_weights"], saved["from_whole"]))

    frozen = freezing(x, **weights)
    print(f"frozen: {frozen['trainable']} of {frozen['of']} train;", end=" ")
    print(f"the frozen weight's gradient: {frozen['frozen_gradient']}")
    sizes = lazy(x, **weights)
    print(
        f"lazy: {sizes['weights_before']} weights, after a call {sizes['weights_after']},", end=" "
    )
    print(f"the first {sizes['first_shape']}")

    if importlib.util.find_spec("pydot") and shutil.which("dot"):
        plots.write("graph", lambda path: draw_graph(model, x, path))
    else:
        print("for a picture of the graph: pip install pydot, apt-get install graphviz")


if __name__ == "__main__":
    main()
