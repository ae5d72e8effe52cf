"""Keras ports of torch_sequences.py."""

import keras
import tensorflow as tf
from keras import layers, ops


def last_of_lstm():
    return keras.Sequential([keras.Input((11, 6)), layers.LSTM(9), layers.Dense(4)])


def tagger():
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(23, 7)(tokens)
    x = layers.LSTM(10, return_sequences=True)(x)
    x = layers.Dense(5)(layers.Dropout(0.25)(x))
    return keras.Model(tokens, layers.Activation("log_softmax")(x))


class Gru(keras.Model):
    def __init__(self):
        super().__init__()
        self.gru = layers.GRU(8)
        self.fc = layers.Dense(3)

    def call(self, x):
        return self.fc(self.gru(x))


def bi_lstm():
    return keras.Sequential(
        [keras.Input((9, 6)), layers.Bidirectional(layers.LSTM(7)), layers.Dense(3)]
    )


def bi_gru_sequence():
    x = keras.Input((8, 5))
    y = layers.Bidirectional(layers.GRU(6, return_sequences=True), merge_mode="sum")(x)
    return keras.Model(x, layers.Dense(4)(y))


def stacked():
    inputs = x = keras.Input((7, 6))
    x = layers.LSTM(8, return_sequences=True, name="lstm0")(x)
    x = layers.Dropout(0.2)(x)
    x = layers.LSTM(8, return_sequences=True, name="lstm1")(x)
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling1D()(x)))


def simple():
    return keras.Sequential(
        [keras.Input((10, 4)), layers.SimpleRNN(9, activation="relu"), layers.Dense(2)]
    )


def bag():
    tokens = keras.Input((12,), dtype="int32")
    x = layers.GlobalAveragePooling1D()(layers.Embedding(6, 8)(tokens))
    return keras.Model(tokens, layers.Dense(3)(layers.Dense(10, activation="relu")(x)))


def text_cnn():
    tokens = keras.Input((13,), dtype="int64")
    x = layers.Embedding(31, 6)(tokens)
    found = [
        layers.GlobalMaxPooling1D()(layers.Conv1D(5, width, activation="relu")(x))
        for width in (2, 3, 4)
    ]
    return keras.Model(tokens, layers.Dense(4)(layers.Concatenate()(found)))


def tcn():
    inputs = keras.Input((14, 4))
    x = layers.Conv1D(7, 3, padding="causal", activation="relu", name="conv1")(inputs)
    y = layers.Conv1D(7, 3, padding="causal", dilation_rate=2, activation="relu", name="conv2")(x)
    return keras.Model(inputs, layers.Conv1D(5, 1, name="conv3")(layers.add([x, y])))


class Signal(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv1 = layers.Conv1D(6, 5, strides=2)
        self.norm = layers.BatchNormalization(epsilon=1e-5, momentum=0.9)
        self.conv2 = layers.Conv1D(8, 3, padding="same", groups=2)
        self.fc = layers.Dense(3)

    def call(self, x, training=None):
        x = self.norm(self.conv1(tf.pad(x, [[0, 0], [2, 2], [0, 0]])), training=training)
        x = tf.nn.avg_pool1d(ops.celu(x, alpha=0.7), 2, 2, "VALID")
        x = tf.nn.softsign(self.conv2(x))
        return self.fc(tf.reduce_max(x, axis=1))


def seq2seq():
    source = keras.Input((9,), dtype="int32", name="source")
    target = keras.Input((7,), dtype="int32", name="target")
    x = layers.Embedding(19, 6)(source)
    _, h, c = layers.LSTM(8, return_state=True, name="encoder")(x)
    y = layers.Embedding(17, 5)(target)
    y = layers.LSTM(8, return_sequences=True, name="decoder")(y, initial_state=[h, c])
    return keras.Model([source, target], layers.Dense(17)(y))


class TiedLanguageModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding = layers.Embedding(21, 8)
        self.rnn = layers.GRU(8, return_sequences=True)

    def call(self, tokens):
        y = self.rnn(self.embedding(tokens))
        return tf.matmul(y, self.embedding.embeddings, transpose_b=True)


def recommender():
    user, thing = keras.Input((4,), dtype="int32"), keras.Input((4,), dtype="int32")
    u, t = layers.Embedding(12, 5)(user), layers.Embedding(15, 5)(thing)
    close = ops.sum(u * t, axis=-1, keepdims=True)
    biases = [layers.Embedding(12, 1)(user), layers.Embedding(15, 1)(thing)]
    return keras.Model([user, thing], ops.sigmoid(layers.add([close, *biases])))
