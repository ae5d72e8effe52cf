"""Gradients by `backward()`: the graph is recorded as you compute, gradients land on the leaves.

Twin: keras_impl/autograd.py
Look at: who asks for tracking (the tensor here, the tape there), where gradients go (onto
`x.grad`, adding up, here; returned there), `graph` (a result knows how it was made), and
`edge_gradients` and `masked_gradients`, where the two disagree.

Jacobians and Hessians come from `torch.func` in every lesson: functions that take a function and
give another one. `torch.autograd.functional` has them as well, and is older.
"""

import warnings
import weakref

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


def sum_times(x, y, z):
    """f = (x + y)·z and its three partial derivatives."""
    for tensor in (x, y, z):
        tensor.requires_grad_()
    f = (x + y) * z
    f.backward()
    return {"f": f, "df_dx": x.grad, "df_dy": y.grad, "df_dz": z.grad}


def graph(x, y, z):
    """A result knows the operation that made it, `grad_fn`, and through it its inputs; a leaf none.

    Backwards, the graph is walked along these; at its ends stands what fills a leaf's `.grad`.
    """
    for tensor in (x, y, z):
        tensor.requires_grad_()
    f = (x + y) * z
    return {
        "f": f,
        "made_the_leaf": str(x.grad_fn),
        "made_the_result": type(f.grad_fn).__name__,
        "made_its_inputs": tuple(type(before).__name__ for before, _ in f.grad_fn.next_functions),
    }


def cube_mean(x):
    """out = mean((x + 2)³); intermediate gradients must be asked for with `retain_grad`."""
    x.requires_grad_()
    y = x + 2
    z = y**3
    out = z.mean()
    y.retain_grad()
    z.retain_grad()
    out.backward()
    return {"out": out, "dout_dx": x.grad, "dout_dy": y.grad, "dout_dz": z.grad}


def kept(x):
    """Twice backwards: leaves keep and add up, so does y, which was asked to; z keeps nothing."""
    x.requires_grad_()
    y = x + 2
    z = y**3
    out = z.mean()
    y.retain_grad()
    out.backward(retain_graph=True)
    out.backward()
    with warnings.catch_warnings(action="ignore"):  # to ask a result for `.grad` is suspicious
        z_grad = z.grad
    return {"x_grad": x.grad, "y_grad": y.grad, "z_grad": z_grad}


def accumulated(x):
    """Backwards twice through one graph adds up; a third time, after release, is an error."""
    x.requires_grad_()
    out = ((x + 2) ** 3).mean()
    out.backward(retain_graph=True)
    out.backward()
    twice = x.grad.clone()
    try:
        out.backward()
    except RuntimeError as error:
        third = type(error).__name__
    return {"twice": twice, "third": third}


def square_of_sum(x):
    """z = (Σx)²: ∂z/∂y = 2y is a scalar in the middle, and fans out to every element."""
    x.requires_grad_()
    y = x.sum()
    y.retain_grad()
    z = y**2
    z.backward()
    return {"z": z, "dz_dy": y.grad, "dz_dx": x.grad}


def persistent(x):
    """Two gradients from one recording: y = x², z = y². The graph lives as long as its results."""
    x.requires_grad_()
    y = x**2
    z = y**2
    (dz_dx,) = torch.autograd.grad(z, x, retain_graph=True)
    (dy_dx,) = torch.autograd.grad(y, x)
    result = weakref.ref(z)
    del z
    return {"dz_dx": dz_dx, "dy_dx": dy_dx, "released": result() is None}


def second_order(x):
    """The derivative of a derivative: the first one is made with its own graph."""
    x.requires_grad_()
    y = x**3
    (dy_dx,) = torch.autograd.grad(y, x, create_graph=True)
    (d2y_dx2,) = torch.autograd.grad(dy_dx, x)
    return {"dy_dx": dy_dx, "d2y_dx2": d2y_dx2}


def vector_jacobian(x, v):
    """vᵀ·J for y = 2x: what `backward` needs when the output is no scalar."""
    x.requires_grad_()
    y = 2 * x
    y.backward(v)
    return {"vjp": x.grad}


def jacobian(x):
    """All of J for y = (x₀², x₀·x₁, x₁³), shape (3, 2)."""
    full = torch.func.jacrev(lambda x: torch.stack([x[0] ** 2, x[0] * x[1], x[1] ** 3]))(x)
    return {"jacobian": full}


def hessian(x):
    """Second derivatives of f = x₀²·x₁ + x₁³, shape (2, 2): the Jacobian of the gradient.

    `torch.func.hessian` gives the same, but goes through the gradient forwards.
    """
    gradient = torch.func.grad(lambda x: x[0] ** 2 * x[1] + x[1] ** 3)
    return {"hessian": torch.func.jacrev(gradient)(x)}


def tracking(x):
    """Off by default, on by `requires_grad_`; off again by `no_grad`, `detach` or a constant."""
    tracked_at_first = (x * x).requires_grad
    x.requires_grad_()
    tracked_on_request = (x * x).requires_grad
    with torch.no_grad():
        paused = x * x
    constant = torch.nn.Parameter(torch.ones_like(x), requires_grad=False)
    product = x * x.detach() * constant
    product.backward()
    return {
        "tracked_at_first": tracked_at_first,
        "tracked_on_request": tracked_on_request,
        "tracked_while_paused": paused.requires_grad,
        "dproduct_dx": x.grad,
        "dproduct_dconstant": constant.grad,
        "weight_is_leaf": constant.is_leaf,
        "result_is_leaf": product.is_leaf,
    }


def switched(x):
    """`requires_grad_` is a switch on the tensor: on, off, and on again."""
    on = (x.requires_grad_() ** 2).requires_grad
    off = (x.requires_grad_(False) ** 2).requires_grad
    square = x.requires_grad_() ** 2
    square.backward()
    return {"on": on, "off": off, "on_again": square.requires_grad, "dsquare_dx": x.grad}


def watched_by_itself(x):
    """A parameter is tracked unasked, a tensor is not: this is how a model finds its weights."""
    weight = nn.Parameter(torch.full_like(x, 5))
    product = weight * x
    product.backward()
    return {
        "tracked": sum(tensor.requires_grad for tensor in (weight, x)),
        "dproduct_dweight": weight.grad,
        "dproduct_dconstant": x.grad,
    }


class Multiply(torch.autograd.Function):
    """Multiplication with its gradient written by hand."""

    @staticmethod
    def forward(ctx, x, y):
        """Keep what backward needs."""
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, upstream):
        """One gradient an input."""
        x, y = ctx.saved_tensors
        return upstream * y, upstream * x


def custom_gradient(x, y):
    """A hand-written gradient in use."""
    x.requires_grad_()
    y.requires_grad_()
    product = Multiply.apply(x, y)
    product.backward()
    return {"product": product, "dx": x.grad, "dy": y.grad}


def edge_gradients(a, b, corners, zeros, constant):
    """Points where the derivative does not exist: each framework picks its own answer."""
    for tensor in (a, b, corners, zeros, constant):
        tensor.requires_grad_()
    torch.maximum(a, b).backward()
    F.hardtanh(corners).sum().backward()
    torch.linalg.vector_norm(zeros).backward()
    constant.std().backward()
    return {
        "maximum_tie_a": a.grad,
        "maximum_tie_b": b.grad,
        "hardtanh_corners": corners.grad,
        "norm_at_zero": zeros.grad,
        "std_of_constant": constant.grad,
    }


def masked_gradients(zero, mixed):
    """The derivative is 0, its formula 0·∞ or 0·NaN; a second `where`, inside, is the remedy."""
    zero.requires_grad_()
    mixed.requires_grad_()
    nothing = torch.zeros_like(mixed)
    roots = torch.where(mixed > 0, mixed.sqrt(), nothing)
    safe = torch.where(mixed > 0, mixed, torch.ones_like(mixed))  # what the root is given
    safe_roots = torch.where(mixed > 0, safe.sqrt(), nothing)
    (dpower_dzero,) = torch.autograd.grad(zero**0, zero)
    (droots_dmixed,) = torch.autograd.grad(roots.sum(), mixed)
    (dsafe_roots_dmixed,) = torch.autograd.grad(safe_roots.sum(), mixed)
    return {
        "power_zero_at_zero": dpower_dzero,
        "where_sqrt": droots_dmixed,
        "where_sqrt_of_where": dsafe_roots_dmixed,
    }


def draw_derivatives(figure):
    """x³ with its first and second derivative, as autograd gives them."""
    x = torch.linspace(-2, 2, 81, requires_grad=True)
    y = x**3
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)  # points do not mix
    (second,) = torch.autograd.grad(first.sum(), x)
    axes = figure.subplots()
    for name, values in (("x³", y), ("dy/dx = 3x²", first), ("d²y/dx² = 6x", second)):
        axes.plot(x.detach(), values.detach(), label=name)
    axes.set(xlabel="x")
    axes.legend()


def main():
    """Every experiment on a few numbers, in the order of this file."""
    plots = Plots(__file__)
    show("f = (x + y)·z at −3, 5, −2", sum_times(*map(torch.tensor, (-3.0, 5.0, -2.0))))
    show("Who made it", graph(*map(torch.tensor, (-3.0, 5.0, -2.0))))
    show("out = mean((x + 2)³), x of ones", cube_mean(torch.ones(2, 2)))
    show("Twice backwards, and what is kept", kept(torch.ones(2, 2)))
    show("A third time", accumulated(torch.ones(2, 2)))
    show("z = (Σx)², y = Σx", square_of_sum(torch.ones(2, 2)))
    show("Two gradients of one recording: z = y², y = x², x = 3", persistent(torch.tensor(3.0)))
    show("x³ at 1, and its two derivatives", second_order(torch.tensor(1.0)))
    show(
        "Outputs that are no scalar: v·J",
        vector_jacobian(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.1, 1.0, 0.0001])),
    )
    show("All of J", jacobian(torch.tensor([2.0, 3.0])))
    show("Second derivatives", hessian(torch.tensor([2.0, 3.0])))
    show("Tracked, paused, cut off", tracking(torch.tensor(3.0)))
    show("On, off, on", switched(torch.tensor(3.0)))
    show("Weights are tracked unasked", watched_by_itself(torch.tensor(3.0)))
    show("A gradient of our own", custom_gradient(torch.tensor(3.0), torch.tensor(-4.0)))
    show(
        "Where there is no derivative",
        edge_gradients(
            torch.tensor(2.0),
            torch.tensor(2.0),
            torch.tensor([-1.0, 1.0]),
            torch.tensor([0.0, 0.0, 0.0]),
            torch.tensor([2.0, 2.0, 2.0]),
        ),
    )
    show(
        "Where there is one, by a formula with 0·∞",
        masked_gradients(torch.tensor(0.0), torch.tensor([-1.0, 4.0])),
    )

    plots.draw("derivatives", draw_derivatives)


if __name__ == "__main__":
    main()
