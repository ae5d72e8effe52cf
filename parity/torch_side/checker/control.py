"""Control flow that PyTorch has operators for: done as Python does it, so that it is seen."""

from parity.torch_side.checker.tracer import handles


@handles("cond")
def cond(t, c):
    """The branch that is taken."""
    a = c.bind("pred true_fn false_fn operands=()")
    taken = bool(a.pred)
    branch = a.true_fn if taken else a.false_fn
    t.note(f"torch.cond in {t.where} is {taken} on these inputs; its other branch is not seen.")
    with t:
        return branch(*a.operands)


@handles("while_loop")
def while_loop(t, c):
    """As often as it goes round."""
    a = c.bind("cond_fn body_fn carried_inputs additional_inputs=()")
    carried = a.carried_inputs
    with t:
        while bool(a.cond_fn(*carried, *a.additional_inputs)):
            carried = a.body_fn(*carried, *a.additional_inputs)
    return carried
