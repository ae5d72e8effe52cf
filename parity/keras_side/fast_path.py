"""The fast path: many steps a call, in one graph, on data that lies in memory as tensors.

It trains with the lesson's own step and optimizer; only what surrounds them is other: no step
returns to Python, no batch is copied in from NumPy.
"""

import tensorflow as tf

LONGEST = 256
"""Steps a call at most: what is told of progress, and how many masks are drawn ahead."""


class Steps:
    """Training steps on samples in memory.

    Args:
        loss_and_gradients: of a `Program`, called with model, images, labels, masks.
        model: moved in place.
        optimizer: its state is moved too.
        images: all samples, ``(n, …)``.
        labels: ``(n,)``.
        jit: compile with XLA. The first call of each batch size then takes seconds.
        fused: compile the optimizer's update alone with XLA: one loop over each weight.
        parts: cut each batch into so many, which TensorFlow computes side by side. The loss must
            be a mean over samples that know nothing of each other.
    """

    def __init__(
        self, loss_and_gradients, model, optimizer, images, labels, *, jit, fused=False, parts=1
    ):
        optimizer.build(model.trainable_variables)
        self._gradients, self._model, self._parts = loss_and_gradients, model, parts

        def move(gradients):
            optimizer.apply(gradients, model.trainable_variables)

        move = tf.function(move, jit_compile=True) if fused else move

        def several(order, masks, count):
            losses = tf.zeros(LONGEST, images.dtype)
            for step in tf.range(count):
                chosen = order[step]
                drawn = [mask[step] for mask in masks]
                batch = tf.gather(images, chosen), tf.gather(labels, chosen)
                loss, gradients = self._step(*batch, *drawn)
                move(gradients)
                losses = tf.tensor_scatter_nd_update(losses, [[step]], [loss])
            return losses

        self._several = tf.function(several, jit_compile=jit)

    def __call__(self, order, masks=()):
        """Take the steps of ``order``, ``(steps, batch)`` with at most LONGEST; their losses."""
        count = len(order)
        # Always as many rows, so that a stretch of another length is not compiled anew.
        padded = [_padded(array) for array in (order, *masks)]
        return self._several(padded[0], padded[1:], tf.constant(count))[:count]

    def _step(self, *batch):
        size = batch[0].shape[0]
        if min(self._parts, size) == 1:
            return self._gradients(self._model, *batch)
        sizes = [len(range(part, size, self._parts)) for part in range(self._parts)]
        parts = zip(*(tf.split(whole, sizes) for whole in batch), strict=True)
        found = [self._gradients(self._model, *part) for part in parts]
        shares = [part / size for part in sizes]

        def mean(values):
            return tf.add_n([share * value for share, value in zip(shares, values, strict=True)])

        losses, gradients = zip(*found, strict=True)
        return mean(losses), [mean(some) for some in zip(*gradients, strict=True)]


def _padded(array):
    array = tf.convert_to_tensor(array)
    missing = LONGEST - array.shape[0]
    return tf.pad(array, [[0, missing]] + [[0, 0]] * (array.ndim - 1))
