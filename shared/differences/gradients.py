"""Gradients where there is more than one answer, and the rules of asking for them."""

from shared.differences.spec import FUNCTIONAL, LAYERS, NN, TF, TORCH, Difference

_EDGES = TORCH + "notes/autograd.html#gradients-for-non-differentiable-functions"
_IMAGES = {"x": "images", "given": "images", "mapped": "images"}
_TIES = {"x": ((((5.0,), (1.0,)), ((5.0,), (5.0,))),)}

ROWS = (
    Difference(
        "maximum_tie", "`maximum(a, b)` where a = b", (0.5, 0.5), (1.0, 0.0),
        "`where(a >= b, a, b)` in PyTorch", _EDGES, inputs={"x": (2.0, 2.0)},
    ),
    Difference(
        "largest_tie", "`max` along an axis of 2, 2, 1", (1.0, 0.0, 0.0), (0.5, 0.5, 0.0),
        "`amax` in PyTorch", TORCH + "generated/torch.amax.html", inputs={"x": (2.0, 2.0, 1.0)},
    ),
    Difference(
        "max_pool_tie", "Maximum pooling of 5, 1, 5, 5: to the first",
        *(((((1.0,), (0.0,)), ((0.0,), (0.0,))),),) * 2, "", NN + "MaxPool2d.html", inputs=_TIES,
        roles=_IMAGES,
    ),
    Difference(
        "global_pool_tie", "Global maximum pooling of 5, 1, 5, 5",
        ((((1.0,), (0.0,)), ((0.0,), (0.0,))),), (((("0.3333",), (0.0,)), (("0.3333",),
        ("0.3333",))),), "`amax` in PyTorch",
        LAYERS + "pooling_layers/global_max_pooling2d/", inputs=_TIES, roles=_IMAGES,
    ),
    Difference(
        "hardtanh_corners", "`hardtanh` at −1 and 1", (0.0, 0.0), (1.0, 1.0),
        "PyTorch: `where((x >= -1) & (x <= 1), x, x.sign())`", FUNCTIONAL + "hardtanh.html",
        inputs={"x": (-1.0, 1.0)},
    ),
    Difference(
        "kinks", "`relu` at 0, `relu6` at 6, `abs` at 0, `elu` at 0", (0.0, 0.0, 0.0, 1.0),
        (0.0, 0.0, 0.0, 1.0), "", _EDGES, inputs={"x": (0.0, 6.0, 0.0, 0.0)},
    ),
    Difference(
        "clip_edges", "`clamp`, `clip_by_value` to −1 … 2, at the ends and outside; PyTorch gave 1 "
        "at the ends up to 2.13", (0.0, 0.0, 0.0), (1.0, 1.0, 0.0),
        "PyTorch: `where` instead of `clamp`", "https://github.com/pytorch/pytorch/issues/195931",
        inputs={"x": (-1.0, 2.0, 2.5)},
    ),
    Difference(
        "relu_at_nan", "`relu` at NaN", (1.0, 1.0), (0.0, 1.0), "", NN + "ReLU.html",
        inputs={"x": ("nan", 2.0)},
    ),
    Difference(
        "norm_at_zero", "Norm of zeros", (0.0, 0.0), ("nan", "nan"),
        "TensorFlow: a `custom_gradient` with `divide_no_nan`", TF + "norm",
        inputs={"x": (0.0, 0.0)},
    ),
    Difference(
        "deviation_of_equals", "Standard deviation of 1.5, 1.5", (0.0, 0.0), ("nan", "nan"), "",
        TF + "math/reduce_std", inputs={"x": (1.5, 1.5)},
    ),
    Difference(
        "power_zero", "x⁰ at 0", 0.0, "nan", "", TF + "math/pow", inputs={"x": 0.0},
    ),
    Difference(
        "normalised_at_zero", "`normalize`, `l2_normalize` at zeros: both with ε 1e-12",
        ("1.000e12", "1.000e12"), ("1.000e6", "1.000e6"), "`eps=1e-6` in PyTorch",
        FUNCTIONAL + "normalize.html", inputs={"x": (0.0, 0.0)},
    ),
    Difference(
        "branch_not_taken", "`where(x > 0, sqrt(x), 0)` at −1 and 4", ("nan", 0.25), (0.0, 0.25),
        "`where` inside the root too, on both sides", TF + "where", inputs={"x": (-1.0, 4.0)},
    ),
    Difference(
        "product_with_zero", "Product of 0, 2, 3", (6.0, 0.0, 0.0), (6.0, 0.0, 0.0), "",
        TF + "math/reduce_prod", inputs={"x": (0.0, 2.0, 3.0)},
    ),
    Difference(
        "rounded", "`round`: 0, and no gradient at all", "0", "None", "", TF + "round",
        inputs={"x": (1.25,)},
    ),
    Difference(
        "not_connected", "Of something that x has no part in", "None", "None", "",
        TORCH + "generated/torch.autograd.grad.html", inputs={"x": (1.25,)},
    ),
    Difference(
        "asked_twice", "x² at 3, two backward passes", (12.0,), (6.0,),
        "`zero_grad()` before each in PyTorch",
        TORCH + "generated/torch.optim.Optimizer.zero_grad.html",
        inputs={"x": (3.0,)},
    ),
    Difference(
        "graph_used_twice", "The same graph, the same tape, a second time", "raises RuntimeError",
        "raises RuntimeError", "", TF + "GradientTape", inputs={"x": (3.0,)},
    ),
    Difference(
        "not_watched", "Of a tensor that nobody said to follow; TensorFlow gives None",
        "raises RuntimeError", "no error", "", TF + "GradientTape", inputs={"x": (3.0,)},
    ),
    Difference(
        "gradient_of_integer", "Of whole numbers; TensorFlow gives None and a warning",
        "raises RuntimeError", "no error", "", TF + "GradientTape",
    ),
)  # fmt: skip
