"""What the arguments of losses mean, and what they are divided by."""

from shared.differences.spec import KERAS, NN, Difference
from shared.initial import drawn

_PROBABILISTIC = KERAS + "losses/probabilistic_losses/"
_REGRESSION = KERAS + "losses/regression_losses/"
_TWO_SAMPLES = {"y": ((1.0, 0.0), (0.0, 2.0))}

ROWS = (
    Difference(
        "argument_order", "Order of the arguments", "input, target", "y_true, y_pred", "",
        KERAS + "losses/",
    ),
    Difference(
        "mean_squared_error", "Squared error of (1, 2), (3, 5) for zeros: mean over everything",
        9.75, 9.75, "", NN + "MSELoss.html",
        inputs={"y": ((1.0, 2.0), (3.0, 5.0)), "target": ((0.0, 0.0), (0.0, 0.0))},
    ),
    Difference(
        "cross_entropy_of_logits", "Cross-entropy of logits 2, 1, 0 for class 2; Keras takes them "
        "for probabilities", "2.4076", "16.811", "`from_logits=True` in Keras",
        _PROBABILISTIC + "#sparsecategoricalcrossentropy-class", inputs={"y": ((2.0, 1.0, 0.0),)},
        integers={"label": (2,)},
    ),
    Difference(
        "cross_entropy_of_probabilities", "Cross-entropy of probabilities 0.625, 0.25, 0.125 for "
        "class 0; PyTorch takes them for logits", "0.8302", "0.4700",
        "PyTorch: `nll_loss` of their logarithm", NN + "CrossEntropyLoss.html",
        inputs={"y": ((0.625, 0.25, 0.125),)}, integers={"label": (0,)},
    ),
    Difference(
        "probabilities_not_normalised", "Probabilities 0.25, 0.25: Keras divides by their sum",
        "1.3863", "0.6931", "divide by the sum in PyTorch",
        _PROBABILISTIC + "#categoricalcrossentropy-class", inputs={"y": ((0.25, 0.25),)},
        integers={"label": (0,)},
    ),
    Difference(
        "class_axis", "Cross-entropy of 2 places with 2 classes: classes are the second axis in "
        "PyTorch, the last in Keras", "1.2201", "0.7201", "`permute` in PyTorch",
        NN + "CrossEntropyLoss.html", inputs={"y": (((0.0, 1.0), (2.0, 0.0)),)},
        integers={"label": ((0, 0),)},
    ),
    Difference(
        "binary_at_zero", "Binary cross-entropy of probability 0 for label 1", 100.0, "16.118",
        "clip to 1e-7 in PyTorch", NN + "BCELoss.html",
        inputs={"y": ((0.0,),), "target": ((1.0,),)},
    ),
    Difference(
        "binary_gradient_outside", "Its gradient at probability 1e-9", (("-1.000e9",),), ((0.0,),),
        "clip to 1e-7 in PyTorch", NN + "BCELoss.html",
        inputs={"y": ((1e-9,),), "target": ((1.0,),)},
    ),
    Difference(
        "binary_of_logits", "Binary cross-entropy of logit −200 for label 1: equal, and not "
        "clipped", 200.0, 200.0, "", NN + "BCEWithLogitsLoss.html",
        inputs={"y": ((-200.0,),), "target": ((1.0,),)},
    ),
    Difference(
        "label_smoothing", "Label smoothing 0.1 of logits 2, 1, 0 for class 0: the same equation",
        "0.5076", "0.5076", "", NN + "CrossEntropyLoss.html", inputs={"y": ((2.0, 1.0, 0.0),)},
        integers={"label": (0,)},
    ),
    Difference(
        "class_weights", "Class weights 1 and 3: divided by their sum in PyTorch, by the number of "
        "samples in Keras", "0.1735", "0.3470", "PyTorch: `reduction=\"sum\"`, over the batch size",
        NN + "CrossEntropyLoss.html", inputs=_TWO_SAMPLES, integers={"label": (0, 1)},
    ),
    Difference(
        "ignored_class", "The class that is ignored if nothing is said", "ignore_index -100",
        "ignore_class None", "name the same class", NN + "CrossEntropyLoss.html",
        inputs={"y": drawn("differences/ignored", (5, 3))}, integers={"label": (0, 1, 2, 1, 0)},
    ),
    Difference(
        "kl_divergence", "KL divergence of 2 samples with 2 classes: 'mean' in PyTorch is over all "
        "elements", "0.0719", "0.1438", "`reduction=\"batchmean\"` in PyTorch",
        NN + "KLDivLoss.html", inputs={"y": ((0.25, 0.75), (0.25, 0.75)),
                                       "target": ((0.5, 0.5), (0.5, 0.5))},
    ),
    Difference(
        "huber", "`smooth_l1_loss(beta=0.5)`, `Huber(delta=0.5)` of an error of 2", 1.75, 0.875,
        "`huber_loss` in PyTorch", NN + "SmoothL1Loss.html",
        inputs={"y": ((2.0,),), "target": ((0.0,),)},
    ),
    Difference(
        "cosine_similarity", "Cosine similarity of (3, 4) and (4, 3)", "0.960", "-0.960",
        "the sign", _REGRESSION + "#cosinesimilarity-class",
        inputs={"y": ((3.0, 4.0),), "target": ((4.0, 3.0),)},
    ),
    Difference(
        "poisson", "Poisson loss of 1 for 2: a logarithm in PyTorch, a rate in Keras", "0.71828",
        "1.00000", "`log_input=False, eps=1e-7` in PyTorch", NN + "PoissonNLLLoss.html",
        inputs={"y": ((1.0,),), "target": ((2.0,),)},
    ),
    Difference(
        "hinge", "`Hinge`", "no such loss", "there is one",
        "PyTorch: `relu(1 − (2·target − 1)·y).mean()`; Keras turns labels 0, 1 into −1, 1",
        KERAS + "losses/hinge_losses/",
        inputs={"y": ((0.5, -0.25), (2.0, 0.75)), "target": ((1.0, 0.0), (1.0, 0.0))},
    ),
    Difference(
        "epoch_loss", "Loss of an epoch, squared errors 1, 4, 16 in batches of 2: mean of the "
        "batches' losses, and `evaluate`", 9.25, 7.0, "weight by the size of the batch",
        KERAS + "models/model_training_apis/",
        inputs={"y": ((1.0,), (2.0,), (4.0,)), "target": ((0.0,), (0.0,), (0.0,))},
    ),
)  # fmt: skip
