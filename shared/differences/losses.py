"""What the arguments of losses mean, and what they are divided by."""

from parity.spec.difference import KERAS, NN, Difference, NoWay
from shared.initial_weights import drawn

_PROBABILISTIC = KERAS + "losses/probabilistic_losses/"
_REGRESSION = KERAS + "losses/regression_losses/"
_TWO_SAMPLES = {"y": ((1.0, 0.0), (0.0, 2.0))}

ROWS = (
    Difference(
        "argument_order",
        "Order of the arguments",
        "input, target",
        "y_true, y_pred",
        "",
        KERAS + "losses/",
        in_torch="F.mse_loss(input=y, target=target)  # by name, in any order",
        in_keras=(
            "loss = keras.losses.MeanSquaredError()\n"
            "loss(y_true=target, y_pred=y)  # by name, in any order"
        ),
    ),
    Difference(
        "mean_squared_error",
        "Squared error of (1, 2), (3, 5) for zeros: mean over everything",
        9.75,
        9.75,
        "",
        NN + "MSELoss.html",
        in_torch="F.mse_loss(y, target)",
        in_keras="keras.losses.MeanSquaredError()(target, y)",
        inputs={"y": ((1.0, 2.0), (3.0, 5.0)), "target": ((0.0, 0.0), (0.0, 0.0))},
    ),
    Difference(
        "cross_entropy_of_logits",
        "Cross-entropy of logits 2, 1, 0 for class 2; Keras takes them for probabilities",
        "2.4076",
        "16.811",
        "`from_logits=True` in Keras",
        _PROBABILISTIC + "#sparsecategoricalcrossentropy-class",
        in_torch="F.cross_entropy(y.clamp(1e-7, 1 - 1e-7).log(), label)",
        in_keras="keras.losses.SparseCategoricalCrossentropy(from_logits=True)(label, y)",
        inputs={"y": ((2.0, 1.0, 0.0),)},
        integers={"label": (2,)},
    ),
    Difference(
        "cross_entropy_of_probabilities",
        "Cross-entropy of probabilities 0.625, 0.25, 0.125 for "
        "class 0; PyTorch takes them for logits",
        "0.8302",
        "0.4700",
        "PyTorch: `nll_loss` of their logarithm",
        NN + "CrossEntropyLoss.html",
        in_torch="F.nll_loss(y.log(), label)",
        in_keras="keras.losses.SparseCategoricalCrossentropy(from_logits=True)(label, y)",
        inputs={"y": ((0.625, 0.25, 0.125),)},
        integers={"label": (0,)},
    ),
    Difference(
        "probabilities_not_normalised",
        "Probabilities 0.25, 0.25: Keras divides by their sum",
        "1.3863",
        "0.6931",
        "divide by the sum in PyTorch",
        _PROBABILISTIC + "#categoricalcrossentropy-class",
        in_torch=(
            "normalised = y / y.sum(dim=1, keepdim=True)\nF.nll_loss(normalised.log(), label)"
        ),
        in_keras=(
            "chosen = keras.ops.take_along_axis(y, label[:, None], axis=1)\n"
            "-keras.ops.mean(keras.ops.log(chosen))"
        ),
        inputs={"y": ((0.25, 0.25),)},
        integers={"label": (0,)},
    ),
    Difference(
        "class_axis",
        "Cross-entropy of 2 places with 2 classes: classes are the second axis in "
        "PyTorch, the last in Keras",
        "1.2201",
        "0.7201",
        "`permute` in PyTorch",
        NN + "CrossEntropyLoss.html",
        in_torch="F.cross_entropy(y.permute(0, 2, 1), label)",
        in_keras=(
            "loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)\n"
            "loss(label, keras.ops.transpose(y, (0, 2, 1)))"
        ),
        inputs={"y": (((0.0, 1.0), (2.0, 0.0)),)},
        integers={"label": ((0, 0),)},
    ),
    Difference(
        "binary_at_zero",
        "Binary cross-entropy of probability 0 for label 1",
        100.0,
        "16.118",
        "clip to 1e-7 in PyTorch",
        NN + "BCELoss.html",
        in_torch="F.binary_cross_entropy(y.clamp(1e-7, 1 - 1e-7), target)",
        in_keras=(
            "def log(p):\n"
            "    return keras.ops.maximum(keras.ops.log(p), -100.0)\n"
            "\n"
            "\n"
            "-keras.ops.mean(target * log(y) + (1 - target) * log(1 - y))"
        ),
        inputs={"y": ((0.0,),), "target": ((1.0,),)},
    ),
    Difference(
        "binary_gradient_outside",
        "Its gradient at probability 1e-9",
        (("-1.000e9",),),
        ((0.0,),),
        "clip to 1e-7 in PyTorch",
        NN + "BCELoss.html",
        in_torch="loss = F.binary_cross_entropy(y.clamp(1e-7, 1 - 1e-7), target)",
        in_keras=(
            "log = keras.ops.log\n"
            "loss = -keras.ops.mean(target * log(y) + (1 - target) * log(1 - y))"
        ),
        inputs={"y": ((1e-9,),), "target": ((1.0,),)},
    ),
    Difference(
        "binary_of_logits",
        "Binary cross-entropy of logit −200 for label 1: equal, and not clipped",
        200.0,
        200.0,
        "",
        NN + "BCEWithLogitsLoss.html",
        in_torch="F.binary_cross_entropy_with_logits(y, target)",
        in_keras="keras.losses.BinaryCrossentropy(from_logits=True)(target, y)",
        inputs={"y": ((-200.0,),), "target": ((1.0,),)},
    ),
    Difference(
        "label_smoothing",
        "Label smoothing 0.1 of logits 2, 1, 0 for class 0: the same equation",
        "0.5076",
        "0.5076",
        "",
        NN + "CrossEntropyLoss.html",
        in_torch="F.cross_entropy(y, label, label_smoothing=0.1)",
        in_keras=(
            "loss = keras.losses.CategoricalCrossentropy(\n"
            "    from_logits=True, label_smoothing=0.1\n"
            ")\n"
            "loss(keras.ops.one_hot(label, 3), y)"
        ),
        inputs={"y": ((2.0, 1.0, 0.0),)},
        integers={"label": (0,)},
    ),
    Difference(
        "class_weights",
        "Class weights 1 and 3: divided by their sum in PyTorch, by the number of samples in Keras",
        "0.1735",
        "0.3470",
        'PyTorch: `reduction="sum"`, over the batch size',
        NN + "CrossEntropyLoss.html",
        in_torch=(
            "weights = torch.tensor([1.0, 3.0])\n"
            'F.cross_entropy(y, label, weights, reduction="sum") / len(y)'
        ),
        in_keras=(
            "weights = keras.ops.take([1.0, 3.0], label)\n"
            "loss = keras.losses.SparseCategoricalCrossentropy(\n"
            '    from_logits=True, reduction="sum"\n'
            ")\n"
            "loss(label, y, sample_weight=weights) / keras.ops.sum(weights)"
        ),
        inputs=_TWO_SAMPLES,
        integers={"label": (0, 1)},
    ),
    Difference(
        "ignored_class",
        "The class that is ignored if nothing is said",
        "ignore_index -100",
        "ignore_class None",
        "name the same class",
        NN + "CrossEntropyLoss.html",
        in_torch="F.cross_entropy(y, label)  # no label is -100, so all of them count",
        in_keras=(
            "loss = keras.losses.SparseCategoricalCrossentropy(\n"
            "    from_logits=True, ignore_class=-100\n"
            ")\n"
            "loss(label, y)"
        ),
        inputs={"y": drawn("differences/ignored", (5, 3))},
        integers={"label": (0, 1, 2, 1, 0)},
    ),
    Difference(
        "kl_divergence",
        "KL divergence of 2 samples with 2 classes: 'mean' in PyTorch is over all elements",
        "0.0719",
        "0.1438",
        '`reduction="batchmean"` in PyTorch',
        NN + "KLDivLoss.html",
        in_torch='F.kl_div(y.log(), target, reduction="batchmean")',
        in_keras="keras.ops.mean(target * keras.ops.log(target / y))",
        inputs={"y": ((0.25, 0.75), (0.25, 0.75)), "target": ((0.5, 0.5), (0.5, 0.5))},
    ),
    Difference(
        "huber",
        "`smooth_l1_loss(beta=0.5)`, `Huber(delta=0.5)` of an error of 2",
        1.75,
        0.875,
        "`huber_loss` in PyTorch",
        NN + "SmoothL1Loss.html",
        in_torch="F.huber_loss(y, target, delta=0.5)",
        in_keras="keras.losses.Huber(delta=0.5)(target, y) / 0.5",
        inputs={"y": ((2.0,),), "target": ((0.0,),)},
    ),
    Difference(
        "cosine_similarity",
        "Cosine similarity of (3, 4) and (4, 3)",
        "0.960",
        "-0.960",
        "the sign",
        _REGRESSION + "#cosinesimilarity-class",
        in_torch="-F.cosine_similarity(y, target).mean()",
        in_keras="-keras.losses.CosineSimilarity()(target, y)",
        inputs={"y": ((3.0, 4.0),), "target": ((4.0, 3.0),)},
    ),
    Difference(
        "poisson",
        "Poisson loss of 1 for 2: a logarithm in PyTorch, a rate in Keras",
        "0.71828",
        "1.00000",
        "`log_input=False, eps=1e-7` in PyTorch",
        NN + "PoissonNLLLoss.html",
        in_torch="F.poisson_nll_loss(y, target, log_input=False, eps=1e-7)",
        in_keras="keras.ops.mean(keras.ops.exp(y) - target * y)",
        inputs={"y": ((1.0,),), "target": ((2.0,),)},
    ),
    Difference(
        "hinge",
        "`Hinge`",
        "no such loss",
        "there is one",
        "PyTorch: `relu(1 − (2·target − 1)·y).mean()`; Keras turns labels 0, 1 into −1, 1",
        KERAS + "losses/hinge_losses/",
        in_torch="F.relu(1 - (2 * target - 1) * y).mean()",
        in_keras=NoWay("PyTorch has no such loss, so there is nothing to match."),
        inputs={"y": ((0.5, -0.25), (2.0, 0.75)), "target": ((1.0, 0.0), (1.0, 0.0))},
    ),
    Difference(
        "epoch_loss",
        "Loss of an epoch, squared errors 1, 4, 16 in batches of 2: mean of the "
        "batches' losses, and `evaluate`",
        9.25,
        7.0,
        "weight by the size of the batch",
        KERAS + "models/model_training_apis/",
        in_torch=(
            "batches = [(y[:2], target[:2]), (y[2:], target[2:])]\n"
            "sum(F.mse_loss(p, t) * len(p) for p, t in batches) / len(y)"
        ),
        in_keras=(
            "batches = [(y[:2], target[:2]), (y[2:], target[2:])]\n"
            "loss = keras.losses.MeanSquaredError()\n"
            "sum(loss(t, p) for p, t in batches) / len(batches)"
        ),
        inputs={"y": ((1.0,), (2.0,), (4.0,)), "target": ((0.0,), (0.0,), (0.0,))},
    ),
)
