import keras
import tensorflow as tf
from keras import layers


class Net(keras.Model):
    def __init__(self, pad_end=True, mode="CONSTANT"):
        super().__init__()
        self.pad_end, self.mode = pad_end, mode
        self.conv = layers.Conv1D(4, 3)

    def call(self, x):
        if not self.pad_end:
            x = tf.pad(x, [[0, 0], [8, 8]], mode=self.mode)
        x = tf.signal.stft(x, 16, 8, pad_end=self.pad_end)
        return self.conv(tf.abs(x) ** 2)


def zeros():
    return Net(pad_end=False)


def Repaired():
    return Net(pad_end=False, mode="REFLECT")
