"""What a port forgets, and the line that repairs it, for every default that differs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Repair:
    """A default that the two frameworks have differently.

    Attributes:
        mistake: what is forgotten.
        in_keras: in the Keras port of a PyTorch program: the lines that make it PyTorch's.
        in_torch: in the PyTorch port of a Keras program: the lines that make it Keras'.
        note: what else to know; may be empty.
    """

    mistake: str
    in_keras: str
    in_torch: str
    note: str = ""


REPAIRS: dict[str, Repair] = {
    "initialiser": Repair(
        "the layers of the port initialise themselves",
        "layers.Dense(\n    128,\n    kernel_initializer=keras.initializers.VarianceScaling(\n"
        '        1 / 3, mode="fan_in", distribution="uniform"\n    ),\n'
        "    bias_initializer=keras.initializers.RandomUniform(-(fan_in**-0.5), fan_in**-0.5),\n)",
        "nn.init.xavier_uniform_(layer.weight)\nnn.init.zeros_(layer.bias)",
        "`fan_in` is inputs of a dense layer, height × width × channels of a convolution.",
    ),
    "optimizer": Repair(
        "the port takes the optimizer of the same name with its own epsilon",
        "from parity.keras_side.optimizers import TorchAdam\n\n"
        "model.compile(optimizer=TorchAdam(learning_rate=1e-3), loss=loss)",
        "from parity.torch_side.optimizers import KerasAdam\n\n"
        "optimizer = KerasAdam(model.parameters(), lr=1e-3)",
        "Passing the other's epsilon is not enough: it stands in another place of the equation.",
    ),
    "batch_norm_epsilon": Repair(
        "batch normalisation keeps its own epsilon",
        "layers.BatchNormalization(epsilon=1e-5)",
        "nn.BatchNorm2d(channels, eps=1e-3)",
    ),
    "batch_norm_momentum": Repair(
        "batch normalisation keeps its own momentum",
        "layers.BatchNormalization(momentum=0.9)",
        "nn.BatchNorm2d(channels, momentum=0.01)",
        "The two words are complements: 0.1 of the new in PyTorch is 0.9 of the old in Keras.",
    ),
    "batch_norm_unbiased": Repair(
        "the running variance is averaged from another variance of the batch",
        "from parity.keras_side.layers import TorchBatchNormalization\n\n"
        "TorchBatchNormalization(epsilon=1e-5, momentum=0.9)",
        "from parity.torch_side.layers import KerasBatchNorm2d\n\n"
        "KerasBatchNorm2d(channels, eps=1e-3, momentum=0.01)",
        "It is the smaller the larger the batch.",
    ),
    "shuffling": Repair(
        "the global seed is set, and the port shuffles as its framework does",
        "dataset = tf.data.Dataset.from_tensor_slices((x, y))\n"
        "dataset = dataset.shuffle(len(x)).batch(32)\n"
        "model.fit(dataset, epochs=5)",
        "order = torch.randperm(len(dataset)).tolist()\n"
        "loader = DataLoader(Subset(dataset, order), batch_size=32)",
        "After `keras.utils.set_random_seed`, `fit` on arrays shuffles once: every epoch has the "
        "same order, and so the port draws one, before all epochs. Without a seed each epoch has "
        "its own, and `DataLoader(shuffle=True)` is the same rule.",
    ),
}
"""By name of the default. Defaults without another equation, only other luck, have no repair."""
