"""The options of ``parity record``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from parity.cli.check import JsonWords
from parity.cli.options import InputFiles, KerasPython, Threads, TorchPython


def record(
    out: Annotated[Path, typer.Option(help="The reference: net.reference.")],
    torch: Annotated[
        str | None, typer.Option(help="PyTorch's model: models.py:Net, package:name.")
    ] = None,
    keras: Annotated[
        str | None, typer.Option(help="Or Keras' model, named in the same way.")
    ] = None,
    torch_args: JsonWords = "{}",
    keras_args: JsonWords = "{}",
    input_: Annotated[
        list[str] | None,
        typer.Option("--input", help="Shape of an input, as parity check has it; one for each."),
    ] = None,
    input_files: InputFiles = None,
    also: Annotated[
        list[str] | None,
        typer.Option(help="A second size, as --input: 1,3,33,47; one for each --input."),
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", help="Also batch statistics, and steps of training.")
    ] = False,
    steps: Annotated[int, typer.Option(min=1, help="Steps of training, with --train.")] = 3,
    keep_weights: Annotated[
        bool, typer.Option("--keep-weights", help="For checks of models that have their weights.")
    ] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="Keep every number; else what cannot be computed again.")
    ] = False,
    layout: Annotated[
        str, typer.Option(help="Image inputs in Keras: moved (channels last), same, or auto.")
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of inputs and new weights.")] = 0,
    torch_python: TorchPython = None,
    keras_python: KerasPython = None,
    threads: Threads = 1,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=1e6, help="Seconds for one request to the model.")
    ] = 600.0,
) -> None:
    """Record one side for later checks, which then need neither its framework nor its code."""
    from parity.cli import record_command

    record_command.record_command(
        models={"torch": (torch, torch_args), "keras": (keras, keras_args)},
        inputs=input_ or [],
        files=input_files or [],
        also=also or [],
        out=out,
        train=train,
        steps=steps,
        keep_weights=keep_weights,
        whole=whole,
        layout=layout,
        seed=seed,
        pythons={"torch": torch_python, "keras": keras_python},
        threads=threads,
        timeout=timeout,
    )
