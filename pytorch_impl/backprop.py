"""Back-propagation gate by gate: what autograd gives, against the rules worked out by hand.

Twin: keras_impl/backprop.py
Look at: who gets a gradient that comes in from above (`backward(upstream)` here, the tape's
`output_gradients` there), `jacobians` (of a function here, of two tensors there), and the kernels
of `two_layers`: `F.linear` wants (out, in), so its gradient has that shape as well.

The same by hand, in NumPy: shared/examples/backprop.py
"""

import torch
from torch.nn import functional as F  # noqa: N812


def add(x, y, upstream):
    """A sum hands its gradient on as it is; what was broadcast collects from every row."""
    x.requires_grad_()
    y.requires_grad_()
    total = x + y
    total.backward(upstream)
    return {"total": total, "dx": x.grad, "dy": y.grad}


def multiply(x, y, upstream):
    """A product hands each factor the other one."""
    x.requires_grad_()
    y.requires_grad_()
    product = x * y
    product.backward(upstream)
    return {"product": product, "dx": x.grad, "dy": y.grad}


def maximum(x, y, upstream):
    """A maximum sends everything to the winner."""
    x.requires_grad_()
    y.requires_grad_()
    largest = torch.maximum(x, y)
    largest.backward(upstream)
    return {"largest": largest, "dx": x.grad, "dy": y.grad}


def relu(x, upstream):
    """A gate that is open or shut; at 0 both frameworks keep it shut."""
    x.requires_grad_()
    y = torch.relu(x)
    y.backward(upstream)
    return {"y": y, "dx": x.grad}


def sigmoid(x):
    """σ and its slope σ·(1 − σ), the same on both sides of 0."""
    x.requires_grad_()
    y = torch.sigmoid(x)
    y.sum().backward()
    return {"y": y, "slope": x.grad}


def tanh(x):
    """The hyperbolic tangent and its slope 1 − tanh²: a sigmoid stretched to −1…1."""
    x.requires_grad_()
    y = torch.tanh(x)
    y.sum().backward()
    return {"y": y, "slope": x.grad}


def vanishing(x):
    """Slopes far from 0: next to nothing of a sigmoid or a tanh; of a ReLU all, or nothing."""
    x.requires_grad_()
    (sigmoid_slope,) = torch.autograd.grad(torch.sigmoid(x).sum(), x)
    (tanh_slope,) = torch.autograd.grad(torch.tanh(x).sum(), x)
    (relu_slope,) = torch.autograd.grad(torch.relu(x).sum(), x)
    return {"sigmoid": sigmoid_slope, "tanh": tanh_slope, "relu": relu_slope}


def through_layers(x):
    """dy/dx after each of twelve layers, one upon the other: slopes multiply."""
    x.requires_grad_()
    slopes = {}
    for activation in (torch.sigmoid, torch.tanh, torch.relu):
        y, found = x, []
        for _ in range(12):
            y = activation(y)
            (slope,) = torch.autograd.grad(y, x, retain_graph=True)
            found.append(slope)
        slopes[activation.__name__] = torch.stack(found)
    return slopes


def fan_out(x):
    """What is used three times gets three gradients, and they add up."""
    x.requires_grad_()
    square, gate = x * x, torch.sigmoid(x)
    y = square * gate + 3 * x
    y.sum().backward()
    (direct,) = torch.autograd.grad((3 * x).sum(), x)
    (by_square,) = torch.autograd.grad((x * x * gate.detach()).sum(), x)
    (by_gate,) = torch.autograd.grad((square.detach() * torch.sigmoid(x)).sum(), x)
    return {
        "y": y,
        "direct": direct,
        "by_square": by_square,
        "by_gate": by_gate,
        "dx": x.grad,
        "paths_add_up": bool(torch.allclose(direct + by_square + by_gate, x.grad)),
    }


def jacobians(x, kernel, bias):
    """Of 4 outputs by 3 inputs, by a kernel, by a bias; a gradient has its variable's shape."""

    def layer(x, kernel, bias):
        return torch.tanh(x @ kernel + bias)

    by_x, by_kernel, by_bias = torch.autograd.functional.jacobian(layer, (x, kernel, bias))
    kernel.requires_grad_()
    (gradient,) = torch.autograd.grad(layer(x, kernel, bias).sum(), kernel)
    return {
        "by_x": by_x,
        "by_kernel": by_kernel,
        "by_bias": by_bias,
        "gradient": gradient,
        "shape_by_x": tuple(by_x.shape),
        "shape_by_kernel": tuple(by_kernel.shape),
        "shape_of_gradient": tuple(gradient.shape),
        "kernels_jacobian_summed_is_its_gradient": torch.allclose(by_kernel.sum(0), gradient),
    }


def batch_jacobian(x, kernel):
    """One Jacobian a row of the batch: rows do not depend on each other."""
    each = torch.func.vmap(torch.func.jacrev(lambda row: torch.sigmoid(row @ kernel)))(x)
    return {"jacobian": each, "shape": tuple(each.shape)}


def two_layers(x, targets, hidden_kernel, hidden_bias, output_kernel, output_bias):
    """A two-layer perceptron: every gradient between the loss and the first kernel."""
    parameters = (hidden_kernel, hidden_bias, output_kernel, output_bias)
    for parameter in parameters:
        parameter.requires_grad_()
    hidden = F.linear(x, hidden_kernel, hidden_bias)
    active = torch.sigmoid(hidden)
    output = F.linear(active, output_kernel, output_bias)
    loss = ((output - targets) ** 2).sum(dim=1).mean() / 2
    for between in (hidden, active, output):
        between.retain_grad()
    loss.backward()
    return {
        "hidden": hidden,
        "active": active,
        "output": output,
        "loss": loss,
        "d_output": output.grad,
        "d_output_kernel": output_kernel.grad,
        "d_output_bias": output_bias.grad,
        "d_active": active.grad,
        "d_hidden": hidden.grad,
        "d_hidden_kernel": hidden_kernel.grad,
        "d_hidden_bias": hidden_bias.grad,
    }
