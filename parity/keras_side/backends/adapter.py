"""What the tool needs of Keras on another backend: the adapter of Keras without TensorFlow."""

import importlib.metadata

import keras
import numpy as np

from parity.core.sides import BACKENDS, PACKAGES
from parity.keras_side.adapter import Keras
from parity.keras_side.backends import undone
from parity.keras_side.backends.program import PortableProgram


class KerasOnBackend(Keras):
    """Keras 3 on the backend of this process, on the CPU."""

    def __init__(self, threads):
        self.side = BACKENDS[keras.backend.backend()]
        self._threads = threads
        self._layers = ()

    def versions(self):
        return {name: importlib.metadata.version(name) for name in PACKAGES[self.side]}

    def environment(self):
        return {
            "backend": keras.backend.backend(),
            "device": "cpu",
            "threads": str(self._threads),
        }

    def program(self, lesson, way, training):
        undone.undo(way.undone)
        return PortableProgram(lesson, way, training)

    def tensor(self, array):
        return keras.ops.convert_to_tensor(array)

    def array(self, tensor):
        return np.asarray(keras.ops.convert_to_numpy(tensor))

    def train(self, program, model, optimizer, batches, on_step):
        """Train by `fit`."""
        program.fit(model, batches, on_step)
