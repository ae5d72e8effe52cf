"""Dropouts that a model calls in training alone: they have a place in evaluation, too."""

from parity.torch_side.checker.noise import identity
from parity.torch_side.checker.refs import Ref, Root
from parity.torch_side.checker.steps import Slot, TracedStep


def graft(steps, outputs, trained, returned):
    """Put into a run in evaluation mode the dropouts that only a run in training has.

    ``dropout_p=self.rate if self.training else 0.0`` is no call of a dropout in evaluation, where
    the graph is drawn and where dropouts are compared by where they stand.

    Args:
        steps, outputs: of the run in evaluation, to be changed.
        trained, returned: steps and outputs of the run in training.
    """
    known = {(step.name, step.kind): step for step in steps}
    inputs = {ref.root.name: ref.root for step in steps for ref in step.sources}
    made = {}
    for step in trained:
        if step.kind != "dropout" or (step.name, step.kind) in known:
            continue
        source = step.sources[0]
        root = _partner(source.root, known, inputs, made)
        if root is None or root.shape != source.root.shape:
            continue
        takers = [
            (own.sources, k, ref)
            for taker in trained
            if (own := known.get((taker.name, taker.kind))) is not None
            for k, ref in enumerate(taker.sources)
            if ref.root is step.outputs[0] and k < len(own.sources) and own.sources[k].root is root
        ]
        takers += [
            (outputs, k, ref)
            for k, ref in enumerate(returned)
            if ref.root is step.outputs[0] and outputs[k].root is root
        ]
        if not takers:
            continue
        again = (identity, (Slot(0),), {}, None)
        own = Ref(root, source.shape, source.ids)
        new = TracedStep(step.name, "dropout", step.settings, [own], [], {}, step.code, again)
        made[step] = new
        value = Root("node", step.outputs[0].shape, step.outputs[0].dtype, "", new)
        new.outputs.append(value)
        for refs, k, ref in takers:
            refs[k] = Ref(value, ref.shape, ref.ids)
        first = [at for at, one in enumerate(steps) if any(r.root is value for r in one.sources)]
        steps.insert(min(first, default=len(steps)), new)


def _partner(root, known, inputs, made):
    """What stands in evaluation for a root value of the run in training."""
    if root.kind != "node":
        return inputs.get(root.name) if root.kind == "input" else None
    step = made.get(root.step) or known.get((root.step.name, root.step.kind))
    return step.outputs[root.place] if step and root.place < len(step.outputs) else None
