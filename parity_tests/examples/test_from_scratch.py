"""A model of one's own starts from the same weights on both sides, before any are given to it."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADAPTERS = {
    "pytorch_impl": ("parity.torch_side.adapter", "PyTorch"),
    "keras_impl": ("parity.keras_side.adapter", "Keras"),
}
MODELS = [("softmax_regression", "build_own_model")]
"""Twins and their functions that say with which weights a model begins."""
FRESH = """
import importlib, json
from {adapter} import {framework}
exec({fault!r})
side = {framework}(threads=1)
from shared.suite import SUITE
side.use_names(SUITE.find("{example}").training)
weights = side.weights(importlib.import_module("{package}.{example}").{build}())
print(json.dumps({{name: weight.tolist() for name, weight in weights.items()}}))
"""
FAULT = """
from keras import layers
own = layers.Layer.add_weight
def add_weight(self, *given, initializer=None, **more):
    return own(self, *given, **more)
layers.Layer.add_weight = add_weight
"""
"""As if the twin named no initializer."""


@functools.cache
def fresh(package, example, build, fault=""):
    """Name → weights as nested lists, in canonical layout, of a model that was just built."""
    adapter, framework = ADAPTERS[package]
    code = FRESH.format(
        package=package,
        adapter=adapter,
        framework=framework,
        example=example,
        build=build,
        fault=fault,
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ
        | {
            "CUDA_VISIBLE_DEVICES": "-1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "KERAS_BACKEND": "tensorflow",
        },
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("example", "build"), MODELS)
def test_both_sides_start_equal(example, build):
    one, other = (fresh(package, example, build) for package in ADAPTERS)
    assert one
    assert one == other


def test_a_start_of_the_frameworks_own_is_seen():
    given = ("softmax_regression", "build_own_model")
    assert fresh("pytorch_impl", *given) != fresh("keras_impl", *given, fault=FAULT)
