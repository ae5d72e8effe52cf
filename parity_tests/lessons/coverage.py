"""What a learner looks for, and where each lesson has it: docs/coverage.md, and its test.

``python -m parity_tests.lessons.coverage`` writes the page.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from shared.examples import ALL

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "coverage.md"
FOLDERS = ("pytorch_impl", "keras_impl")


class Item(NamedTuple):
    """One thing that a learner looks for.

    Attributes:
        lesson: which lesson has it.
        what: it, in words.
        torch: the function of PyTorch's side that shows it.
        keras: the function of Keras' side; empty for the same name.
    """

    lesson: str
    what: str
    torch: str
    keras: str = ""

    def places(self) -> tuple[tuple[Path, str], tuple[Path, str]]:
        """File and function on each side."""
        names = (self.torch, self.keras or self.torch)
        one, other = (
            (ROOT / folder / f"{self.lesson}.py", name)
            for folder, name in zip(FOLDERS, names, strict=True)
        )
        return one, other


ITEMS: tuple[Item, ...] = (
    # Each lesson's items stand together, in the order of the lesson.
    Item(
        "iris_mlp", "`load_iris`, its description and summary table, (150, 4)", "look_at_the_data"
    ),
    Item("iris_mlp", "`train_test_split`, stratified and not", "look_at_the_data"),
    Item("iris_mlp", "the network as a class, beside `Sequential`", "IrisNet", "build_model"),
    Item("iris_mlp", "confidence and prediction, printed with the truth", "main"),
    Item("iris_mlp", "a bias' gradient: None, then filled", "gradients_are_filled"),
    Item("iris_mlp", "loss and accuracy of training and test in every epoch", "fit", "main"),
    Item("softmax_regression", "weights from N(0, 0.01²)", "initialise", "build_model"),
    Item("softmax_regression", "`accuracy` by hand", "accuracy"),
    Item("softmax_regression", "an accumulator", "Accumulator"),
    Item("softmax_regression", "`evaluate_accuracy`", "evaluate_accuracy"),
    Item("softmax_regression", "a figure that grows with every epoch", "fit", "fit_by_hand"),
    Item("softmax_regression", "a gallery with true and predicted names", "main"),
    Item("softmax_regression", "softmax(XW + b) against the slip softmax(XW) + b", "the_slip"),
    Item("tensors", "the type of a tensor, and conversions to other dtypes", "dtype_and_device"),
    Item("tensors", "the device of a tensor", "dtype_and_device"),
    Item("tensors", "the Python number in a tensor, `.item()`", "python_numbers"),
    Item("tensors", "other shapes: `view`, `reshape(-1, …)`", "shapes"),
    Item("tensors", "axes added and taken away: `unsqueeze`, `squeeze`", "shapes"),
    Item("tensors", "a slip: `view(-1, 32*3*3)` for 32·32·3", "wrong_shapes"),
    Item("tensors", "sums along an axis, with and without `keepdim`", "sums_along_axes"),
    Item("autograd", "`grad_fn` of a leaf and of a result, and what TensorFlow has", "graph"),
    Item("autograd", "y.grad 13.5, and z.grad None without `retain_grad`", "kept"),
    Item("autograd", "∂z/∂y = 8 in the middle of z = (Σx)²", "square_of_sum"),
    Item("autograd", "a recording is let go: `del tape`", "persistent"),
    Item("autograd", "one family of functions for Jacobians", "jacobian"),
    Item("autograd", "one family of functions for Hessians", "hessian"),
    Item("autograd", "`requires_grad_(False)` and back on a tensor", "switched"),
    Item("autograd", "variables are watched by themselves, constants not", "watched_by_itself"),
    Item("backprop", "a picture of the graph: upstream times local", "draw_graph"),
    Item("backprop", "what the picture shows, in numbers", "upstream_times_local"),
    Item("backprop", "shapes: scalar, gradient, Jacobian", "derivative_shapes"),
    Item("backprop", "two layers: every gradient", "two_layers"),
    Item("backprop", "two layers: the update U ← U − ρ ∂J/∂U", "update"),
    Item("perceptron", "OR and AND with their decision lines", "draw_gates"),
    Item("perceptron", "w stands at right angles to the line", "decision_line"),
    Item("perceptron", "ρ too large and too small", "learning_rates"),
    Item("perceptron", "XOR in the feature space of the hidden layer", "draw_xor"),
    Item("perceptron", "p units make a space of p dimensions", "hidden_space"),
    Item("activations", "stacked linear layers are one linear layer", "stacked_linear"),
    Item("activations", "the ten curves", "draw_curves"),
    Item("losses", "losses as objects", "as_objects"),
    Item("losses", "why logits are no probabilities", "logits_are_no_probabilities"),
    Item("losses", "soft labels (0.1, 0.2, 0.7)", "soft_labels"),
    Item("losses", "a sigmoid and BCE beside logits", "binary_cross_entropy"),
    Item("losses", "where the two part: certain and wrong", "certain_and_wrong"),
    Item(
        "convolution",
        "a layer's weights set by hand: `conv.weight.data`, `set_weights`",
        "weights_by_hand",
    ),
    Item("convolution", "an image under filters set by hand", "draw_filters"),
    Item("pooling", "`inplace=True` and what it costs", "in_place"),
    Item("fashion_mlp", "the first image with a colour bar", "draw"),
    Item("fashion_mlp", "25 training images with their class names", "draw"),
    Item("fashion_mlp", "loss and accuracy of every epoch, kept and drawn", "fit", "main"),
    Item("fashion_mlp", "softmax in the model and logits: the same training", "same_training"),
    Item("fashion_mlp", "`evaluate` and `predict`; ten confidences of the first image", "main"),
    Item("fashion_mlp", "what `fit` does inside", "train_step", "loop_by_hand"),
    Item("fashion_cnn", "channels first and last, and what `Flatten` makes of them", "build_model"),
    Item(
        "cifar_mlp", "`Compose([ToTensor(), Normalize])`, channel by channel", "main", "normalised"
    ),
    Item("cifar_mlp", "`DataLoader(num_workers=…)`, attributes of dataset and loader", "main"),
    Item("cifar_mlp", "the network as a class 3072-500-10", "Perceptron", "build_model"),
    Item("cifar_mlp", "the prediction loop with correct and total", "count_correct"),
    Item("binary_cnn", "images read from files and stacked", "images_from_files"),
    Item("binary_cnn", "shapes layer by layer", "shapes"),
    Item("binary_cnn", "older architectures: 784 → 2, 30, 256 → 1", "older_model"),
    Item("binary_cnn", "sigmoid and binary cross-entropy beside logits", "sigmoid_and_bce"),
    Item("binary_cnn", "model and batches to the accelerator and back", "main"),
    Item("binary_cnn", "prediction against label as dots, training and test", "main"),
    Item("digit_cnn", "a model as a class; as a functional model", "DigitCNN", "build_model"),
    Item("sequential_cnn", "two blocks as two `Sequential`s", "build_model"),
    Item("regularisation", "over-fitting that is plain to see, in one figure", "main"),
    Item(
        "regularisation", "samples held out: by a sampler, by `validation_split`", "split", "main"
    ),
    Item("regularisation", "batch normalisation with momentum 0.9", "build_norm_model"),
    Item("regularisation", "plain dropout before the masked one", "build_dropout_model"),
    Item("regularisation", "dropout is a product with a mask", "masked"),
    Item(
        "regularisation",
        "early stopping by hand, by callback",
        "train_until_it_stops",
        "make_callbacks",
    ),
    Item("transfer_learning", "freeze, fine-tune, start anew", "main"),
    Item(
        "transfer_learning",
        "timm; `keras.applications` with `include_top=False`",
        "models_of_timm",
        "models_of_keras",
    ),
    Item("resnet", "weights of ImageNet by name, and what offline use gets", "imagenet_model"),
    Item("resnet", "ImageNet's 1,000 classes and a decoded prediction", "name_of"),
    Item("resnet", "a new head on 512 features", "build_model"),
    Item("divergence", "a network with batch normalisation on CIFAR-10", "main"),
    Item("modules", "a model printed, with the shapes of its weights", "main"),
    Item("modules", "a picture of the graph with shapes", "draw_graph"),
    Item("modules", "modules, children and parameters, by name", "inside"),
    Item("modules", "numbers, gradient and flag of one weight", "one_weight"),
    Item("modules", "a state under other names", "other_names"),
    Item("modules", "calling a model, and calling its forward pass", "call_and_forward"),
    Item("modules", "a class beside the graph of its layers", "class_and_graph"),
    Item("modules", "an input size that is found out at the first call", "lazy"),
    Item("devices", "an accelerator where there is one, or else the CPU", "best_device"),
    Item("devices", "where a tensor is, and moving it", "placement"),
    Item("devices", "tensors of two devices", "two_devices"),
    Item("devices", "a model and its batches moved, and a batch forgotten", "model_and_batch"),
    Item("devices", "back to the CPU and to NumPy", "back_to_numpy"),
    Item("devices", "what TF32 rounds, and its switch", "reduced_precision"),
    Item("devices", "TF32 measured on an accelerator", "on_accelerator"),
    Item("metrics", "accuracy by hand", "by_hand"),
    Item("metrics", "an accumulator over batches", "accumulated"),
    Item("metrics", "a metric object", "metric_object"),
    Item("metrics", "accuracy from a library", "library_accuracy"),
    Item("metrics", "accuracy of one logit a sample", "one_logit"),
    Item("metrics", "the mean over an epoch and the evaluation after it", "epoch_and_evaluation"),
    Item("metrics", "running mean against evaluation, drawn", "main"),
    Item("datasets", "shapes, dtypes and ranges of a ready-made dataset", "fashion_mnist"),
    Item("datasets", "the place of the channel in a batch", "as_batches"),
    Item("datasets", "colour images: channel order and labels", "colour"),
    Item("datasets", "where each library looks for its files", "lay_fashion_mnist"),
    Item("layers", "batch normalisation in training and in evaluation", "alone_and_in_company"),
    Item("layers", "momentum of the running mean, drawn", "settling"),
    Item("layers", "kernels turned on their way across", "convolutions"),
    Item("sequences", "states, weights and their order of gates", "main"),
    Item("sequences", "who looks where, drawn, with the future blocked", "attention"),
    Item("optimizers", "the other framework's equations, written out", "follow_equation"),
    Item("optimizers", "the same argument with two meanings", "weight_decay"),
    Item("optimizers", "ways down a valley, and schedules, drawn", "descend"),
    Item("input_pipeline", "from bytes to a normalised tensor", "to_tensor"),
    Item("input_pipeline", "what a dataset and its loader say of themselves", "main"),
    Item("input_pipeline", "orders drawn: whole, through a buffer, none", "draw_orders"),
    Item("input_pipeline", "some samples by number, in random order", "subset"),
    Item("input_pipeline", "batches prepared ahead by workers", "workers"),
)


def page() -> str:
    """docs/coverage.md."""
    lines = [
        "# What the lessons cover",
        "",
        f"{len(ITEMS)} things that learners look for, and the function that shows each. Written by "
        "`python -m parity_tests.lessons.coverage`; a test holds it.",
        "",
        "| lesson | what | PyTorch | Keras |",
        "|---|---|---|---|",
    ]
    order = [spec.name for spec in ALL]
    for item in sorted(ITEMS, key=lambda item: order.index(item.lesson)):
        cells = [
            f"[`{name}`](../{path.relative_to(ROOT).as_posix()})" for path, name in item.places()
        ]
        lines.append(f"| {item.lesson} | {item.what} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
