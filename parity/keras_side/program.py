"""A lesson's training in Keras: its public functions, called as its own `main` calls them.

What the lesson does not bring, because no learner needs it, is brought here: another framework's
equations, a gradient to look at, a look after every step.
"""

import functools

import keras
import tensorflow as tf

from parity.keras_side import layers, named_weights, optimizers


class Program:
    """One way of training a lesson.

    Args:
        lesson: its module.
        way: which of its functions, and whose equations.
        training: names the layers, and those of dropout whose masks come with each batch.
    """

    def __init__(self, lesson, way, training):
        self._lesson, self._way = lesson, way
        self._names = training.layers
        self._dropped = [mask.name for mask in training.masks]
        step = getattr(lesson, way.step)
        # A lesson may compile its step; here that is done once for each model.
        self._own_step = getattr(step, "python_function", step)
        for names in (vars(lesson), self._own_step.__globals__):  # it may be another's step
            _in_this_precision(names)
        self._kept = {}

    @property
    def fits(self):
        """Whether `fit` trains."""
        return self._way.loop == "fit"

    def model(self):
        """A new model."""
        model = getattr(self._lesson, self._way.model)()
        if self._way.batch_norm_as == "torch":
            model = layers.as_torch(model)
        found = {n.name: n.layer for n in named_weights.named_layers(model, self._names)}
        for name in self._dropped:
            vars(found[name])["call"] = functools.partial(self._drop, name)
        return model

    def _drop(self, name, x, training=False):
        """`Dropout` with the luck from outside: x · kept, which is 0 or 1 / (1 - rate)."""
        return x * self._kept[name] if training else x

    def drop(self, model, masks):
        """Let dropout multiply by these masks from now on."""
        self._kept = dict(zip(self._dropped, masks, strict=True))

    def with_masks(self, model):
        """The model with its masks among its inputs, which is how `fit` can feed them."""
        return WithMasks(self, model)

    def _step(self, model, optimizer, images, labels, *masks):
        self.drop(model, masks)
        return self._own_step(model, optimizer, images, labels)

    def optimizer(self, model):
        """A new optimizer for it; the model is compiled with it, where the lesson compiles."""
        made = getattr(self._lesson, self._way.makes_optimizer)(model)
        own = model.optimizer if made is None else made
        if self._way.optimizer_as == "torch":
            own = optimizers.as_torch(own)
        if made is None:
            model.optimizer = own
        if isinstance(own, keras.optimizers.Optimizer):
            own.build(model.trainable_variables)  # or its variables are made in a traced step
        return own

    def take_step(self, model, optimizer, *batch):
        """One step on a batch; the loss before it."""
        return self._step(model, optimizer, *batch)

    def loss_and_gradients(self, model, *batch):
        """Loss of a batch, and its gradient for every variable that is trained."""
        still = _Still()
        loss = self._step(model, still, *batch)
        return loss, still.gradients

    def train(self, model, optimizer, batches, on_step):
        """All steps, on an iterator over the batches of all epochs."""

        @tf.function
        def step(*batch):
            return self._step(model, optimizer, *batch)

        for count, batch in enumerate(batches, 1):
            on_step(count, float(step(*batch)))

    def fit(self, model, dataset, validation, epochs, on_step):
        """All steps, by `fit`.

        Args:
            model: compiled.
            dataset: `tf.data.Dataset` of all epochs; `fit` never shuffles it.
            validation: held-out images and labels, for callbacks that look at them.
            epochs: (how many, steps of each).
            on_step: called with (steps taken, loss before the last of them).
        """
        callbacks, more = [_StepByStep(on_step)], {}
        if self._way.callbacks:
            callbacks += getattr(self._lesson, self._way.callbacks)()
            more["validation_data"] = validation
        count, length = epochs
        model.fit(
            dataset, epochs=count, steps_per_epoch=length, callbacks=callbacks, verbose=0, **more
        )

    def predict(self, model, images, labels):
        """Probabilities of a batch and its mean loss."""
        predicted = getattr(self._lesson, self._way.predict)(model, images)
        evaluate = getattr(self._lesson, self._way.evaluate, None)
        if evaluate is not None:
            return predicted, evaluate(model, [(images, labels)])[0]
        if not model.compiled:
            self.optimizer(model)
        # Without the penalties of regularizers, which `compute_loss` adds: PyTorch's has none.
        loss = keras.losses.get(model.loss)
        return predicted, loss(labels, model(images, training=False))


class WithMasks(keras.Model):
    """Images and masks to what the model makes of the images."""

    def __init__(self, program, model):
        super().__init__()
        self._program, self._model = program, model

    def call(self, inputs, training=False):
        """Images and masks, as a tuple."""
        images, *masks = inputs
        self._program.drop(self._model, masks)
        return self._model(images, training=training)


def _in_this_precision(names):
    """Make a lesson's losses anew: one that was made at import keeps the precision of then."""
    for name, value in names.items():
        if isinstance(value, keras.losses.Loss):
            names[name] = type(value).from_config(value.get_config())


class _Still:
    """An optimizer that moves nothing, and keeps the gradients it was given."""

    def apply(self, gradients, variables):
        """As every optimizer's."""
        self.gradients = list(gradients)

    def apply_gradients(self, pairs):
        """As every optimizer's."""
        self.gradients = [gradient for gradient, _ in pairs]


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
