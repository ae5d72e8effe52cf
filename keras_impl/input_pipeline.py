"""From bytes to batches with `tf.data` and Keras' image operations.

Twin: pytorch_impl/input_pipeline.py
Look at: `_images`, a `map` over a stream here and one sample at a time through `transforms`
there; `_in_order`, where a stream of numbers says what comes when; and `resize`, whose defaults
differ. `shuffle` has a buffer; only one as large as the dataset shuffles it whole. Resizing is to
the nearest pixel in the batches: weighted means would agree to rounding only.
Given are `images`, bytes ``(n, 28, 28)``; 0.286 and 0.353 are mean and deviation of the pixels
of Fashion-MNIST's 60,000 training images, in 0…1.
Seen in notes, wrong because: `for i, data in dataset` without `enumerate` unpacks the batch itself:
`i` is then its images. And a loop variable `x` in a program whose whole set is `x`: after the loop
the set is one batch.
"""

import itertools
import zlib

import keras
import tensorflow as tf
from keras import ops

from shared.data import load
from shared.plots import Plots

BATCH = 32
BUFFER = 10


def _prepare(image, label):
    """Bytes to 0…1, to 64×64, to mean 0 and deviation 1."""
    image = tf.image.convert_image_dtype(image[..., tf.newaxis], tf.float32)
    image = ops.image.resize(image, (64, 64), interpolation="nearest")
    return (image - 0.286) / 0.353, label


def _images(images, labels):
    """A stream of samples: `(64, 64, 1)` and its label."""
    return tf.data.Dataset.from_tensor_slices((images, labels)).map(_prepare)


def _in_order(images, labels, numbers):
    """Samples by number, as a stream of numbers brings them."""
    images, labels = tf.constant(images), tf.constant(labels)
    return numbers.map(lambda i: _prepare(images[i], labels[i]))


def _buffered(samples, slots):
    """A stream through a buffer: `slots` says which of the waiting samples goes next."""
    buffer, rest = [], iter(samples)
    for slot in slots:
        buffer.extend(itertools.islice(rest, BUFFER - len(buffer)))
        buffer[slot], buffer[-1] = buffer[-1], buffer[slot]
        yield buffer.pop()


def _delivered(dataset):
    """Size and checksum of every batch."""
    sizes, checksums = [], []
    for images, labels in dataset.as_numpy_iterator():
        checksums.append(zlib.crc32(labels.tobytes(), zlib.crc32(images.tobytes())))
        sizes.append(len(labels))
    return {"sizes": tuple(sizes), "checksums": " ".join(f"{c:08x}" for c in checksums)}


def _prefixed(prefix, found):
    return {f"{prefix}_{name}": value for name, value in found.items()}


def to_tensor(images, labels, mean, deviation):
    """`convert_image_dtype` multiplies by 1/255, and leaves floats as they are."""
    unit = tf.image.convert_image_dtype(images[..., tf.newaxis], mean.dtype)
    divided = tf.cast(images[..., tf.newaxis], mean.dtype) / 255
    levels = tf.range(256, dtype=tf.int32)
    scaled = tf.image.convert_image_dtype(tf.cast(levels, tf.uint8), tf.float32)
    again = tf.image.convert_image_dtype(unit, mean.dtype)
    return {
        "unit": unit,
        "divided": divided,
        "normalised": (unit - mean) / deviation,
        "apart_in_float32": int(tf.math.count_nonzero(scaled != tf.cast(levels, tf.float32) / 255)),
        "floats_are_scaled": not bool(tf.reduce_all(again == unit)),
        "dtype": scaled.dtype.name,
    }


def resize(x):
    """Centres of pixels on both sides; antialiased only when told, `nearest` of the centres."""
    smaller, resized = (6, 4), ops.image.resize
    thirds = resized(tf.cast(x, tf.float64) / 3, (24, 64))
    precise = bool(tf.reduce_any(thirds != tf.cast(tf.cast(thirds, tf.float32), tf.float64)))
    return {
        "larger": resized(x, (24, 64)),
        "smaller": resized(x, smaller, antialias=False),
        "antialiased_inside": resized(x, smaller, antialias=True)[:, 1:-1, 1:-1],
        "nearest_larger": resized(x, (17, 23), interpolation="nearest"),
        "nearest_smaller": resized(x, (7, 5), interpolation="nearest"),
        "smaller_default": resized(x, smaller),
        "plain_nearest": resized(x, (7, 5), interpolation="nearest"),
        "float64_computed_in": "float64" if precise else "float32",
    }


def batches(images, labels):
    """The last batch is short, or dropped by `drop_remainder`."""
    dataset = _images(images, labels)
    loader = dataset.batch(BATCH)
    whole = dataset.batch(BATCH, drop_remainder=True)
    first, first_labels = next(iter(loader))
    return {
        **_delivered(loader),
        **_prefixed("dropped", _delivered(whole)),
        "steps": len(loader),
        "steps_dropped": len(whole),
        "shape": tuple(first.shape),
        "dtypes": f"{first.dtype.name}, {first_labels.dtype.name}",
        "first_labels": first_labels,
    }


def full_shuffle(images, labels, order):
    """Any order, by a stream of numbers: here one drawn in NumPy."""
    numbers = tf.data.Dataset.from_tensor_slices(order)
    return _delivered(_in_order(images, labels, numbers).batch(BATCH))


def buffered_shuffle(images, labels, slots):
    """`shuffle` draws its own slots; with given ones a generator does what it does."""
    slots = slots.numpy().tolist()
    order = list(_buffered(range(len(labels)), slots))
    numbers = tf.data.Dataset.from_generator(
        lambda: _buffered(range(len(labels)), slots), output_signature=tf.TensorSpec((), tf.int64)
    )
    stream = _in_order(images, labels, numbers)
    earliest = max(i - at for at, i in enumerate(order))
    return {**_delivered(stream.batch(BATCH)), "earliest": earliest}


def native_shuffle(images, labels):
    """TensorFlow's own order: another one each epoch, the same again from the same seed."""
    numbers = list(range(len(labels)))

    def dataset(seed, buffer):
        tf.random.set_seed(seed)
        return tf.data.Dataset.range(len(numbers)).shuffle(buffer)

    shuffled = dataset(3, len(numbers))
    order, next_order = _listed(shuffled), _listed(shuffled)
    same, buffered = _listed(dataset(3, len(numbers))), _listed(dataset(3, BUFFER))
    return {
        "every_sample_once": sorted(order) == numbers,
        "same_seed_same_order": same == order,
        "next_epoch_same_order": next_order == order,
        "buffer_every_sample_once": sorted(buffered) == numbers,
        "buffer_never_too_early": all(i - at < BUFFER for at, i in enumerate(buffered)),
        "first_five": tuple(order[:5]),
    }


def _listed(dataset):
    return [int(i) for i in dataset.as_numpy_iterator()]


def subset(images, labels, chosen):
    """Some samples by number, every third one, and some in random order."""
    numbers = tf.data.Dataset.from_tensor_slices(chosen)
    some = _in_order(images, labels, numbers).batch(BATCH)
    third = _images(images, labels).shard(num_shards=3, index=1).batch(BATCH)
    shuffled = _listed(numbers.shuffle(len(chosen)))
    return {
        **_delivered(some),
        **_prefixed("third", _delivered(third)),
        "shuffled_same_samples": sorted(shuffled) == sorted(chosen.numpy().tolist()),
    }


def workers(images, labels, order):
    """Threads prepare batches ahead; they come in order all the same, epoch after epoch.

    `deterministic=False` would let the fastest go first.
    """
    images, labels = tf.constant(images), tf.constant(labels)
    dataset = (
        tf.data.Dataset.from_tensor_slices(order)
        .map(
            lambda i: _prepare(images[i], labels[i]),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        .batch(BATCH)
        .prefetch(tf.data.AUTOTUNE)
    )
    return {**_delivered(dataset), **_prefixed("again", _delivered(dataset))}


def draw_orders(figure, images, labels):
    """When each sample comes: as it lies, through a buffer, shuffled whole."""
    numbers = tf.data.Dataset.range(len(labels))
    orders = {
        "as it lies": _listed(numbers),
        f"a buffer of {BUFFER}": _listed(numbers.shuffle(BUFFER)),
        "shuffled whole": _listed(numbers.shuffle(len(labels))),
    }
    for axes, (name, order) in zip(figure.subplots(1, 3), orders.items(), strict=True):
        axes.plot(order, ".")
        axes.set(title=name, xlabel="comes at", ylabel="sample")


def main():
    """One sample, a batch, three orders, and what a dataset says of itself."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    data = load("fashion_mnist", "available")
    images, labels = data.train_images[:100], data.train_labels[:100]
    mean, deviation = tf.constant(0.286), tf.constant(0.353)
    unit = to_tensor(images[:3], labels[:3], mean, deviation)
    print(f"bytes {images.shape} become {unit['dtype']} {tuple(unit['unit'].shape)},", end=" ")
    print(f"{ops.min(unit['unit']):.1f} to {ops.max(unit['unit']):.1f};", end=" ")
    print(f"normalised {ops.min(unit['normalised']):.2f} to {ops.max(unit['normalised']):.2f}")

    dataset = _images(images, labels)
    loader = dataset.batch(BATCH)
    image, label = next(iter(dataset))
    print(f"dataset: {len(dataset)} samples; the first {tuple(image.shape)}, label {label}")
    print(f"batched: {len(loader)} batches, {loader.element_spec[0]}")
    for i, (batch, truth) in enumerate(loader):
        print(f"  batch {i}: {tuple(batch.shape)}, labels {truth[:5].numpy().tolist()} …")
    print("drop_remainder leaves", batches(images, labels)["dropped_sizes"])

    shuffled = native_shuffle(images, labels)
    print("shuffled whole, the first five:", shuffled["first_five"])
    print("same seed, same order:", shuffled["same_seed_same_order"], end="; ")
    print("next epoch, same order:", shuffled["next_epoch_same_order"])
    slots = tf.constant([min(BUFFER, 100 - i) - 1 for i in range(100)])
    early = buffered_shuffle(images, labels, slots)["earliest"]
    print(f"through a buffer of {BUFFER}, nothing comes more than {early} places early")
    order = tf.random.shuffle(tf.range(100))
    alone = full_shuffle(images, labels, order)["checksums"]
    print("threads bring the same batches:", workers(images, labels, order)["checksums"] == alone)

    x = data.train_images[:1, ..., None].astype("float32")
    resized = {
        "28×28": x,
        "resize": ops.image.resize(x, (12, 12)).numpy(),
        "antialias=True": ops.image.resize(x, (12, 12), antialias=True).numpy(),
        "nearest": ops.image.resize(x, (12, 12), interpolation="nearest").numpy(),
    }
    for name, value in resized.items():
        row = [round(level, 1) for level in value[0, 6, 5:8, 0].tolist()]
        print(f"  {name:15} {value.shape}, of one row: {row}")

    def draw(figure):
        for axes, (name, value) in zip(figure.subplots(1, 4), resized.items(), strict=True):
            axes.imshow(value[0, ..., 0], cmap="gray")
            axes.set_title(name, fontsize=8)
            axes.axis("off")

    plots.draw("resized", draw)
    plots.draw("orders", lambda figure: draw_orders(figure, images, labels))


if __name__ == "__main__":
    main()
