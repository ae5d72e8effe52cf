"""Spec of the network of two blocks on MNIST."""

from parity.spec.example import (
    GLOROT,
    ZEROS,
    ComparedPair,
    ExampleSpec,
    Fast,
    ParameterSpec,
    Size,
    Training,
    TrainingVariant,
    tape_pair,
)

SEQUENTIAL_CNN = ExampleSpec(
    name="sequential_cnn",
    title="Two blocks of layers in sequence, on MNIST",
    part="Training",
    summary=(
        "Convolutions in one `Sequential`, dense layers in another, one behind the "
        "other: how nested "
        "blocks name their parameters on each side, and a classifier much wider than its features."
    ),
    training=Training(
        dataset="mnist",
        batch_size=64,
        input_shape=(28, 28, 1),
        parameters=(
            ParameterSpec("features_conv1/kernel", (3, 3, 1, 5), GLOROT),
            ParameterSpec("features_conv1/bias", (5,), ZEROS),
            ParameterSpec("features_conv2/kernel", (3, 3, 5, 10), GLOROT),
            ParameterSpec("features_conv2/bias", (10,), ZEROS),
            ParameterSpec("classifier_dense1/kernel", (1960, 1024), GLOROT, flattened=(14, 14, 10)),
            ParameterSpec("classifier_dense1/bias", (1024,), ZEROS),
            ParameterSpec("classifier_dense2/kernel", (1024, 2048), GLOROT),
            ParameterSpec("classifier_dense2/bias", (2048,), ZEROS),
            ParameterSpec("classifier_logits/kernel", (2048, 10), GLOROT),
            ParameterSpec("classifier_logits/bias", (10,), ZEROS),
        ),
        layers=(
            "features_conv1",
            "features_relu1",
            "features_conv2",
            "features_pool",
            "features_relu2",
            "classifier_flatten",
            "classifier_dense1",
            "classifier_relu1",
            "classifier_dense2",
            "classifier_relu2",
            "classifier_logits",
        ),
        default=Size("embedded", epochs=1, train=630, test=1000),
        full=Size("full", epochs=1),
        fast=(Fast("torch/loop", channels_last=True), Fast("keras/fit")),
        ways=(
            TrainingVariant("torch", "loop", "loop, Keras' Adam", optimizer_as="keras"),
            TrainingVariant("keras", "fit", "compile/fit, Keras' Adam", loop="fit"),
            TrainingVariant("keras", "tape", "GradientTape, Keras' Adam"),
        ),
        pairs=(
            ComparedPair(
                "matched",
                "PyTorch loop with KerasAdam ~ Keras compile/fit",
                "torch/loop",
                "keras/fit",
            ),
            tape_pair(),
        ),
    ),
)
