"""The perceptron: gates by hand, gates by the perceptron rule, and XOR, which needs two layers.

Twin: keras_impl/perceptron.py
Look at: `fires` (a comparison gives bool, which has to become a number again), `perceptron_loss`
(its gradient is the perceptron rule's step, but on the line), and `xor_learnt`: the optimizer here
keeps the parameters and reads their `.grad`, there it is handed gradients and variables.
"""

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from shared.plots import Plots

RATE = 0.25  # ρ of the perceptron rule; a power of two, so that every step is exact


def show(title, results):
    """Print what an experiment found; tensors as rounded numbers."""
    print(f"\n{title}")
    for name, value in results.items():
        head = f"  {name}: "
        if torch.is_tensor(value):
            print(head + np.array2string(value.numpy(force=True), precision=4, prefix=head))
        else:
            print(head + str(value))


def summary(results):
    """All but the histories, which are long."""
    histories = ("weights", "mistakes", "losses", "probabilities")
    return {name: value for name, value in results.items() if name not in histories}


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
    """Where w₁x₁ + w₂x₂ + b = 0: x₂ = slope·x₁ + intercept, and each point's distance from it.

    w stands at right angles to the line, whose direction is (1, slope), and points to where it
    fires.
    """
    slope = -weights[0] / weights[1]
    distances = (points @ weights + biases) / torch.linalg.vector_norm(weights, dim=0)
    return {
        "slope": slope,
        "intercept": -biases / weights[1],
        "weights_times_direction": weights[0] * 1 + weights[1] * slope,
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

    The perceptron rule. It is often called the delta rule, but that is Widrow's and Hoff's
    (`learning_rates`), which steps by how far w·x is from y, for every point.
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


def learning_rates(points, targets, weights, rates):
    """One neuron without a threshold, J = ½·mean (w·x − y)², and a ρ in every column.

    The delta rule of Widrow and Hoff: w ← w − ρ·∂J/∂w. Too small, and it crawls; above 2/λ, with
    λ the largest curvature of J, every step leads further away.
    """
    samples = _with_one(points)
    curvature = samples.T @ samples / len(points)
    weights, losses = weights.repeat(1, len(rates)), []
    for _ in range(12):
        errors = samples @ weights - targets
        losses.append((errors**2).mean(dim=0) / 2)
        weights = weights - rates * (samples.T @ errors) / len(points)
    return {
        "losses": torch.stack(losses),
        "weights": weights,
        "largest_rate": 2 / torch.linalg.eigvalsh(curvature)[-1],
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


def hidden_space(points, hidden_weights, hidden_biases, output_weights, output_bias):
    """Three hidden units, OR, NAND, AND: a space of three dimensions, in which a plane parts XOR.

    p units make p numbers of a point: its place in a space of p dimensions.
    """
    hidden = fires(points @ hidden_weights + hidden_biases)
    weighted = hidden @ output_weights + output_bias
    return {
        "hidden": hidden,
        "points_dimensions": tuple(hidden.shape),
        "distances": weighted / torch.linalg.vector_norm(output_weights),
        "truth": fires(weighted),
    }


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


def draw_gates(figure, points, weights, biases):
    """AND and OR: the points where each fires are filled, the line parts them, w stands on it."""
    truth = gates_as_vectors(points, weights, biases)["truth"]
    line = decision_line(points, weights, biases)
    figure.set_size_inches(8, 4)
    for axes, title, gate in zip(figure.subplots(1, 2), ("AND", "OR"), (0, 2), strict=True):
        slope, intercept = float(line["slope"][gate]), float(line["intercept"][gate])
        draw_points(axes, points, truth[:, gate])
        axes.axline((0, intercept), slope=slope, color="tab:gray")
        foot = np.full(2, intercept / 2)  # on the line
        tip = foot + np.asarray(weights[:, gate])
        axes.annotate("", tip, foot, arrowprops={"arrowstyle": "->"})
        axes.text(*tip, "w")
        axes.set(title=title, xlabel="x₁", ylabel="x₂", aspect="equal")
        axes.set(xlim=(-0.5, 1.7), ylim=(-0.5, 1.7))


def draw_points(axes, points, truth):
    """Filled where the neuron fires."""
    for point, fired in zip(points, truth, strict=True):
        axes.plot(
            *point, "o", markersize=10, color="tab:blue", fillstyle="full" if fired else "none"
        )


def draw_xor(figure, points, two, three):
    """XOR in its own plane, and in the spaces of two and of three hidden units."""
    figure.set_size_inches(11, 4)
    axes = figure.add_subplot(1, 3, 1)
    draw_points(axes, points, two["truth"])
    axes.set(title="XOR: no line parts it", xlabel="x₁", ylabel="x₂")

    axes = figure.add_subplot(1, 3, 2)
    draw_points(axes, two["hidden"], two["truth"])
    axes.axline((0.4, 1), slope=-1, color="tab:gray")  # ½·OR + ½·NAND = 0.7
    axes.set(title="2 hidden units: a line does", xlabel="OR", ylabel="NAND")

    axes = figure.add_subplot(1, 3, 3, projection="3d")
    draw_points(axes, three["hidden"], three["truth"])
    # Where OR + NAND − AND = 1.5 cuts the edges of the cube:
    axes.plot_trisurf([1, 0.5, 1], [0.5, 1, 1], [0, 0, 0.5], alpha=0.4)
    axes.view_init(elev=20, azim=25)
    axes.set_box_aspect(None, zoom=0.8)
    axes.set(xticks=[0, 1], yticks=[0, 1], zticks=[0, 1])
    axes.set(title="3 hidden units: a plane", xlabel="OR", ylabel="NAND", zlabel="AND")


def draw_rates(figure, losses, rates):
    """J after every step, for every ρ."""
    axes = figure.subplots()
    for column, rate in enumerate(rates):
        axes.semilogy(losses[:, column], marker="o", label=f"ρ = {rate:g}")
    axes.set(xlabel="steps", ylabel="J")
    axes.legend()


def main():
    """Gates by hand, gates learnt, XOR: in the order of this file."""
    plots = Plots(__file__)
    points = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    weights = torch.tensor([[0.5, -0.5, 0.5], [0.5, -0.5, 0.5]])  # columns AND, NAND, OR
    biases = torch.tensor([-0.7, 0.7, -0.2])
    show("Gates with constants", gates_with_constants(points))
    show("AND, NAND, OR as one layer", gates_as_vectors(points, weights, biases))
    show("Their lines", decision_line(points, weights, biases))

    labels = 2 * gates_as_vectors(points, weights, biases)["truth"] - 1  # −1 and 1
    start = torch.tensor([[0.25, -0.5, 0.125], [-0.5, 0.25, -0.75], [0.125, 0.75, -0.25]])
    show("The loss of the start, and its slope", perceptron_loss(points, labels, start.clone()))
    show("The three gates learnt", summary(perceptron_rule(points, labels, start)))

    rates = torch.tensor([0.01, 0.5, 1.5])
    descents = learning_rates(points, labels[:, 2:], torch.tensor([[0.0], [0.0], [0.0]]), rates)
    show("OR by the delta rule: ρ too small, right, too large", descents)

    xor = torch.tensor([[-1.0], [1.0], [1.0], [-1.0]])
    show("XOR by one layer", summary(xor_by_one_layer(points, xor, start[:, :1])))
    two = xor_by_two_layers(
        points,
        weights[:, [2, 1]],
        torch.tensor([-0.2, 0.7]),
        torch.tensor([0.5, 0.5]),
        torch.tensor(-0.7),
    )
    show("XOR by OR, NAND, and AND of the two", two)
    three = hidden_space(
        points,
        torch.tensor([[0.5, -0.5, 0.5], [0.5, -0.5, 0.5]]),
        torch.tensor([-0.2, 0.7, -0.7]),
        torch.tensor([1.0, 1.0, -1.0]),
        torch.tensor(-1.5),
    )
    show("Three hidden units", three)
    learnt = xor_learnt(
        points,
        (xor + 1) / 2,
        torch.tensor([[0.5, -0.4], [0.3, 0.6], [-0.7, 0.2]]),
        torch.tensor([0.0, 0.0, 0.0]),
        torch.tensor([[0.3, -0.5, 0.4]]),
        torch.tensor([0.0]),
    )
    show("XOR learnt", summary(learnt))

    plots.draw("gates", lambda figure: draw_gates(figure, points, weights, biases))
    plots.draw("xor", lambda figure: draw_xor(figure, points, two, three))
    plots.draw("learning rates", lambda figure: draw_rates(figure, descents["losses"], rates))
    plots.curves("xor learnt", {"loss": learnt["losses"]}, x="step")


if __name__ == "__main__":
    main()
