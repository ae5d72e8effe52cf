"""What layers mean by words that both frameworks use.

Twin: keras_impl/differences/layer_semantics.py
Look at: ``given`` is the framework's own way, ``mapped`` the same with the mapping applied.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from parity.reference import weight_layouts
from parity.torch_side.layers import KerasBatchNorm1d

from ._common import outcome


def _load(layer, kind, weights):
    """Weights in Keras' layout into a module."""
    state = weight_layouts.to_torch(kind, {name: w.numpy() for name, w in weights.items()})
    layer.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    return layer


def _recurrent(layer, kind, weights):
    """The same for recurrent layers, whose weights come in Keras' order."""
    names = weight_layouts.KERAS_NAMES[kind]
    return _load(layer, kind, dict(zip(names, weights, strict=True)))


def batch_norm_variance(x):
    """Divided by n − 1."""
    own, bridge = nn.BatchNorm1d(1, momentum=1.0), KerasBatchNorm1d(1, momentum=1.0)
    own(x)
    bridge(x)
    return {"given": own.running_var, "mapped": bridge.running_var}


def batch_norm_frozen(x):
    """Without gradients the running statistics still move; `eval()` stops them."""
    layer = nn.BatchNorm1d(1).requires_grad_(False)
    layer(x)
    given = not torch.equal(layer.running_mean, torch.zeros(1))
    still = nn.BatchNorm1d(1).eval()
    still(x)
    return {"given": given, "mapped": not torch.equal(still.running_mean, torch.zeros(1))}


def mode(x):
    """A new module is in training mode."""
    layer = nn.Dropout(0.5)
    given = "as it is" if torch.equal(layer(x), x) else "half dropped"
    return {"given": given, "mapped": layer.eval()(x)}


def same_stride_2_even(x):
    """`padding=1` pads both ends."""
    ones = torch.ones((1, 1, 3, 3), dtype=x.dtype)
    return {
        "given": F.conv2d(x, ones, stride=2, padding=1),
        "mapped": F.conv2d(F.pad(x, (0, 1, 0, 1)), ones, stride=2),
    }


def same_stride_2_odd(x):
    """`padding=1` pads both ends."""
    return {"given": F.conv2d(x, torch.ones((1, 1, 3, 3), dtype=x.dtype), stride=2, padding=1)}


def same_with_stride(x):
    """Refused."""
    return {"given": outcome(lambda: nn.Conv2d(1, 1, 3, stride=2, padding="same"))}


def same_even_kernel(x):
    """The odd zero goes to the end."""
    return {"given": F.conv2d(x, torch.ones((1, 1, 2, 2), dtype=x.dtype), padding="same")}


def max_pool_same_even(x):
    """`padding=1` pads both ends."""
    lowest = F.pad(x, (0, 1, 0, 1), value=float("-inf"))
    return {"given": F.max_pool2d(x, 3, 2, padding=1), "mapped": F.max_pool2d(lowest, 3, 2)}


def dense_kernel_layout(x, kernel):
    """Output, input."""
    layer = _load(nn.Linear(4, 5, bias=False), "dense", {"kernel": kernel})
    return {"given": tuple(layer.weight.shape), "mapped": layer(x)}


def conv_kernel_layout(x, kernel):
    """Output, input, height, width."""
    layer = _load(nn.Conv2d(4, 5, (3, 2), bias=False), "conv2d", {"kernel": kernel})
    return {"given": tuple(layer.weight.shape), "mapped": layer(x)}


def conv_transpose_kernel_layout(x, kernel):
    """Input, output, height, width."""
    layer = nn.ConvTranspose2d(4, 5, (3, 2), stride=2, bias=False)
    _load(layer, "conv2d_transpose", {"kernel": kernel})
    return {"given": tuple(layer.weight.shape), "mapped": layer(x)}


def depthwise_kernel_layout(x, kernel):
    """A grouped convolution: input × multiplier, 1, height, width."""
    layer = nn.Conv2d(4, 8, (3, 2), groups=4, bias=False)
    _load(layer, "depthwise_conv2d", {"kernel": kernel})
    return {"given": tuple(layer.weight.shape), "mapped": layer(x)}


def conv_transpose_same_k3s2(x, kernel):
    """Twice the size needs `padding=1, output_padding=1`, which cuts at the other end."""
    x, kernel = x[None, None], kernel[None, None]
    given = F.conv_transpose1d(x, kernel, stride=2, padding=1, output_padding=1)
    return {"given": given[0, 0], "mapped": F.conv_transpose1d(x, kernel, stride=2)[0, 0, :6]}


def conv_transpose_same_k4s2(x, kernel):
    """`padding=1`."""
    y = F.conv_transpose1d(x[None, None], kernel[None, None], stride=2, padding=1)
    return {"given": y[0, 0]}


def flatten_order(x):
    """Channel by channel."""
    return {"given": x.flatten(1), "mapped": x.permute(0, 2, 3, 1).flatten(1)}


def lstm_biases(x, kernel, recurrent_kernel, bias):
    """Two, whose sum is Keras' one."""
    layer = nn.LSTM(3, 2, batch_first=True)
    _recurrent(layer, "lstm", (kernel, recurrent_kernel, bias))
    biases = [name for name, _ in layer.named_parameters() if "bias" in name]
    return {"given": len(biases), "mapped": layer(x)[0]}


def gru_gates(x, kernel, recurrent_kernel, bias):
    """Reset, update, new."""
    layer = nn.GRU(1, 1, batch_first=True)
    weights = (kernel.T, recurrent_kernel.T, bias[0], bias[1])
    layer.load_state_dict(dict(zip(layer.state_dict(), weights, strict=True)))
    given = layer(x)[0][0, -1, 0].detach()
    _recurrent(layer, "gru", (kernel, recurrent_kernel, bias))
    return {"given": given, "mapped": layer(x)[0]}


def gru_reset_before(x, kernel, recurrent_kernel, bias):
    """There is only resetting after the product."""
    layer = nn.GRU(1, 1, batch_first=True)
    _recurrent(layer, "gru", (kernel, recurrent_kernel, bias))
    return {"given": layer(x)[0][0, -1, 0].detach()}


def bidirectional_last(x, kernel, recurrent_kernel, bias):
    """`y[:, -1]` has the backward layer's first step."""
    layer = nn.LSTM(1, 1, batch_first=True, bidirectional=True)
    _recurrent(layer, "bidirectional_lstm", (kernel, recurrent_kernel, bias) * 2)
    y, (hidden, _) = layer(x)
    return {"given": y[:, -1].detach(), "mapped": torch.cat([hidden[0], hidden[1]], dim=1)}


def masked_steps(x):
    """Padded steps count, but for packed sequences."""
    layer = nn.RNN(1, 1, batch_first=True, bias=False)
    layer.load_state_dict({name: torch.ones((1, 1)) for name in layer.state_dict()})
    packed = nn.utils.rnn.pack_padded_sequence(x, [2], batch_first=True)
    return {"given": layer(x)[1][0, 0, 0].detach(), "mapped": layer(packed)[1][0, 0, 0]}


def _attention():
    """One head of size 1 that passes everything on."""
    layer = nn.MultiheadAttention(1, 1, batch_first=True)
    weights = {"in_proj_weight": torch.ones((3, 1)), "in_proj_bias": torch.zeros(3)}
    weights |= {"out_proj.weight": torch.ones((1, 1)), "out_proj.bias": torch.zeros(1)}
    layer.load_state_dict(weights)
    return layer


def attention_mask(x):
    """True blocks."""
    layer, mask = _attention(), torch.tensor([[True, False], [True, False]])
    given, _ = layer(x, x, x, attn_mask=mask)
    mapped, _ = layer(x, x, x, attn_mask=~mask)
    return {"given": given.detach(), "mapped": mapped}


def attention_nowhere(x):
    """Nothing over nothing."""
    y, _ = _attention()(x, x, x, attn_mask=torch.ones((2, 2), dtype=torch.bool))
    return {"given": "NaN" if bool(y.isnan().all()) else "finite"}


def attention_scores(x):
    """The mean over the heads."""
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    mean, each = (layer(x, x, x, average_attn_weights=mean)[1] for mean in (True, False))
    return {"given": tuple(mean.shape), "mapped": tuple(each.shape)}


def pixel_shuffle(x):
    """Channels of the result first, places in the block last."""
    y = F.pixel_shuffle(x, 2)
    return {"given": y, "mapped": y}


def patches(x):
    """Channel, row, column."""
    y = F.unfold(x, 2)[:, :, 0]
    return {"given": y, "mapped": y.reshape(1, 2, 2, 2).permute(0, 2, 3, 1).reshape(1, 8)}


def bilinear(x):
    """Pixels are squares, not points."""
    return {"given": F.interpolate(x, (1, 4), mode="bilinear")}


def bilinear_corners(x):
    """An argument of `interpolate`."""

    def resized():
        return F.interpolate(x, (1, 5), mode="bilinear", align_corners=True)

    return {"given": outcome(resized), "mapped": resized()}


def nearest(x):
    """By the corner of a pixel; 'nearest-exact' goes by its middle."""
    return {
        "given": F.interpolate(x, (1, 3), mode="nearest"),
        "mapped": F.interpolate(x, (1, 3), mode="nearest-exact"),
    }


def bicubic(x):
    """Keys' kernel with a = −0.75."""
    return {"given": F.interpolate(x, (1, 4), mode="bicubic")}


def index_too_large(table, words):
    """An error."""
    return {"given": outcome(lambda: F.embedding(words, table))}


def one_hot_too_large(words):
    """An error."""
    return {"given": outcome(lambda: F.one_hot(words, 3))}


def negative_index(x, words):
    """Counts from the end."""
    return {"given": outcome(lambda: x[words]), "mapped": x[words]}


def float64_input():
    """An error."""
    layer, x = nn.Linear(3, 2, dtype=torch.float32), torch.ones((1, 3), dtype=torch.float64)
    mapped = str(layer(x.float()).dtype).removeprefix("torch.")
    return {"given": outcome(lambda: layer(x)), "mapped": mapped}
