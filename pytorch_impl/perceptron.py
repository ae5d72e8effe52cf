"""The perceptron: gates by hand, gates by the perceptron rule, and XOR, which needs two layers.

Twin: keras_impl/perceptron.py
Look at: `fires` (a comparison gives bool, which has to become a number again), `perceptron_loss`
(its gradient is the perceptron rule's step, but on the line), and `xor_learnt`: the optimizer here
keeps the parameters and reads their `.grad`, there it is handed gradients and variables.
"""

import torch
from torch.nn import functional as F  # noqa: N812

RATE = 0.25  # ρ, a power of two: with weights to match every step is exact


def fires(weighted):
    """The step function: 1 above the threshold, 0 on it and below."""
    return (weighted > 0).to(weighted.dtype)


def _with_one(points):
    """A column of ones in front: its weight is the bias."""
    return torch.cat([torch.ones_like(points[:, :1]), points], dim=1)


def gates_with_constants(points):
    """A neuron fires when its weighted sum is above θ; three sets of constants, three gates."""
    x1, x2 = points[:, 0], points[:, 1]
    weighted = 0.5 * x1 + 0.5 * x2
    return {
        "weighted": weighted,
        "and": fires(weighted - 0.7),
        "nand": fires(-weighted + 0.7),
        "or": fires(weighted - 0.2),
    }


def gates_as_vectors(points, weights, biases):
    """The same as one layer of three neurons, with b = −θ: columns AND, NAND, OR."""
    weighted = points @ weights + biases
    return {"weighted": weighted, "truth": fires(weighted)}


def decision_line(points, weights, biases):
    """Where w₁x₁ + w₂x₂ + b = 0: x₂ = slope·x₁ + intercept, and each point's distance from it."""
    distances = (points @ weights + biases) / torch.linalg.vector_norm(weights, dim=0)
    return {
        "slope": -weights[0] / weights[1],
        "intercept": -biases / weights[1],
        "distances": distances,
    }


def perceptron_loss(points, labels, weights):
    """Σ max(0, −y·w·x): its gradient is −Σ y·x over the misclassified, the perceptron rule's step.

    But for points on the line itself: the rule counts them as wrong, their gradient here is 0.
    """
    weights.requires_grad_()
    loss = torch.relu(-labels * (_with_one(points) @ weights)).sum()
    loss.backward()
    return {"loss": loss, "gradient": weights.grad}


def _rounds(points, labels, weights, most):
    """w ← w + ρ·Σ yₖ·xₖ over the misclassified, until none is left or for so many rounds.

    The perceptron rule. It is often called the delta rule, but that is Widrow's and Hoff's, which
    steps by how far w·x is from y, for every point.
    """
    samples = _with_one(points)
    history, mistakes = [weights], []
    for _ in range(most):
        wrong = labels * (samples @ weights) <= 0  # on the line counts as wrong
        mistakes.append(torch.count_nonzero(wrong, dim=0))
        if not wrong.any():
            break
        weights = weights + RATE * samples.T @ torch.where(wrong, labels, 0)
        history.append(weights)
    return torch.stack(history), torch.stack(mistakes), fires(samples @ weights)


def perceptron_rule(points, labels, weights):
    """Three neurons learn AND, NAND and OR from labels ±1; rows of `weights`: bias, w₁, w₂."""
    history, mistakes, truth = _rounds(points, labels, weights, most=100)
    return {
        "weights": history,
        "mistakes": mistakes,
        "learnt_after": len(history) - 1,
        "learnt": history[-1],
        "truth": truth,
    }


def xor_by_one_layer(points, labels, weights):
    """No line parts XOR: the weights come back to where they were, so they would for ever."""
    history, mistakes, truth = _rounds(points, labels, weights, most=12)
    seen = [tuple(row[:, 0].tolist()) for row in history]
    again = next(step for step, row in enumerate(seen) if row in seen[:step])
    return {
        "weights": history,
        "mistakes": mistakes,
        "truth": truth,
        "weights_of_step": seen.index(seen[again]),
        "come_back_at_step": again,
    }


def xor_by_two_layers(points, hidden_weights, hidden_biases, output_weights, output_bias):
    """XOR is what OR and NAND have in common: AND on top of the two."""
    hidden = fires(points @ hidden_weights + hidden_biases)
    weighted = hidden @ output_weights + output_bias
    return {"hidden": hidden, "truth": fires(weighted)}


def xor_learnt(points, targets, hidden_kernel, hidden_bias, output_kernel, output_bias):
    """Two layers learn XOR by gradient descent once the step is a smooth one: tanh, then σ."""
    parameters = [hidden_kernel, hidden_bias, output_kernel, output_bias]
    for parameter in parameters:
        parameter.requires_grad_()
    optimizer = torch.optim.SGD(parameters, lr=1.0)
    losses, probabilities = [], []
    for _ in range(100):
        optimizer.zero_grad()
        hidden = torch.tanh(F.linear(points, hidden_kernel, hidden_bias))
        logits = F.linear(hidden, output_kernel, output_bias)
        loss = F.binary_cross_entropy_with_logits(logits, targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        probabilities.append(torch.sigmoid(logits[:, 0]).detach())
    return {
        "losses": torch.stack(losses),
        "probabilities": torch.stack(probabilities),
        "at_the_end": probabilities[-1],
        "truth": fires(logits[:, 0]),
        "hidden_kernel": hidden_kernel,
        "hidden_bias": hidden_bias,
        "output_kernel": output_kernel,
        "output_bias": output_bias,
    }
