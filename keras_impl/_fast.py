"""The fast path: many steps a call, in one graph, on data that lies in memory as tensors.

It trains with the twin's own `loss_and_gradients` and optimizer; only what surrounds them is
other: no step returns to Python, no batch is copied in from NumPy.
"""

import tensorflow as tf

LONGEST = 256
"""Steps a call at most: what is told of progress, and how many masks are drawn ahead."""


class Steps:
    """Training steps on samples in memory.

    Args:
        loss_and_gradients: of the twin, called with model, images, labels, masks.
        model: moved in place.
        optimizer: its state is moved too.
        images: all samples, ``(n, …)``.
        labels: ``(n,)``.
        jit: compile with XLA. The first call of each batch size then takes seconds.
    """

    def __init__(self, loss_and_gradients, model, optimizer, images, labels, *, jit):
        optimizer.build(model.trainable_variables)

        def several(order, masks, count):
            losses = tf.zeros(LONGEST, images.dtype)
            for step in tf.range(count):
                chosen = order[step]
                drawn = [mask[step] for mask in masks]
                batch = tf.gather(images, chosen), tf.gather(labels, chosen)
                loss, gradients = loss_and_gradients(model, *batch, *drawn)
                optimizer.apply(gradients, model.trainable_variables)
                losses = tf.tensor_scatter_nd_update(losses, [[step]], [loss])
            return losses

        self._several = tf.function(several, jit_compile=jit)

    def __call__(self, order, masks=()):
        """Take the steps of ``order``, ``(steps, batch)`` with at most LONGEST; their losses."""
        count = len(order)
        # Always as many rows, so that a stretch of another length is not compiled anew.
        padded = [_padded(array) for array in (order, *masks)]
        return self._several(padded[0], padded[1:], tf.constant(count))[:count]


def _padded(array):
    array = tf.convert_to_tensor(array)
    missing = LONGEST - array.shape[0]
    return tf.pad(array, [[0, missing]] + [[0, 0]] * (array.ndim - 1))
