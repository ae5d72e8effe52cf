"""Two devices on Keras' side, which needs no accelerator, and an accelerator where there is one."""

import json

import pytest

from parity_tests.forked import script

SIDES = {"pytorch_impl": "torch", "keras_impl": "keras"}
IMPORTS = {"pytorch_impl": "import torch", "keras_impl": "import tensorflow as tf, keras"}


@pytest.fixture(scope="module", params=IMPORTS)
def lesson(request, forked):
    """A side's package, and what runs a script where its framework is imported."""
    return request.param, script(forked[SIDES[request.param]], IMPORTS[request.param])


def test_tensors_of_two_devices(lesson):
    package, run = lesson
    if package == "pytorch_impl":
        made, elsewhere = "torch.ones(2, 3)", "x.to('meta')"
    else:
        made, elsewhere = "tf.ones((2, 3))", "tf.identity(x)"
    printed = run(
        f"import contextlib\nfrom {package} import devices\n"
        "other = contextlib.nullcontext()\n"
        "if 'tf' in globals():\n"
        "    cpu = tf.config.list_physical_devices('CPU')[0]\n"
        "    two = [tf.config.LogicalDeviceConfiguration()] * 2\n"
        "    tf.config.set_logical_device_configuration(cpu, two)\n"
        "    other = tf.device(devices._elsewhere())\n"
        f"x = {made}\n"
        f"with other: y = {elsewhere}\n"
        "print(str(x.device) != str(y.device), devices.two_devices(x)['adding'])"
    )
    expected = {"pytorch_impl": "RuntimeError", "keras_impl": "moved for you"}
    assert printed.split("\n")[-2] == f"True {expected[package]}"


def test_reduced_precision_on_an_accelerator(lesson):
    package, run = lesson
    printed = run(
        "import json, os\nos.environ.pop('CUDA_VISIBLE_DEVICES')\n"
        f"from {package} import devices\nprint(json.dumps(devices.on_accelerator(512)))"
    )
    errors = json.loads(printed.split("\n")[-2])
    if errors is None:
        pytest.skip("there is no accelerator here")
    assert errors["highest"] * 50 < errors["high"]
