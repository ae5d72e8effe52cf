"""A lesson's training in Keras: its public functions, called as its own `main` calls them.

What the lesson does not bring, because no learner needs it, is brought here: another framework's
equations, a gradient to look at, a look after every step.
"""

import functools
import itertools

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
        """The model with its masks among its inputs, for a `fit` that is not this program's."""
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
        """Loss of a batch, and its gradient for every variable that is trained.

        By the lesson's own step, or where `fit` trains by that which it takes.
        """
        still = _Still()
        if not self.fits:
            return self._step(model, still, *batch), still.gradients
        self.optimizer(model)
        heard = self._heard(model)
        model.optimizer = still
        model.train_step(batch)
        return heard.value(), still.gradients

    def train(self, model, optimizer, batches, on_step):
        """All steps, on an iterator over the batches of all epochs.

        Traced once, for batches of any size, as `fit` does. Where TensorFlow knows the size it
        folds it into other constants, and rounds another way.
        """
        first = next(batches)

        @tf.function(input_signature=[tf.TensorSpec((None, *t.shape[1:]), t.dtype) for t in first])
        def step(*batch):
            return self._step(model, optimizer, *batch)

        for count, batch in enumerate(itertools.chain([first], batches), 1):
            on_step(count, float(step(*batch)))

    def fit(self, model, dataset, validation, epochs, on_step):
        """All steps, by `fit`.

        Args:
            model: compiled.
            dataset: `tf.data.Dataset` of the batches of all epochs, masks last; `fit` never
                shuffles it.
            validation: held-out images and labels, for callbacks that look at them.
            epochs: (how many, steps of each).
            on_step: called with (steps taken, loss before the last of them).
        """
        more = {"callbacks": [_StepByStep(self._heard(model), on_step)]}
        if self._way.callbacks:
            more["callbacks"] += getattr(self._lesson, self._way.callbacks)()
            more["validation_data"] = validation
        _see_numbers(model, *dataset.element_spec[:2])
        count, length = epochs
        model.fit(dataset, epochs=count, steps_per_epoch=length, shuffle=False, verbose=0, **more)

    def _heard(self, model):
        """Let `fit` take each batch's masks, and keep the loss of the last batch in a variable.

        What `fit` itself shows is the mean since the epoch began, with the penalties of
        regularizers in it.
        """
        heard = tf.Variable(0.0, dtype=keras.config.floatx(), trainable=False)
        own_step, own_loss, loss_fn = model.train_step, model.compute_loss, model.loss

        def train_step(data):
            images, labels, *masks = data
            self.drop(model, masks)
            return own_step((images, labels))

        def compute_loss(x=None, y=None, y_pred=None, sample_weight=None, training=True):
            if training:
                heard.assign(keras.losses.get(loss_fn)(y, y_pred))
            return own_loss(x, y, y_pred, sample_weight, training)

        vars(model).update(train_step=train_step, compute_loss=compute_loss)
        return heard

    def predict(self, model, images, labels):
        """Probabilities of a batch and its mean loss, where possible of one forward pass."""
        own, given = model.call, []

        def heard(*args, **kwargs):
            given.append(own(*args, **kwargs))
            return given[-1]

        vars(model)["call"] = heard
        predicted = getattr(self._lesson, self._way.predict)(model, images)
        del vars(model)["call"]
        evaluate = getattr(self._lesson, self._way.evaluate, None)
        if evaluate is not None:
            return predicted, evaluate(model, [(images, labels)])[0]
        if not model.compiled:
            self.optimizer(model)
        # Without the penalties of regularizers, which `compute_loss` adds: PyTorch's has none.
        return predicted, keras.losses.get(model.loss)(labels, given[-1])


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


def _see_numbers(model, *specs):
    """Let loss and metrics make their variables now.

    They do so when they first see numbers; within a traced step that has it traced once more.
    """
    image, label = (tf.zeros((1, *spec.shape[1:]), spec.dtype) for spec in specs)
    predicted = model(image)
    model.compute_loss(image, label, predicted, training=False)
    model.compute_metrics(image, label, predicted)


def _in_this_precision(names):
    """Make a lesson's losses anew: one that was made at import keeps the precision of then."""
    for name, value in names.items():
        if isinstance(value, keras.losses.Loss):
            names[name] = type(value).from_config(value.get_config())


class _Still:
    """An optimizer that moves nothing, and keeps the gradients it was given."""

    def scale_loss(self, loss):
        """As every optimizer's that does not scale."""
        return loss

    def apply(self, gradients, variables):
        """As every optimizer's."""
        self.gradients = list(gradients)

    def apply_gradients(self, pairs):
        """As every optimizer's."""
        self.gradients = [gradient for gradient, _ in pairs]


class _StepByStep(keras.callbacks.Callback):
    """Reports every step and the loss that was heard in it."""

    def __init__(self, heard, on_step):
        super().__init__()
        self._heard, self._on_step = heard, on_step
        self._steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self._steps += 1
        self._on_step(self._steps, float(self._heard))
