"""A model's large weights in files, in either precision (see `PagedWeights`), and their gradients.

A variable of TensorFlow can hold memory of somebody else's: what it is assigned by DLPack is not
copied.
"""

from __future__ import annotations

import contextlib
import math

import numpy as np
import tensorflow as tf
from keras.src.backend.tensorflow.core import Variable
from tensorflow.python.eager import record

from parity.checker.graph.storage import LARGE, PagedWeights
from parity.keras_side.checker.marks import swapped


class Paging:
    """The large weights of one model in one precision.

    Args:
        folder: where files may lie.
        size: bytes of all of them, at most; see `room`.
    """

    def __init__(self, folder, size):
        self._pages = PagedWeights(folder, size)
        self._arrays, self._left, self._made = {}, size, []

    @contextlib.contextmanager
    def building(self):
        """Large variables made meanwhile have a place, and zeros: their numbers come later.

        What the model does not count among its weights would get none: `adopt` makes them.
        """
        original = Variable._initialize

        def initialize(variable, value):
            if not callable(value) or not self._fits(variable):
                return original(variable, value)
            self._made.append((variable, value))
            return original(variable, self._placed(variable))

        with swapped(Variable, _initialize=initialize):
            yield

    def adopt(self, model):
        """Have all large weights of a model in the file."""
        own = {id(v) for v in model.weights}
        for variable, value in self._made:
            if id(variable) not in own:
                self.assign(variable, value())
        self._made = []
        for variable in model.weights:
            if not self.holds(variable) and self._fits(variable):
                self._placed(variable)
                self.assign(variable, unchanged(variable._value.value()))
        return self

    def _fits(self, variable):
        return is_large(variable) and self._left >= PagedWeights.room(size(variable))

    def _placed(self, variable):
        self._left -= PagedWeights.room(size(variable))
        place = self._pages.take(tuple(variable.shape), variable.dtype)
        self._arrays[id(variable)] = variable, place
        return tf.experimental.dlpack.from_dlpack(place.__dlpack__())

    def holds(self, variable):
        """Whether it is one of those, and of the type that it had then."""
        _, array = self._arrays.get(id(variable), (None, None))
        return array is not None and array.dtype == variable.dtype

    def assign(self, variable, array):
        """Give a variable these numbers: where it has a place in the file, there."""
        if not self.holds(variable):
            variable.assign(array)
            return
        _, place = self._arrays[id(variable)]
        place[...] = array
        variable._value.assign(tf.experimental.dlpack.from_dlpack(place.__dlpack__()))
        self.touch(variable)

    def touch(self, variable):
        """It was looked at."""
        if self.holds(variable):
            self._pages.touch(size(variable))


class Streams:
    """Gradients of large weights, each given away as soon as the way back has come to it.

    Only of those that are read once in a run: the others' are sums, which the tape forms. What is
    skipped the tape does not see; the way back has come to it with the next weight that was read.

    Args:
        variables: key → variable.
        take: is given a key and its gradient.
        touch: is told of a variable that was looked at.
        skipped: keys of those of which no gradient is wanted.
    """

    def __init__(self, variables, take, touch, skipped=frozenset()):
        self.variables = {k: v for k, v in variables.items() if size(v) >= LARGE}
        self.skipped = skipped & self.variables.keys()
        heard = variables if self.skipped else self.variables
        self.keys = {id(v): k for k, v in heard.items()}
        self._heard = [v for k, v in heard.items() if k not in self.skipped]
        self._unheard = []
        self.taken, self._reads, self._take, self._touch = set(), {}, take, touch

    def watch(self, tape):
        """Have them watched, though they are read past the tape."""
        for variable in self._heard:
            tape.watch(variable._value)

    def read(self, variable, found):
        """A variable's value as a tensor, whose gradient comes here."""
        key = self.keys[id(variable)]
        self._reads[key] = self._reads.get(key, 0) + 1
        with record.stop_recording():
            tensor = tf.convert_to_tensor(found)
        if key in self.skipped:
            self._unheard.append(variable)
            return tensor
        looked_at, self._unheard = [*self._unheard, variable], []

        def back(slope):
            for one in looked_at:
                self._touch(one)
            if self._reads[key] > 1 or key not in self.variables:
                return [slope]
            self.taken.add(key)
            self._take(key, slope)
            return [None]

        record.record_operation("ReadWeight", [tensor], [found.handle], back)
        return tensor


@contextlib.contextmanager
def untouched(model):
    """Variables are afterwards what they were.

    No copy is made: while what was read is held, TensorFlow writes elsewhere.
    """
    saved = [(v, v._value.value()) for v in model.variables if isinstance(v._value, tf.Variable)]
    try:
        yield
    finally:
        for variable, value in saved:
            variable._value.assign(value)


def is_large(variable):
    """Whether it is to be in a file."""
    return variable.dtype in ("float32", "float64") and size(variable) >= LARGE


def size(variable):
    """Bytes of a variable."""
    wide = np.dtype(np.float64 if variable.dtype == "float64" else np.float32)
    return math.prod(variable.shape) * wide.itemsize


def room(model):
    """Bytes that the large weights of a model take."""
    return sum(PagedWeights.room(size(v)) for v in model.weights if is_large(v))


def unchanged(tensor):
    """A tensor's numbers, for a look: not a copy."""
    return tensor._numpy() if hasattr(tensor, "_numpy") else np.asarray(tensor)
