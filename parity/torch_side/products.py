"""The matrix products and convolutions of a training step alone: what no program can do without."""

import torch
from torch import nn

_CONVOLUTION = torch.ops.aten.convolution.default
_BACKWARD = torch.ops.aten.convolution_backward.default


def find(model, gradients, images, labels):
    """Every dense layer and convolution that a step runs, with what its backward pass must give.

    Args:
        model: it is run once.
        gradients: `loss_and_gradients` of a `Program`.
        images, labels: a batch.

    Returns:
        (layer, shape of its input, shape of its output, whether its weights have a gradient,
        whether its input has one), in the order of execution.
    """
    found = []

    def hook(module, inputs, output):
        kernel = weights(module)
        if kernel is not None:
            needs = (kernel.requires_grad, inputs[0].requires_grad)
            found.append((module, inputs[0].shape, output.shape, *needs))

    hooks = [m.register_forward_hook(hook) for m in model.modules() if weights(m) is not None]
    gradients(model, images, torch.as_tensor(labels))
    for handle in hooks:
        handle.remove()
    return found


def weights(module):
    """The matrix or the filters of a layer that multiplies by them; None of any other."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        return module.weight
    kernel = getattr(module, "kernel", None)  # a dense layer of one's own: (in, out)
    return kernel if isinstance(kernel, nn.Parameter) and kernel.ndim == 2 else None


def step(found, channels_last):
    """A function that does all of one step: outputs, gradients of weights, gradients of inputs."""
    every = [
        (_convolution if isinstance(module, nn.Conv2d) else _dense)(module, *rest, channels_last)
        for module, *rest in found
    ]

    def run():
        for layer in every:
            layer()

    return run


def _dense(module, shape, output, trained, needed, channels_last):
    kernel = weights(module).detach()
    if isinstance(module, nn.Linear):
        kernel = kernel.t()  # stored as (out, in), so this one is no copy
    rows = shape[:-1].numel()
    x, g = torch.rand(rows, shape[-1]), torch.rand(rows, output[-1])
    y, dx, dw = torch.empty_like(g), torch.empty_like(x), torch.empty_like(weights(module))
    transposed = kernel.t()
    of_weights = (g.t(), x) if isinstance(module, nn.Linear) else (x.t(), g)

    def run():
        torch.mm(x, kernel, out=y)
        if trained:
            torch.mm(*of_weights, out=dw)
        if needed:
            torch.mm(g, transposed, out=dx)

    return run


def _convolution(module, shape, output, trained, needed, channels_last):
    layout = torch.channels_last if channels_last else torch.contiguous_format
    kernel = module.weight.detach().contiguous(memory_format=layout)
    x = torch.rand(shape).contiguous(memory_format=layout)
    g = torch.rand(output).contiguous(memory_format=layout)
    how = (module.stride, _padding(module), module.dilation, False, (0, 0), module.groups)
    mask = [needed, trained, False]

    def run():
        _CONVOLUTION(x, kernel, None, *how)
        if trained or needed:
            _BACKWARD(g, x, kernel, None, *how, mask)

    return run


def _padding(module):
    if module.padding == "valid":
        return (0, 0)
    if module.padding == "same":
        return tuple(
            d * (k - 1) // 2 for d, k in zip(module.dilation, module.kernel_size, strict=True)
        )
    return module.padding
