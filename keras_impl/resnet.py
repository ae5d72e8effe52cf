"""ResNet-18 written out, layer by layer the model that torchvision has, with a new head.

Twin: pytorch_impl/resnet.py
Look at: `_convolution`, which pads by hand, because "same" pads an even image on one side only when
the stride is 2; `_normalised`, whose ε and momentum are PyTorch's defaults; and `take_weights`,
where kernels are turned.
"""

import keras
import tensorflow as tf
from keras import layers, ops
from safetensors.numpy import load_file

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 8
EPOCHS = 1
MEAN = (0.4914, 0.48216, 0.44653)
DEVIATION = (0.24703, 0.24349, 0.26159)

loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


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
    """The model with pretrained weights from a safetensors file, all but the head, which is new."""
    model = build_model()
    state = {name: a for name, a in load_file(path).items() if not name.startswith("fc.")}
    take_weights(model, state)
    return model


NAMES = {
    layers.Conv2D: ("weight",),
    layers.Dense: ("weight", "bias"),
    layers.BatchNormalization: ("weight", "bias", "running_mean", "running_var"),
}
"""What PyTorch calls the weights of a layer, in the order of `get_weights`."""


def _turned(array):
    """A kernel from one framework's axes to the other's: ``(h, w, in, out)`` ↔ ``(out, in, h, w)``.

    The kernel of a dense layer is transposed; vectors stay as they are.
    """
    return {4: lambda a: a.transpose(3, 2, 0, 1), 2: lambda a: a.T}.get(array.ndim, lambda a: a)(
        array
    )


def _turned_back(array):
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else _turned(array)


def _with_weights(model):
    """PyTorch's name of every weight, in order, and its layer: `layer1_0_conv1` is
    `layer1.0.conv1` there."""
    for layer in (layer for layer in model.layers if layer.weights):
        prefix = layer.name.replace("_", ".")
        yield [f"{prefix}.{name}" for name in NAMES[type(layer)]], layer


def weights_of(model):
    """All weights as arrays by PyTorch's names."""
    state = {}
    for names, layer in _with_weights(model):
        state |= dict(zip(names, map(_turned, layer.get_weights()), strict=True))
    return state


def take_weights(model, state):
    """Weights by PyTorch's names into the model; what is not given stays as it is."""
    own = weights_of(model)
    # How many batches PyTorch's normalisation has seen is no weight in Keras.
    state = {n: a for n, a in state.items() if not n.endswith("num_batches_tracked")}
    if unknown := sorted(state.keys() - own.keys()):
        raise KeyError(f"ResNet-18 has no weights named {', '.join(unknown)}")
    state = own | state
    for names, layer in _with_weights(model):
        layer.set_weights([_turned_back(state[name]) for name in names])


def compile_model(model):
    """Say once how to train; the loss is told that it gets logits."""
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
        loss=loss_fn,
        metrics=["accuracy"],
    )


@tf.function
def train_step(model, optimizer, images, labels):
    """What `fit` does with one batch; the mean loss before it."""
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    return loss


def predict(model, images):
    """Probabilities ``(batch, 10)``: the model gives logits, softmax makes them confidences."""
    return keras.ops.softmax(model(images, training=False))


def imagenet_model():
    """The nearest that Keras brings, trained on ImageNet; the first call fetches 100 MB.

    `keras.applications` has no ResNet-18. ``include_top=False`` would leave its 1,000 classes out.
    """
    return keras.applications.ResNet50(weights="imagenet", include_top=True)


def name_of(image):
    """What ImageNet's model sees in an image ``(h, w, 3)`` of bytes: a name and its confidence."""
    model = imagenet_model()
    resized = keras.ops.image.resize(image[None], (224, 224))
    prepared = keras.applications.resnet.preprocess_input(resized)
    ((_, name, confidence),) = keras.applications.resnet.decode_predictions(
        model.predict(prepared, verbose=0), top=1
    )[0]
    return name, float(confidence)


def main():
    """A new head on 512 features, trained on CIFAR-10; then ImageNet's own classes."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    data = load("cifar10", "available", train=1000, test=1000)
    print(data.describe())
    train_images, test_images = (
        ((images.astype("float32") / 255 - MEAN) / DEVIATION).astype("float32")
        for images in (data.train_images, data.test_images)
    )

    model = build_model()
    print("head:", model.layers[-1].name, "on features", model.layers[-2].output.shape)
    print(model.count_params(), "weights")
    compile_model(model)
    history = model.fit(
        train_images,
        data.train_labels,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        validation_data=(test_images, data.test_labels),
        verbose=2,
    )
    try:
        print("ImageNet sees", name_of(data.test_images[0]))
    except Exception as error:  # no network: Keras raises a plain Exception
        print(f"ImageNet's weights could not be fetched: {error}")
    plots.curves("training", history.history)


if __name__ == "__main__":
    main()
