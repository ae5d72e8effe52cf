"""The same in Keras."""

import keras
from keras import layers, ops


def net(soft=False, size=5, compiled=False, l2=0.0, from_logits=True):
    def wise(*names):
        return {f"{name}_regularizer": keras.regularizers.L2(l2) for name in names if l2}

    x = inputs = keras.Input((9,))
    x = layers.Dense(16, name="fc1", **wise("kernel", "bias"))(x)
    x = layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name="bn", **wise("beta", "gamma"))(x)
    soft = "softmax" if soft else None
    x = layers.Dense(size, name="fc2", activation=soft, **wise("kernel", "bias"))(layers.ReLU()(x))
    model = keras.Model(inputs, x)
    if compiled:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
        model.compile(optimizer=keras.optimizers.SGD(0.01), loss=loss)
    return model


def pixels():
    inputs = keras.Input((6, 7, 3))
    return keras.Model(inputs, layers.Conv2D(4, 3, padding="same")(inputs))


def two():
    inputs = keras.Input((9,))
    return keras.Model(inputs, [layers.Dense(4)(inputs), layers.Dense(1)(inputs)])


def both(targets, outputs, reduce=ops.mean):
    first = keras.losses.sparse_categorical_crossentropy(targets[0], outputs[0], from_logits=True)
    return reduce(first) + ops.mean((outputs[1] - targets[1]) ** 2)


def own(y, p, smoothing=0.1):
    y = ops.one_hot(ops.cast(y, "int32"), 5, dtype=p.dtype)
    return keras.losses.categorical_crossentropy(y, p, from_logits=True, label_smoothing=smoothing)


def sgd(lr=0.01, nesterov=True):
    return keras.optimizers.SGD(lr, momentum=0.9, nesterov=nesterov)


def schedule():
    return keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.01, 1, 0.5))
