"""The matrix products and convolutions of a training step alone: what no program can do without."""

import functools
import time

import keras
import tensorflow as tf

from parity.keras_side import named_weights

_TRIED = 3


def find(model, images):
    """Every dense layer and convolution that a step runs, with what its backward pass must give.

    Args:
        model: it is run once.
        images: a batch.

    Returns:
        (layer, shape of its input, shape of its output, whether its weights have a gradient,
        whether its input has one), in the order of execution.
    """
    found, layers = [], [layer for _, layer in named_weights.leaves(model)]
    trainable = {id(v) for v in model.trainable_variables}
    before = False  # whether anything that ran already is trained

    def overheard(layer, call):
        @functools.wraps(call)
        def heard(x, *args, **kwargs):
            nonlocal before
            y = call(x, *args, **kwargs)
            if weights(layer) is not None:
                trained = id(layer.kernel) in trainable
                found.append((layer, tuple(x.shape), tuple(y.shape), trained, before))
            before = before or any(id(v) in trainable for v in layer.weights)
            return y

        return heard

    for layer in layers:
        vars(layer)["call"] = overheard(layer, layer.call)
    try:
        model(images, training=True)
    finally:
        for layer in layers:
            del vars(layer)["call"]
    return found


def weights(layer):
    """The matrix or the filters of a layer that multiplies by them; None of any other."""
    kernel = getattr(layer, "kernel", None)
    if kernel is None or len(kernel.shape) not in {2, 4}:
        return None
    return kernel if len(kernel.shape) == 2 or isinstance(layer, keras.layers.Conv2D) else None


def steps(found):
    """A function that does so many steps in one call, and how it was compiled.

    Compiled by XLA and as a plain graph are both tried; the faster is taken.
    """
    tried = {words: _steps(found, jit) for words, jit in (("graph", False), ("XLA", True))}
    seconds = {words: _seconds(run) for words, run in tried.items()}
    best = min(seconds, key=seconds.get)
    return tried[best], best


def _seconds(run):
    """The least of a few calls of a few steps, compiled already."""
    run(1)

    def once():
        begin = time.perf_counter()
        run(_TRIED)
        return time.perf_counter() - begin

    return min(once() for _ in range(_TRIED))


def _steps(found, jit):
    run, operands, zero = looped(found, jit)
    return lambda number: run(operands, tf.constant(number), zero)[0].numpy()


def looped(found, jit):
    """The products of many steps as one function, and what it is called with besides a number."""
    layers, operands = [], []
    for layer, shape, output, trained, needed in found:
        dense = len(layer.kernel.shape) == 2
        layers.append(_dense(trained, needed) if dense else _convolution(layer, trained, needed))
        flat = [(_rows(s), s[-1]) if dense else s for s in (shape, output)]
        operands.append([tf.random.normal(s) for s in flat] + [tf.identity(layer.kernel.value)])

    @tf.function(jit_compile=jit)
    def run(operands, number, zero):
        # A compiler takes out of a loop what does not change in it, and away what nobody reads.
        # So a number that only the run knows to be zero goes from every product of one step into
        # the smaller operand of each of the next, and the last products are given back.
        def products(nought):
            every = [layer(*own, nought) for layer, own in zip(layers, operands, strict=True)]
            return [product for some in every for product in some]

        results = [tf.zeros(product.shape) for product in products(zero)]  # only its shape is used
        nought = zero
        for _ in tf.range(number):
            results = products(nought)
            corners = [tf.reshape(r[(slice(1),) * len(r.shape)], ()) for r in results]
            nought = zero * tf.add_n(corners)
        return results

    return run, operands, tf.constant(0.0)


def _rows(shape):
    rows = 1
    for size in shape[:-1]:
        rows *= size
    return rows


def _dense(trained, needed):
    def products(x, g, kernel, nought):
        g = g + nought
        results = [tf.matmul(*_smaller(x, kernel, nought))]
        if trained:
            results.append(tf.matmul(x, g, transpose_a=True))
        if needed:
            results.append(tf.matmul(g, kernel, transpose_b=True))
        return results

    return products


def _convolution(layer, trained, needed):
    how = {
        "strides": [1, *layer.strides, 1],
        "padding": layer.padding.upper(),
        "dilations": [1, *layer.dilation_rate, 1],
    }

    def products(x, g, kernel, nought):
        moved = kernel + nought
        results = [tf.raw_ops.Conv2D(input=x, filter=moved, **how)]
        if trained:
            some, other = _smaller(x, g, nought)
            results.append(
                tf.raw_ops.Conv2DBackpropFilter(
                    input=some, filter_sizes=kernel.shape, out_backprop=other, **how
                )
            )
        if needed:
            results.append(
                tf.raw_ops.Conv2DBackpropInput(
                    input_sizes=x.shape, filter=moved, out_backprop=g, **how
                )
            )
        return results

    return products


def _smaller(one, other, nought):
    """Both, with the nought added to the smaller of them."""
    if one.shape.num_elements() <= other.shape.num_elements():
        return one + nought, other
    return one, other + nought
