"""Every default of the PyTorch side is PyTorch's own."""

import importlib
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset

from parity.native.defaults import NORMS
from parity.report.repairs import REPAIRS
from parity.torch_side import layers, optimizers
from parity.torch_side.adapter import PyTorch
from parity.torch_side.native import Native, train_setting
from parity_tests.native import common
from shared.suite import SUITE

FRAMEWORK, NATIVE = PyTorch(1), Native()
BATCH_NORM = (nn.BatchNorm1d, nn.BatchNorm2d)
PLAIN = {"seed": 3, "norm": {}, "dropout_seed": 0}


def describe(job, model, optimizer):
    norms = [m for m in model.modules() if isinstance(m, BATCH_NORM)]
    kinds = [type(m).__name__ for m in model.modules() if "Dropout" in type(m).__name__]
    return {
        "optimizer": [
            type(optimizer).__name__,
            optimizer.param_groups[0]["lr"],
            len(optimizer.param_groups[0]["params"]),
        ],
        "batch_norm_epsilon": [m.eps for m in norms],
        "batch_norm_momentum": [m.momentum for m in norms],
        "batch_norm_unbiased": [type(m) in BATCH_NORM for m in norms],
        "dropout": kinds,
    }


def initialiser():
    """Weights are those of plain layers, made in the model's order after the same seed."""
    for name in ("fashion_mlp", "fashion_cnn"):
        twin = importlib.import_module(f"pytorch_impl.{name}")
        model = NATIVE.build(twin.build_model, initialiser="native", **PLAIN)
        torch.manual_seed(3)
        for module in model:
            if isinstance(module, nn.Linear):
                plain = nn.Linear(module.in_features, module.out_features)
            elif isinstance(module, nn.Conv2d):
                plain = nn.Conv2d(module.in_channels, module.out_channels, module.kernel_size)
            else:
                continue
            assert torch.equal(plain.weight, module.weight)
            assert torch.equal(plain.bias, module.bias)


def other_initialiser():
    """Keras' rule: Glorot-uniform kernels, zero biases."""
    twin = importlib.import_module("pytorch_impl.fashion_cnn")
    model = NATIVE.build(twin.build_model, initialiser="other", **PLAIN)
    for module in model:
        if isinstance(module, nn.Linear | nn.Conv2d):
            field = module.weight[0, 0].numel() if module.weight.ndim == 4 else 1
            outputs, inputs = module.weight.shape[:2]
            bound = math.sqrt(6 / (field * (inputs + outputs)))
            assert 0.9 * bound < module.weight.abs().max() <= bound * (1 + 1e-6)
            assert not module.bias.any()


def optimizer():
    """As imported and given the example's rate alone; the table says whose the matched one is."""
    for known, job in common.jobs(FRAMEWORK, NATIVE):
        model = job.model(known.matched)
        matched = job.optimizer(known.matched, model)
        bridged = isinstance(matched, optimizers.KerasAdam)
        assert bridged == (common.stated(known).adam == "keras"), known.example
        native = job.optimizer(known.native, model)
        assert type(native).__module__.startswith("torch.optim.")
        plain = type(native)(model.parameters(), lr=matched.defaults["lr"])
        assert native.defaults == plain.defaults, known.example
        if "optimizer" in known.given:
            other = job.optimizer(known.given["optimizer"], model)
            assert type(other) is optimizers.KerasAdam
            again = optimizers.KerasAdam(model.parameters(), lr=matched.defaults["lr"])
            assert other.defaults == again.defaults


def norms():
    """Epsilon, momentum and variance of a plain layer, and those the twins state."""
    plain, own = nn.BatchNorm1d(3), NORMS["torch"]
    assert (plain.eps, plain.momentum) == (own.epsilon, own.momentum)
    x = torch.tensor([[1.0, 2.0, 6.0]] * 3).T
    plain(x)
    assert torch.allclose(plain.running_var, 0.9 + 0.1 * x.var(dim=0, correction=int(own.unbiased)))
    for known, job in common.jobs(FRAMEWORK, NATIVE):
        found = [m for m in job.model(known.matched).modules() if isinstance(m, BATCH_NORM)]
        norm = common.stated(known).norm
        assert bool(found) == (norm is not None), known.example
        for m in found:
            assert (m.eps, m.momentum) == (norm.epsilon, norm.momentum), known.example
            assert (type(m) in BATCH_NORM) == norm.unbiased, known.example
        for m in job.model(known.native).modules():
            if isinstance(m, BATCH_NORM):
                assert type(m) in BATCH_NORM
                assert (m.eps, m.momentum) == (plain.eps, plain.momentum)


def shuffling():
    """The order is the one a `DataLoader(shuffle=True)` gives, epoch after epoch."""
    torch.manual_seed(7)
    loader = DataLoader(range(50), batch_size=8, shuffle=True)
    epochs = [torch.cat(list(loader)).tolist() for _ in range(3)]
    assert NATIVE.order(50, 3, 7, "native").tolist() == epochs
    assert epochs[0] != epochs[1]
    assert NATIVE.order(50, 3, 7, "other").tolist() == [epochs[0]] * 3


def dropout():
    """Its own masks, new at every call, none in evaluation."""
    known, job = next(
        x for x in common.jobs(FRAMEWORK, NATIVE, ("regularisation",)) if x[0].pair == "dropout"
    )
    model = job.model(known.native)
    x = torch.ones(50, 1000)
    (drop,) = (m for m in model if isinstance(m, nn.Dropout))
    one, other = drop.train()(x), drop(x)
    assert set(one.unique().tolist()) == {0.0, 2.0}
    assert 0.45 < (one == 0).float().mean() < 0.55
    assert not torch.equal(one, other)
    assert torch.equal(drop.eval()(x), x)


def training():
    """Every setting of two examples trains, and Adam's epsilon moves nothing in the first batch."""
    size = common.small("fashion_mlp")
    own = {
        s: train_setting(SUITE, FRAMEWORK, "fashion_mlp", s, seed=common.SEED, size=size)
        for s in ("matched", "optimizer", "shuffling")
    }
    assert own["matched"].epoch_losses != own["optimizer"].epoch_losses
    assert 1e-5 < own["optimizer"].step1_distance < own["shuffling"].step1_distance
    assert all(len(s.epoch_losses) == 2 and len(s.predictions) == 100 for s in own.values())
    assert np.isclose(own["matched"].test_accuracy, (own["matched"].predictions == labels()).mean())


def labels():
    from shared import data

    return data.load("fashion_mnist", train=300, test=100).test_labels


def repairs():
    """The lines that the page gives for a PyTorch port do what it says."""
    layer = nn.Linear(400, 100)
    exec(REPAIRS["initialiser"].in_torch, {"nn": nn, "layer": layer})
    assert 0.9 * math.sqrt(6 / 500) < layer.weight.abs().max() <= math.sqrt(6 / 500) * 1.000001
    assert not layer.bias.any()
    known = {"nn": nn, "channels": 3}
    assert eval(REPAIRS["batch_norm_epsilon"].in_torch, known).eps == NORMS["keras"].epsilon
    assert eval(REPAIRS["batch_norm_momentum"].in_torch, known).momentum == NORMS["keras"].momentum
    line, _, made = REPAIRS["batch_norm_unbiased"].in_torch.partition("\n")
    exec(line, known)
    assert type(eval(made.strip(), known)) is layers.KerasBatchNorm2d
    exec(REPAIRS["optimizer"].in_torch, known | {"model": layer}, found := {})
    assert type(found["optimizer"]) is optimizers.KerasAdam
    known = {"torch": torch, "DataLoader": DataLoader, "Subset": Subset, "dataset": range(64)}
    exec(REPAIRS["shuffling"].in_torch, known)
    epochs = [torch.cat(list(known["loader"])).tolist() for _ in range(2)]
    assert epochs[0] == epochs[1] != list(range(64))


CHECKS = {
    "repairs": repairs,
    "initialiser": initialiser,
    "other_initialiser": other_initialiser,
    "optimizer": optimizer,
    "norms": norms,
    "shuffling": shuffling,
    "dropout": dropout,
    "training": training,
    "alone": lambda: common.each_default_alone_changes_nothing_else(FRAMEWORK, NATIVE, describe),
    "epochs": lambda: common.every_epoch_sees_every_sample_once(FRAMEWORK, NATIVE),
    "recording": lambda: common.matched_is_the_recording(
        FRAMEWORK, train_setting, ["fashion_mlp", "iris_mlp", "binary_cnn"], exact=True
    ),
    "repeatable": lambda: common.twice_the_same(FRAMEWORK, train_setting),
}

if __name__ == "__main__":
    common.main(CHECKS)
