"""Where tensors are: devices, moving between them, and what an accelerator rounds away.

Twin: pytorch_impl/devices.py
Look at: `placement`, where each operation is placed for you, on an accelerator if there is one
(there, a tensor stays where it was made); `two_devices`, where tensors of two devices are copied
together here and are an error there; and `reduced_precision`, the switch for TF32.
Every program below runs without an accelerator: two logical devices are made of the CPU.
Seen in notes, wrong because: a model under `with tf.device("CPU:0")` that was *built* before does
not move: variables stay where they were made.
"""

import keras
import tensorflow as tf
from keras import layers, ops

from shared.plots import Plots


def best_device():
    """The accelerator, where there is one, or else the CPU."""
    accelerators = tf.config.list_logical_devices("GPU")
    return accelerators[0].name if accelerators else "/device:CPU:0"


def placement(x):
    """`.device` says where a tensor is; an operation runs on an accelerator, or where you say.

    `keras.device` says it for every backend, `tf.device` for this one.
    """
    with keras.device("cpu:0"):
        here = ops.copy(x)
    with tf.device(best_device()):
        moved = tf.identity(x)
        doubled = 2 * moved
    return {
        "made_on": here.device.rpartition("device:")[2].partition(":")[0].lower(),
        "same_if_already_there": ops.convert_to_tensor(x) is x,
        "result_where_its_inputs_are": doubled.device == moved.device,
        "doubled": doubled,
        "name": here.device.rpartition("/")[2],
    }


def two_devices(x):
    """Tensors of two devices meet where the operation runs: TensorFlow copies them there."""
    with tf.device(_elsewhere()):
        elsewhere = tf.identity(x)
    try:
        with tf.device("CPU:0"):
            total = x + elsewhere
        outcome = "moved for you"
    except tf.errors.InvalidArgumentError as error:
        outcome = type(error).__name__
    return {
        "adding": outcome,
        "shape_elsewhere": tuple(elsewhere.shape),
        "number_and_tensor": bool(ops.all(elsewhere * 2 == 2 * x)),
        "sum": total,
    }


def _elsewhere():
    """Another device than the first CPU: an accelerator, another CPU, or, if need be, the same."""
    every = tf.config.list_logical_devices("GPU") + tf.config.list_logical_devices("CPU")[1:]
    return every[0].name if every else "CPU:0"


def model_and_batch(x, kernel):
    """A variable stays where it was made; a batch comes to it."""
    with tf.device(best_device()):
        model = layers.Dense(2, use_bias=False)
        model.build(x.shape)
    before = model.kernel
    model.set_weights([kernel])
    with tf.device(_elsewhere()):
        batch = tf.identity(x)
    try:
        y = model(batch)
        forgotten = "moved for you"
    except tf.errors.InvalidArgumentError as error:
        forgotten = type(error).__name__
    return {
        "y": y,
        "same_model": before is model.kernel,
        "forgotten": forgotten,
        "on_one_device": y.device == model.kernel.value.device,
    }


def back_to_numpy(x):
    """Whatever device, gradient or not: `.numpy()` brings it home."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        with tf.device(best_device()):
            result = 2 * x
    try:
        array, outcome = result.numpy(), "converted"
    except (RuntimeError, TypeError) as error:
        outcome = type(error).__name__
    return {"straight": outcome, "array": tf.constant(array)}


def as_tf32(x):
    """What a tensor core reads of float32 in TF32: 10 bits of 23 behind the point.

    Rounded to nearest, ties to even, by the bits of the number.
    """
    bits = tf.bitcast(tf.cast(x, tf.float32), tf.int32)
    bits = bits + 0xFFF + (tf.bitwise.right_shift(bits, 13) & 1)
    kept = tf.bitwise.left_shift(tf.bitwise.right_shift(bits, 13), 13)
    return tf.bitcast(kept, tf.float32)


def reduced_precision(a, b):
    """TF32 rounds the factors of a product; here that is on unless you say no, there it is off.

    Off: `tf.config.experimental.enable_tensor_float_32_execution(False)`, for products of matrices
    and convolutions. On the CPU it changes nothing.
    """
    config = tf.config.experimental
    before = config.tensor_float_32_execution_enabled()
    config.enable_tensor_float_32_execution(True)
    switched = str(config.tensor_float_32_execution_enabled())
    config.enable_tensor_float_32_execution(False)
    rounded = tf.cast(as_tf32(a), a.dtype) @ tf.cast(as_tf32(b), a.dtype)
    config.enable_tensor_float_32_execution(before)
    return {"exact": a @ b, "tf32": rounded, "on_by_itself": before, "word": switched}


def on_accelerator(size):
    """Both precisions on the accelerator itself: the largest difference from float64, or None."""
    device = best_device()
    if "CPU" in device:
        return None
    config = tf.config.experimental
    tf.random.set_seed(0)
    a, b = tf.unstack(tf.random.uniform((2, size, size), dtype=tf.float64))
    true, before = a @ b, config.tensor_float_32_execution_enabled()
    errors = {}
    for precision, allowed in (("highest", False), ("high", True)):
        config.enable_tensor_float_32_execution(allowed)
        with tf.device(device):
            product = tf.cast(a, tf.float32) @ tf.cast(b, tf.float32)
        errors[precision] = float(tf.reduce_max(abs(tf.cast(product, tf.float64) - true)))
    config.enable_tensor_float_32_execution(before)
    return errors


def main():
    """Look for a device, move things there and back, and let two devices meet."""
    plots = Plots(__file__)
    # Two logical devices on one CPU, said before anything runs, so that there is an elsewhere.
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    keras.utils.set_random_seed(0)
    device = best_device()
    accelerators = len(tf.config.list_logical_devices("GPU"))
    print(f"working on {device}; accelerators: {accelerators}")
    x = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    print("made on:", placement(x)["name"])
    met = two_devices(x)
    print(f"a tensor here + one elsewhere: {met['adding']}")
    moved = model_and_batch(x, tf.constant([[1.0, 0.5], [0.0, 0.5], [1.0, 0.0]]))
    y = moved["y"].numpy().tolist()
    print(f"a model here, a batch elsewhere: {moved['forgotten']}; {y}")
    print("a result with gradients, straight to NumPy:", back_to_numpy(x)["straight"])

    third = tf.fill((1, 3), 1 / 3)
    found = reduced_precision(third, tf.transpose(third))
    exact, rounded = (found[name].numpy().item() for name in ("exact", "tf32"))
    print(f"(1/3)² · 3 in float32 {exact:.7f}, in TF32 {rounded:.7f}")
    measured = on_accelerator(1024)
    print("on the accelerator:", measured or "not measured, there is none")

    sizes = [2**power for power in range(2, 11)]
    errors = {"float32": [], "TF32": []}
    for size in sizes:
        a, b = keras.random.uniform((1, size)), keras.random.uniform((size, 1))
        true = float((tf.cast(a, tf.float64) @ tf.cast(b, tf.float64))[0, 0])
        found = reduced_precision(a, b)
        errors["float32"].append(abs(found["exact"].numpy().item() - true) / true)
        errors["TF32"].append(abs(found["tf32"].numpy().item() - true) / true)
    print("relative error of a sum of 1,024 products:", end=" ")
    print({name: f"{values[-1]:.1e}" for name, values in errors.items()})

    def draw(figure):
        axes = figure.subplots()
        for name, values in errors.items():
            axes.loglog(sizes, values, "o", label=name)
        axes.set(xlabel="products in the sum", ylabel="relative error")
        axes.legend()

    plots.draw("precision", draw)


if __name__ == "__main__":
    main()
