"""Losses: how wrong a prediction is, as one number, and what its gradient says.

Twin: keras_impl/losses.py
Look at: what a loss takes (the prediction first here, the truth first there; logits and class
numbers here; probabilities there, unless told), what it divides by (`class_weights`,
`kl_divergence`), and `certain_and_wrong`, where clipping begins.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from shared.plots import Plots


def show(title, results):
    """Print what an experiment found; tensors as rounded numbers."""
    print(f"\n{title}")
    for name, value in results.items():
        head = f"  {name}: "
        if torch.is_tensor(value):
            print(head + np.array2string(value.numpy(force=True), precision=4, prefix=head))
        else:
            print(head + str(value))


def squared_error(output, target):
    """½·(1/n)·Σ‖y − o‖² over n samples; the framework's own form divides by all elements."""
    output.requires_grad_()
    half = (target - output).square().sum(dim=1).mean() / 2
    half.backward()
    return {
        "half_mean_norm": half,
        "d_half_d_output": output.grad,
        "mean": nn.MSELoss()(output, target),
        "sum": nn.MSELoss(reduction="sum")(output, target),
        "each": nn.MSELoss(reduction="none")(output, target),
    }


def huber(output, target):
    """Quadratic up to δ, linear beyond; SmoothL1 is the same divided by δ, which it calls β."""
    output.requires_grad_()
    loss = nn.HuberLoss()(output, target)
    loss.backward()
    return {
        "huber": loss,
        "gradient": output.grad,
        "huber_half": nn.HuberLoss(delta=0.5)(output, target),
        "smooth_l1_half": nn.SmoothL1Loss(beta=0.5)(output, target),
    }


def cross_entropy(logits, label):
    """−log softmax(logits)[label]; its gradient is softmax − onehot."""
    logits.requires_grad_()
    loss = nn.CrossEntropyLoss()(logits, label)
    loss.backward()
    return {"loss": loss, "gradient": logits.grad, "softmax": F.softmax(logits, dim=-1)}


def as_objects(logits, one_logits, targets, labels):
    """A loss is made once, with its options, and then called; each has a function beside it."""
    cross_entropy = nn.CrossEntropyLoss()
    binary = nn.BCELoss()
    binary_from_logits = nn.BCEWithLogitsLoss()
    probabilities = nn.Sigmoid()(one_logits)  # a layer, the last one of a model
    return {
        "cross_entropy": cross_entropy(logits, labels),
        "cross_entropy_function": F.cross_entropy(logits, labels),
        "sigmoid_and_binary": binary(probabilities, targets),
        "binary_from_logits": binary_from_logits(one_logits, targets),
        "binary_function": F.binary_cross_entropy(probabilities, targets),
    }


def logits_are_no_probabilities(logits):
    """They may be negative, and add up to anything: only their differences count."""
    probabilities = F.softmax(logits, dim=-1)
    return {
        "sum_of_logits": logits.sum(),
        "smallest_logit": logits.min(),
        "probabilities": probabilities,
        "sum_of_probabilities": probabilities.sum(),
        "of_logits_plus_100": F.softmax(logits + 100, dim=-1),
        "same_winner": bool(logits.argmax() == probabilities.argmax()),
        "every_logarithm_exists": bool(logits.log().isfinite().all()),
    }


def logits_or_probabilities(logits, labels):
    """One right way and two wrong ones: softmax twice, and logits taken for probabilities."""
    probabilities = F.softmax(logits, dim=-1)
    # What Keras does when it is not told that it gets logits, written out.
    clipped = logits.clip(1e-7, 1 - 1e-7)
    return {
        "from_logits": nn.CrossEntropyLoss()(logits, labels),
        "from_probabilities": nn.NLLLoss()(probabilities.log(), labels),
        "softmax_twice": nn.CrossEntropyLoss()(probabilities, labels),
        "logits_as_probabilities": nn.NLLLoss()(
            (clipped / clipped.sum(dim=-1, keepdim=True)).log(), labels
        ),
    }


def not_normalised(probabilities, label):
    """Probabilities that do not add up to 1: taken as they are here, divided by their sum there."""
    normalised = probabilities / probabilities.sum(dim=-1, keepdim=True)
    return {
        "default": nn.NLLLoss()(probabilities.log(), label),
        "normalised": nn.NLLLoss()(normalised.log(), label),
    }


def reductions(logits, labels):
    """A loss a sample, their sum, and their mean, which is the default."""
    each = nn.CrossEntropyLoss(reduction="none")(logits, labels)
    total = nn.CrossEntropyLoss(reduction="sum")(logits, labels)
    return {"each": each, "sum": total, "mean": nn.CrossEntropyLoss()(logits, labels)}


def soft_labels(logits, soft):
    """A probability for every class instead of one number: the same loss takes both.

    It is smallest where the prediction is just as undecided, and is not 0 there.
    """
    loss_of = nn.CrossEntropyLoss()
    logits.requires_grad_()
    loss = loss_of(logits, soft)
    loss.backward()
    return {"loss": loss, "gradient": logits.grad, "smallest": loss_of(soft.log(), soft)}


def label_smoothing(logits, labels):
    """Targets (1 − ε)·onehot + ε/K with ε = 0.1 and K classes."""
    logits.requires_grad_()
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)(logits, labels)
    loss.backward()
    return {"loss": loss, "gradient": logits.grad}


def class_weights(logits, weights, labels):
    """A weight a class: the mean divides by the sum of weights here, by the batch size there."""
    each = nn.CrossEntropyLoss(weight=weights, reduction="none")(logits, labels)
    return {
        "default": nn.CrossEntropyLoss(weight=weights)(logits, labels),
        "over_sum_of_weights": each.sum() / weights[labels].sum(),
        "over_batch_size": each.mean(),
    }


def ignore_index(logits, labels):
    """Samples labelled −100 do not count, neither above nor below the line."""
    logits.requires_grad_()
    loss = nn.CrossEntropyLoss()(logits, labels)  # ignore_index=-100 is the default
    loss.backward()
    return {"loss": loss, "gradient": logits.grad}


def binary_cross_entropy(logits, targets):
    """−y·log σ(z) − (1 − y)·log(1 − σ(z)), from logits and from probabilities: one number."""
    logits.requires_grad_()
    from_logits = nn.BCEWithLogitsLoss()(logits, targets)
    from_probabilities = nn.BCELoss()(torch.sigmoid(logits), targets)
    (gradient,) = torch.autograd.grad(from_logits, logits)
    (gradient_through_sigmoid,) = torch.autograd.grad(from_probabilities, logits)
    return {
        "from_logits": from_logits,
        "gradient": gradient,
        "from_probabilities": from_probabilities,
        "gradient_through_sigmoid": gradient_through_sigmoid,
    }


def certain_and_wrong(logits, targets, zero):
    """A confident mistake: exact from logits; from probabilities the gradient dies."""
    direct = logits.clone().requires_grad_()
    from_logits = nn.BCEWithLogitsLoss(reduction="none")(direct, targets)
    from_logits.sum().backward()
    logits.requires_grad_()
    through = nn.BCELoss(reduction="none")(torch.sigmoid(logits), targets)
    through.sum().backward()
    zero.requires_grad_()
    at_zero = nn.BCELoss()(zero, torch.ones_like(zero))
    at_zero.backward()
    return {
        "from_logits": from_logits,
        "from_logits_gradient": direct.grad,
        "through_layer": nn.BCELoss(reduction="none")(nn.Sigmoid()(logits), targets),
        "through_sigmoid": through,
        "through_sigmoid_gradient": logits.grad,
        "at_zero": at_zero,
        "at_zero_gradient": zero.grad,
    }


def kl_divergence(p, q):
    """Σ p·log(p/q): takes log q first, then p; the default mean divides by all elements."""
    q.requires_grad_()
    loss = nn.KLDivLoss(reduction="batchmean")(q.log(), p)
    loss.backward()
    return {
        "per_sample": loss,
        "gradient": q.grad,
        "per_element": nn.KLDivLoss(reduction="sum")(q.log(), p) / p.numel(),
        "default": nn.KLDivLoss(reduction="mean")(q.log(), p),
    }


def draw_losses(figure):
    """What a probability costs, what an error costs, and what a confident mistake costs."""
    figure.set_size_inches(12, 4)
    first, second, third = figure.subplots(1, 3)
    p = torch.linspace(0.005, 1, 200)
    first.plot(p, -p.log())
    first.set(xlabel="probability of the true class", ylabel="loss", title="cross-entropy: −log p")

    error = torch.linspace(-3, 3, 121)
    nothing = torch.zeros_like(error)
    second.plot(error, nn.MSELoss(reduction="none")(error, nothing) / 2, label="½ squared")
    second.plot(error, nn.HuberLoss(reduction="none")(error, nothing), label="Huber")
    second.plot(error, nn.L1Loss(reduction="none")(error, nothing), label="absolute")
    second.set(xlabel="error")
    second.legend()

    z = torch.linspace(-120, 20, 281)
    ones = torch.ones_like(z)
    through = nn.BCELoss(reduction="none")(torch.sigmoid(z), ones)
    third.plot(z, nn.BCEWithLogitsLoss(reduction="none")(z, ones), label="from logits")
    third.plot(z, through, "--", label="through a sigmoid")
    third.set(xlabel="logit of a true 1", title="binary cross-entropy")
    third.legend()


def main():
    """Every loss on a few numbers, in the order of this file."""
    plots = Plots(__file__)
    show(
        "Squared error",
        squared_error(
            torch.tensor([[1.0, 2.0], [0.0, 3.0]]), torch.tensor([[1.5, 2.0], [1.0, 1.0]])
        ),
    )
    show("Huber", huber(torch.tensor([-0.25, 0.75, 1.0, 3.5]), torch.tensor([0.0, 0.0, 0.0, 1.0])))

    scores = [[3.2, 5.1, -1.7]]  # of three classes; the first one is the true one
    show("Cross-entropy", cross_entropy(torch.tensor(scores), torch.tensor([0])))
    logits = [[2.0, -1.0, 0.5, 0.0], [0.1, 0.2, 3.0, -2.0], [-1.0, 4.0, 0.0, 1.0]]
    one_logits, targets, labels = [-1.5, 0.25, 2.0], [0.0, 1.0, 1.0], [0, 2, 3]
    show(
        "Losses as objects and as functions",
        as_objects(*map(torch.tensor, (logits, one_logits, targets)), torch.tensor(labels)),
    )
    show("Why logits are no probabilities", logits_are_no_probabilities(torch.tensor(scores)))
    show(
        "Which does the loss take?",
        logits_or_probabilities(torch.tensor(logits), torch.tensor(labels)),
    )
    show("Probabilities ¼ and ¼", not_normalised(torch.tensor([[0.25, 0.25]]), torch.tensor([0])))
    show("A loss a sample, sum, mean", reductions(torch.tensor(logits), torch.tensor(labels)))
    show("Soft labels", soft_labels(torch.tensor(scores), torch.tensor([[0.1, 0.2, 0.7]])))
    show("Labels smoothed", label_smoothing(torch.tensor(logits), torch.tensor(labels)))
    weights = torch.tensor([0.5, 2.0, 1.0, 4.0])
    show("A weight a class", class_weights(torch.tensor(logits), weights, torch.tensor(labels)))
    show(
        "Samples that do not count", ignore_index(torch.tensor(logits), torch.tensor([0, -100, 3]))
    )

    show("Two classes", binary_cross_entropy(torch.tensor(one_logits), torch.tensor(targets)))
    show(
        "Certain, and wrong",
        certain_and_wrong(
            torch.tensor([-40.0, 0.5]), torch.tensor([1.0, 1.0]), torch.tensor([0.0])
        ),
    )
    p, q = (
        torch.tensor([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]]),
        torch.tensor([[0.3, 0.3, 0.4], [0.4, 0.4, 0.2]]),
    )
    show("Kullback-Leibler divergence", kl_divergence(p, q))

    plots.draw("curves", draw_losses)


if __name__ == "__main__":
    main()
