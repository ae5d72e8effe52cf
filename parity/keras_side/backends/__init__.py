"""Keras on another backend than TensorFlow; run in a process that has ``KERAS_BACKEND`` set.

In: recording jobs of a lesson's `fit`. Out: recordings. Read `adapter` (how an example is
recorded), `program` (what of a lesson's training is otherwise), `undone` (what Keras does otherwise
on one backend, undone), `no_tensorflow` (what a lesson finds where it imports TensorFlow).
"""

import os
import sys

from parity.keras_side.backends.no_tensorflow import imported

__all__ = ["imported", "on_this_backend"]


def on_this_backend(threads):
    """The adapter of Keras on the backend of this process.

    Args:
        threads: of the CPU, to compute with.
    """
    # Read by PyTorch and by JAX when they are imported, so before that.
    os.environ["OMP_NUM_THREADS"] = os.environ["NPROC"] = str(threads)
    sys.modules["tensorflow"] = None  # Keras would load it, where it is installed
    import keras  # noqa: F401, PLC0415

    return imported("parity.keras_side.backends.adapter").KerasOnBackend(threads)
