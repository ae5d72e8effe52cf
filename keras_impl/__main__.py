"""``python -m keras_impl fashion_mlp`` runs an example alone; the tool starts it as a worker."""

import os

# Read by TensorFlow and Keras when they are imported, so before that.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from parity.cli.side import main
from shared.suite import SUITE


def _framework(threads):
    from parity.keras_side.adapter import Keras

    return Keras(threads)


if __name__ == "__main__":
    if os.environ["KERAS_BACKEND"] == "tensorflow":
        main(SUITE, "keras_impl", _framework)
    else:
        from parity.keras_side.backends import imported, on_this_backend

        main(SUITE, "keras_impl", on_this_backend, imported)
