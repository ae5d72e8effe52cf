"""Options that several commands of `parity` have."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

MOST_EPOCHS = 10_000
"""The examples ask for 30 at most. So many of Iris, the smallest, are some 300,000 steps, many
minutes a recording; of Fashion-MNIST they are 19 million, weeks: more is a slip of the finger."""
MOST_THREADS = 4 * (os.cpu_count() or 1)
"""More than one a core gains nothing where all compute; by far too many end in a crash of native
code, or of the machine."""

Names = Annotated[list[str] | None, typer.Argument(help="Examples; parity list shows them.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Full = Annotated[bool, typer.Option("--full", help="The whole data and all epochs.")]
Train = Annotated[int | None, typer.Option(min=1, help="Only so many training samples.")]
Test = Annotated[int | None, typer.Option(min=1, help="Only so many test samples.")]
Epochs = Annotated[int | None, typer.Option(min=1, max=MOST_EPOCHS, help="Only so many epochs.")]
Seed = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Of weights and batches.")]
Out = Annotated[Path | None, typer.Option(help="Folder for recordings. Default: the user's cache.")]
TorchvisionRoot = Annotated[
    Path | None,
    typer.Option(
        "--torchvision",
        metavar="ROOT",
        help="What programs name as `root` of torchvision.datasets. Default: in the user's cache.",
    ),
]
TorchPython = Annotated[str | None, typer.Option(help="Interpreter that has PyTorch.")]
KerasPython = Annotated[str | None, typer.Option(help="Interpreter that has Keras.")]
KerasBackends = Annotated[
    list[str] | None,
    typer.Option(
        "--keras-backend",
        metavar="BACKEND",
        help="Keras' `fit` on this backend, jax or torch, beside PyTorch and beside TensorFlow; "
        "can be repeated.",
    ),
]
Threads = Annotated[int, typer.Option(min=1, max=MOST_THREADS, help="CPU threads of each side.")]
Timeout = Annotated[
    float,
    typer.Option(
        min=0.1, max=1e6, help="Seconds without a sign of life after which a side is stopped."
    ),
]
PairInput = Annotated[
    list[str] | None, typer.Option(help="Pair two inputs by hand: TORCH_NAME=KERAS_NAME.")
]
PairOutput = Annotated[
    list[str] | None,
    typer.Option(help="Pair two outputs by hand; what is in no pair is left out."),
]
InputFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--inputs",
        help="Inputs of your own in PyTorch's layout, by name: batch.npz, .safetensors; a further "
        "file is a further draw.",
    ),
]
