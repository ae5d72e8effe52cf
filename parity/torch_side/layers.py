"""Bridges: layers that follow Keras' equations, for models ported from Keras."""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


class _KerasRunningStatistics:
    """Running statistics as Keras keeps them: of the *biased* variance.

    PyTorch normalises with the biased variance of the batch (divided by n), as Keras does, but
    puts the unbiased one (n − 1) into its running average. With small batches the two models
    evaluate differently although they train alike.

    Source: `keras.layers.BatchNormalization.call`, Keras 3.15; `torch.nn.BatchNorm1d`.
    """

    def forward(self, x):
        """As the base class, but for the running variance."""
        if not self.training:
            return super().forward(x)
        with torch.no_grad():
            axes = [0, *range(2, x.ndim)]
            variance, mean = torch.var_mean(x, dim=axes, correction=0)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance, self.momentum)
        return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)


class KerasBatchNorm1d(_KerasRunningStatistics, nn.BatchNorm1d):
    """`nn.BatchNorm1d` with Keras' running variance; momentum 0.1 here is 0.9 there."""


class KerasBatchNorm2d(_KerasRunningStatistics, nn.BatchNorm2d):
    """`nn.BatchNorm2d` with Keras' running variance; momentum 0.1 here is 0.9 there."""


class MaskedDropout(nn.Module):
    """`nn.Dropout` with the luck from outside: x · kept, which is 0 or 1 / (1 - rate).

    Attributes:
        kept: the mask of this step, of the shape of x.
    """

    kept = None

    def forward(self, x):
        """x itself in evaluation, as in `nn.Dropout`."""
        return x * self.kept if self.training else x


def as_keras(model):
    """The model, its batch normalisations exchanged for those with Keras' running variance."""
    kinds = {nn.BatchNorm1d: KerasBatchNorm1d, nn.BatchNorm2d: KerasBatchNorm2d}
    for path, old in list(model.named_modules()):
        if type(old) in kinds:
            new = kinds[type(old)](old.num_features, eps=old.eps, momentum=old.momentum)
            new.load_state_dict(old.state_dict())
            for own, parameter in zip(new.parameters(), old.parameters(), strict=True):
                own.requires_grad_(parameter.requires_grad)
            model.set_submodule(path, new.train(old.training))
    return model
