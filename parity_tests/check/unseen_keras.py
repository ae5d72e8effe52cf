"""The other side of `unseen_torch`: the same models, seen and unseen, right and wrong."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

EPSILON = 1e-5


class Plain(keras.Model):
    """Two layers with a norm, an activation and a residual between them."""

    def __init__(self, act="relu", epsilon=EPSILON, factor=2.0, bias=True, shift=0.0):
        super().__init__()
        self.act, self.factor, self.shift = act, factor, shift
        self.first, self.norm = layers.Dense(16), layers.LayerNormalization(epsilon=epsilon)
        self.second, self.head = layers.Dense(16, use_bias=bias), layers.Dense(4)

    def call(self, x):
        """The whole."""
        h = self.norm(self.between(self.first(x)))
        joined = h + self.between(self.second(h))
        return self.head(joined + self.shift if self.shift else joined)

    def between(self, h):
        """What is not heard elsewhere."""
        return getattr(ops, self.act)(h) * self.factor


class Graph(Plain):
    """Asks for a graph, which there is not where all runs eagerly."""

    @tf.function
    def between(self, h):
        """The same."""
        assert not tf.executing_eagerly(), "listened to"
        return getattr(tf.nn, self.act)(h) * self.factor


class Through(Plain):
    """Takes its numbers through NumPy, so that there is no gradient, either."""

    def between(self, h):
        """The same, by another library."""
        return tf.constant(np.asarray(super().between(h)))


class Detached(Plain):
    """The same without a gradient, for all to hear."""

    def between(self, h):
        """The same."""
        return ops.stop_gradient(super().between(h))


class Embedded(keras.Model):
    """Words and their places."""

    def __init__(self, shift=0, act="tanh"):
        super().__init__()
        self.words, self.places = layers.Embedding(20, 8), layers.Embedding(12, 8)
        self.head, self.shift, self.act = layers.Dense(3), shift, act

    def call(self, x):
        """Words and places."""
        places = self.places(ops.arange(x.shape[1]) + self.shift)
        return self.head(getattr(ops, self.act)(self.words(x) + places))


class Stepped(keras.Model):
    """Relu, sigmoid twice, a factor."""

    def __init__(self, factor=3.0):
        super().__init__()
        self.first, self.head, self.factor = layers.Dense(16), layers.Dense(4), factor

    def call(self, x):
        """All in a row."""
        h = ops.sigmoid(ops.sigmoid(ops.relu(self.first(x))))
        return self.head(h * self.factor)


class Kept(keras.Model):
    """Puts what a layer gives into a variable and goes on from there."""

    def __init__(self, act="relu"):
        super().__init__()
        self.first, self.head, self.act = layers.Dense(16), layers.Dense(4), act
        self.last = self.add_weight(shape=(5, 16), trainable=False, initializer="zeros")

    def call(self, x):
        """Written and read."""
        self.last.assign(getattr(ops, self.act)(self.first(x)))
        return self.head(self.last)


class Images(keras.Model):
    """A convolution, a norm and a dense layer, channels last."""

    def __init__(self, act="relu", epsilon=EPSILON, unseen=False):
        super().__init__()
        self.conv, self.norm = layers.Conv2D(4, 3), layers.BatchNormalization(epsilon=epsilon)
        self.head, self.act, self.unseen = layers.Dense(5), act, unseen

    def call(self, x, training=None):
        """Convolved, normalised, flattened."""
        h = self.norm(self.conv(x), training=training)
        return self.head(self.hidden(h) if self.unseen else self.between(h))

    def between(self, h):
        """As rows."""
        return ops.reshape(getattr(ops, self.act)(h), (h.shape[0], -1))

    @tf.function
    def hidden(self, h):
        """As rows, in a graph."""
        assert not tf.executing_eagerly(), "listened to"
        return self.between(h)


class Dropping(Graph):
    """Drops between layers, by a function."""

    def __init__(self, rate=0.5, always=False, **arguments):
        super().__init__(**arguments)
        self.rate, self.always = rate, always

    def call(self, x, training=None):
        """The whole."""
        h = self.norm(self.drop(self.between(self.first(x)), training))
        return self.head(h + self.drop(self.between(self.second(h)), training))

    def drop(self, h, training):
        """In training only, or always."""
        return keras.random.dropout(h, self.rate) if training or self.always else h


class Copied(Graph):
    """What a layer gives goes on as other tensors of the same numbers."""

    def call(self, x):
        """Two layers and the norm; nothing but copies between them."""
        return self.head(self.copy(self.second(self.copy(self.norm(self.first(x))))))

    @tf.function
    def copy(self, h):
        """In a graph, where nobody listens."""
        assert not tf.executing_eagerly(), "listened to"
        return tf.identity(h)


class Gated(keras.Model):
    """One number that a layer gives scales what another gives."""

    def __init__(self, act="relu"):
        super().__init__()
        self.gate, self.first, self.head = layers.Dense(1), layers.Dense(1), layers.Dense(4)
        self.act = act

    def call(self, x):
        """Scaled."""
        k = ops.stop_gradient(ops.mean(ops.sigmoid(self.gate(x))))
        return self.head(getattr(ops, self.act)(self.first(x)) * k)


class Strange(Plain):
    """Tensors that are no arrays, and a function that TensorFlow numbers anew in each run."""

    def between(self, h):
        """Kept aside, and row by row."""
        if not tf.executing_eagerly():
            return super().between(h)
        kept = tf.experimental.Optional.from_value(h).get_value()
        return tf.vectorized_map(super().between, tf.reshape(kept, h.shape))


class Single(keras.Model):
    """Two layers and an activation, which lets no gradient back."""

    def __init__(self, act="relu"):
        super().__init__()
        self.first, self.head, self.act = layers.Dense(16), layers.Dense(4), act

    def call(self, x):
        """One after the other."""
        return self.head(ops.stop_gradient(getattr(ops, self.act)(self.first(x))))
