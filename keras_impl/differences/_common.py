"""What several sections ask."""

import inspect

import tensorflow as tf


def outcome(call):
    """``raises ValueError``, or ``no error``."""
    try:
        call()
    except Exception as error:
        return f"raises {type(error).__name__}"
    return "no error"


def defaults(function, *names):
    """Default values of arguments, as one line: ``learning_rate 0.001, epsilon 1e-07``."""
    arguments = inspect.signature(function).parameters
    return ", ".join(f"{name} {arguments[name].default}" for name in names)


def slope(function, x):
    """The gradient of the sum of what a function gives."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x)
