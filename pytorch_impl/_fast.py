"""The fast path: samples in memory as tensors, a fused optimizer, no waiting for a loss.

It trains with the twin's own `loss_and_gradients` and optimizer; only what surrounds them is
other: batches are rows of one tensor, all parameters are moved in one kernel, and losses are read
when a stretch of steps has ended.
"""

import torch

LONGEST = 256
"""Steps a call at most: what is told of progress, and how many masks are drawn ahead."""


class Steps:
    """Training steps on samples in memory.

    Args:
        loss_and_gradients: of the twin, called with model, images, labels, masks; the gradients
            are left on the parameters.
        model: moved in place.
        optimizer: its state is moved too; fused where it can be.
        images: all samples with the channels last, ``(n, …)``.
        labels: ``(n,)``.
        channels_last: keep images and convolutions that way in memory.
    """

    def __init__(self, loss_and_gradients, model, optimizer, images, labels, *, channels_last):
        if channels_last:
            model.to(memory_format=torch.channels_last)
        self._gradients, self._model, self._optimizer = loss_and_gradients, model, optimizer
        self._labels = labels
        self._images = images
        self._pictures = images.dim() == 4
        if self._pictures and not channels_last:
            self._images = images.permute(0, 3, 1, 2).contiguous()
        self._permuted = self._pictures and channels_last
        fuse(optimizer)

    def batch(self, chosen):
        """Images and labels of these samples as the model takes them."""
        images = self._images.index_select(0, chosen)
        # Channels last in memory, first in the axes: a matter of strides, nothing is copied.
        images = images.permute(0, 3, 1, 2) if self._permuted else images
        return images, self._labels.index_select(0, chosen)

    def __call__(self, order, masks=()):
        """Take the steps of ``order``, ``(steps, batch)``; their losses."""
        losses = []
        for chosen, *drawn in zip(order.unbind(), *(mask.unbind() for mask in masks), strict=True):
            images, labels = self.batch(chosen)
            loss, _ = self._gradients(self._model, images, labels, *drawn)
            self._optimizer.step()
            losses.append(loss.detach())
        return torch.stack(losses)


def fuse(optimizer):
    """Let an optimizer that knows how move all its parameters in one kernel."""
    for group in optimizer.param_groups:
        if "fused" in group:
            group["fused"], group["foreach"] = True, False
