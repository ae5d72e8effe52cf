"""What a lesson finds where it imports TensorFlow, on another backend: nothing that computes.

A lesson's other parts are written in TensorFlow, and its file imports it; what `fit` trains needs
none of it. Two frameworks in one process abort on common installations, and whoever runs Keras on
JAX need not have TensorFlow.
"""

import importlib
import sys
import types

from parity.core.errors import RecordingError


class NoTensorFlow(types.ModuleType):
    """A module that can be imported, and whose functions cannot be called.

    `function` is there, since it decorates what a lesson defines.
    """

    @staticmethod
    def function(step):
        """The step as it is; it is never taken."""
        return step

    def __getattr__(self, name):
        if name.startswith("__"):  # what Python itself looks for
            raise AttributeError(name)
        raise RecordingError(
            f"`tf.{name}` was called: this part of the lesson is written in TensorFlow, and runs "
            "on that backend alone."
        )


def imported(name):
    """A module that imports TensorFlow; for whoever asks later, Keras above all, there is none."""
    sys.modules["tensorflow"] = NoTensorFlow("tensorflow")
    try:
        return importlib.import_module(name)
    finally:
        sys.modules["tensorflow"] = None
