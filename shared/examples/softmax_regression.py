"""Spec of softmax regression on Fashion-MNIST, from scratch and with the API."""

from parity.core.recording_keys import LADDER, VALUES
from parity.core.sides import Side
from parity.spec.cases import Case
from parity.spec.example import (
    ZEROS,
    ComparedPair,
    ExampleSpec,
    Fast,
    Initial,
    ParameterSpec,
    Reference,
    Size,
    Training,
    TrainingVariant,
    tape_pair,
)

_BOTH = (VALUES, *LADDER)


def _scratch(side: Side) -> TrainingVariant:
    """With functions of the example's own in every place."""
    return TrainingVariant(
        side,
        "scratch",
        "from scratch",
        model="build_own_model",
        optimizer="make_own_optimizer",
        step="own_train_step",
        predict="own_predict",
        evaluate="own_evaluate",
    )


SOFTMAX_REGRESSION = ExampleSpec(
    name="softmax_regression",
    title="Softmax regression, from scratch and with the API",
    part="Training",
    summary=(
        "One dense layer on Fashion-MNIST, written twice on each side: with a layer, a softmax, a "
        "cross-entropy and an update of one's own, and with what the framework brings. Four "
        "programs, one equation: all four agree to rounding."
    ),
    cases=(
        Case(
            "cross_entropy_of_two_rows",
            {"probabilities": ((0.1, 0.3, 0.6), (0.3, 0.2, 0.5))},
            {"losses": ("2.3026", "0.6931")},
            integers={"labels": (0, 2)},
        ),
    ),
    training=Training(
        dataset="fashion_mnist",
        batch_size=256,
        parameters=(
            ParameterSpec("logits/kernel", (784, 10), Initial("normal", 0.01)),
            ParameterSpec("logits/bias", (10,), ZEROS),
        ),
        layers=("flatten", "logits"),
        default=Size("embedded", epochs=4, train=11_990),
        full=Size("full", epochs=10),
        fast=(Fast("torch/api", traced=True), Fast("keras/fit", jit=True)),
        ways=(
            TrainingVariant("torch", "api", "nn.Linear, F.cross_entropy, optim.SGD"),
            _scratch("torch"),
            TrainingVariant("keras", "fit", "Dense, compile/fit", loop="fit"),
            TrainingVariant("keras", "tape", "Dense, GradientTape"),
            _scratch("keras"),
        ),
        pairs=(
            ComparedPair("matched", "PyTorch's API ~ Keras' API", "torch/api", "keras/fit", _BOTH),
            tape_pair(),
            ComparedPair(
                "scratch",
                "PyTorch from scratch ~ Keras from scratch",
                "torch/scratch",
                "keras/scratch",
                _BOTH,
            ),
            ComparedPair(
                "torch_itself",
                "PyTorch from scratch ~ PyTorch's API",
                "torch/scratch",
                "torch/api",
                _BOTH,
            ),
            ComparedPair(
                "keras_itself",
                "Keras from scratch ~ Keras' API",
                "keras/scratch",
                "keras/fit",
                _BOTH,
            ),
        ),
        references=(
            Reference(
                "test_accuracy",
                0.83,
                0.01,
                "what textbook chapters on softmax regression show after ten epochs, to two "
                "digits; not a figure of this project",
            ),
        ),
    ),
)
