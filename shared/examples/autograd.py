"""Spec of the gradient examples: `backward()` against `GradientTape`."""

from parity.spec.cases import Case, Known
from parity.spec.example import ExampleSpec

_ONES = ((1.0, 1.0), (1.0, 1.0))
_GRAPH = "https://pytorch.org/docs/stable/notes/autograd.html#how-autograd-encodes-the-history"
_EDGE = "values/edge_gradients/"
_MASKED = "values/masked_gradients/"


def _square(value: float) -> tuple[tuple[float, float], tuple[float, float]]:
    return ((value, value), (value, value))


AUTOGRAD = ExampleSpec(
    name="autograd",
    title="Automatic differentiation",
    part="Tensors and autograd",
    summary=(
        "PyTorch records on the tensors and collects on the leaves, TensorFlow records on a tape "
        "and returns. The numbers are the same, except where a derivative does not exist, and at "
        "two points where it does but its formula passes through 0·∞ or 0·NaN."
    ),
    cases=(
        Case(
            "sum_times",
            {"x": -3.0, "y": 5.0, "z": -2.0},
            {"f": -4.0, "df_dx": -2.0, "df_dy": -2.0, "df_dz": 2.0},
        ),
        Case("graph", {"x": -3.0, "y": 5.0, "z": -2.0}, {"f": -4.0}),
        Case(
            "cube_mean",
            {"x": _ONES},
            {
                "out": 27.0,
                "dout_dx": _square(6.75),
                "dout_dy": _square(6.75),
                "dout_dz": _square(0.25),
            },
        ),
        Case(
            "kept",
            {"x": _ONES},
            {"x_grad": _square(13.5), "y_grad": _square(13.5), "z_grad": "None"},
        ),
        Case("accumulated", {"x": _ONES}, {"twice": _square(13.5), "third": "RuntimeError"}),
        Case("square_of_sum", {"x": _ONES}, {"z": 16.0, "dz_dy": 8.0, "dz_dx": _square(8.0)}),
        Case("persistent", {"x": 3.0}, {"dz_dx": 108.0, "dy_dx": 6.0, "released": True}),
        Case("second_order", {"x": 1.0}, {"dy_dx": 3.0, "d2y_dx2": 6.0}),
        Case(
            "vector_jacobian",
            {"x": (1.0, 2.0, 3.0), "v": (0.1, 1.0, 0.0001)},
            {"vjp": (0.2, 2.0, 0.0002)},
        ),
        Case("jacobian", {"x": (2.0, 3.0)}, {"jacobian": ((4.0, 0.0), (3.0, 2.0), (0.0, 27.0))}),
        Case("hessian", {"x": (2.0, 3.0)}, {"hessian": ((6.0, 4.0), (4.0, 18.0))}),
        Case(
            "tracking",
            {"x": 3.0},
            {
                "tracked_at_first": False,
                "tracked_on_request": True,
                "tracked_while_paused": False,
                "dproduct_dx": 3.0,
                "dproduct_dconstant": "None",
                "weight_is_leaf": True,
                "result_is_leaf": False,
            },
        ),
        Case(
            "switched",
            {"x": 3.0},
            {"on": True, "off": False, "on_again": True, "dsquare_dx": 6.0},
        ),
        Case(
            "watched_by_itself",
            {"x": 3.0},
            {"tracked": "1", "dproduct_dweight": 3.0, "dproduct_dconstant": "None"},
        ),
        Case("custom_gradient", {"x": 3.0, "y": -4.0}, {"product": -12.0, "dx": -4.0, "dy": 3.0}),
        Case(
            "edge_gradients",
            {
                "a": 2.0,
                "b": 2.0,
                "corners": (-1.0, 1.0),
                "zeros": (0.0, 0.0, 0.0),
                "constant": (2.0, 2.0, 2.0),
            },
        ),
        Case(
            "masked_gradients",
            {"zero": 0.0, "mixed": (-1.0, 4.0)},
            {"where_sqrt_of_where": (0.0, 0.25)},
        ),
    ),
    known=(
        Known(
            "values/graph/made_the_leaf",
            torch="None",
            keras="Placeholder",
            reason="a leaf is made by no operation; in a graph of TensorFlow it is the place where "
            "an argument is put",
            link=_GRAPH,
        ),
        Known(
            "values/graph/made_the_result",
            torch="MulBackward0",
            keras="Mul",
            reason="PyTorch keeps the way back on the result itself. TensorFlow keeps operations "
            "on the tape, out of sight, and in a graph the way forward",
            link=_GRAPH,
        ),
        Known(
            "values/graph/made_its_inputs",
            torch="('AddBackward0', 'AccumulateGrad')",
            keras="('AddV2', 'Placeholder')",
            reason="the sum and z: the leaf's place is taken by what adds to its `.grad`",
            link=_GRAPH,
        ),
        Known(
            _EDGE + "maximum_tie_a",
            torch=0.5,
            keras=1.0,
            reason="at a tie PyTorch shares the gradient of `maximum`, TensorFlow gives all of "
            "it to the first argument",
            link="https://pytorch.org/docs/stable/notes/autograd.html"
            "#gradients-for-non-differentiable-functions",
        ),
        Known(
            _EDGE + "maximum_tie_b",
            torch=0.5,
            keras=0.0,
            reason="the other half of the same tie",
            link="https://pytorch.org/docs/stable/notes/autograd.html"
            "#gradients-for-non-differentiable-functions",
        ),
        Known(
            _EDGE + "hardtanh_corners",
            torch=(0.0, 0.0),
            keras=(1.0, 1.0),
            reason="at ±1 PyTorch takes the slope outside, TensorFlow the slope inside",
            link="https://pytorch.org/docs/stable/generated/torch.nn.functional.hardtanh.html",
        ),
        Known(
            _EDGE + "norm_at_zero",
            torch=(0.0, 0.0, 0.0),
            keras=("nan", "nan", "nan"),
            reason="PyTorch takes the subgradient 0 of the Euclidean norm at the origin, "
            "TensorFlow divides by the norm",
            link="https://www.tensorflow.org/api_docs/python/tf/norm",
        ),
        Known(
            _EDGE + "std_of_constant",
            torch=(0.0, 0.0, 0.0),
            keras=("nan", "nan", "nan"),
            reason="the derivative of a square root at 0: PyTorch masks it, TensorFlow does not",
            link="https://www.tensorflow.org/api_docs/python/tf/math/reduce_std",
        ),
        Known(
            _MASKED + "power_zero_at_zero",
            torch=0.0,
            keras="nan",
            reason="d(x⁰)/dx = 0·x⁻¹ is 0·∞ at 0: PyTorch returns 0 when the exponent is 0",
            link="https://www.tensorflow.org/api_docs/python/tf/math/pow",
        ),
        Known(
            _MASKED + "where_sqrt",
            torch=("nan", 0.25),
            keras=(0.0, 0.25),
            reason="`where` sends 0 back into √−1: in PyTorch 0·NaN stays NaN, TensorFlow's "
            "gradient of the square root does not; a second `where`, around its argument, "
            "gives 0 in both",
            link="https://www.tensorflow.org/api_docs/python/tf/where",
        ),
    ),
)
