"""A perceptron whose weights are large beside all that it computes, in Keras."""

from keras import Input, Sequential, layers

from parity_tests.check.large_models import LAYERS, WIDTH


def perceptron():
    """Dense layers with ReLUs between."""
    dense = [layers.Dense(WIDTH, "relu") for _ in range(LAYERS)]
    return Sequential([Input((WIDTH,)), *dense])
