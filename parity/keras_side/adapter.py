"""What the tool needs of Keras: `parity.training.recorder.Framework`, function by function."""

import functools
import inspect
import os

import keras
import numpy as np
import tensorflow as tf

from parity.keras_side import named_weights
from parity.keras_side.fast_path import LONGEST, Steps


class Keras:
    """Keras 3 on TensorFlow on the CPU, deterministic."""

    side = "keras"

    def __init__(self, threads):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.config.experimental.enable_op_determinism()
        self._threads = threads

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

    def use_parameters(self, parameters):
        """Nothing to know: the canonical layout is Keras' own."""

    def tensor(self, array):
        """An array as a tensor."""
        return tf.constant(array)

    def array(self, tensor):
        """A tensor as an array."""
        return tensor.numpy()

    def inputs(self, array):
        """A batch as Keras' models take it: as it is."""
        return self.tensor(array)

    def fed(self, tensor):
        """A batch in canonical layout: as it is."""
        return self.array(tensor)

    def load_weights(self, model, weights):
        """Set every weight."""
        named_weights.load(model, weights)

    def weights(self, model):
        """Copies of every weight by neutral name."""
        return {name: np.array(v) for name, v in named_weights.named(model).items()}

    def activations(self, model, images, masks):
        """Output of every layer, in the order of execution."""
        layers = dict(named_weights.leaves(model))
        if isinstance(model, keras.Sequential):  # also of models within the model
            outputs, x = {}, images
            for name, layer in layers.items():
                mode = {"training": True} if _has_mode(layer) else {}
                x = layer(x, **mode)
                outputs[name] = self.array(x)
            return outputs
        if not hasattr(model, "outputs"):  # a subclass with a `call` of its own
            return self._overheard(model, layers, images, masks)
        every = keras.Model(model.inputs, {name: layer.output for name, layer in layers.items()})
        return {name: self.array(value) for name, value in every(images, training=True).items()}

    def _overheard(self, model, layers, images, masks):
        """Outputs of a model with a `call` of its own, heard from its layers while it runs."""
        outputs = {}

        def overheard(name, call):
            @functools.wraps(call)
            def heard(*args, **kwargs):
                given = call(*args, **kwargs)
                outputs[name] = self.array(given)
                return given

            return heard

        for name, layer in layers.items():
            vars(layer)["call"] = overheard(name, layer.call)
        model(images, *masks, training=True)
        for layer in layers.values():
            del vars(layer)["call"]
        return outputs

    def gradients(self, model, gradients):
        """Gradients by neutral name; one that was not computed is left out."""
        names = named_weights.named_trainable(model)
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
            for name, v in named_weights.named_trainable(model).items()
            for long, slot in short.items()
            if f"{v.path.replace('/', '_')}_{long}" in own
        }

    def train(self, train, model, optimizer, batches, on_step):
        """Consume the twin's generator step by step, or follow `fit` by a callback."""
        if "callbacks" in inspect.signature(train).parameters:
            self._follow(train, model, optimizer, batches, on_step)
            return

        def tensors():
            for images, labels, *masks in batches:
                batches.fed(images, labels, *masks)
                yield self.inputs(images), self.tensor(labels), *map(self.tensor, masks)

        for step, loss in enumerate(train(model, tensors(), optimizer), 1):
            on_step(step, float(loss))

    def train_fast(self, loss_and_gradients, model, optimizer, batches, on_step, *, fast, pauses):
        """Take many steps in one graph; see `_fast`."""
        images, labels = self.inputs(batches.everything), self.tensor(batches.labels)
        parts = fast.parts if self._threads >= fast.parts else 1
        how = {"jit": fast.jit, "fused": fast.fused, "parts": parts}
        steps = Steps(loss_and_gradients, model, optimizer, images, labels, **how)
        for start, stop in batches.stretches(pauses, LONGEST):
            order = tf.constant(np.stack(batches.order[start:stop]))
            masks = [self.tensor(mask) for mask in batches.masks(start, stop)]
            losses = self.array(steps(order, masks))
            for at, loss in enumerate(losses):
                given = tf.gather(images, order[at]), tf.gather(labels, order[at])
                batches.fed(*map(self.array, (*given, *(mask[at] for mask in masks))))
                on_step(start + at + 1, float(loss))

    def _follow(self, fit, model, optimizer, batches, on_step):
        def arrays():
            for images, labels in batches:
                batches.fed(images, labels)
                yield images, labels

        shape = model.inputs[0].shape
        dataset = tf.data.Dataset.from_generator(
            arrays,
            output_signature=(
                tf.TensorSpec(shape, batches.precision),
                tf.TensorSpec((None,), tf.int64),
            ),
        )
        more = {}
        if "validation" in inspect.signature(fit).parameters:
            more["validation"] = batches.validation
        fit(
            model,
            dataset,
            optimizer,
            epochs=batches.epochs,
            steps_per_epoch=batches.steps_per_epoch,
            callbacks=[_StepByStep(on_step)],
            **more,
        )


def _has_mode(layer):
    """Whether a layer computes something else in training."""
    return "training" in inspect.signature(layer.call).parameters


class _StepByStep(keras.callbacks.Callback):
    """Reports each batch's own loss; `fit` itself shows the mean since the epoch began."""

    def __init__(self, on_step):
        super().__init__()
        self._on_step = on_step
        self._steps = 0

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()

    def on_train_batch_end(self, batch, logs=None):
        self._steps += 1
        self._on_step(self._steps, float(logs["loss"]))
