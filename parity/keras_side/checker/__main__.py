"""``python -m parity.keras_side.checker``: the process in which a user's Keras model is checked."""

import os

# Read by TensorFlow and Keras when they are imported, so before that.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
# What is freed goes back to the system: TensorFlow's own pool keeps the most that was ever needed.
os.environ.setdefault("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")

from parity.checker.workers.serve import main
from parity.core.errors import UsageError


def _kind():
    # First of all, so that the user's own `from keras import ops` is seen by the tracer.
    import keras

    if (backend := keras.backend.backend()) != "tensorflow":
        raise UsageError(
            f"Keras runs on its {backend} backend here. Expected TensorFlow's, the one that is "
            "traced: KERAS_BACKEND=tensorflow, or leave that variable out."
        )
    from parity.keras_side.checker import KerasModel  # noqa: F401
    from parity.keras_side.checker.naming import remember_lines

    remember_lines()
    return keras.Model


def _make():
    from parity.keras_side.checker import KerasModel

    return KerasModel


if __name__ == "__main__":
    main("keras", _kind, "a keras.Model", _make)
