"""Gradients by `backward()`: the graph is recorded as you compute, gradients land on the leaves.

Twin: keras_impl/autograd.py
Look at: who asks for tracking (the tensor here, the tape there), where gradients go (onto
`x.grad`, adding up, here; returned there), and `edge_gradients` and `masked_gradients`, where the
two disagree.
"""

import torch
from torch.nn import functional as F  # noqa: N812


def sum_times(x, y, z):
    """f = (x + y)·z and its three partial derivatives."""
    for tensor in (x, y, z):
        tensor.requires_grad_()
    f = (x + y) * z
    f.backward()
    return {"f": f, "df_dx": x.grad, "df_dy": y.grad, "df_dz": z.grad}


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
    """z = (Σx)²: a scalar in the middle fans out to every element."""
    x.requires_grad_()
    y = x.sum()
    z = y**2
    z.backward()
    return {"z": z, "dz_dx": x.grad}


def persistent(x):
    """Two gradients from one recording: y = x², z = y²."""
    x.requires_grad_()
    y = x**2
    z = y**2
    (dz_dx,) = torch.autograd.grad(z, x, retain_graph=True)
    (dy_dx,) = torch.autograd.grad(y, x)
    return {"dz_dx": dz_dx, "dy_dx": dy_dx}


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
    full = torch.autograd.functional.jacobian(
        lambda x: torch.stack([x[0] ** 2, x[0] * x[1], x[1] ** 3]), x
    )
    return {"jacobian": full}


def hessian(x):
    """Second derivatives of f = x₀²·x₁ + x₁³, shape (2, 2)."""
    full = torch.autograd.functional.hessian(lambda x: x[0] ** 2 * x[1] + x[1] ** 3, x)
    return {"hessian": full}


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
