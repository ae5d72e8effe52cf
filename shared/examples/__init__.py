"""All examples, in teaching order. A new one is a line here; nothing else needs an edit."""

import difflib

from shared.differences import DIFFERENCES
from shared.errors import UsageError
from shared.examples.activations import ACTIVATIONS
from shared.examples.autograd import AUTOGRAD
from shared.examples.backprop import BACKPROP
from shared.examples.binary_cnn import BINARY_CNN
from shared.examples.cifar_mlp import CIFAR_MLP
from shared.examples.convolution import CONVOLUTION
from shared.examples.digit_cnn import DIGIT_CNN
from shared.examples.divergence import DIVERGENCE
from shared.examples.fashion_cnn import FASHION_CNN
from shared.examples.fashion_mlp import FASHION_MLP
from shared.examples.input_pipeline import INPUT_PIPELINE
from shared.examples.iris_mlp import IRIS_MLP
from shared.examples.layers import LAYERS
from shared.examples.losses import LOSSES
from shared.examples.modules import MODULES
from shared.examples.optimizers import OPTIMIZERS
from shared.examples.perceptron import PERCEPTRON
from shared.examples.pooling import POOLING
from shared.examples.regularisation import REGULARISATION
from shared.examples.resnet import RESNET
from shared.examples.sequences import SEQUENCES
from shared.examples.sequential_cnn import SEQUENTIAL_CNN
from shared.examples.softmax_regression import SOFTMAX_REGRESSION
from shared.examples.tensors import TENSORS
from shared.examples.transfer_learning import TRANSFER_LEARNING
from shared.spec import ExampleSpec

ALL: tuple[ExampleSpec, ...] = (
    TENSORS,
    AUTOGRAD,
    BACKPROP,
    PERCEPTRON,
    ACTIVATIONS,
    LOSSES,
    CONVOLUTION,
    POOLING,
    MODULES,
    LAYERS,
    SEQUENCES,
    OPTIMIZERS,
    IRIS_MLP,
    SOFTMAX_REGRESSION,
    FASHION_MLP,
    FASHION_CNN,
    CIFAR_MLP,
    BINARY_CNN,
    DIGIT_CNN,
    SEQUENTIAL_CNN,
    REGULARISATION,
    TRANSFER_LEARNING,
    RESNET,
    INPUT_PIPELINE,
    DIVERGENCE,
)


def find(name: str) -> ExampleSpec:
    """The example of this name; the known differences are one, though not in the list.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    known = (*ALL, DIFFERENCES)
    names = [example.name for example in known]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        hint = f"Did you mean '{near[0]}'?" if near else "parity list shows all of them."
        raise UsageError(f"No example named '{name}'. {hint}")
    return known[names.index(name)]
