"""``python -m keras_impl._check``: the process in which a user's Keras model is checked."""

from shared.check.serve import main


def _kind():
    # First of all, so that the user's own `from keras import ops` is seen by the tracer.
    import keras

    from . import KerasModel  # noqa: F401

    return keras.Model


def _make():
    from . import KerasModel

    return KerasModel


if __name__ == "__main__":
    main("keras", _kind, "a keras.Model", _make)
