"""The list of planted faults: on which side, and where the verdict must see them first."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One mistake.

    Attributes:
        name: also the name of the function that plants it, in ``plant_torch``/``plant_keras``.
        key: what the key of the first divergence must start with.
        status: its status.
        step: the training step that must be named, where there is one.
        words: what the explanation must say.
        sides: where it is planted.
    """

    name: str
    key: str
    status: str = "different"
    step: int | None = None
    words: str = ""
    sides: tuple[str, ...] = ("torch",)

    @property
    def id(self) -> str:
        return f"{'+'.join(self.sides)}-{self.name}"


_BOTH = ("torch", "keras")
FAULTS = (
    Fault("kernel_not_transposed", "weights/initial/hidden/kernel", "shape", words="transposed"),
    Fault("square_kernel_transposed", "weights/initial/first/kernel", words="transposed"),
    Fault("forward_transposes_kernel", "activations/step0/first"),
    Fault("layers_swapped", "activations/step0/first"),
    Fault("learning_rate_1e6", "weights/step1/", words="learning rate 0.001000001"),
    Fault("beta1", "state/step1/", words="×"),
    Fault("beta2", "state/step1/", words="v"),
    Fault("epsilon_placement", "weights/step1/", words="after the bias correction"),
    Fault("coupled_weight_decay", "state/step1/"),
    Fault("zero_grad_missing", "weights/step2/", step=2),
    Fault("labels_shifted", "inputs/labels"),
    Fault("labels_shifted_in_loss", "loss/step0"),
    Fault("bytes_0_255", "inputs/images", words="0–255"),
    Fault("softmax_twice", "loss/step0"),
    Fault("sum_instead_of_mean", "loss/step0", words="over 32"),
    Fault("one_weight_1e9", "weights/initial/second/kernel", words="Only one element"),
    Fault("bfloat16_products", "activations/step0/hidden", "noisy", words="bfloat16"),
    Fault("bias_gradient_dropped", "gradients/step0/logits/bias", "extra", words="torch"),
    Fault("bias_gradient_zero", "gradients/step0/first/bias", words="zero everywhere"),
    Fault("batch_out_of_order", "inputs/batches", step=7, words="at step 7"),
    Fault("extra_step", "loss/curve", "shape", step=21, words="different numbers of steps"),
    Fault("step_taken_twice", "loss/curve", step=7, words="at step 7"),
    Fault("steps_left_out", "inputs/batches", "shape"),
    Fault("nan_in_loss", "loss/step0", "nonfinite", words="nan in torch"),
    Fault("nan_in_loss", "loss/step0", "nonfinite", words="nan in keras", sides=_BOTH),
    Fault("key_missing", "gradients/step0/second/kernel", "extra", words="did not record"),
    Fault("recording_empty", "inputs/images", "extra", words="torch did not record"),
    Fault("recording_empty", "inputs/images", "missing", words="requires it", sides=_BOTH),
    Fault("leaky_relu", "activations/step0/relu"),
    Fault("unseeded_noise", "loss/curve", "noisy", step=2, words="not the same program twice"),
    Fault("evaluates_other_inputs", "predictions/initial"),
    Fault("evaluates_in_bfloat16", "predictions/initial", "noisy", words="bfloat16"),
    Fault("bfloat16_from_step_8", "loss/curve", "noisy", step=8, words="all at once"),
    Fault("float32_rate_from_step_8", "loss/curve", "noisy", step=9, words="learning rate"),
    Fault("test_loss_accumulates", "metrics/"),
    Fault("smoothing_in_training_only", "loss/curve", step=1),
    Fault("learning_rate_1e6", "weights/step1/", sides=("keras",)),
    Fault("epsilon_placement", "weights/step1/", sides=("keras",)),
    Fault("label_smoothing", "loss/step0", sides=("keras",)),
    Fault("batch_out_of_order", "inputs/batches", step=7, sides=("keras",)),
    Fault("sum_instead_of_mean", "loss/step0", sides=("keras",)),
    Fault("key_missing", "gradients/step0/second/kernel", "missing", sides=("keras",)),
    Fault(
        "bfloat16_products",
        "activations/step0/hidden",
        "noisy",
        words="keras computes",
        sides=("keras",),
    ),
)

HONEST = ("inplace_relu", "zero_grad_behind", "one_hot_targets", "log_softmax_and_nll")
"""Variations of the PyTorch side that are no faults: none may raise an alarm."""
