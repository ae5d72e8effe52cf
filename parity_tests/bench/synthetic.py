"""Results of a bench that never ran."""

from parity.bench import result
from parity.bench.job import MODES, WAYS, BenchJob, Measured
from parity.bench.plan import Kind
from parity.bench.result import BenchResult
from parity.core.sides import SIDES
from parity.spec.example import Size

SIZE = Size("embedded", epochs=1, train=100)
SECONDS = {"tutorial": 8.0, "idiomatic": 4.0, "fast": 2.0, "limit": 1.0}
MACHINE = {
    "cpu": "a processor",
    "cores": 2,
    "logical_cores": 2,
    "memory_gib": 8.0,
    "platform": "here",
    "threads": 2,
    "versions": {},
    "commit": "",
    "load_average": [0.1, 0.1, 0.1],
    "other_load": [],
}


def job(way="fast", **fields):
    return BenchJob("fashion_mlp", way, 1, SIZE, 20, **fields)


def measured(epoch):
    values = {
        "import": 1.0,
        "build": 0.1,
        "first_step": 0.5,
        "step": epoch / 10,
        "epoch": epoch,
        "loader": 0.01,
        "memory": 700.0,
    }
    return Measured(values, 10, {"torch": "9.9", "layout": "any"})


def rows(side, way, epochs, **fields):
    kind = Kind(side, job(way, **fields))
    return result.measurements(kind, [measured(epoch) for epoch in epochs])


def made(keras=1.5, spread=0.02, loads=()):
    """A whole result: each side in all ways, Keras so many times as long as PyTorch."""
    shares = (1 - spread, 1.0, 1 + spread, 1 + spread / 2, 1 - spread / 2)
    factor = {"torch": 1.0, "keras": keras}
    ways = [
        row
        for side in SIDES
        for way in WAYS
        for row in rows(side, way, [SECONDS[way] * factor[side] * s for s in shares])
    ]
    modes = [row for side in SIDES for mode in MODES[side] for row in rows(side, mode, shares)]
    sweep = [
        row
        for side in SIDES
        for batch in (8, 32)
        for row in rows(side, "fast", [s / batch for s in shares], batch_size=batch)
    ]
    plan = {
        "runs": 5,
        "epochs": 1,
        "warm_up": "the first epoch of each process",
        "order": "A B B A",
        "interval": "95% bootstrap interval",
    }
    facts = {"fashion_mlp": {"torch/limit": {"layout": "any", "torch": "9.9"}}}
    machine = MACHINE | {"other_load": list(loads)}
    ratios = tuple(result.ratios(ways))
    return BenchResult(machine, plan, tuple(ways), ratios, tuple(modes), tuple(sweep), facts)
