"""The user's own loss and optimizer in Keras."""

from __future__ import annotations

import contextlib
import inspect

import keras
import numpy as np
import tensorflow as tf
from keras.src import ops as _ops
from tensorflow.python.framework import constant_op
from tensorflow.python.ops import math_ops

from parity.checker.graph import training_recipe
from parity.checker.graph.target import guarded
from parity.core.errors import ParityError
from parity.keras_side.checker.marks import swapped

_PLAIN = {
    "SparseCategoricalCrossentropy": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy",
    "CategoricalCrossentropy": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "BinaryCrossentropy": "binary_cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
    "MeanSquaredError": "squared",
    "mean_squared_error": "squared",
    "MeanAbsoluteError": "absolute",
    "mean_absolute_error": "absolute",
    "Huber": "huber",
    "huber": "huber",
    "KLDivergence": "kl",
    "kl_divergence": "kl",
    "Poisson": "poisson",
    "poisson": "poisson",
    "Hinge": "hinge",
    "hinge": "hinge",
    "SquaredHinge": "squared_hinge",
    "squared_hinge": "squared_hinge",
    "LogCosh": "log_cosh",
    "log_cosh": "log_cosh",
}
_RULES = {
    "SGD": "sgd",
    "Adam": "adam",
    "AdamW": "adam",
    "RMSprop": "rmsprop",
    "Adagrad": "adagrad",
    "Adadelta": "adadelta",
    "Adamax": "adamax",
    "Nadam": "nadam",
}
_EXACT = 1e-16
"""Keras' epsilon within losses, for the run in float64: below what rounding does."""


class Learning:
    """A loss and an optimizer, made anew for every run.

    Args:
        loss, optimizer: see `parity.checker.graph.model_interface.Model.learn`.
        model: whose compiled ones may be asked for.
    """

    def __init__(self, loss, optimizer, model):
        self.wish, self._optimizer, self._model = loss, optimizer, model
        self.function = None
        if loss is not None:
            with guarded(f"making the loss {training_recipe.title(loss)}"):
                self.function = self._found(loss)

    def _found(self, loss):
        if loss == training_recipe.COMPILED:
            compiled = getattr(self._model, "_compile_loss", None)
            if compiled is None:
                raise ParityError(
                    "The Keras model was not compiled with a loss. Expected model.compile(loss=…) "
                    "in the function that makes it, or another --keras-loss."
                )
            own = compiled._user_loss
            return compiled if isinstance(own, dict | list | tuple) else keras.losses.get(own)
        if isinstance(loss, str):
            return keras.losses.get(loss)
        found, arguments = training_recipe.resolve(loss)
        return training_recipe.loss_function(found, arguments, (keras.losses.Loss,))

    @property
    def steps(self):
        """Whether there is an optimizer."""
        return self._optimizer is not None

    def loss(self, returned, outputs, targets, precision):
        """The loss of what a model returned, without regularisers."""
        function = _in_precision(self.function, precision)
        given = outputs[0] if len(outputs) == 1 else returned
        targets = [self._shaped(t, outputs) for t in targets]
        whole = targets[0] if len(targets) == 1 else targets
        before = keras.config.epsilon()
        try:
            if precision == "float64":
                keras.config.set_epsilon(_EXACT)
            with guarded("computing the loss"), _whole_numbers(precision):
                value = function(whole if targets else None, given)
                value = tf.reduce_mean(tf.cast(value, precision))  # as compile does of a function
        finally:
            keras.config.set_epsilon(before)
        return value

    def _shaped(self, target, outputs):
        """Classes as rows of zeros and a one, where the loss wants them so."""
        settings = self.loss_settings()
        if settings.get("dense") and target.dtype.is_integer:
            for y in outputs:
                if tuple(y.shape[:-1]) == tuple(target.shape):
                    return tf.one_hot(tf.cast(target, tf.int64), y.shape[-1], dtype=y.dtype)
        return target

    def optimizer(self, precision):
        """A new optimizer; to be called in the precision."""
        wish, fresh = self._optimizer, None
        with guarded(f"making the optimizer {training_recipe.title(wish)}"):
            if wish == training_recipe.COMPILED:
                made = getattr(self._model, "optimizer", None)
                if made is None:
                    raise ParityError(
                        "The Keras model was not compiled with an optimizer. Expected "
                        "model.compile(optimizer=…) in the function that makes it, or another "
                        "--keras-optimizer."
                    )
            elif isinstance(wish, str):
                made = fresh = keras.optimizers.get(wish)
            else:
                found, arguments = training_recipe.resolve(wish)
                made = found
                if not isinstance(found, keras.optimizers.Optimizer) and callable(found):
                    needed = (
                        [] if inspect.isclass(found) else training_recipe.required(found, arguments)
                    )
                    made = fresh = found(*([self._model] if needed else []), **arguments)
            if not isinstance(made, keras.optimizers.Optimizer):
                raise ParityError(
                    f"{training_recipe.title(wish)} gives a {type(made).__name__}. Expected a "
                    "keras.optimizers.Optimizer."
                )
            if fresh is None:  # it may be built for another model, or in another precision
                fresh = type(made).from_config(_unrounded(made.get_config()))
            if precision == "float64" and fresh.weight_decay:
                fresh.weight_decay = np.float64(fresh.weight_decay)  # it would be rounded, too
            for name in ("_exclude_from_weight_decay_pattern",):
                if hasattr(made, name):
                    setattr(fresh, name, getattr(made, name))
            return fresh

    def loss_settings(self):
        """In the words of `parity.reference.losses`; of Keras' own losses alone."""
        function = self.function
        if function is None:
            return {}
        name = getattr(function, "__name__", type(function).__name__)
        home = getattr(function, "__module__", type(function).__module__) or ""
        if name not in _PLAIN or not home.startswith("keras.src.losses"):
            return {"name": "custom", "title": getattr(function, "name", name), "axis": -1}
        held = dict(getattr(function, "_fn_kwargs", {}))
        kind = _PLAIN[name]
        reduction = getattr(function, "reduction", "sum_over_batch_size")
        reduction = {"sum_over_batch_size": "mean", None: "mean"}.get(reduction, reduction)
        if reduction == "sum" and kind not in ("cross_entropy", "kl"):
            reduction = "sum_of_means"
        if kind == "kl":
            reduction = "rows" if reduction == "mean" else "sum"
        settings = {
            "name": kind,
            "title": name,
            "reduction": reduction,
            "axis": held.get("axis", -1),
            "takes": "values",
        }
        if kind in ("cross_entropy", "binary_cross_entropy"):
            settings |= {
                "takes": "logits" if held.get("from_logits", False) else "probabilities",
                "smoothing": held.get("label_smoothing", 0.0) or 0.0,
                "ignore": held.get("ignore_class"),
                "dense": kind == "cross_entropy" and not name.lower().startswith("sparse"),
            }
        if kind in ("kl", "poisson"):
            settings["takes"] = "probabilities"
        settings["delta"] = held.get("delta", 1.0)
        return settings


def _in_precision(function, precision):
    """A loss that computes in a precision: it takes it from when it was made."""
    if not isinstance(function, keras.losses.Loss):
        return function
    # copy.copy would make it from its get_config, which lacks settings in some of Keras' own.
    other = object.__new__(type(function))
    vars(other).update(vars(function))
    if hasattr(other, "_user_loss"):
        kinds = keras.src.trainers.compile_utils.CompileLoss
        wanted = keras.tree.map_structure(
            lambda x: _in_precision(keras.losses.get(x), precision), other._user_loss
        )
        return kinds(wanted, loss_weights=other._user_loss_weights)
    other._dtype_policy = keras.DTypePolicy(precision)
    other._dtype = precision
    return other


@contextlib.contextmanager
def _whole_numbers(precision):
    """Python's numbers as float64 tensors; TensorFlow makes float32 of those it is told nothing of.

    The weights of classes, ``ops.cast([0.3, 1.0], y.dtype)``, would be rounded on the way.
    """
    cast, convert = tf.cast, constant_op.convert_to_eager_tensor

    def floating(x):
        parts = keras.tree.flatten(x) if isinstance(x, list | tuple | float) else [None]
        numbers = all(isinstance(part, int | float) for part in parts)
        return numbers and any(isinstance(part, float) for part in parts)

    def exact_cast(x, dtype, name=None):
        wide = floating(x) and tf.as_dtype(dtype) == tf.float64
        return tf.constant(x, tf.float64) if wide else cast(x, dtype, name=name)

    def exact_convert(value, ctx, dtype=None):
        wide = dtype is None and floating(value)
        return convert(value, ctx, tf.float64 if wide else dtype)

    if precision != "float64":
        yield
        return
    with (
        swapped(tf, cast=exact_cast),
        swapped(math_ops, cast=exact_cast),
        swapped(constant_op, convert_to_eager_tensor=exact_convert),
    ):
        yield


@contextlib.contextmanager
def exact(precision):
    """Python numbers that reach an optimizer whole; Keras rounds some of them to float32."""
    rounding = _ops.cast

    def cast(x, dtype):
        if isinstance(x, float):
            return tf.constant(np.float64(x), dtype)
        return rounding(x, dtype)

    with (
        swapped(_ops, cast=cast) if precision == "float64" else contextlib.nullcontext(),
        _whole_numbers(precision),
    ):
        yield


def settings_of(optimizer, variable, *, given=True):
    """In the words of `parity.diagnosis.optimizer_settings`."""
    title = type(optimizer).__name__
    if not given:
        return {"rule": "none", "title": title}
    # A class of the user's own begins with what it is derived from; its steps decide.
    known = [
        c.__name__
        for c in type(optimizer).__mro__
        if c.__module__.startswith("keras.src.optimizers")
    ]
    rule = next((_RULES[name] for name in known if name in _RULES), "custom")
    if getattr(optimizer, "use_ema", False) or optimizer.gradient_accumulation_steps:
        rule = "custom"
    decay = optimizer.weight_decay or 0.0
    if decay and not optimizer._use_weight_decay(variable):
        decay = 0.0
    momentum = getattr(optimizer, "momentum", 0.0) or 0.0
    squares = float(getattr(variable.regularizer, "l2", 0.0) or 0.0)
    found = {
        "rule": rule,
        "title": title,
        "numbers": [v for v in vars(optimizer).values() if isinstance(v, float)],
        "equation": "keras",
        "l2": 2 * squares,
        "weight_decay": float(decay),
        "rate": float(optimizer.learning_rate),
        "momentum": momentum,
        "nesterov": bool(getattr(optimizer, "nesterov", False)),
        "epsilon": getattr(optimizer, "epsilon", 0.0),
        "amsgrad": bool(getattr(optimizer, "amsgrad", False)),
        "centered": bool(getattr(optimizer, "centered", False)),
        "rho": getattr(optimizer, "rho", getattr(optimizer, "alpha", 0.9)),
        "start": getattr(optimizer, "initial_accumulator_value", 0.0),
        "clip_value": optimizer.clipvalue or None,
        "clip_norm": optimizer.clipnorm or None,
        "global_clip_norm": optimizer.global_clipnorm or None,
    }
    if rule in ("adam", "adamax", "nadam", "custom"):
        betas = {key: getattr(optimizer, key, None) for key in ("beta_1", "beta_2")}
        found |= {key: float(beta) for key, beta in betas.items() if beta is not None}
    if rule in ("sgd", "adadelta") and not _scheduled(optimizer):
        found["equation"] = ""  # with one learning rate it is PyTorch's, written in another way
    if rule == "sgd" and not momentum:
        found["nesterov"] = False
    return found


def _unrounded(config):
    """A learning rate as it was written; Keras has kept it in float32."""
    rate = config.get("learning_rate")
    if isinstance(rate, float | np.floating):
        return {**config, "learning_rate": float(str(np.float32(rate)))}
    return config


def _scheduled(optimizer):
    schedules = keras.optimizers.schedules.LearningRateSchedule
    return isinstance(getattr(optimizer, "_learning_rate", None), schedules)
