"""Wrong Keras ports of torch_sequences.py."""

import keras
import tensorflow as tf
from keras import layers, ops


def lstm(**more):
    return keras.Sequential(
        [keras.Input((11, 6)), layers.LSTM(9, name="lstm", **more), layers.Dense(4, name="fc")]
    )


def mean_for_last():
    x = keras.Input((11, 6))
    y = layers.LSTM(9, return_sequences=True, name="lstm")(x)
    y = layers.GlobalAveragePooling1D(name="mean")(y)
    return keras.Model(x, layers.Dense(4, name="fc")(y))


def backwards():
    return lstm(go_backwards=True)


def hard_gates():
    return lstm(recurrent_activation="hard_sigmoid")


def relu_cell():
    return lstm(activation="relu")


class ResetBefore(keras.Model):
    def __init__(self):
        super().__init__()
        self.gru = layers.GRU(8, reset_after=False, name="gru")
        self.fc = layers.Dense(3, name="fc")

    def call(self, x):
        return self.fc(self.gru(x))


def averaged_directions():
    x = keras.Input((8, 5))
    rnn = layers.GRU(6, return_sequences=True)
    y = layers.Bidirectional(rnn, merge_mode="ave", name="rnn")(x)
    return keras.Model(x, layers.Dense(4, name="fc")(y))


class LastStep(keras.Model):
    """The backward direction ends at the first step, not at the last."""

    def __init__(self):
        super().__init__()
        self.rnn = layers.Bidirectional(layers.LSTM(7, return_sequences=True), name="rnn")
        self.fc = layers.Dense(3, name="fc")

    def call(self, x):
        return self.fc(self.rnn(x)[:, -1, :])


def one_direction():
    return keras.Sequential(
        [keras.Input((9, 6)), layers.LSTM(14, name="rnn"), layers.Dense(3, name="fc")]
    )


def one_layer():
    x = keras.Input((7, 6))
    y = layers.LSTM(8, return_sequences=True, name="lstm0")(x)
    return keras.Model(x, layers.Dense(3, name="fc")(layers.GlobalAveragePooling1D(name="mean")(y)))


def tanh_for_relu():
    return keras.Sequential(
        [keras.Input((10, 4)), layers.SimpleRNN(9, name="rnn"), layers.Dense(2, name="fc")]
    )


def tagger(last="log_softmax", turned=False):
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(23, 7, name="embedding")(tokens)
    x = layers.LSTM(10, return_sequences=True, go_backwards=turned, name="lstm")(x)
    x = layers.Dense(5, name="tags")(layers.Dropout(0.25, name="drop")(x))
    return keras.Model(tokens, layers.Activation(last, name="last")(x))


def softmax_for_log():
    return tagger(last="softmax")


def two_tagger():
    return tagger(last="softmax", turned=True)


def bag(mask=False, mean=True):
    tokens = keras.Input((12,), dtype="int32")
    x = layers.Embedding(6, 8, mask_zero=mask, name="embedding")(tokens)
    x = layers.GlobalAveragePooling1D(name="mean")(x) if mean else ops.sum(x, axis=1)
    x = layers.Dense(10, activation="relu", name="fc1")(x)
    return keras.Model(tokens, layers.Dense(3, name="fc2")(x))


def zero_masked():
    return bag(mask=True)


def sum_for_mean():
    return bag(mean=False)


def text_cnn(padding="valid", widths=(2, 3, 4), active="relu"):
    tokens = keras.Input((13,), dtype="int64")
    x = layers.Embedding(31, 6, name="embedding")(tokens)
    found = [
        layers.GlobalMaxPooling1D(name=f"pool{i}")(
            layers.Conv1D(5, width, padding=padding, activation=active, name=f"conv{i}")(x)
        )
        for i, width in enumerate(widths)
    ]
    y = layers.Concatenate(name="concat")(found)
    return keras.Model(tokens, layers.Dense(4, name="fc")(y))


def text_same():
    return text_cnn(padding="same")


def text_widths():
    return text_cnn(widths=(3, 4, 5))


def text_without_relu():
    return text_cnn(active=None)


def tcn(first="causal", rate=2, residual=True, bias=True):
    inputs = keras.Input((14, 4))
    x = layers.Conv1D(7, 3, padding=first, activation="relu", name="conv1")(inputs)
    y = layers.Conv1D(7, 3, padding="causal", dilation_rate=rate, activation="relu", name="conv2")(
        x
    )
    y = layers.Add(name="add")([x, y]) if residual else y
    return keras.Model(inputs, layers.Conv1D(5, 1, use_bias=bias, name="conv3")(y))


def not_causal():
    return tcn(first="same")


def tcn_dilation():
    return tcn(rate=1)


def tcn_residual():
    return tcn(residual=False)


def two_tcn():
    return tcn(first="same", bias=False)


class Signal(keras.Model):
    def __init__(self, alpha=0.7, groups=2, left=2):
        super().__init__()
        self.alpha, self.left = alpha, left
        self.conv1 = layers.Conv1D(6, 5, strides=2, name="conv1")
        self.norm = layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name="norm")
        self.conv2 = layers.Conv1D(8, 3, padding="same", groups=groups, name="conv2")
        self.fc = layers.Dense(3, name="fc")

    def call(self, x, training=None):
        x = self.conv1(tf.pad(x, [[0, 0], [self.left, 4 - self.left], [0, 0]]))
        x = self.norm(x, training=training)
        x = tf.nn.avg_pool1d(ops.celu(x, alpha=self.alpha), 2, 2, "VALID")
        x = tf.nn.softsign(self.conv2(x))
        return self.fc(tf.reduce_max(x, axis=1))


def celu_alpha():
    return Signal(alpha=1.0)


def signal_groups():
    return Signal(groups=1)


def signal_padding():
    return Signal(left=1)


def seq2seq(state="h c"):
    source = keras.Input((9,), dtype="int32", name="source")
    target = keras.Input((7,), dtype="int32", name="target")
    x = layers.Embedding(19, 6, name="source_embedding")(source)
    _, h, c = layers.LSTM(8, return_state=True, name="encoder")(x)
    y = layers.Embedding(17, 5, name="target_embedding")(target)
    decoder = layers.LSTM(8, return_sequences=True, name="decoder")
    given = {"h c": [h, c], "c h": [c, h], "h h": [h, h]}.get(state)
    y = decoder(y, initial_state=given) if given else decoder(y)
    return keras.Model([source, target], layers.Dense(17, name="out")(y))


def state_not_passed():
    return seq2seq(state="")


def state_turned():
    return seq2seq(state="c h")


def untied():
    tokens = keras.Input((8,), dtype="int32")
    y = layers.Embedding(21, 8, name="embedding")(tokens)
    y = layers.GRU(8, return_sequences=True, name="rnn")(y)
    return keras.Model(tokens, layers.Dense(21, use_bias=False, name="out")(y))


def mean_of_products():
    user, thing = keras.Input((4,), dtype="int32"), keras.Input((4,), dtype="int32")
    u = layers.Embedding(12, 5, name="users")(user)
    t = layers.Embedding(15, 5, name="things")(thing)
    close = ops.mean(layers.Multiply(name="product")([u, t]), axis=-1, keepdims=True)
    u = layers.Embedding(12, 1, name="user_bias")(user)
    t = layers.Embedding(15, 1, name="thing_bias")(thing)
    return keras.Model([user, thing], ops.sigmoid(layers.Add(name="sum")([close, u, t])))
