"""A traced step of PyTorch's fast path is the step itself, bit for bit, and cheaper."""

import json

import pytest

from parity_tests.forked import script

IMPORTS = """
import json, torch
from torch import nn
from torch.nn import functional as F
from parity.torch_side import fast_path, rewriting
"""
STEPS = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.dense = nn.LazyLinear(4)

    def forward(self, x):
        {forward}
        return self.dense(x.flatten(1))

def loss_and_gradients(model, images, labels):
    model.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    return loss, None

seen = []
rewritten = rewriting.simplified

def simplified(operations, **how):
    function = rewritten(operations, **how)
    seen.append(operations)
    return function

fast_path.simplified = simplified
torch.manual_seed(0)
images = torch.randint(-2, 3, (30, 9, 7, 3)).float()  # whole numbers: windows with ties
labels = torch.randint(0, 4, (30,))
order = torch.arange(30).reshape(5, 6)
results = []
for traced in (False, True):
    torch.manual_seed(1)
    model = Net()
    model(images[:1].permute(0, 3, 1, 2))
    with torch.no_grad():
        model.conv.weight.round_(decimals=1)  # so that sums tie, too, and some are 0
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    steps = fast_path.Steps(loss_and_gradients, model, optimizer, images, labels,
                        channels_last={channels_last}, traced=traced)
    losses = steps(order)
    results.append([losses, *(p.detach() for p in model.parameters())])
words = [getattr(node.target, "__name__", "").split(".")[0] for node in seen[0].graph.nodes]
print(json.dumps({{
    "same": [torch.equal(a, b) for a, b in zip(*results, strict=True)],
    "moved": bool((results[0][1] != 0).any() and len(set(results[0][0].tolist())) > 1),
    "pool_first": words.index("max_pool2d_with_indices") < words.index("relu")
                  if "relu" in words else None,
    "relus": words.count("relu"),
}}))
"""
POOLED = {
    "apart": "x = F.max_pool2d(F.relu(self.conv(x)), 2)",
    "overlapping": "x = F.max_pool2d(F.relu(self.conv(x)), 3, stride=2, padding=1)",
    "dilated": "x = F.max_pool2d(F.relu(self.conv(x)), 2, stride=1, dilation=2)",
}
OTHERS = {
    "used twice": "y = F.relu(self.conv(x)); x = F.max_pool2d(y, 2) + F.avg_pool2d(y, 2)",
    "shown as well": "y = F.relu(self.conv(x)); x = F.max_pool2d(y, 2) * y.detach().mean()",
    "leaky": "x = F.max_pool2d(F.leaky_relu(self.conv(x)), 2)",
}


@pytest.fixture(scope="module")
def answer(forked):
    """What `STEPS` prints for a `forward`, in a process of its own."""
    run = script(forked["torch"], IMPORTS)

    def answered(forward, channels_last=True):
        printed = run(STEPS.format(forward=forward, channels_last=channels_last))
        return json.loads(printed.splitlines()[-1])

    return answered


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("forward", POOLED.values(), ids=POOLED)
def test_relu_goes_behind_pooling_and_every_bit_stays(answer, forward, channels_last):
    found = answer(forward, channels_last)
    assert found["moved"]
    assert all(found["same"]), found
    assert found["pool_first"]
    assert found["relus"] == 1


@pytest.mark.parametrize("forward", OTHERS.values(), ids=OTHERS)
def test_what_is_otherwise_is_left_alone(answer, forward):
    found = answer(forward)
    assert found["moved"]
    assert all(found["same"]), found
    assert not found["pool_first"]
