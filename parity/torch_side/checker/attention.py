"""Attention taken apart: dense layers, two products, a scale, a mask, a softmax."""

import math

import torch
import torch.nn.functional as F  # noqa: N812

from parity.torch_side.checker.calls import flatten
from parity.torch_side.checker.tracer import handles


def additive(t, mask, like):
    """A mask to be added: of a boolean one that is true where attention *may* look."""
    if mask is None or mask.dtype != torch.bool:
        return mask
    return t.run(
        torch.where,
        mask,
        torch.zeros((), dtype=like.dtype),
        torch.full((), -math.inf, dtype=like.dtype),
    )


def softmax(input, dim):
    """As the fused kernel has it: zeros, and not NaN, in a row with nothing kept."""
    empty = torch.isneginf(input).all(dim, keepdim=True)
    return F.softmax(input.masked_fill(empty, 0.0), dim=dim).masked_fill(empty, 0.0)


def attended(t, query, key, value, mask, scale, dropout, training, *, fused=True):
    """(result, weights) of queries (…, target, size) on keys and values (…, source, size)."""
    scores = t.run(torch.matmul, query, t.run(torch.transpose, key, -2, -1))
    scores = t.run(torch.mul, scores, scale)
    if mask is not None:
        scores = t.run(torch.add, scores, mask)
    weights = t.run(softmax if fused else F.softmax, scores, dim=-1)
    if dropout > 0:
        weights = t.run(F.dropout, weights, dropout, training)
    return t.run(torch.matmul, weights, value), weights


@handles("scaled_dot_product_attention")
def scaled_dot_product(t, c):
    """The fused kernel."""
    a = c.bind(
        "query key value attn_mask=None dropout_p=0.0 is_causal=False scale=None enable_gqa=False"
    )
    query, key, value, mask = a.query, a.key, a.value, a.attn_mask
    if a.enable_gqa:
        times = query.shape[-3] // key.shape[-3]
        key = t.run(torch.repeat_interleave, key, times, -3)
        value = t.run(torch.repeat_interleave, value, times, -3)
    if a.is_causal:
        mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool).tril()
    mask = additive(t, mask, query)
    scale = 1 / math.sqrt(query.shape[-1]) if a.scale is None else a.scale
    out, _ = attended(t, query, key, value, mask, scale, a.dropout_p, a.dropout_p > 0)
    fused = c.func(*c.args, **{**c.kwargs, "dropout_p": 0.0}) if len(c.args) < 5 else None
    agrees(t, "scaled_dot_product_attention", out, fused)
    return out


def agrees(t, what, apart, fused):
    """A fused call taken apart must be the fused call; else the graph says that it is not."""
    if fused is None or t.training or t.wide:
        return
    for made, expected in zip(flatten(apart), flatten(fused), strict=False):
        one, other = made.detach(), expected.detach().reshape(made.shape)
        bound = 1e-4 * float(other.abs().nan_to_num().max()) if other.numel() else 0.0
        if not torch.allclose(one, other, rtol=1e-3, atol=bound, equal_nan=True):
            t.note(f"{what} in {t.where}, taken apart, gives other numbers than the call itself.")


SPEC = (
    "query key value embed_dim_to_check num_heads in_proj_weight in_proj_bias bias_k bias_v "
    "add_zero_attn dropout_p out_proj_weight out_proj_bias training=True key_padding_mask=None "
    "need_weights=True attn_mask=None use_separate_proj_weight=False q_proj_weight=None "
    "k_proj_weight=None v_proj_weight=None static_k=None static_v=None average_attn_weights=True "
    "is_causal=False"
)


@handles("multi_head_attention_forward")
def multi_head(t, c):
    """``nn.MultiheadAttention``; inside, everything is batch first."""
    a = c.bind(SPEC)
    batched = a.query.dim() == 3
    query, key, value = (_batch_first(t, x, batched) for x in (a.query, a.key, a.value))
    query, key, value = _projected(t, a, query, key, value)
    key, value, more = _extended(t, a, key, value)
    batch, heads = query.shape[0], a.num_heads
    parts = []
    for x in (query, key, value):
        split = t.run(torch.reshape, x, (batch, x.shape[1], heads, x.shape[2] // heads))
        parts.append(t.run(torch.transpose, split, 1, 2))
    mask = _mask(t, a, batch, more, query)
    scale = 1 / math.sqrt(parts[0].shape[-1])
    out, weights = attended(
        t, *parts, mask, scale, a.dropout_p, a.training, fused=not a.need_weights
    )
    out = t.run(torch.transpose, out, 1, 2)
    out = t.run(torch.reshape, out, (batch, out.shape[1], -1))
    with t.labelled("output"):
        out = t.run(F.linear, out, a.out_proj_weight, a.out_proj_bias)
    out = t.run(torch.transpose, out, 0, 1) if batched else t.run(torch.squeeze, out, 0)
    if not a.need_weights:
        weights = None
    elif a.average_attn_weights:
        weights = t.run(torch.mean, weights, 1)
    if weights is not None and not batched:
        weights = t.run(torch.squeeze, weights, 0)
    _compare(t, c, out)
    return out, weights


def _compare(t, c, out):
    if not (t.training or t.wide):
        fused = c.func(*c.args, **c.kwargs) if not c.kwargs.get("training") else None
        agrees(t, "multi_head_attention_forward", [out], fused and [fused[0]])


def _batch_first(t, x, batched):
    return t.run(torch.transpose, x, 0, 1) if batched else t.run(torch.unsqueeze, x, 0)


def _projected(t, a, *inputs):
    size = a.embed_dim_to_check
    separate = (a.q_proj_weight, a.k_proj_weight, a.v_proj_weight)
    out = []
    for place, (x, label) in enumerate(zip(inputs, ("query", "key", "value"), strict=True)):
        rows = slice(place * size, (place + 1) * size)
        with t.labelled(label):
            weight, bias = separate[place], a.in_proj_bias
            if not a.use_separate_proj_weight:
                weight = t.run(torch.Tensor.__getitem__, a.in_proj_weight, rows)
            if bias is not None:
                bias = t.run(torch.Tensor.__getitem__, bias, rows)
            out.append(t.run(F.linear, x, weight, bias))
    return out


def _extended(t, a, key, value):
    """With the learnt key and value, and with zeros, at the end, where wanted."""
    more = 0
    if a.bias_k is not None:
        shape = (key.shape[0], 1, key.shape[2])
        key = t.run(torch.cat, [key, t.run(torch.Tensor.expand, a.bias_k, shape)], 1)
        value = t.run(torch.cat, [value, t.run(torch.Tensor.expand, a.bias_v, shape)], 1)
        more += 1
    if a.add_zero_attn:
        zeros = torch.zeros(key.shape[0], 1, key.shape[2], dtype=key.dtype)
        key, value = t.run(torch.cat, [key, zeros], 1), t.run(torch.cat, [value, zeros], 1)
        more += 1
    return key, value, more


def _mask(t, a, batch, more, like):
    """Both masks as one, to be added to (batch, heads, target, source)."""
    masks = []
    if a.attn_mask is not None:
        mask = _wanted(t, a.attn_mask, like, more)
        if mask.dim() == 3:
            mask = t.run(torch.reshape, mask, (batch, -1, *mask.shape[1:]))
        masks.append(mask)
    if a.key_padding_mask is not None:
        mask = _wanted(t, a.key_padding_mask, like, more)
        masks.append(t.run(torch.reshape, mask, (batch, 1, 1, mask.shape[-1])))
    if not masks:
        return None
    return masks[0] if len(masks) == 1 else t.run(torch.add, *masks)


def _wanted(t, mask, like, more):
    """Here a boolean mask is true where attention may *not* look."""
    if mask.dtype == torch.bool:
        mask = additive(t, t.run(torch.logical_not, mask), like)
    return t.run(F.pad, mask, (0, more)) if more else mask
