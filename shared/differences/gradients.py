"""Gradients where there is more than one answer, and the rules of asking for them."""

from parity.spec.difference import FUNCTIONAL, LAYERS, NN, TF, TORCH, Difference, NoWay

_EDGES = TORCH + "notes/autograd.html#gradients-for-non-differentiable-functions"
_IMAGES = {"x": "images", "given": "images", "mapped": "images"}
_TIES = {"x": ((((5.0,), (1.0,)), ((5.0,), (5.0,))),)}

ROWS = (
    Difference(
        "maximum_tie",
        "`maximum(a, b)` where a = b",
        (0.5, 0.5),
        (1.0, 0.0),
        "`where(a >= b, a, b)` in PyTorch",
        _EDGES,
        in_torch="torch.where(x[0] >= x[1], x[0], x[1])",
        in_keras="(x[0] + x[1] + keras.ops.abs(x[0] - x[1])) / 2",
        inputs={"x": (2.0, 2.0)},
    ),
    Difference(
        "largest_tie",
        "`max` along an axis of 2, 2, 1",
        (1.0, 0.0, 0.0),
        (0.5, 0.5, 0.0),
        "`amax` in PyTorch",
        TORCH + "generated/torch.amax.html",
        in_torch="x.amax(dim=0)",
        in_keras="keras.ops.take(x, keras.ops.argmax(x))",
        inputs={"x": (2.0, 2.0, 1.0)},
    ),
    Difference(
        "max_pool_tie",
        "Maximum pooling of 5, 1, 5, 5: to the first",
        *(((((1.0,), (0.0,)), ((0.0,), (0.0,))),),) * 2,
        "",
        NN + "MaxPool2d.html",
        in_torch="F.max_pool2d(x, 2)",
        in_keras="keras.layers.MaxPooling2D(2)(x)",
        inputs=_TIES,
        roles=_IMAGES,
    ),
    Difference(
        "global_pool_tie",
        "Global maximum pooling of 5, 1, 5, 5",
        ((((1.0,), (0.0,)), ((0.0,), (0.0,))),),
        (((("0.3333",), (0.0,)), (("0.3333",), ("0.3333",))),),
        "`amax` in PyTorch",
        LAYERS + "pooling_layers/global_max_pooling2d/",
        in_torch="x.amax(dim=(2, 3))",
        in_keras="keras.layers.MaxPooling2D(x.shape[1:3])(x)",
        inputs=_TIES,
        roles=_IMAGES,
    ),
    Difference(
        "hardtanh_corners",
        "`hardtanh` at −1 and 1",
        (0.0, 0.0),
        (1.0, 1.0),
        "PyTorch: `where((x >= -1) & (x <= 1), x, x.sign())`",
        FUNCTIONAL + "hardtanh.html",
        in_torch="torch.where((x >= -1) & (x <= 1), x, x.sign())",
        in_keras="keras.ops.where((x > -1) & (x < 1), x, keras.ops.sign(x))",
        inputs={"x": (-1.0, 1.0)},
    ),
    Difference(
        "kinks",
        "`relu` at 0, `relu6` at 6, `abs` at 0, `elu` at 0",
        (0.0, 0.0, 0.0, 1.0),
        (0.0, 0.0, 0.0, 1.0),
        "",
        _EDGES,
        in_torch="F.relu(x[0]), F.relu6(x[1]), x[2].abs(), F.elu(x[3])",
        in_keras="tf.nn.relu(x[0]), tf.nn.relu6(x[1]), tf.abs(x[2]), tf.nn.elu(x[3])",
        inputs={"x": (0.0, 6.0, 0.0, 0.0)},
    ),
    Difference(
        "clip_edges",
        "`clamp`, `clip_by_value` to −1 … 2, at the ends and outside; PyTorch gave 1 "
        "at the ends up to 2.13",
        (0.0, 0.0, 0.0),
        (1.0, 1.0, 0.0),
        "PyTorch: `where` instead of `clamp`",
        "https://github.com/pytorch/pytorch/issues/195931",
        in_torch="torch.where(x <= 2, torch.where(x >= -1, x, -1.0), 2.0)",
        in_keras="keras.ops.where(x < 2, keras.ops.where(x > -1, x, -1.0), 2.0)",
        inputs={"x": (-1.0, 2.0, 2.5)},
    ),
    Difference(
        "relu_at_nan",
        "`relu` at NaN",
        (1.0, 1.0),
        (0.0, 1.0),
        "",
        NN + "ReLU.html",
        in_torch="torch.where(x > 0, x, x.detach().clamp(max=0))",
        in_keras="keras.ops.where(x <= 0, 0.0, x)",
        inputs={"x": ("nan", 2.0)},
    ),
    Difference(
        "norm_at_zero",
        "Norm of zeros",
        (0.0, 0.0),
        ("nan", "nan"),
        "TensorFlow: a `custom_gradient` with `divide_no_nan`",
        TF + "norm",
        in_torch="x.square().sum().sqrt()",
        in_keras=(
            "squares = keras.ops.sum(x * x)\n"
            "safe = keras.ops.where(squares > 0, squares, 1.0)\n"
            "keras.ops.where(squares > 0, keras.ops.sqrt(safe), 0.0)"
        ),
        inputs={"x": (0.0, 0.0)},
    ),
    Difference(
        "deviation_of_equals",
        "Standard deviation of 1.5, 1.5",
        (0.0, 0.0),
        ("nan", "nan"),
        "",
        TF + "math/reduce_std",
        in_torch="x.var(correction=0).sqrt()",
        in_keras=(
            "variance = keras.ops.var(x) * len(x) / (len(x) - 1)\n"
            "safe = keras.ops.where(variance > 0, variance, 1.0)\n"
            "keras.ops.where(variance > 0, keras.ops.sqrt(safe), 0.0)"
        ),
        inputs={"x": (1.5, 1.5)},
    ),
    Difference(
        "power_zero",
        "x⁰ at 0",
        0.0,
        "nan",
        "",
        TF + "math/pow",
        in_torch=NoWay(
            "PyTorch has a rule of its own for the exponent 0, and nothing turns it off."
        ),
        in_keras=("safe = keras.ops.where(x == 0, 1.0, x)\nsafe**0"),
        inputs={"x": 0.0},
    ),
    Difference(
        "normalised_at_zero",
        "`normalize`, `l2_normalize` at zeros: both with ε 1e-12",
        ("1.000e12", "1.000e12"),
        ("1.000e6", "1.000e6"),
        "`eps=1e-6` in PyTorch",
        FUNCTIONAL + "normalize.html",
        in_torch="F.normalize(x, dim=0, eps=1e-6)",
        in_keras="tf.math.l2_normalize(x, axis=0, epsilon=1e-24)",
        inputs={"x": (0.0, 0.0)},
    ),
    Difference(
        "branch_not_taken",
        "`where(x > 0, sqrt(x), 0)` at −1 and 4",
        ("nan", 0.25),
        (0.0, 0.25),
        "`where` inside the root too, on both sides",
        TF + "where",
        in_torch=("safe = torch.where(x > 0, x, 1.0)\ntorch.where(x > 0, safe.sqrt(), 0.0)"),
        in_keras="keras.ops.where(x > 0, x**0.5, 0.0)",
        inputs={"x": (-1.0, 4.0)},
    ),
    Difference(
        "product_with_zero",
        "Product of 0, 2, 3",
        (6.0, 0.0, 0.0),
        (6.0, 0.0, 0.0),
        "",
        TF + "math/reduce_prod",
        in_torch="torch.prod(x)",
        in_keras="keras.ops.prod(x)",
        inputs={"x": (0.0, 2.0, 3.0)},
    ),
    Difference(
        "rounded",
        "`round`: 0, and no gradient at all",
        "0",
        "None",
        "",
        TF + "round",
        in_torch="x.detach().round()",
        in_keras=(
            "with tf.GradientTape() as tape:\n"
            "    tape.watch(x)\n"
            "    y = tf.round(x)\n"
            'gradient = tape.gradient(y, x, unconnected_gradients="zero")'
        ),
        inputs={"x": (1.25,)},
    ),
    Difference(
        "not_connected",
        "Of something that x has no part in",
        "None",
        "None",
        "",
        TORCH + "generated/torch.autograd.grad.html",
        in_torch=(
            "y = torch.ones(1, requires_grad=True) * 2\n"
            "(gradient,) = torch.autograd.grad(y, x, allow_unused=True)"
        ),
        in_keras=(
            "with tf.GradientTape() as tape:\n"
            "    tape.watch(x)\n"
            "    y = tf.ones(1)\n"
            "gradient = tape.gradient(y, x)  # None"
        ),
        inputs={"x": (1.25,)},
    ),
    Difference(
        "asked_twice",
        "x² at 3, two backward passes",
        (12.0,),
        (6.0,),
        "`zero_grad()` before each in PyTorch",
        TORCH + "generated/torch.optim.Optimizer.zero_grad.html",
        in_torch="x.grad = None  # or optimizer.zero_grad(), before every pass",
        in_keras=("total = 0.0\ntotal += gradient  # after every pass"),
        inputs={"x": (3.0,)},
    ),
    Difference(
        "graph_used_twice",
        "The same graph, the same tape, a second time",
        "raises RuntimeError",
        "raises RuntimeError",
        "",
        TF + "GradientTape",
        in_torch=("y = (x * x).sum()\ny.backward(retain_graph=True)\ny.backward()"),
        in_keras=(
            "with tf.GradientTape(persistent=True) as tape:\n"
            "    tape.watch(x)\n"
            "    y = x * x\n"
            "gradients = [tape.gradient(y, x) for _ in range(2)]"
        ),
        inputs={"x": (3.0,)},
    ),
    Difference(
        "not_watched",
        "Of a tensor that nobody said to follow; TensorFlow gives None",
        "raises RuntimeError",
        "no error",
        "",
        TF + "GradientTape",
        in_torch=("y = (x.detach() * 2).sum()\nif y.requires_grad:\n    y.backward()"),
        in_keras=(
            "with tf.GradientTape() as tape:\n    y = x * x\nassert tape.gradient(y, x) is not None"
        ),
        inputs={"x": (3.0,)},
    ),
    Difference(
        "gradient_of_integer",
        "Of whole numbers; TensorFlow gives None and a warning",
        "raises RuntimeError",
        "no error",
        "",
        TF + "GradientTape",
        in_torch=("x = torch.tensor([1, 2])\nif x.is_floating_point():\n    x.requires_grad_()"),
        in_keras=("x = tf.constant([1, 2])\nassert x.dtype.is_floating"),
    ),
)
