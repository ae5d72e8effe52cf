"""N-BEATS: nbeats-pytorch's and nbeats-keras'."""

from parity_tests.check.zoo.pair import Pair

_SIZES = {
    "hidden_layer_units": 12,
    "nb_blocks_per_stack": 1,
    "backcast_length": 10,
    "forecast_length": 5,
}


def torch_model(**settings):
    from nbeats_pytorch.model import NBeatsNet

    return NBeatsNet(**_SIZES, **settings)


def keras_model(**settings):
    import keras
    import nbeats_keras.model as package

    def dense(*arguments, name, **more):  # names with a slash are none in Keras 3
        return keras.layers.Dense(*arguments, name=name.replace("/", "_"), **more)

    package.Dense = dense
    models = package.NBeatsNet(**_SIZES, **settings).models
    outputs = [models[name].output for name in ("backcast", "forecast")]
    return keras.Model(models["forecast"].input, outputs)


def port(p):
    number = iter(range(100))
    kinds = ("generic", "generic") if "parameters.20" in p else ("trend", "seasonality")
    for stack, kind in enumerate(kinds):
        k = f"{stack}_0_{kind}"
        for n in range(1, 5):
            _dense(p, f"{k}_d{n}", number)
        if kind == "generic":
            for name in ("theta_b", "theta_f"):
                p.put(f"{k}_{name}/kernel", p[f"parameters.{next(number)}"].T)
            for name in ("backcast", "forecast"):
                _dense(p, f"{k}_{name}", number)
        else:
            thetas = p[f"parameters.{next(number)}"].T
            names = ("theta_f_b",) if kind == "trend" else ("theta_b", "theta_f")
            for name in names:
                p.put(f"{k}_{name}/kernel", thetas)


def _dense(p, path, number):
    p.put(f"{path}/kernel", p[f"parameters.{next(number)}"].T)
    p.put(f"{path}/bias", p[f"parameters.{next(number)}"])


_GENERIC = {"stack_types": ("generic", "generic"), "thetas_dim": (4, 8)}
_INPUTS = ("2,10,1",)
_PACKAGES = ("nbeats_pytorch", "nbeats_keras")

PAIRS = (
    Pair(
        "nbeats",
        _INPUTS,
        packages=_PACKAGES,
        kinds=("weights",),
        why="A block of seasonality has one kernel for both its thetas in PyTorch, two in Keras.",
    ),
    Pair("nbeats-generic-matched", _INPUTS, _GENERIC, _GENERIC, packages=_PACKAGES),
)
