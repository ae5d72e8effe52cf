import keras
import tensorflow as tf
from keras import layers


class Norm(layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="ones")
        self.least = tf.constant(1e-6, dtype=tf.float32)

    def call(self, x):
        y = tf.cast(x, tf.float32)
        y = y * tf.math.rsqrt(tf.reduce_mean(tf.square(y), -1, keepdims=True) + self.least)
        return tf.cast(y, x.dtype) * self.scale


class Attend(layers.Layer):
    def call(self, q, k, v):
        scores = tf.cast(tf.matmul(q, k, transpose_b=True), tf.float32)
        weights = tf.nn.softmax(scores / tf.constant(4, tf.float32), axis=-1)
        return tf.matmul(weights, tf.cast(v, tf.float32))


def Net(dim=16):
    """In TensorFlow's own words, with constants in float32."""
    x = keras.Input((5, dim))
    y = layers.Dense(3 * dim, use_bias=False, name="qkv")(Norm(name="norm")(x))
    q, k, v = keras.ops.split(y, 3, axis=-1)
    y = Attend(name="attend")(q, k, v)
    return keras.Model(x, x + layers.Dense(dim, use_bias=False, name="out")(y))
