"""Stacks of layers as `keras.Model`: made, printed, named, copied, saved, frozen.

Twin: pytorch_impl/modules.py
Look at: `three_ways`, where an activation is an argument and the input size is found out when
the model is built (`lazy` is the rule); `own_model` and `other_names`, where a weight is known by
its place; and `freezing`, which is a flag on a layer.
"""

import importlib.util
import shutil
import tempfile
from pathlib import Path

import keras
import tensorflow as tf
from keras import ops
from keras.layers import Dense

from shared.plots import Plots


def _load(model, weights):
    """Give a model these weights, in the order of its own; they exist once it was called."""
    model(ops.zeros((1, 3)))
    model.set_weights(list(weights.values()))
    return model


def build_stack():
    """3 → 2 → 3 → 4 with ReLU between, from a list."""
    return keras.Sequential([Dense(2, activation="relu"), Dense(3, activation="relu"), Dense(4)])


class Three(keras.Model):
    """The same as a class: layers are made in `__init__` and used in `call`.

    Without `name`, layers are numbered: `dense`, `dense_1`, …
    """

    def __init__(self):
        super().__init__(name="three")
        self.first = Dense(2, activation="relu", name="first")
        self.second = Dense(3, activation="relu", name="second")
        self.third = Dense(4, name="third")

    def call(self, x):
        """``(batch, 3)`` to ``(batch, 4)``."""
        hidden = self.first(x)
        hidden = self.second(hidden)
        return self.third(hidden)


class Nested(keras.Model):
    """A model in a model: two layers in a stack, and one behind it."""

    def __init__(self):
        super().__init__(name="nested")
        self.body = keras.Sequential([Dense(2), Dense(3)], name="body")
        self.head = Dense(4, name="head")

    def call(self, x):
        """``(batch, 3)`` to ``(batch, 4)``."""
        return self.head(self.body(x))


def three_ways(x, **weights):
    """From a list, one by one, and by hand; without the last layer, two are left."""
    from_list = _load(build_stack(), weights)

    one_by_one = keras.Sequential()
    one_by_one.add(Dense(2, activation="relu"))
    one_by_one.add(Dense(3, activation="relu"))
    one_by_one.add(Dense(4))
    y = _load(one_by_one, weights)(x)
    dense_layers = len(one_by_one.layers)
    one_by_one.pop()

    first, second, third = from_list.layers
    return {
        "from_list": from_list(x),
        "one_by_one": y,
        "by_hand": third(second(first(x))),
        "after_pop": one_by_one(x),
        "dense_layers": dense_layers,
        "dense_layers_after_pop": len(one_by_one.layers),
    }


def own_model(x, upstream, **weights):
    """A class of one's own: assigning a layer registers it, under the layer's name."""
    model = _load(Three(), weights)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = model(x)
    dx, *gradients = tape.gradient(y, [x, *model.trainable_weights], output_gradients=upstream)
    return {
        "y": y,
        "dx": dx,
        **{f"d{name}": gradient for name, gradient in zip(weights, gradients, strict=True)},
        "children": tuple(layer.name for layer in model.layers),
        "names": tuple(weight.path for weight in model.weights),
        "shapes": tuple(tuple(weight.shape) for weight in model.weights),
        "parameters": model.count_params(),
    }


def inside():
    """`layers` are those one level down; to see all of them, look into each."""

    def every(layer):
        below = (one for own in getattr(layer, "layers", ()) for one in every(own))
        return [layer, *below]

    model = Nested()
    model(ops.zeros((1, 3)))
    return {
        "children": tuple(layer.name for layer in model.layers),
        "modules": tuple(type(layer).__name__ for layer in every(model)),
    }


def class_and_graph(x, **weights):
    """A class is code; a functional model is its graph from the start: outputs made of inputs.

    What comes out of a layer inside is the output of another model, on the same layers.
    """
    model = _load(Three(), weights)
    inputs = keras.Input((3,))
    hidden = Dense(2, activation="relu")(inputs)
    hidden = Dense(3, activation="relu")(hidden)
    functional = _load(keras.Model(inputs, Dense(4)(hidden)), weights)
    inner = keras.Model(inputs, hidden)
    return {
        "y": model(x),
        "graph_y": functional(x),
        "hidden": inner(x),
        "graph": tuple(type(layer).__name__ for layer in functional.layers),
    }


def call_and_forward(x, **weights):
    """`model(x)` is `call` and what goes before: building, above all; `model.call(x)` has none."""
    model = Three()
    model.call(x)
    left_out = "building" if not model.built else "nothing"
    _load(model, weights)
    return {"y": model(x), "forward_y": model.call(x), "left_out": left_out}


def one_weight(x, **weights):
    """A variable holds its numbers (`value`) and whether it trains; gradients are the tape's."""
    model = _load(Three(), weights)
    weight = model.third.kernel
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model(x))
    before = str(getattr(weight, "grad", "no such attribute"))
    gradient = tape.gradient(total, weight.value)
    weight.assign(weight * 0.5)
    return {
        "wants_gradient": weight.trainable,
        "gradient_before": before,
        "gradient": gradient,
        "halved": weight.value,
        "y_after": model(x),
    }


def weights_out_and_in(x, **weights):
    """`get_weights` is a list in order; setting checks number and shapes."""
    model, copy = _load(Three(), weights), Three()
    equal_before = bool(ops.all(model(x) == copy(x)))
    arrays = model.get_weights()
    copy.set_weights(arrays)
    try:
        copy.set_weights([arrays[4], *arrays[1:]])
    except ValueError as error:
        wrong_shape = type(error).__name__
    return {
        "y": copy(x),
        "arrays": len(arrays),
        "equal_before": equal_before,
        "equal_after": bool(ops.all(model(x) == copy(x))),
        "wrong_shape": wrong_shape,
    }


def other_names(x, **weights):
    """Under other names or none, in the right order: `set_weights` asks for no name.

    So it also takes two weights of one shape in the wrong order.
    """
    stack, model = _load(build_stack(), weights), Three()
    model(x)
    known = {weight.path for weight in model.weights}
    unknown = [weight.path for weight in stack.weights if weight.path not in known]
    try:
        model.set_weights(stack.get_weights())
        outcome = "taken"
    except ValueError as error:
        outcome = type(error).__name__
    return {"loading": outcome, "unknown": len(unknown), "y": model(x)}


def saving_and_loading(x, **weights):
    """The weights alone need the code to load into; a `.keras` file has the structure as well."""
    model = _load(build_stack(), weights)
    with tempfile.TemporaryDirectory() as folder:
        model.save_weights(Path(folder) / "model.weights.h5")
        model.save(Path(folder) / "whole.keras")
        fresh = build_stack()
        fresh.build((None, 3))
        fresh.load_weights(Path(folder) / "model.weights.h5")
        whole = keras.models.load_model(Path(folder) / "whole.keras")
    return {"from_weights": fresh(x), "from_whole": whole(x)}


def freezing(x, **weights):
    """`trainable = False` takes a layer out of `trainable_weights`; the tape still sees it."""
    model = _load(Three(), weights)
    model.first.trainable = False
    trainable = model.trainable_weights
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_mean(model(x) ** 2)
    frozen = tape.gradient(loss, model.first.kernel.value)
    gradients = tape.gradient(loss, trainable)
    keras.optimizers.SGD(learning_rate=0.5).apply(gradients, trainable)
    return {
        "loss": loss,
        "first_kernel": model.first.kernel.value,
        "second_kernel": model.second.kernel.value,
        "third_kernel": model.third.kernel.value,
        "trainable": sum(int(tf.size(weight)) for weight in trainable),
        "of": model.count_params(),
        "frozen_gradient": "none" if frozen is None else "on request",
    }


def lazy(x, **weights):
    """Every layer finds its input size out at the first call; with `keras.Input` it is known."""
    layer_sizes = (2, 3, 4)
    model = keras.Sequential([Dense(units) for units in layer_sizes])
    before = len(model.weights)
    model(x)
    return {
        "weights_before": before,
        "weights_after": len(model.weights),
        "first_shape": tuple(model.layers[0].kernel.shape),
        "y": _load(model, weights)(x),
    }


def draw_graph(model, x, path):
    """The model as boxes and arrows, with the shapes between; pydot and Graphviz draw it."""
    inputs = keras.Input(x.shape[1:])
    functional = keras.Model(inputs, model.call(inputs))
    keras.utils.plot_model(functional, path, show_shapes=True, show_layer_names=True)


def main():
    """Make a model, look into it, move its weights about, freeze a part."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    x = keras.random.uniform((5, 3))
    model = Three()
    model(x)
    model.summary()
    weights = {weight.path: weight.numpy() for weight in model.weights}
    for name, weight in weights.items():
        print(f"  {name:19} {weight.shape}")

    ways = three_ways(x, **weights)
    equal = bool(ops.all(ways["from_list"] == ways["by_hand"]))
    print(f"from a list and by hand: equal {equal}, y {tuple(ways['from_list'].shape)}")
    print(f"dense layers {ways['dense_layers']}, after pop {ways['dense_layers_after_pop']}")

    found = own_model(x, ops.ones((5, 4)), **weights)
    print(f"children {found['children']}, {found['parameters']} parameters")
    for name, value in inside().items():
        print(f"nested: {name} {value}")

    print("the layers of a functional model:", class_and_graph(x, **weights)["graph"])
    print("model.call(x) leaves out:", call_and_forward(x, **weights)["left_out"])

    weight = one_weight(x, **weights)
    print(f"a variable's own gradient: {weight['gradient_before']}; the tape's:")
    print(weight["gradient"].numpy())

    copied = weights_out_and_in(x, **weights)
    print(f"a copy gives the same: before loading {copied['equal_before']}, after", end=" ")
    print(f"{copied['equal_after']}; another shape: {copied['wrong_shape']}")
    named = other_names(x, **weights)
    print(f"under other names: {named['loading']}, {named['unknown']} unknown:", end=" ")
    print("equal", bool(ops.all(named["y"] == model(x))))
    saved = saving_and_loading(x, **weights)
    print("saved and loaded: equal", bool(ops.all(saved["from_weights"] == saved["from_whole"])))

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
