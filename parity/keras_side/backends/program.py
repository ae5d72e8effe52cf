"""A lesson's `fit` on any backend of Keras."""

import keras
import numpy as np
from keras import ops

from parity.keras_side import optimizers
from parity.keras_side.program import Program


class PortableProgram(Program):
    """What of a lesson's training is written for TensorFlow, written for every backend."""

    def optimizer(self, model):
        """As on TensorFlow. Every lesson that trains by `fit` compiles."""
        getattr(self._lesson, self._way.makes_optimizer)(model)
        if self._way.optimizer_as == "torch":
            model.optimizer = _as_torch(model.optimizer)
        model.optimizer.build(model.trainable_variables)
        return model.optimizer

    def loss_and_gradients(self, model, *batch):
        """Loss of a batch, and its gradient for every variable that is trained.

        By the step that `fit` takes: JAX's is given its state and returns the next.
        """
        self.optimizer(model)
        heard = self._heard(model, batch)
        still = model.optimizer = _Still()
        if keras.backend.backend() != "jax":
            model.train_step(batch)
            return heard.loss, still.gradients
        state = (model.trainable_variables, model.non_trainable_variables, still.variables)
        state = (*state, model.metrics_variables)
        _, after = model.train_step(tuple([v.value for v in some] for some in state), batch)
        at = next(at for at, v in enumerate(model.metrics_variables) if v is heard.loss)
        return after[-1][at], still.gradients

    def fit(self, model, batches, on_step):
        """All steps, by `fit`.

        Args:
            model: compiled.
            batches: `parity.training.batches.Batches`.
            on_step: called with (steps taken, loss before the last of them).
        """
        heard = self._heard(model, next(iter(batches)))
        more = {"callbacks": [_StepByStep(heard, on_step)]}
        if self._way.callbacks:
            more["callbacks"] += getattr(self._lesson, self._way.callbacks)()
            more["validation_data"] = batches.validation
        more |= {"epochs": batches.epochs, "steps_per_epoch": batches.steps_per_epoch}
        model.fit(_fed(batches), shuffle=False, verbose=0, **more)

    def _heard(self, model, batch):
        """As on TensorFlow, but in a metric: its variables are part of the state of JAX' steps."""
        heard = model.heard = _Heard()
        own_step, own_loss, loss_fn = model.train_step, model.compute_loss, model.loss

        def train_step(*state_and_batch):
            *state, (images, labels, *masks) = state_and_batch
            self.drop(model, masks)
            return own_step(*state, (images, labels))

        def compute_loss(x=None, y=None, y_pred=None, sample_weight=None, training=True):
            if training:
                heard.update_state(keras.losses.get(loss_fn)(y, y_pred))
            return own_loss(x, y, y_pred, sample_weight, training)

        _see_numbers(model, *batch[:2])
        vars(model).update(train_step=train_step, compute_loss=compute_loss)
        return heard


def _as_torch(optimizer):
    """With PyTorch's equation. On PyTorch `keras.optimizers.Adam` makes one of a subclass, which
    `as_torch` does not know."""
    own = type(optimizer)
    optimizer.__class__ = next(c for c in own.__mro__ if c in vars(keras.optimizers).values())
    made = optimizers.as_torch(optimizer)
    optimizer.__class__ = own
    return made


def _powered(base, step):
    """base^step in float64 on every backend. The bridges give a NumPy float64, which Keras takes
    for a Python float on PyTorch, and makes float32."""
    return ops.power(ops.convert_to_tensor(base, dtype="float64"), ops.cast(step, "float64"))


optimizers.powered = _powered


def _fed(batches):
    """The batches, noting what was taken; a function, for `fit` takes no other iterator."""
    for batch in batches:
        batches.fed(*batch)
        yield batch


def _see_numbers(model, images, labels):
    """Let loss and metrics make their variables now: `fit` would ask the batch for them, masks and
    all."""
    image, label = (np.zeros((1, *some.shape[1:]), ops.dtype(some)) for some in (images, labels))
    predicted = model(image)
    model.compute_loss(image, label, predicted, training=False)
    model.compute_metrics(image, label, predicted)


class _Heard(keras.metrics.Metric):
    """Holds the loss of the last batch."""

    def __init__(self):
        super().__init__(name="heard")
        self.loss = self.add_variable((), "zeros", name="loss")

    def update_state(self, loss):
        self.loss.assign(loss)

    def result(self):
        return self.loss + 0.0


class _Still:
    """An optimizer that moves nothing, and keeps the gradients it was given."""

    variables = ()

    def scale_loss(self, loss):
        """As every optimizer's that does not scale."""
        return loss

    def apply(self, gradients, variables):
        """As every optimizer's."""
        self.gradients = list(gradients)

    def stateless_apply(self, state, gradients, variables):
        """As every optimizer's, on JAX."""
        self.apply(gradients, variables)
        return variables, state


class _StepByStep(keras.callbacks.Callback):
    """Reports every step and the loss that was heard in it, when the model holds what it learnt."""

    def __init__(self, heard, on_step):
        super().__init__()
        self._heard, self._on_step = heard, on_step
        self._steps = 0

    def on_train_batch_end(self, batch, logs=None):
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()  # JAX carries the state from step to step outside of it
        self._steps += 1
        self._on_step(self._steps, float(ops.convert_to_numpy(self._heard.loss)))
