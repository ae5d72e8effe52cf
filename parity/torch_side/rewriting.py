"""A traced step, made cheaper without changing a number: what a compiler would do with it."""

import torch

_ATEN = torch.ops.aten
_VIEWS = (_ATEN.t.default, _ATEN.view.default, _ATEN.permute.default)
_NAMES = (_ATEN.alias.default, _ATEN.detach.default)
_POOL = _ATEN.max_pool2d_with_indices.default
_POOL_BACKWARD = _ATEN.max_pool2d_with_indices_backward.default
_RELU = _ATEN.relu.default
_SUM = _ATEN.sum.dim_IntList
_SHORT = {
    _ATEN.mm.default: torch.mm,
    _ATEN.addmm.default: torch.addmm,
    _ATEN.t.default: torch.t,
    _ATEN._addmm_activation.default: torch._addmm_activation,
    _RELU: torch.relu,
    _SUM: torch.sum,
    _ATEN._log_softmax.default: torch._log_softmax,
    _ATEN._log_softmax_backward_data.default: torch._log_softmax_backward_data,
}
"""Functions of Python that come to the same kernel by a shorter way than the operator's."""
_RELU_BACKWARD = _ATEN.threshold_backward.default


def simplified(operations, *, channels_last):
    """The operations of a step as a function; every number stays the same, bit for bit.

    Args:
        operations: what `make_fx` gives.
        channels_last: images lie that way in memory.
    """
    graph = operations.graph
    _one_name_each(graph)
    if channels_last:
        _pooled_as_they_lie(graph)
    _relu_behind_pooling(graph)
    _relu_with_its_product(graph)
    _sums_without_their_axis(graph)
    held = _held(operations)
    graph.eliminate_dead_code()
    for node in graph.nodes:
        if node.target is _ATEN.view.default:
            node.op, node.target = "call_method", "view"
        node.target = _SHORT.get(node.target, node.target)
    operations.recompile()
    forward = operations.forward
    return lambda *batch: forward(*batch, *held)


def _one_name_each(graph):
    """Without what autograd's bookkeeping leaves behind: other names of the same tensor."""
    for node in list(graph.nodes):
        if node.target in _NAMES:
            node.replace_all_uses_with(node.args[0])
        elif node.target is _ATEN.t.default and node.args[0].target is _ATEN.t.default:
            node.replace_all_uses_with(node.args[0].args[0])
    graph.eliminate_dead_code()


def _held(operations):
    """Parameters, made arguments, which Python finds sooner than a module's attributes.

    A view of a parameter is taken once: the optimizer moves it in place. So is the 1 that every
    gradient begins with.
    """
    graph, held = operations.graph, {}
    for node in graph.nodes:
        if node.op == "get_attr":
            held[node] = getattr(operations, node.target).detach()
        elif node.target is _ATEN.ones_like.default and not _written(node):
            of = node.meta["tensor_meta"]
            held[node] = torch.ones(of.shape, dtype=of.dtype)
        elif node.target in _VIEWS and node.args[0] in held:
            held[node] = node.target(held[node.args[0]], *node.args[1:])
    last = [node for node in graph.nodes if node.op == "placeholder"][-1]
    given = []
    for node, tensor in held.items():
        if node.users:
            with graph.inserting_after(last):
                last = graph.placeholder(f"held_{len(given)}")
            node.replace_all_uses_with(last)
            given.append(tensor)
    return given


def _pooled_as_they_lie(graph):
    """Gradients go into pooling's backward with the channels last, as its inputs lie.

    Behind a flatten they come with the channels first; the kernel then goes by them, and copies
    the whole image there and back.
    """
    for node in _each(graph, _POOL_BACKWARD):
        gradient, *others = node.args
        with graph.inserting_before(node):
            format_ = {"memory_format": torch.channels_last}
            moved = graph.call_function(_ATEN.contiguous.default, (gradient,), format_)
        node.args = (moved, *others)


def _relu_behind_pooling(graph):
    """ReLU of the maxima is the maximum of the ReLUs, of a quarter of the numbers.

    So is its gradient: an element takes part in it if it is the maximum of a window and positive,
    and the first of equal positive ones is the first with or without ReLU.
    """
    for pool in _each(graph, _POOL):
        relu = pool.args[0]
        backward = {user for user in relu.users if user.target is _POOL_BACKWARD}
        masks = {user for user in relu.users if user.target is _RELU_BACKWARD and user.args[2] == 0}
        if relu.target is not _RELU or {pool, *backward, *masks} != set(relu.users):
            continue
        if masks != {user for node in backward for user in node.users}:
            continue
        _swap(graph, pool, relu, backward, masks)


def _swap(graph, pool, relu, backward, masks):
    (maxima,) = (user for user in pool.users if user.args[1] == 0)
    with graph.inserting_after(maxima):
        behind = graph.call_function(_RELU, (maxima,))
    maxima.replace_all_uses_with(behind, delete_user_cb=lambda user: user is not behind)
    pool.args = (relu.args[0], *pool.args[1:])
    for node in backward:
        gradient, _, *others = node.args
        with graph.inserting_before(node):
            masked = graph.call_function(_RELU_BACKWARD, (gradient, behind, 0))
        node.args = (masked, relu.args[0], *others)
    for mask in masks:
        mask.replace_all_uses_with(mask.args[0])


def _relu_with_its_product(graph):
    """ReLU is taken where a dense layer's sums lie, in the same call."""
    for node in _each(graph, _RELU):
        product = node.args[0]
        if product.target is _ATEN.addmm.default and len(product.users) == 1 and not product.kwargs:
            node.target, node.args = _ATEN._addmm_activation.default, product.args


def _sums_without_their_axis(graph):
    """A sum over the batch that keeps its axis, and a view that takes it away, are one sum."""
    for view in _each(graph, _ATEN.view.default):
        total = view.args[0]
        if total.target is not _SUM or len(total.users) != 1 or total.args[1:] != ([0], True):
            continue
        if len(total.meta["tensor_meta"].shape) == 2:
            view.target, view.args = _SUM, (*total.args[:2], False)


def _written(node):
    """Whether an operation writes into this tensor."""
    return any(
        getattr(user.target, "_schema", None) and user.target._schema.is_mutable
        for user in node.users
    )


def _each(graph, target):
    return [node for node in graph.nodes if node.target is target]
