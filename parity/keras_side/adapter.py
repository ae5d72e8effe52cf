"""What the tool needs of Keras: `parity.training.recorder.Framework`, function by function."""

import functools
import os

import keras
import numpy as np
import tensorflow as tf

from parity.keras_side import named_weights
from parity.keras_side.fast_path import LONGEST, Steps
from parity.keras_side.program import Program


class Keras:
    """Keras 3 on TensorFlow on the CPU, deterministic."""

    side = "keras"

    def __init__(self, threads):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.config.experimental.enable_op_determinism()
        self._threads = threads
        self._layers = ()

    def versions(self):
        """Framework versions for the header."""
        return {"keras": keras.__version__, "tensorflow": tf.__version__}

    def environment(self):
        """Device, threads and precision switches for the header."""
        return {
            "backend": keras.backend.backend(),
            "device": "cpu",
            "threads": str(self._threads),
            "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
            "tf32": str(tf.config.experimental.tensor_float_32_execution_enabled()),
        }

    def use_precision(self, precision, seed):
        """Make `precision` the dtype of new tensors and layers."""
        keras.backend.clear_session()
        keras.config.set_floatx(precision)
        # Both: layers made after a policy has once been read go on in the old precision otherwise.
        keras.config.set_dtype_policy(precision)
        keras.utils.set_random_seed(seed)

    def use_names(self, training):
        """Know what its layers are called; the canonical layout is Keras' own."""
        self._layers = training.layers

    def program(self, lesson, way, training):
        """A way of training a lesson."""
        return Program(lesson, way, training)

    def tensor(self, array):
        """An array as a tensor."""
        return tf.constant(array)

    def array(self, tensor):
        """A tensor as an array."""
        return np.asarray(tensor)

    def inputs(self, array):
        """A batch as Keras' models take it: as it is."""
        return self.tensor(array)

    def fed(self, tensor):
        """A batch in canonical layout: as it is."""
        return self.array(tensor)

    def load_weights(self, model, weights):
        """Set every weight."""
        named_weights.load(model, weights, self._layers)

    def weights(self, model):
        """Copies of every weight by neutral name."""
        return {name: np.array(v) for name, v in named_weights.named(model, self._layers).items()}

    def activations(self, model, images):
        """Output of every layer, in the order of execution, heard while the model runs.

        A layer with an activation of its own gives two: before it, and after.
        """
        outputs = {}

        def overheard(name, function):
            @functools.wraps(function)
            def heard(*args, **kwargs):
                given = function(*args, **kwargs)
                outputs[name] = self.array(given)
                return given

            return heard

        def before(name, activation):
            def heard(x):
                outputs[name] = self.array(x)
                return activation(x)

            return heard

        every = named_weights.named_layers(model, self._layers)
        own = [(n.layer, n.layer.activation) for n in every if n.activation]
        calls = [(n.layer, vars(n.layer).get("call")) for n in every]
        for name, layer, activation in every:
            vars(layer)["call"] = overheard(activation or name, layer.call)
            if activation:
                layer.activation = before(name, layer.activation)
        model(images, training=True)
        for layer, call in calls:
            del vars(layer)["call"]
            if call is not None:  # of dropout, whose masks are given
                vars(layer)["call"] = call
        for layer, activation in own:
            layer.activation = activation
        return outputs

    def gradients(self, model, gradients):
        """Gradients by neutral name; one that was not computed is left out."""
        names = named_weights.named_trainable(model, self._layers)
        return {
            name: self.array(gradient)
            for name, gradient in zip(names, gradients, strict=True)
            if gradient is not None
        }

    def slots(self, model, optimizer):
        """Optimizer state by neutral name and slot."""
        plain = isinstance(optimizer, keras.optimizers.SGD)
        short = {"momentum": "velocity"} if plain else {"momentum": "m", "velocity": "v"}
        own = {v.name: v for v in getattr(optimizer, "variables", ())}
        return {
            f"{name}/{slot}": np.array(own[f"{v.path.replace('/', '_')}_{long}"])
            for name, v in named_weights.named_trainable(model, self._layers).items()
            for long, slot in short.items()
            if f"{v.path.replace('/', '_')}_{long}" in own
        }

    def train(self, program, model, optimizer, batches, on_step):
        """Train with the lesson's own step, or by `fit`."""
        if program.fits:
            self._fit(program, model, batches, on_step)
            return

        def tensors():
            for images, labels, *masks in batches:
                batches.fed(images, labels, *masks)
                yield self.inputs(images), self.tensor(labels), *map(self.tensor, masks)

        program.train(model, optimizer, tensors(), on_step)

    def train_fast(self, program, model, optimizer, batches, on_step, *, fast, pauses):
        """Take many steps in one graph; see `fast_path`."""
        images, labels = self.inputs(batches.everything), self.tensor(batches.labels)
        parts = fast.parts if self._threads >= fast.parts else 1
        how = {"jit": fast.jit, "fused": fast.fused, "parts": parts}
        steps = Steps(program.loss_and_gradients, model, optimizer, images, labels, **how)
        for start, stop in batches.stretches(pauses, LONGEST):
            order = tf.constant(np.stack(batches.order[start:stop]))
            masks = [self.tensor(mask) for mask in batches.masks(start, stop)]
            losses = self.array(steps(order, masks))
            for at, loss in enumerate(losses):
                given = tf.gather(images, order[at]), tf.gather(labels, order[at])
                batches.fed(*map(self.array, (*given, *(mask[at] for mask in masks))))
                on_step(start + at + 1, float(loss))

    def _fit(self, program, model, batches, on_step):
        feed = iter(batches)
        specs = [tf.TensorSpec((None, *a.shape[1:]), a.dtype) for a in next(iter(batches))]

        def fetched():
            batch = next(feed)
            batches.fed(*batch)
            return batch

        def batch(_):  # in two thirds of the time that `from_generator` takes
            arrays = tf.numpy_function(fetched, [], [spec.dtype for spec in specs])
            return tuple(map(tf.ensure_shape, arrays, [spec.shape for spec in specs]))

        dataset = tf.data.Dataset.range(len(batches)).map(batch)
        epochs = batches.epochs, batches.steps_per_epoch
        program.fit(model, dataset, batches.validation, epochs, on_step)
