"""Keras' Adam in PyTorch's fused kernel is Keras' Adam."""

import json

import pytest

from parity_tests.forked import script

IMPORTS = """
import copy, json, torch
from parity.torch_side.optimizers import KerasAdam
"""
CODE = """
torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
start = [torch.randn(5, 3), torch.randn(3)]
drawn = [[torch.randn_like(p) * 10.0 ** -(t % 5) for p in start] for t in range(40)]

def own():
    return [torch.nn.Parameter(p.clone()) for p in start]

def take(optimizer, parameters, some):
    for gradients in some:
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient
        optimizer.step()

plain, fused = own(), own()
one, other = KerasAdam(plain, lr=1e-2), KerasAdam(fused, lr=1e-2, fused=True)
{steps}
print(json.dumps([float((a - b).abs().max() / a.abs().max()) for a, b in zip(plain, fused)]))
"""
STEPS = {
    "by steps": "take(one, plain, drawn); take(other, fused, drawn)",
    "by moves": """
take(one, plain, drawn)
with torch.no_grad():
    for gradients in drawn:
        other.move(fused, gradients)
""",
    "another rate in the middle": """
for optimizer, parameters in ((one, plain), (other, fused)):
    take(optimizer, parameters, drawn[:20])
    optimizer.param_groups[0]["lr"] = 1e-3
    take(optimizer, parameters, drawn[20:])
""",
    "a state that was loaded": """
take(one, plain, drawn)
take(other, fused, drawn[:20])
again = KerasAdam(fused, lr=1e-2, fused=True)
again.load_state_dict(copy.deepcopy(other.state_dict()))
take(other, [p.clone() for p in fused], [])
take(again, fused, drawn[20:])
""",
    "loaded into itself": """
take(one, plain, drawn)
take(other, fused, drawn[:20])
other.load_state_dict(copy.deepcopy(other.state_dict()))
take(other, fused, drawn[20:])
""",
    "a parameter that comes later": """
for optimizer, parameters in ((one, plain), (other, fused)):
    take(optimizer, parameters[:1], drawn[:3])
    take(optimizer, parameters, drawn[3:])
""",
}


@pytest.fixture(scope="module")
def distances(forked):
    """What `CODE` prints for some `STEPS`, in a process of its own."""
    run = script(forked["torch"], IMPORTS)
    return lambda steps: json.loads(run(CODE.format(steps=steps)).splitlines()[-1])


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_the_fused_kernel_gives_the_same_weights(distances, steps):
    # 40 steps of Adam, whose rounding is that of float64.
    assert max(distances(steps)) < 40 * 2**-52
