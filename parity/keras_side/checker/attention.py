"""Keras' attention, arranged so that looking into it yields the vocabulary's operations."""

from __future__ import annotations

import numpy as np
from keras import layers as kl
from keras import ops

from parity.keras_side.checker.marks import swapped


def _every_row_sees(mask):
    """Whether each query attends to something: else Keras' own softmax yields zeros."""
    return mask is None or bool(np.all(np.any(np.array(mask, bool), axis=-1)))


def _softmax(scores, mask):
    """As `keras.ops.dot_product_attention` masks, without a second mask afterwards."""
    if mask is not None:
        while len(mask.shape) < 4:
            mask = ops.expand_dims(mask, -3)
        low = ops.cast(-0.7 * float(np.finfo("float32").max), scores.dtype)
        scores = ops.where(ops.cast(mask, "bool"), scores, low)
    return ops.softmax(scores, axis=-1)


def arrange(stack, layer):
    """Have the scores scaled after the product, always.

    Keras scales the query beforehand where it drops from the scores or returns them, and the
    scores elsewhere. Other frameworks scale the scores.
    """
    if not isinstance(layer, kl.MultiHeadAttention):
        return
    native = layer._compute_attention

    def compute(
        query,
        key,
        value,
        attention_mask=None,
        training=None,
        return_attention_scores=False,
        use_causal_mask=False,
        **more,
    ):
        fused = not (layer._dropout > 0 or return_attention_scores or len(query.shape) != 4)
        if fused or more or getattr(layer, "_sliding_window", None):
            return native(
                query,
                key,
                value,
                attention_mask=attention_mask,
                training=training,
                return_attention_scores=return_attention_scores,
                **({"use_causal_mask": True} if use_causal_mask else {}),
                **more,
            )
        if use_causal_mask:
            causal = layer._compute_causal_mask(query, value)
            attention_mask = (
                causal
                if attention_mask is None
                else ops.logical_and(ops.cast(attention_mask, "bool"), causal)
            )
        plain = len(query.shape) == 4
        if plain:  # the query on the left, as everybody writes it
            turned = ops.transpose(query, (0, 2, 1, 3))
            scores = ops.matmul(turned, ops.transpose(key, (0, 2, 3, 1)))
        else:
            scores = ops.einsum(layer._dot_product_equation, key, query)
        scores = scores * layer._inverse_sqrt_key_dim
        if plain and _every_row_sees(attention_mask):
            scores = _softmax(scores, attention_mask)
        else:
            scores = layer._masked_softmax(scores, attention_mask)
        dropped = scores
        if layer._dropout > 0.0:
            dropped = layer._dropout_layer(scores, training=training)
        return ops.einsum(layer._combine_equation, dropped, value), scores

    users = type(layer)._compute_attention is not kl.MultiHeadAttention._compute_attention
    if not users:
        stack.enter_context(swapped(layer, _compute_attention=compute))
