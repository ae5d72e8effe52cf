"""All examples, in teaching order. A new one is a line here; nothing else needs an edit."""

from parity.spec.example import ExampleSpec
from shared.examples.activations import ACTIVATIONS
from shared.examples.autograd import AUTOGRAD
from shared.examples.backprop import BACKPROP
from shared.examples.binary_cnn import BINARY_CNN
from shared.examples.cifar_mlp import CIFAR_MLP
from shared.examples.convolution import CONVOLUTION
from shared.examples.datasets import DATASETS
from shared.examples.devices import DEVICES
from shared.examples.digit_cnn import DIGIT_CNN
from shared.examples.divergence import DIVERGENCE
from shared.examples.fashion_cnn import FASHION_CNN
from shared.examples.fashion_mlp import FASHION_MLP
from shared.examples.input_pipeline import INPUT_PIPELINE
from shared.examples.iris_mlp import IRIS_MLP
from shared.examples.layers import LAYERS
from shared.examples.losses import LOSSES
from shared.examples.metrics import METRICS
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
    METRICS,
    DATASETS,
    INPUT_PIPELINE,
    DEVICES,
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
    DIVERGENCE,
)
