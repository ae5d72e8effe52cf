"""ResNet-18 written out, layer by layer the model that torchvision has, with a new head.

Twin: pytorch_impl/resnet.py
Look at: `_convolution`, which pads by hand, because "same" pads an even image on one side only when
the stride is 2; `_normalised`, whose ε and momentum are PyTorch's defaults; and `take_weights`,
where kernels are turned.
"""

import keras
import tensorflow as tf
from keras import layers, ops
from keras.losses import SparseCategoricalCrossentropy
from safetensors.numpy import load_file

from parity.reference import weight_layouts

KINDS = {
    layers.Conv2D: "conv2d",
    layers.BatchNormalization: "batch_norm",
    layers.Dense: "dense",
}


def _padded(x, pixels):
    """Zeros around every image."""
    return ops.pad(x, [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]])


def _convolution(x, channels, size, stride, name):
    """Padded by half the kernel on all sides; no bias, as β of the normalisation follows."""
    return layers.Conv2D(channels, size, strides=stride, use_bias=False, name=name)(
        _padded(x, size // 2)
    )


def _normalised(x, name):
    """`momentum` is the weight of what is old."""
    return layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name=name)(x)


def _block(x, channels, stride, name):
    """Two convolutions and a shortcut, which is projected where the size changes."""
    y = _convolution(x, channels, 3, stride, f"{name}_conv1")
    y = layers.ReLU(name=f"{name}_relu")(_normalised(y, f"{name}_bn1"))
    y = _convolution(y, channels, 3, 1, f"{name}_conv2")
    y = _normalised(y, f"{name}_bn2")
    if stride != 1:
        x = _convolution(x, channels, 1, stride, f"{name}_downsample_0")
        x = _normalised(x, f"{name}_downsample_1")
    return layers.ReLU(name=f"{name}_relu_2")(y + x)


def build_model():
    """ResNet-18 and a head of ten classes: ``(batch, h, w, 3)`` to logits ``(batch, 10)``."""
    images = keras.Input((None, None, 3))
    x = _convolution(images, 64, 7, 2, "conv1")
    x = layers.ReLU(name="relu")(_normalised(x, "bn1"))
    # Zeros stand for the −∞ that PyTorch pads with: behind a ReLU nothing is smaller.
    x = layers.MaxPooling2D(3, strides=2, name="maxpool")(_padded(x, 1))
    for stage, channels in enumerate((64, 128, 256, 512), 1):
        x = _block(x, channels, 1 if stage == 1 else 2, f"layer{stage}_0")
        x = _block(x, channels, 1, f"layer{stage}_1")
    x = layers.GlobalAveragePooling2D(keepdims=True, name="avgpool")(x)
    return keras.Model(images, layers.Dense(10, name="fc")(ops.squeeze(x, (1, 2))))


def pretrained(path):
    """The model with pretrained weights from a file, all but the head, which stays new.

    `python -m parity.torch_side.imagenet FILE` fetches those of ImageNet.
    """
    model = build_model()
    state = {name: a for name, a in load_file(path).items() if not name.startswith("fc.")}
    take_weights(model, state)
    return model


def _with_weights(model):
    """PyTorch's prefix, kind and layer: `layer1_0_conv1` is `layer1.0.conv1` there."""
    for layer in (layer for layer in model.layers if layer.weights):
        yield f"{layer.name.replace('_', '.')}.", KINDS[type(layer)], layer


def weights_of(model):
    """All weights as arrays by PyTorch's names."""
    state = {}
    for prefix, kind, layer in _with_weights(model):
        own = dict(zip(weight_layouts.KERAS_NAMES[kind], layer.get_weights(), strict=False))
        state |= {prefix + name: a for name, a in weight_layouts.to_torch(kind, own).items()}
    return state


def take_weights(model, state):
    """Weights by PyTorch's names into the model; what is not given stays as it is."""
    if unknown := sorted(state.keys() - weights_of(model).keys()):
        raise KeyError(f"ResNet-18 has no weights named {', '.join(unknown)}")
    state = weights_of(model) | state
    for prefix, kind, layer in _with_weights(model):
        own = {n.removeprefix(prefix): a for n, a in state.items() if n.startswith(prefix)}
        layer.set_weights(list(weight_layouts.to_keras(kind, own).values()))


def keras_sgd(model):
    """Keras' SGD: the learning rate is inside the velocity."""
    return keras.optimizers.SGD(learning_rate=0.01, momentum=0.9)


def loss_and_gradients(model, images, labels):
    """Mean cross-entropy of the batch, and its gradient for every parameter."""
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    return loss, gradients


def train(model, batches, optimizer):
    """One optimizer step a batch; yields the loss before each step."""
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(images, labels):
        loss, gradients = loss_and_gradients(model, images, labels)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    for images, labels in batches:
        yield step(images, labels)


def evaluate(model, images, labels):
    """Probabilities ``(batch, 10)`` and mean cross-entropy, without tracking gradients."""
    logits = model(images, training=False)
    probabilities = ops.softmax(logits, axis=1)
    loss = SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    return probabilities, loss
