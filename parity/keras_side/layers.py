"""Bridges: layers that follow PyTorch's equations, for models ported from PyTorch."""

import keras
from keras import ops


class TorchBatchNormalization(keras.layers.BatchNormalization):
    """`BatchNormalization` with PyTorch's running variance: unbiased, divided by n - 1.

    Both frameworks normalise a batch with its *biased* variance, divided by n, and Keras puts that
    into the running variance too. With small batches the two models evaluate differently although
    they train alike. Momentum stays Keras': 0.9 here is 0.1 there.

    Source: `torch.nn.BatchNorm1d`, PyTorch 2.15; `BatchNormalization.call`, Keras 3.15.
    """

    def call(self, inputs, training=None, mask=None):
        """As the base class, but for the running variance."""
        kept = self.moving_variance * self.momentum  # read before the base class assigns
        outputs = super().call(inputs, training=training, mask=mask)
        if training and self.trainable:
            _, variance = self._moments(inputs, mask)
            samples = ops.cast(ops.size(inputs) // inputs.shape[self.axis], variance.dtype)
            unbiased = variance * samples / (samples - 1)
            self.moving_variance.assign(kept + unbiased * (1.0 - self.momentum))
        return outputs


def as_torch(model):
    """The model, its batch normalisations exchanged for those with PyTorch's running variance."""

    def exchanged(layer):
        kind = type(layer)
        kind = TorchBatchNormalization if kind is keras.layers.BatchNormalization else kind
        return kind.from_config(layer.get_config())

    has = any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers)
    return keras.models.clone_model(model, clone_function=exchanged) if has else model
