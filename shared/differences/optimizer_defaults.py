"""What optimizers do when nothing is said."""

from parity.spec.difference import KERAS_OPTIMIZERS, OPTIM, Difference
from shared.initial_weights import drawn

_GRADIENTS = {"gradients": drawn("differences/gradients", (5, 3), 1e-3)}

ROWS = (
    Difference(
        "sgd_defaults",
        "`SGD`",
        "lr 0.001, momentum 0",
        "learning_rate 0.01, momentum 0.0",
        "`lr=1e-2` in PyTorch",
        KERAS_OPTIMIZERS + "sgd/",
        in_torch="torch.optim.SGD(model.parameters(), lr=1e-2)",
        in_keras="keras.optimizers.SGD(learning_rate=1e-3)",
        inputs=_GRADIENTS,
    ),
    Difference(
        "adam_defaults",
        "`Adam`",
        "lr 0.001, betas (0.9, 0.999), eps 1e-08",
        "learning_rate 0.001, beta_1 0.9, beta_2 0.999, epsilon 1e-07",
        "`KerasAdam`, a bridge for PyTorch: the equation differs too",
        KERAS_OPTIMIZERS + "adam/",
        in_torch=(
            "from parity.torch_side.optimizers import KerasAdam\n\nKerasAdam(model.parameters())"
        ),
        in_keras=("from parity.keras_side.optimizers import TorchAdam\n\nTorchAdam()"),
        inputs=_GRADIENTS,
    ),
    Difference(
        "adamw_defaults",
        "`AdamW`",
        "weight_decay 0.01, eps 1e-08",
        "weight_decay 0.004, epsilon 1e-07",
        "`KerasAdamW`, a bridge for PyTorch",
        KERAS_OPTIMIZERS + "adamw/",
        in_torch=(
            "from parity.torch_side.optimizers import KerasAdamW\n\nKerasAdamW(model.parameters())"
        ),
        in_keras=("from parity.keras_side.optimizers import TorchAdamW\n\nTorchAdamW()"),
        inputs=_GRADIENTS,
    ),
    Difference(
        "rmsprop_defaults",
        "`RMSprop`",
        "lr 0.01, alpha 0.99, eps 1e-08",
        "learning_rate 0.001, rho 0.9, epsilon 1e-07",
        "`KerasRMSprop`, a bridge for PyTorch",
        KERAS_OPTIMIZERS + "rmsprop/",
        in_torch=(
            "from parity.torch_side.optimizers import KerasRMSprop\n\n"
            "KerasRMSprop(model.parameters())"
        ),
        in_keras=("from parity.keras_side.optimizers import TorchRMSprop\n\nTorchRMSprop()"),
        inputs=_GRADIENTS,
    ),
    Difference(
        "adagrad_defaults",
        "`Adagrad`",
        "lr 0.01, initial_accumulator_value 0, eps 1e-10",
        "learning_rate 0.001, initial_accumulator_value 0.1, epsilon 1e-07",
        "`KerasAdagrad`, a bridge for PyTorch",
        KERAS_OPTIMIZERS + "adagrad/",
        in_torch=(
            "from parity.torch_side.optimizers import KerasAdagrad\n\n"
            "KerasAdagrad(model.parameters())"
        ),
        in_keras=("from parity.keras_side.optimizers import TorchAdagrad\n\nTorchAdagrad()"),
        inputs=_GRADIENTS,
    ),
    Difference(
        "adadelta_defaults",
        "`Adadelta`: the same equation",
        "lr 1.0, rho 0.9, eps 1e-06",
        "learning_rate 0.001, rho 0.95, epsilon 1e-07",
        "`lr=1e-3, rho=0.95, eps=1e-7` in PyTorch",
        KERAS_OPTIMIZERS + "adadelta/",
        in_torch="torch.optim.Adadelta(model.parameters(), lr=1e-3, rho=0.95, eps=1e-7)",
        in_keras="keras.optimizers.Adadelta(1.0, rho=0.9, epsilon=1e-6)",
        inputs=_GRADIENTS,
    ),
    Difference(
        "adamax_defaults",
        "`Adamax`",
        "lr 0.002, eps 1e-08",
        "learning_rate 0.001, epsilon 1e-07",
        "`KerasAdamax`, a bridge for PyTorch",
        KERAS_OPTIMIZERS + "adamax/",
        in_torch=(
            "from parity.torch_side.optimizers import KerasAdamax\n\n"
            "KerasAdamax(model.parameters())"
        ),
        in_keras=("from parity.keras_side.optimizers import TorchAdamax\n\nTorchAdamax()"),
        inputs=_GRADIENTS,
    ),
    Difference(
        "nadam_defaults",
        "`NAdam`, `Nadam`",
        "lr 0.002, eps 1e-08",
        "learning_rate 0.001, epsilon 1e-07",
        "`KerasNadam`, a bridge for PyTorch",
        KERAS_OPTIMIZERS + "nadam/",
        in_torch=(
            "from parity.torch_side.optimizers import KerasNadam\n\nKerasNadam(model.parameters())"
        ),
        in_keras=("from parity.keras_side.optimizers import TorchNAdam\n\nTorchNAdam()"),
        inputs=_GRADIENTS,
    ),
    Difference(
        "adafactor_defaults",
        "`Adafactor`",
        "lr 0.01",
        "learning_rate 0.001",
        "",
        OPTIM + "Adafactor.html",
        in_torch="torch.optim.Adafactor(model.parameters(), lr=1e-3)",
        in_keras="keras.optimizers.Adafactor(learning_rate=1e-2)",
    ),
)
