"""Recurrent layers and attention: what they return, and weights taken across both ways.

Twin: keras_impl/sequences.py
Look at: `gru`, whose gates stand in another order, and `lstm`, which has two biases here;
`attention`, where a mask says what is *blocked* here; and `heads_of_3`, a rounding of its own.
"""

import torch
from torch import nn

from shared.plots import Plots

PARTS = ("query", "key", "value")


def lstm(x, kernel, recurrent_kernel, bias, upstream):
    """Two biases here, one there: the second is loaded as zero, both have the same gradient."""
    layer = nn.LSTM(3, 2, batch_first=True)
    layer.load_state_dict(
        {
            "weight_ih_l0": kernel.T,
            "weight_hh_l0": recurrent_kernel.T,
            "bias_ih_l0": bias,
            "bias_hh_l0": torch.zeros_like(bias),
        }
    )
    y, (hidden, cell) = layer(x.requires_grad_())
    y.backward(upstream)
    return {
        "y": y,
        "dx": x.grad,
        "dkernel": layer.weight_ih_l0.grad.T,
        "drecurrent_kernel": layer.weight_hh_l0.grad.T,
        "dbias": layer.bias_ih_l0.grad,
        "last_hidden": hidden[0],
        "last_cell": cell[0],
    }


def _gates_swapped(array):
    """Reset, update, new here; update, reset, new there: the first two change places."""
    one, other, new = array.chunk(3, dim=-1)
    return torch.cat([other, one, new], dim=-1)


def gru(x, kernel, recurrent_kernel, bias, upstream):
    """Gates stand as reset, update, new here."""
    layer = nn.GRU(3, 2, batch_first=True)
    layer.load_state_dict(
        {
            "weight_ih_l0": _gates_swapped(kernel).T,
            "weight_hh_l0": _gates_swapped(recurrent_kernel).T,
            "bias_ih_l0": _gates_swapped(bias[0]),
            "bias_hh_l0": _gates_swapped(bias[1]),
        }
    )
    y, _ = layer(x.requires_grad_())
    y.backward(upstream)
    return {
        "y": y,
        "dkernel": _gates_swapped(layer.weight_ih_l0.grad.T),
        "drecurrent_kernel": _gates_swapped(layer.weight_hh_l0.grad.T),
        "dbias": _gates_swapped(torch.stack([layer.bias_ih_l0.grad, layer.bias_hh_l0.grad])),
        "dx": x.grad,
    }


def bidirectional(x, upstream, **weights):
    """An argument of the layer; the last states are `hidden`, not `y[:, -1]`."""
    layer = nn.LSTM(3, 2, batch_first=True, bidirectional=True)
    ways = {"forward": "", "backward": "_reverse"}
    state = {}
    for way, suffix in ways.items():
        state[f"weight_ih_l0{suffix}"] = weights[f"{way}_kernel"].T
        state[f"weight_hh_l0{suffix}"] = weights[f"{way}_recurrent_kernel"].T
        state[f"bias_ih_l0{suffix}"] = weights[f"{way}_bias"]
        state[f"bias_hh_l0{suffix}"] = torch.zeros_like(weights[f"{way}_bias"])
    layer.load_state_dict(state)
    y, (hidden, _) = layer(x.requires_grad_())
    y.backward(upstream)
    found = {"y": y, "dx": x.grad, "last": torch.cat([hidden[0], hidden[1]], dim=1)}
    named = dict(layer.named_parameters())
    for way, suffix in ways.items():
        found[f"d{way}_kernel"] = named[f"weight_ih_l0{suffix}"].grad.T
        found[f"d{way}_recurrent_kernel"] = named[f"weight_hh_l0{suffix}"].grad.T
        found[f"d{way}_bias"] = named[f"bias_ih_l0{suffix}"].grad
    return found


def _attention_state(weights):
    """Keras' ``(embedding, heads, size)`` a part, stacked to ``(3 · embedding, embedding)``."""
    state = {
        "in_proj_weight": torch.cat([weights[f"{p}_kernel"].flatten(1).T for p in PARTS]),
        "out_proj.weight": weights["output_kernel"].flatten(0, 1).T,
    }
    if "query_bias" in weights:
        state["in_proj_bias"] = torch.cat([weights[f"{part}_bias"].flatten() for part in PARTS])
        state["out_proj.bias"] = weights["output_bias"]
    return state


def attention(query, value, upstream, blocked, **weights):
    """`embed_dim` is of all heads together, and True in a mask blocks."""
    layer = nn.MultiheadAttention(embed_dim=8, num_heads=2, batch_first=True)
    layer.load_state_dict(_attention_state(weights))
    query.requires_grad_()
    value.requires_grad_()
    y, scores = layer(query, value, value, attn_mask=blocked.bool(), average_attn_weights=False)
    y.backward(upstream)
    kernels, biases = layer.in_proj_weight.grad.chunk(3), layer.in_proj_bias.grad.chunk(3)
    found = {"y": y, "attention": scores, "dquery": query.grad, "dvalue": value.grad}
    for part, kernel, bias in zip(PARTS, kernels, biases, strict=True):
        found[f"d{part}_kernel"] = kernel.T.reshape(8, 2, 4)
        found[f"d{part}_bias"] = bias.reshape(2, 4)
    nowhere, _ = layer(query, value, value, attn_mask=torch.ones_like(blocked).bool())
    return found | {
        "doutput_kernel": layer.out_proj.weight.grad.T.reshape(2, 4, 8),
        "doutput_bias": layer.out_proj.bias.grad,
        "all_blocked": "NaN" if nowhere.isnan().all() else "finite",
    }


def heads_of_3(query, value, **weights):
    """The scores are divided by √3, in the precision of the query."""
    layer = nn.MultiheadAttention(embed_dim=6, num_heads=2, bias=False, batch_first=True)
    layer.load_state_dict(_attention_state(weights))
    return {"y": layer(query, value, value)[0]}


def lstm_from_pytorch(x, weight_ih, weight_hh, bias_ih, bias_hh):
    """The other way: weights that were PyTorch's from the start."""
    layer = nn.LSTM(3, 2, batch_first=True)
    own = {"weight_ih": weight_ih, "weight_hh": weight_hh, "bias_ih": bias_ih, "bias_hh": bias_hh}
    layer.load_state_dict({f"{name}_l0": weight for name, weight in own.items()})
    return {"y": layer(x)[0]}


def gru_from_pytorch(x, weight_ih, weight_hh, bias_ih, bias_hh):
    """The other way: the gates stand as they are here, and change places there."""
    layer = nn.GRU(3, 2, batch_first=True)
    own = {"weight_ih": weight_ih, "weight_hh": weight_hh, "bias_ih": bias_ih, "bias_hh": bias_hh}
    layer.load_state_dict({f"{name}_l0": weight for name, weight in own.items()})
    return {"y": layer(x)[0]}


def main():
    """Run each layer on one short sequence, and look at states, weights and attention."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    x = torch.randn(2, 4, 3)
    print("sequences (batch, step, feature):", tuple(x.shape))
    for kind in (nn.LSTM, nn.GRU):
        shapes = {name: tuple(w.shape) for name, w in kind(3, 2).named_parameters()}
        print(f"{kind.__name__}: {shapes}")

    run = lstm(x, torch.randn(3, 8), torch.randn(2, 8), torch.zeros(8), torch.ones(2, 4, 2))
    print(
        f"LSTM: every state {tuple(run['y'].shape)}, last {run['last_hidden'][0].detach().numpy()}"
    )
    print("the last is the last of all:", torch.equal(run["y"][:, -1], run["last_hidden"]))

    weights = {}
    for way in ("forward", "backward"):
        weights |= {f"{way}_kernel": torch.randn(3, 8), f"{way}_bias": torch.zeros(8)}
        weights[f"{way}_recurrent_kernel"] = torch.randn(2, 8)
    both = bidirectional(x, torch.ones(2, 4, 4), **weights)
    print(f"both ways: {tuple(both['y'].shape)};", end=" ")
    print("the last states are y[:, -1]:", torch.equal(both["y"][:, -1], both["last"]))

    layer = nn.MultiheadAttention(8, 2)
    weights = {f"{part}_kernel": torch.randn(8, 2, 4) / 4 for part in PARTS}
    weights |= {f"{part}_bias": torch.zeros(2, 4) for part in PARTS}
    weights |= {"output_kernel": torch.randn(2, 4, 8), "output_bias": torch.zeros(8)}
    future = torch.ones(4, 4).triu(diagonal=1)
    word = torch.randn(2, 4, 8)
    seen = attention(word, torch.randn(2, 4, 8), torch.ones(2, 4, 8), future, **weights)
    print("attention:", {name: tuple(w.shape) for name, w in layer.named_parameters()})
    print("who looks where, the future blocked, first head:")
    print(seen["attention"][0, 0].detach().numpy().round(2))
    print("a query that may look nowhere:", seen["all_blocked"])

    def draw(figure):
        for head, axes in enumerate(figure.subplots(1, 2)):
            axes.imshow(seen["attention"][0, head].detach(), vmin=0, vmax=1)
            axes.set(title=f"head {head}", xlabel="looks at", ylabel="position", yticks=range(4))

    plots.draw("attention", draw)
    states = run["y"][0].T.tolist()
    plots.curves("states", {f"unit {i}": states[i] for i in range(2)}, "step", "hidden state")


if __name__ == "__main__":
    main()
