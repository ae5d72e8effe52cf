"""What layers do when nothing is said.

Twin: keras_impl/differences/layer_defaults.py
Look at: ``given`` is the framework's own way, ``mapped`` the same with the mapping applied.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from ._common import defaults, outcome


def _bound(weights):
    """The largest of many uniform numbers: the bound that they were drawn from."""
    return weights.detach().abs().max()


def batch_norm_epsilon(x):
    """Added to the variance."""
    return {
        "given": defaults(nn.BatchNorm2d, "eps"),
        "mapped": nn.BatchNorm2d(3, eps=1e-3)(x),
    }


def batch_norm_momentum(x):
    """The weight of what is new."""
    layer = nn.BatchNorm2d(3, momentum=0.01)
    layer(x)
    layer(x)
    return {"given": defaults(nn.BatchNorm2d, "momentum"), "mapped": layer.running_mean}


def layer_norm_epsilon(x):
    """It matters where inputs are small."""
    return {"given": nn.LayerNorm(2)(x), "mapped": nn.LayerNorm(2, eps=1e-3)(x)}


def group_norm_groups(x):
    """The number of groups must be said."""
    return {
        "given": outcome(lambda: nn.GroupNorm(num_channels=64)),
        "mapped": nn.GroupNorm(2, 4)(x),
    }


def group_norm_epsilon(x):
    """Added to the variance."""
    return {"given": defaults(nn.GroupNorm, "eps"), "mapped": nn.GroupNorm(2, 4, eps=1e-3)(x)}


def rms_norm_epsilon(x):
    """None stands for the precision's own epsilon."""
    return {"given": defaults(nn.RMSNorm, "eps"), "mapped": nn.RMSNorm(5, eps=1e-6)(x)}


def instance_norm(x):
    """A layer of its own, without weights."""
    return {
        "given": f"InstanceNorm2d: {defaults(nn.InstanceNorm2d, 'affine', 'eps')}",
        "mapped": nn.InstanceNorm2d(3)(x),
    }


def dense_kernel_start():
    """Uniform, ±1/√inputs."""
    layer = nn.Linear(100, 5000)
    given = _bound(layer.weight)
    nn.init.xavier_uniform_(layer.weight)
    return {"given": given, "mapped": f"{_bound(layer.weight).item():.3f}"}


def dense_bias_start():
    """Uniform, ±1/√inputs: not zero."""
    layer = nn.Linear(100, 5000)
    given = _bound(layer.bias)
    return {"given": given, "mapped": _bound(nn.init.zeros_(layer.bias))}


def conv_kernel_start():
    """Uniform, ±1/√(inputs of one output)."""
    layer = nn.Conv2d(3, 5000, 3)
    given = _bound(layer.weight)
    nn.init.xavier_uniform_(layer.weight)
    return {"given": given, "mapped": f"{_bound(layer.weight).item():.3f}"}


def conv_bias_start():
    """Uniform as the kernel: not zero."""
    layer = nn.Conv2d(3, 5000, 3)
    given = _bound(layer.bias)
    return {"given": given, "mapped": _bound(nn.init.zeros_(layer.bias))}


def embedding_start():
    """Normal, of deviation 1."""
    layer = nn.Embedding(1000, 1000)
    given = layer.weight.detach().std()
    nn.init.uniform_(layer.weight, -0.05, 0.05)
    return {"given": given, "mapped": f"{layer.weight.std().item():.3f}"}


def embedding_padding(table, words):
    """`padding_idx` keeps its row from training."""
    layer = nn.Embedding(3, 2, padding_idx=0)
    layer.load_state_dict({"weight": table})
    layer(words).sum().backward()
    return {"given": layer.weight.grad, "mapped": layer.weight.grad}


def recurrent_kernel_start():
    """Uniform, ±1/√units."""

    def kind(kernel):
        square = kernel.detach().T @ kernel.detach()
        return "orthogonal" if torch.allclose(square, torch.eye(50), atol=1e-4) else "random"

    layer = nn.RNN(7, 50)
    given = kind(layer.weight_hh_l0)
    return {"given": given, "mapped": kind(nn.init.orthogonal_(layer.weight_hh_l0))}


def lstm_forget_bias():
    """No gate is special."""
    layer = nn.LSTM(7, 50)
    forget = (layer.bias_ih_l0 + layer.bias_hh_l0)[50:100].detach()
    with torch.no_grad():
        layer.bias_ih_l0[50:100] = 1
        layer.bias_hh_l0[50:100] = 0
    mapped = (layer.bias_ih_l0 + layer.bias_hh_l0)[50:100].detach()
    return {"given": "1" if bool((forget == 1).all()) else "random", "mapped": mapped}


def recurrent_output():
    """Steps first, and the whole sequence."""
    given, _ = nn.LSTM(3, 5)(torch.zeros(4, 2, 3))
    mapped, _ = nn.LSTM(3, 5, batch_first=True)(torch.zeros(2, 4, 3))
    return {"given": tuple(given.shape), "mapped": tuple(mapped.shape)}


def attention_size():
    """8 is the size of all heads together."""
    layer = nn.MultiheadAttention(embed_dim=8, num_heads=2)
    size = layer.in_proj_weight.shape[0] // 3
    return {"given": size, "mapped": size}


def leaky_relu_layer(x):
    """The slope below zero."""
    return {"given": nn.LeakyReLU()(x), "mapped": nn.LeakyReLU(float(np.float32(0.3)))(x)}


def leaky_relu_function(x):
    """The slope below zero."""
    return {"given": F.leaky_relu(x), "mapped": F.leaky_relu(x, float(np.float32(0.2)))}


def prelu_start(x):
    """The learnt slope begins at 0.25."""
    return {"given": nn.PReLU()(x).detach(), "mapped": nn.PReLU(init=0.25)(x).detach()}


def prelu_slopes():
    """One for everything."""
    return {
        "given": nn.PReLU().weight.numel(),
        "mapped": nn.PReLU(num_parameters=3).weight.numel(),
    }


def gelu(x):
    """Exact, with the error function."""
    exact = x * (1 + torch.erf(x / 2**0.5)) / 2
    return {"given": "erf" if torch.allclose(F.gelu(x), exact, atol=1e-6) else "tanh"}


def hard_sigmoid(x):
    """relu6(x + 3) / 6."""
    return {"given": F.hardsigmoid(x)}


def softplus(x):
    """A straight line above 20."""
    return {"given": F.softplus(x), "mapped": F.softplus(x, threshold=40)}


def softmax_axis(x):
    """Guessed where it is not said: the first of three axes."""
    return {"given": F.softmax(x, dim=None), "mapped": F.softmax(x, dim=-1)}


def dropout_rate():
    """Half is dropped, and the rest doubled."""
    dropped = nn.Dropout(0.5)(torch.ones(1000))
    return {"given": outcome(nn.Dropout), "mapped": torch.unique(dropped)}


def dropout_scale():
    """What is kept is divided by the share kept."""
    return {"given": torch.unique(nn.Dropout(0.75)(torch.ones(1000)))}


def average_pool_padding(x):
    """Padded zeros count."""
    return {
        "given": F.avg_pool2d(x, 3, 1, padding=1)[0, 0, 0, 0],
        "mapped": F.avg_pool2d(x, 3, 1, padding=1, count_include_pad=False),
    }


def max_pool_padding(x):
    """`padding=1` is of −∞, so that it never wins."""
    y = F.max_pool2d(x, 3, 1, padding=1)
    return {"given": y[0, 0, 0, 0], "mapped": y}


def upsampling(x):
    """Nearest neighbours."""
    return {"given": nn.Upsample(scale_factor=2)(x)}


def padding_order(x):
    """The last axis first, flat."""
    return {
        "given": tuple(F.pad(x, (1, 2, 3, 4)).shape),
        "mapped": F.pad(x, (3, 4, 1, 2)),
    }


def integer_dtype():
    """Of whole numbers in a list."""
    return {
        "given": str(torch.tensor([1, 2]).dtype).removeprefix("torch."),
        "mapped": torch.tensor([1, 2]),
    }


def floating_dtype():
    """Of a number, after float64 was made the default."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    found = [str(torch.tensor(1.5).dtype).removeprefix("torch.") for _ in range(2)]
    torch.set_default_dtype(before)
    return dict(zip(("given", "mapped"), found, strict=True))
