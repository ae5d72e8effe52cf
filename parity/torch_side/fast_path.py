"""The fast path: samples in memory as tensors, a fused optimizer, no waiting for a loss.

It trains with the lesson's own step and optimizer; only what surrounds them is other: batches are
rows of one tensor, all parameters are moved in one kernel, and losses are read when a stretch of
steps has ended.
"""

import contextlib
import functools

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from parity.torch_side.rewriting import simplified

LONGEST = 256
"""Steps a call at most: what is told of progress, and how many masks are drawn ahead."""
_CACHED = 2**22
"""Bytes of images that are gathered at once."""


class Steps:
    """Training steps on samples in memory.

    Args:
        loss_and_gradients: of a `Program`, called with model, images, labels, masks; the gradients
            are left on the parameters.
        model: moved in place.
        optimizer: its state is moved too; fused where it can be.
        images: all samples with the channels last, ``(n, …)``.
        labels: ``(n,)``.
        channels_last: keep images and convolutions that way in memory.
        traced: write down once, for each size of batch, which operations `loss_and_gradients` comes
            to, and run only these: the same kernels, without modules, autograd and its graph.
    """

    def __init__(
        self, loss_and_gradients, model, optimizer, images, labels, *, channels_last, traced=False
    ):
        if channels_last:
            model.to(memory_format=torch.channels_last)
        self._gradients, self._model = loss_and_gradients, model
        self._labels = labels
        self._images = images
        self._pictures = images.dim() == 4
        if self._pictures and not channels_last:
            self._images = images.permute(0, 3, 1, 2).contiguous()
        self._channels_last = channels_last
        self._traced = {} if traced else None
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        fuse(optimizer)
        self._optimizer = optimizer
        bridge = getattr(optimizer, "move", None)
        self._move = functools.partial(bridge, self._parameters) if bridge else self._by_step

    def batch(self, chosen):
        """Images and labels of these samples as the model takes them."""
        images = self._images.index_select(0, chosen)
        # Channels last in memory, first in the axes: a matter of strides, nothing is copied.
        images = images.permute(0, 3, 1, 2) if self._pictures and self._channels_last else images
        return images, self._labels.index_select(0, chosen)

    def batches(self, order):
        """The batches of ``order``, several steps gathered at once, few enough for the cache."""
        size = self._images[0].nbytes * order.shape[1]
        for some in order.split(max(_CACHED // size, 1)):
            images, labels = self.batch(some.reshape(-1))
            yield from zip(images.split(order.shape[1]), labels.split(order.shape[1]), strict=True)

    def __call__(self, order, masks=()):
        """Take the steps of ``order``, ``(steps, batch)``; their losses."""
        losses = []
        step = self._step if self._traced is None else self._traced_step
        given = zip(self.batches(order), *(mask.unbind() for mask in masks), strict=True)
        with flushing(), torch.no_grad():
            for (images, labels), *drawn in given:
                losses.append(step(images, labels, *drawn))
        return torch.stack(losses)

    def _step(self, *batch):
        with torch.enable_grad():
            loss = self._gradients(self._model, *batch)[0].detach()
        self._optimizer.step()
        return loss

    def _traced_step(self, *batch):
        size = batch[0].shape[0]
        operations = self._traced.get(size)
        if operations is None:
            operations = self._traced[size] = self._trace(batch)
        loss, *gradients = operations(*batch)
        self._move(gradients)
        return loss

    def _by_step(self, gradients):
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient
        self._optimizer.step()

    def _trace(self, batch):
        """The operations of a step. Parameters are taken as they stand, so later steps see them."""

        def step(*batch):
            with torch.enable_grad():
                loss = self._gradients(self._model, *batch)[0]
            return loss.detach(), *(parameter.grad for parameter in self._parameters)

        kept = {name: buffer.clone() for name, buffer in self._model.named_buffers()}
        operations = simplified(make_fx(step)(*batch), channels_last=self._channels_last)
        for name, buffer in self._model.named_buffers():
            buffer.copy_(kept[name])  # tracing is a run, and a run moves running statistics
        return operations


@contextlib.contextmanager
def flushing():
    """Subnormal numbers count as 0, as they always do in TensorFlow.

    Adam's moments of a pixel that is black in almost every image decay into them, and a processor
    computes with those many times as slowly. It is a switch of each thread: those that PyTorch
    starts later have it too, those that it has started already keep their own.
    """
    before = torch.tensor(1e-40, dtype=torch.float32).mul(1.0).item() == 0.0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def fuse(optimizer):
    """Let an optimizer that knows how move all its parameters in one kernel."""
    for group in optimizer.param_groups:
        if "fused" in group:
            group["fused"], group["foreach"] = True, False
