"""Optimizers with the same arguments, and what they make of them."""

from parity.spec.difference import KERAS, KERAS_OPTIMIZERS, OPTIM, TORCH, Difference

_THREE_ONES = {"gradients": ((1.0,), (1.0,), (1.0,))}

ROWS = (
    Difference(
        "sgd_momentum",
        "`SGD(momentum=0.875)`, lr 0.5, gradients 1, −2, 4: the same equation while lr is the same",
        (-1.4453125,),
        (-1.4453125,),
        "",
        OPTIM + "SGD.html",
        in_torch="torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.875)",
        in_keras="keras.optimizers.SGD(0.5, momentum=0.875)",
        inputs={"gradients": ((1.0,), (-2.0,), (4.0,))},
    ),
    Difference(
        "sgd_nesterov",
        "The same with Nesterov",
        (-2.7646484375,),
        (-2.7646484375,),
        "",
        OPTIM + "SGD.html",
        in_torch=(
            "torch.optim.SGD(\n    model.parameters(), lr=0.5, momentum=0.875, nesterov=True\n)"
        ),
        in_keras="keras.optimizers.SGD(0.5, momentum=0.875, nesterov=True)",
        inputs={"gradients": ((1.0,), (-2.0,), (4.0,))},
    ),
    Difference(
        "sgd_rate_change",
        "`SGD(momentum=0.9)`, gradients 1, rate 0.1, then 0.01: from 1 to, in 3 "
        "steps; Keras' velocity holds the old rate",
        ("0.8539",),
        ("0.7000",),
        "`KerasSGD`, a bridge for PyTorch",
        "https://github.com/pytorch/pytorch/issues/1099",
        in_torch=(
            "from parity.torch_side.optimizers import KerasSGD\n\n"
            "KerasSGD(model.parameters(), lr=0.1, momentum=0.9)"
        ),
        in_keras=(
            "from parity.keras_side.optimizers import TorchSGD\n\nTorchSGD(0.1, momentum=0.9)"
        ),
        inputs=_THREE_ONES,
    ),
    Difference(
        "adam_epsilon_place",
        "`Adam`, ε 1e-7 on both sides, gradient 1e-6: first step, over lr; "
        "ε after or before the bias correction",
        ("-0.9091",),
        ("-0.2403",),
        "`KerasAdam`, a bridge for PyTorch",
        KERAS_OPTIMIZERS + "adam/",
        in_torch=(
            "from parity.torch_side.optimizers import KerasAdam\n\n"
            "KerasAdam(model.parameters(), lr=1.0, eps=1e-7)"
        ),
        in_keras=(
            "from parity.keras_side.optimizers import TorchAdam\n\nTorchAdam(1.0, epsilon=1e-7)"
        ),
        inputs={"gradients": ((1e-6,),)},
    ),
    Difference(
        "adam_beta_rounding",
        "`Adam`, gradient 1000: first step, over lr; Keras rounds the betas "
        "to float32 in float64 too",
        ("-1.0000000",),
        ("-0.9999933",),
        "`KerasAdam`, a bridge for PyTorch",
        KERAS_OPTIMIZERS + "adam/",
        in_torch=(
            "from parity.torch_side.optimizers import KerasAdam\n\n"
            "KerasAdam(model.parameters(), lr=1.0)"
        ),
        in_keras=("from parity.keras_side.optimizers import TorchAdam\n\nTorchAdam(1.0)"),
        inputs={"gradients": ((1000.0,),)},
    ),
    Difference(
        "adam_weight_decay",
        "`Adam(weight_decay=0.25)`, lr 0.1, gradient 1: from 1 to; part of "
        "the gradient in PyTorch, decoupled in Keras",
        ("0.9000",),
        ("0.8750",),
        "`AdamW` in PyTorch; to rounding `KerasAdam(weight_decay=…)`",
        OPTIM + "AdamW.html",
        in_torch="torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.25)",
        in_keras=("from parity.keras_side.optimizers import TorchAdam\n\nTorchAdam(0.1, l2=0.25)"),
        inputs={"gradients": ((1.0,),)},
    ),
    Difference(
        "l2_penalty",
        "`weight_decay=0.5`, `regularizers.L2(0.5)`: what they add to the gradient at 3",
        (1.5,),
        (3.0,),
        "`weight_decay` = 2·l in PyTorch's SGD",
        KERAS + "layers/regularizers/",
        in_torch="torch.optim.SGD(model.parameters(), lr=1.0, weight_decay=2 * 0.5)",
        in_keras="keras.layers.Dense(3, kernel_regularizer=keras.regularizers.L2(0.5 / 2))",
        inputs={"w": (3.0,)},
    ),
    Difference(
        "rmsprop_epsilon_place",
        "`RMSprop`, ε 1e-7, decay 0.9, gradient 1e-4: first step, over "
        "lr; ε outside or inside the root",
        ("-3.152",),
        ("-0.3147",),
        "`KerasRMSprop`, a bridge for PyTorch",
        OPTIM + "RMSprop.html",
        in_torch=(
            "from parity.torch_side.optimizers import KerasRMSprop\n\n"
            "KerasRMSprop(model.parameters(), lr=1.0)"
        ),
        in_keras=(
            "from parity.keras_side.optimizers import TorchRMSprop\n\n"
            "TorchRMSprop(1.0, alpha=0.9, epsilon=1e-7)"
        ),
        inputs={"gradients": ((1e-4,),)},
    ),
    Difference(
        "rmsprop_momentum",
        "`RMSprop(momentum=0.5)`, decay 0.75, gradients 1, rate 1, then 0.1: from 0 to, in 3 steps",
        ("-2.5083",),
        ("-3.8583",),
        "",
        OPTIM + "RMSprop.html",
        in_torch=(
            "for state in optimizer.state.values():  # when the rate changes\n"
            '    state["momentum_buffer"] *= old / new'
        ),
        in_keras=(
            "for velocity in optimizer._momentums:  # when the rate changes\n"
            "    velocity.assign(velocity * new / old)"
        ),
        inputs=_THREE_ONES,
    ),
    Difference(
        "adagrad_epsilon_place",
        "`Adagrad` from 0, ε 1e-7, gradient 1e-4: first step, over lr",
        ("-0.9990",),
        ("-0.3015",),
        "`KerasAdagrad(start=0)`, a bridge for PyTorch",
        OPTIM + "Adagrad.html",
        in_torch=(
            "from parity.torch_side.optimizers import KerasAdagrad\n\n"
            "KerasAdagrad(model.parameters(), lr=1.0, start=0.0)"
        ),
        in_keras=(
            "from parity.keras_side.optimizers import TorchAdagrad\n\n"
            "TorchAdagrad(1.0, epsilon=1e-7)"
        ),
        inputs={"gradients": ((1e-4,),)},
    ),
    Difference(
        "adamax_epsilon_place",
        "`Adamax`, ε 1e-7, gradients 1e-7, 0: two steps, over lr",
        ("-0.9667",),
        ("-0.8111",),
        "`KerasAdamax`, a bridge for PyTorch",
        OPTIM + "Adamax.html",
        in_torch=(
            "from parity.torch_side.optimizers import KerasAdamax\n\n"
            "KerasAdamax(model.parameters(), lr=1.0, betas=(0.875, 0.5))"
        ),
        in_keras=(
            "from parity.keras_side.optimizers import TorchAdamax\n\n"
            "TorchAdamax(1.0, beta_1=0.875, beta_2=0.5, epsilon=1e-7)"
        ),
        inputs={"gradients": ((1e-7,), (0.0,))},
    ),
    Difference(
        "nadam_momentum",
        "`NAdam`, lr 0.1, gradients 1, −1, 2: from 0 to; another momentum schedule",
        ("-0.1281",),
        ("-0.1260",),
        "`KerasNadam`, a bridge for PyTorch",
        OPTIM + "NAdam.html",
        in_torch=(
            "from parity.torch_side.optimizers import KerasNadam\n\n"
            "KerasNadam(model.parameters(), lr=0.1)"
        ),
        in_keras=("from parity.keras_side.optimizers import TorchNAdam\n\nTorchNAdam(0.1)"),
        inputs={"gradients": ((1.0,), (-1.0,), (2.0,))},
    ),
    Difference(
        "clip_by_norm",
        "Clipping (3, 4) and (0, 12) to norm 1: all together in PyTorch, each in Keras' `clipnorm`",
        ("0.2308", "0.3077", 0.0, "0.9231"),
        ("0.6000", "0.8000", 0.0, 1.0),
        "`global_clipnorm` in Keras; PyTorch adds 1e-6 to the norm, so divide by hand",
        TORCH + "generated/torch.nn.utils.clip_grad_norm_.html",
        in_torch=(
            "for parameter in model.parameters():\n    nn.utils.clip_grad_norm_(parameter, 1.0)"
        ),
        in_keras="keras.optimizers.SGD(1.0, global_clipnorm=1.0)",
        inputs={"a": (3.0, 4.0), "b": (0.0, 12.0)},
    ),
    Difference(
        "accumulated_gradients",
        "Gradients 1 and 3 accumulated, lr 1: from 0 to",
        (-4.0,),
        (-2.0,),
        "divide the loss by the number of steps in PyTorch",
        KERAS_OPTIMIZERS,
        in_torch="(loss / steps).backward()  # of every one of the steps",
        in_keras=(
            "steps = 2  # a mean, at so many times the rate\n"
            "keras.optimizers.SGD(steps * 1.0, gradient_accumulation_steps=steps)"
        ),
        inputs={"gradients": (1.0, 3.0)},
    ),
)
