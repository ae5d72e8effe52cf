"""Neural circuit policies: ncps' own two sides."""

from parity_tests.check.zoo.pair import Pair


def torch_model(kind="CfC", **settings):
    import ncps.torch
    from ncps.wirings import AutoNCP
    from torch import nn

    class Outputs(nn.Module):
        def __init__(self, cells):
            super().__init__()
            self.cells = cells

        def forward(self, x):
            return self.cells(x)[0]

    if kind == "LTC":
        return Outputs(ncps.torch.LTC(6, AutoNCP(8, 3), **settings))
    return Outputs(ncps.torch.CfC(6, 8, backbone_units=12, **settings))


def keras_model(kind="CfC", **settings):
    import keras
    import ncps.keras
    from ncps.wirings import AutoNCP

    x = keras.Input((3, 6))
    if kind == "LTC":
        cells = ncps.keras.LTC(AutoNCP(8, 3), return_sequences=True, **settings)
    else:
        cells = ncps.keras.CfC(8, backbone_units=12, return_sequences=True, **settings)
    return keras.Model(x, cells(x))


def port(p):
    t = "cells.rnn_cell"
    if f"{t}.gleak" in p:
        for name in ("gleak", "vleak", "cm", "sigma", "mu", "w", "erev"):
            p.put(f"ltc/ltc_cell/{name}", p[f"{t}.{name}"])
        for name in ("sigma", "mu", "w", "erev"):
            p.put(f"ltc/ltc_cell/sensory_{name}", p[f"{t}.sensory_{name}"])
        for name in ("input_w", "input_b", "output_w", "output_b"):
            p.put(f"ltc/ltc_cell/{name}", p[f"{t}.{name}"])
        p.ignore(f"{t}.sparsity_mask", f"{t}.sensory_sparsity_mask")  # constants in Keras
        return
    k = "cf_c/cf_c_cell"
    p.dense(f"{k}/sequential/backbone0", f"{t}.backbone.0")
    for n in (1, 2):
        if f"{t}.ff{n}.weight" in p:
            p.put(f"{k}/ff{n}_weight", p[f"{t}.ff{n}.weight"].T)
            p.put(f"{k}/ff{n}_bias", p[f"{t}.ff{n}.bias"])
    for name in ("time_a", "time_b"):
        if f"{t}.{name}.weight" in p:
            p.dense(f"{k}/{name}", f"{t}.{name}")
    for name in ("w_tau", "A"):
        if f"{t}.{name}" in p:
            p.put(f"{k}/{name}", p[f"{t}.{name}"])


_INPUTS = ("2,3,6",)

PAIRS = (
    Pair(
        "ncps-cfc",
        _INPUTS,
        packages=("ncps",),
        kinds=("activation", "missing_layer", "extra_layer", "scale", "operation"),
        why="In Keras the cell has no tanh on its two heads, and -t_a where PyTorch has t_a.",
    ),
    Pair("ncps-cfc-pure", _INPUTS, {"mode": "pure"}, {"mode": "pure"}, packages=("ncps",)),
    Pair(
        "ncps-ltc",
        _INPUTS,
        {"kind": "LTC"},
        {"kind": "LTC"},
        packages=("ncps",),
        open=True,
        kinds=("activation", "missing_layer", "extra_layer", "operation"),
        why="PyTorch's cell makes cm, gleak and its synapses' weights positive by softplus, Keras' "
        "by constraints while it learns; Keras' cell has float32 weights in every precision.",
    ),
    Pair(
        "ncps-ltc-matched",
        _INPUTS,
        {"kind": "LTC", "implicit_param_constraints": False},
        {"kind": "LTC"},
        packages=("ncps",),
    ),
)
