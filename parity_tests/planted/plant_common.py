"""Faults that need no framework: they sit in what both sides share."""

import contextlib
from unittest import mock

import numpy as np

from parity.training import batches, recorder
from shared import data


@contextlib.contextmanager
def none(framework, twin):
    yield


def labels_shifted(framework, twin):
    original = data.load_dataset

    def load(*args, **kwargs):
        loaded = original(*args, **kwargs)
        object.__setattr__(loaded, "train_labels", np.roll(loaded.train_labels, 1))
        return loaded

    return mock.patch.object(data, "load_dataset", load)


@contextlib.contextmanager
def bytes_0_255(framework, twin):
    def unscaled(images, training, precision):
        return images.astype(precision)

    fed = mock.patch.object(batches, "scaled", unscaled)
    with fed, mock.patch.object(recorder, "scaled", unscaled):
        yield


def batch_out_of_order(framework, twin):
    original = batches.batch_indices

    def shuffled(*args, **kwargs):
        order = list(original(*args, **kwargs))
        order[6], order[8] = order[8], order[6]
        return order

    return mock.patch.object(batches, "batch_indices", shuffled)


def steps_left_out(framework, twin):
    original = batches.batch_indices
    return mock.patch.object(batches, "batch_indices", lambda *a, **k: list(original(*a, **k))[:-1])


def key_missing(framework, twin):
    original = recorder.RecordingBuilder.put

    def put(self, key, value):
        if key != "gradients/step0/second/kernel":
            original(self, key, value)

    return mock.patch.object(recorder.RecordingBuilder, "put", put)


def recording_empty(framework, twin):
    original = recorder.recording_file.write
    return mock.patch.object(
        recorder.recording_file, "write", lambda p, arrays, h: original(p, {}, h)
    )


def one_weight_1e9(framework, twin):
    original = framework.load_weights

    def load(model, weights):
        kernel = weights["second/kernel"].copy()
        kernel[3, 5] *= 1 + 1e-9
        original(model, weights | {"second/kernel": kernel})

    return mock.patch.object(framework, "load_weights", load)


def square_kernel_transposed(framework, twin):
    original = framework.load_weights

    def load(model, weights):
        original(model, weights | {"first/kernel": weights["first/kernel"].T.copy()})

    return mock.patch.object(framework, "load_weights", load)


def replaced(twin, name, function):
    return mock.patch.object(twin, name, function)
