"""`parity check` with the user's own loss and optimizer: right ones, and ones with one mistake."""

import inspect
from dataclasses import replace

import pytest

from parity import Model, Training, assert_parity, check
from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.graph.target import ModelError, Target
from parity.checker.graph.training_recipe import Recipe, parse
from parity.checker.workers.request import CheckRequest
from parity.core.errors import UsageError
from parity.recording.provenance import ROOT

T, K = (str(ROOT / f"parity_tests/check/learning_{side}.py") for side in ("torch", "keras"))
SPARSE = {"name": "keras.losses:SparseCategoricalCrossentropy", "from_logits": True}
CE = "torch.nn:CrossEntropyLoss"
CLASSES = ("12:int<5",)
DECAY = {"weight_decay": 0.02}


def wish(given, option):
    if given is None or isinstance(given, str):
        return given and parse(given, "{}", option)
    arguments = {k: v for k, v in given.items() if k != "name"}
    module, name = given["name"].rsplit(":", 1)
    return Target(module, name, arguments)


def answer(  # noqa: PLR0917
    remotes, loss=None, optimizer=None, target=(), model=("Net", "net"), args=({}, {}), shape="12,9"
):
    def both(pair, name):
        if pair is None:
            return {}
        return {s: wish(g, f"--{s}-{name}") for s, g in zip(("torch", "keras"), pair, strict=True)}

    request = CheckRequest(
        inputs=(model_inputs.parse(shape),),
        train=True,
        recipe=Recipe(both(loss, "loss"), both(optimizer, "optimizer")),
        targets=tuple(model_inputs.parse(t, "--target") for t in target),
    )
    targets = Target(T, model[0], args[0]), Target(K, model[1], args[1])
    return check_in(remotes, targets, request)


def torch(name, **arguments):
    return {"name": f"torch.optim:{name}", **arguments}


def keras(name, **arguments):
    return {"name": f"keras.optimizers:{name}", **arguments}


def bridge(name, **arguments):
    return {"name": f"parity.keras_side.optimizers:{name}", **arguments}


LOSSES = {
    "cross_entropy": (CE, SPARSE),
    "own": (f"{T}:own", f"{K}:own"),
    "dense": (CE, {"name": "keras.losses:CategoricalCrossentropy", "from_logits": True}),
    "ignored": ({"name": CE, "ignore_index": 2}, SPARSE | {"ignore_class": 2}),
    "far_ignored": ({"name": CE, "ignore_index": 255}, SPARSE | {"ignore_class": 255}),
    "summed": ({"name": CE, "reduction": "sum"}, SPARSE | {"reduction": "sum"}),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_that_are_the_same(remotes, name):
    result = answer(remotes, LOSSES[name], None, CLASSES)
    assert result.verdict == "agree", result
    assert result.worst("loss") is not None


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (("torch.nn:MSELoss", "mse"), ("12,5",)),
        (("torch.nn:L1Loss", "keras.losses:MeanAbsoluteError"), ("12,5",)),
        (("torch.nn:HuberLoss", "keras.losses:Huber"), ("12,5",)),
        (
            (
                "torch.nn:BCEWithLogitsLoss",
                {"name": "keras.losses:BinaryCrossentropy", "from_logits": True},
            ),
            ("12,5:int<2",),
        ),
        (
            (CE, {"name": "keras.losses:CategoricalCrossentropy", "from_logits": True}),
            ("12,5:prob",),
        ),
    ],
    ids=["squared", "absolute", "huber", "binary", "fractions"],
)
def test_losses_with_other_targets(remotes, loss, target):
    assert answer(remotes, loss, None, target).verdict == "agree"


def test_targets_of_an_image_go_across_as_the_output_does(remotes):
    more = {"model": ("Pixels", "pixels"), "shape": "2,3,6,7"}
    assert answer(remotes, LOSSES["cross_entropy"], None, ("2,6,7:int",), **more).verdict == "agree"
    mse = ("torch.nn:MSELoss", "mse")
    assert answer(remotes, mse, None, ("2,4,6,7",), **more).verdict == "agree"


def test_several_outputs(remotes):
    more = {"model": ("Two", "two"), "target": ("12:int", "12,1")}
    assert answer(remotes, (f"{T}:both", f"{K}:both"), **more).verdict == "agree"


OPTIMIZERS = {
    "sgd": (torch("SGD", lr=0.05), keras("SGD", learning_rate=0.05)),
    "nesterov": (f"{T}:sgd", f"{K}:sgd"),
    "adam": (torch("Adam", lr=1e-3), bridge("TorchAdam", learning_rate=1e-3)),
    "adadelta": (
        torch("Adadelta", lr=0.1, rho=0.95, eps=1e-7),
        keras("Adadelta", learning_rate=0.1),
    ),
    "decay": (
        torch("SGD", lr=0.05, weight_decay=0.01),
        keras("SGD", learning_rate=0.05, weight_decay=0.01),
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_that_are_the_same(remotes, name):
    result = answer(remotes, LOSSES["cross_entropy"], OPTIMIZERS[name], CLASSES)
    assert result.verdict == "agree", result
    assert result.worst("optimizer") is not None


def test_decay_in_pytorch_is_a_regulariser_in_keras(remotes):
    optimizers = ({"name": f"{T}:sgd", "weight_decay": 0.02}, f"{K}:sgd")
    right = answer(remotes, LOSSES["cross_entropy"], optimizers, CLASSES, args=({}, {"l2": 0.01}))
    assert right.verdict == "agree", right
    wrong = answer(remotes, LOSSES["cross_entropy"], optimizers, CLASSES, args=({}, {"l2": 0.02}))
    assert causes(wrong) == {("optimizer", "weight decay in the gradient 0.04", "confirmed")}


def test_what_the_model_was_compiled_with(remotes):
    optimizers = (torch("SGD", lr=0.01), "compiled")
    right = answer(remotes, (CE, "compiled"), optimizers, CLASSES, args=({}, {"compiled": True}))
    assert right.verdict == "agree", right
    wrong = answer(
        remotes,
        (CE, "compiled"),
        optimizers,
        CLASSES,
        args=({}, {"compiled": True, "from_logits": False}),
    )
    assert causes(wrong) == {("loss", "takes probabilities", "confirmed")}
    with pytest.raises(ModelError, match="not compiled with a loss"):
        answer(remotes, (CE, "compiled"), optimizers, CLASSES)


def causes(result):
    return {(c.kind, c.right[1], c.status) for c in result.causes}


@pytest.mark.parametrize(
    ("loss", "target", "told"),
    [
        ((CE, SPARSE | {"from_logits": False}), CLASSES, "takes probabilities"),
        ((CE, SPARSE | {"reduction": "sum"}), CLASSES, "reduction sum"),
        (({"name": CE, "ignore_index": 2}, SPARSE), CLASSES, "ignores class none"),
        (({"name": CE, "weight": [1, 2, 1, 1, 3]}, SPARSE), CLASSES, "class weights none"),
        (({"name": CE, "label_smoothing": 0.1}, SPARSE), CLASSES, "label smoothing 0"),
        ((f"{T}:own", {"name": f"{K}:own", "smoothing": 0.0}), CLASSES, "label smoothing 0"),
        (
            (
                {"name": "torch.nn:MSELoss", "reduction": "sum"},
                {"name": "keras.losses:MeanSquaredError", "reduction": "sum"},
            ),
            ("12,5",),
            "reduction sum of means",
        ),
        (("torch.nn:MSELoss", "keras.losses:MeanAbsoluteError"), ("12,5",), "MeanAbsoluteError"),
        (
            (("torch.nn:HuberLoss"), {"name": "keras.losses:Huber", "delta": 0.5}),
            ("12,5",),
            "delta 0.5",
        ),
    ],
    ids=[
        "from_logits",
        "sum",
        "ignore",
        "weights",
        "smoothing",
        "own",
        "sum_of_means",
        "other",
        "delta",
    ],
)
def test_a_loss_that_differs_is_named_and_proven(remotes, loss, target, told):
    result = answer(remotes, loss, (torch("SGD", lr=0.1), keras("SGD", learning_rate=0.1)), target)
    assert result.verdict == "differ"
    assert result.first.stage == "loss"
    assert causes(result) == {("loss", told, "confirmed")}


BEFORE, AFTER = "epsilon before the bias correction (Keras' equation)", "epsilon 1e-07"


@pytest.mark.parametrize(
    ("optimizers", "told"),
    [
        ((torch("SGD", lr=0.1), keras("SGD", learning_rate=0.2)), {"learning rate 0.2"}),
        ((torch("SGD", lr=0.1, momentum=0.9), keras("SGD", learning_rate=0.1)), {"momentum 0"}),
        ((f"{T}:sgd", {"name": f"{K}:sgd", "nesterov": False}), {"Nesterov no"}),
        ((torch("Adam", lr=0.1), keras("SGD", learning_rate=0.1)), {"SGD"}),
        ((torch("Adam"), keras("Adam")), {BEFORE, AFTER}),
        ((torch("Adam"), keras("Adam", beta_1=0.8)), {BEFORE, AFTER, "beta 1 0.8"}),
        (
            (torch("Adam", weight_decay=0.1), keras("AdamW", weight_decay=0.1)),
            {BEFORE, AFTER, "decoupled weight decay 0.1"},
        ),
        (
            (torch("RMSprop", lr=0.01), keras("RMSprop", learning_rate=0.01)),
            {"epsilon under the root (Keras' equation)", "rho 0.9", "epsilon 1e-07"},
        ),
        (
            (torch("Adagrad", lr=0.01), keras("Adagrad", learning_rate=0.01)),
            {
                "epsilon under the root (Keras' equation)",
                "accumulator starts at 0.1",
                "epsilon 1e-07",
            },
        ),
        (
            (torch("SGD", lr=0.1), keras("SGD", learning_rate=0.1, clipnorm=0.05)),
            {"clip norm 0.05 of each weight"},
        ),
        ((torch("SGD", lr=0.01), f"{K}:schedule"), {"learning rate [0.01, 0.005, 0.0025]"}),
    ],
    ids=[
        "rate",
        "momentum",
        "nesterov",
        "other",
        "adam",
        "beta",
        "decay",
        "rmsprop",
        "adagrad",
        "clipped",
        "schedule",
    ],
)
def test_an_optimizer_that_differs_is_named_and_proven(remotes, optimizers, told):
    result = answer(remotes, LOSSES["cross_entropy"], optimizers, CLASSES)
    assert result.verdict == "differ"
    assert result.first.stage in ("optimizer", "steps")
    assert causes(result) == {("optimizer", t, "confirmed") for t in told}
    assert len([c for c in result.causes if c.fix]) <= 1


def test_one_line_has_all_settings_of_an_optimizer(remotes):
    optimizers = (
        torch("AdamW", lr=0.01, weight_decay=0.1),
        keras("AdamW", learning_rate=0.02, weight_decay=0.2),
    )
    result = answer(remotes, LOSSES["cross_entropy"], optimizers, CLASSES)
    written = (
        "parity.keras_side.optimizers.TorchAdamW(learning_rate=0.01, epsilon=1e-08, decay=0.1)"
    )
    assert [c.fix for c in result.causes if c.fix] == [written]


@pytest.mark.parametrize(
    ("optimizer", "told"),
    [("groups", "learning rate 0.01"), ("forgetful", "SGD")],
)
def test_settings_of_each_weight(remotes, optimizer, told):
    result = answer(
        remotes,
        LOSSES["cross_entropy"],
        (f"{T}:{optimizer}", keras("SGD", learning_rate=0.01)),
        CLASSES,
    )
    assert result.verdict == "differ"
    assert causes(result) == {("optimizer", told, "confirmed")}
    assert all("fc2" not in c.left[0] for c in result.causes)


@pytest.mark.parametrize(
    ("loss", "target", "told"),
    [
        (({"name": CE, "reduction": "none"}, SPARSE), CLASSES, "Expected one number"),
        ((CE, SPARSE), ("12:int<9",), "computing the loss"),
        ((CE, SPARSE), ("12,3",), "computing the loss"),
        ((f"{T}:absent", SPARSE), CLASSES, "has no 'absent'"),
        ((CE, "no_such_loss"), CLASSES, "no_such_loss"),
        (({"name": CE, "odd": 1}, SPARSE), CLASSES, "odd"),
    ],
    ids=["none", "classes", "shape", "absent", "word", "argument"],
)
def test_a_loss_that_does_not_work_is_told(remotes, loss, target, told):
    with pytest.raises(ModelError, match=told) as caught:
        answer(remotes, loss, None, target)
    assert "site-packages" not in str(caught.value)


def test_one_side_alone_is_told():
    with pytest.raises(UsageError, match="--keras-loss"):
        Recipe({"torch": "x"})


@pytest.mark.usefixtures("serving")
def test_in_tests_of_ones_own():
    ours = Training(CE, "torch.optim:SGD", optimizer_args={"lr": 0.1})
    right = Training(
        "keras.losses:SparseCategoricalCrossentropy",
        "keras.optimizers:SGD",
        loss_args={"from_logits": True},
        optimizer_args={"learning_rate": 0.1},
    )
    net = Model(f"{T}:Net", training=ours)
    assert_parity(net, Model(f"{K}:net", training=right), "12,9", targets="12:int<5")
    wrong = replace(right, loss_args={})
    with pytest.raises(AssertionError, match=r"loss \(confirmed\).*takes logits"):
        assert_parity(net, Model(f"{K}:net", training=wrong), "12,9", targets="12:int<5")


@pytest.mark.usefixtures("serving")
def test_keyword_arguments_of_both_models():
    net = Model(f"{T}:Net", training=Training(CE, f"{T}:sgd", optimizer_args=DECAY))
    port = Model(f"{K}:net", {"l2": 0.01}, Training("compiled", f"{K}:sgd"))
    with pytest.raises(ModelError, match="not compiled with a loss"):
        assert_parity(net, port, "12,9", targets="12:int<5")
    port = replace(port, args={"l2": 0.01, "compiled": True})
    result = check(net, port, "12,9", targets="12:int<5")
    assert result.verdict == "agree", result


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (lambda: Training(loss_args={"reduction": "sum"}), "loss_args needs loss"),
        (lambda: check(f"{T}:Net", f"{K}:net", targets="8:int"), "targets are for a loss"),
        (
            lambda: check(
                Model(f"{T}:Net", training=Training("torch.nn:MSELoss")),
                Model(f"{K}:net", training=Training("mse", loss_args={"reduction": "sum"})),
            ),
            "'mse' is a word",
        ),
        (lambda: check(Model(f"{T}:Net", training=Training(CE)), f"{K}:net"), "--keras-loss"),
        (lambda: check(f"{T}:Net", f"{K}:net", [8, 9]), "a row of numbers"),
        (lambda: check(lambda: None, f"{K}:net"), "Give both as names or both as models"),
    ],
    ids=["arguments", "targets", "word", "one side", "numbers", "named"],
)
def test_what_contradicts_itself_is_told(asked, told):
    with pytest.raises(UsageError, match=told):
        asked()


def test_a_check_is_asked_as_an_assertion_is():
    assert inspect.signature(check) == inspect.signature(assert_parity)
