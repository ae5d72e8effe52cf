"""The options of ``parity check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from parity.cli.options import (
    AsJson,
    InputFiles,
    KerasPython,
    PairInput,
    PairOutput,
    Threads,
    TorchPython,
)
from parity.core.sides import SIDES

Wish = Annotated[
    str | None,
    typer.Option(help="Train with it: file.py:name, package:name; or compiled."),
]
JsonWords = Annotated[str, typer.Option(help="Keyword arguments for it, as JSON.")]


class CheckCommand(TyperCommand):
    """``--apply`` by itself is ``--apply keras``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See `TyperCommand.parse_args`."""
        named = [*args[1:], ""]
        return super().parse_args(
            ctx,
            [
                "--apply=keras" if one == "--apply" and behind not in SIDES else one
                for one, behind in zip(args, named, strict=True)
            ]
            if args
            else args,
        )


def check(
    torch: Annotated[str, typer.Option(help="PyTorch's model: models.py:Net, package:name.")],
    keras: Annotated[str, typer.Option(help="Keras' model, named in the same way.")],
    torch_args: JsonWords = "{}",
    keras_args: JsonWords = "{}",
    input_: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            help="Shape of an input, batch first, in PyTorch's layout; one "
            "for each. 8,20:int<1000 for token ids, 8,20:bool for a mask; NAME=8,20:int where the "
            "order does not tell.",
        ),
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
    torch_loss: Wish = None,
    keras_loss: Wish = None,
    torch_loss_args: JsonWords = "{}",
    keras_loss_args: JsonWords = "{}",
    torch_optimizer: Wish = None,
    keras_optimizer: Wish = None,
    torch_optimizer_args: JsonWords = "{}",
    keras_optimizer_args: JsonWords = "{}",
    target: Annotated[
        list[str] | None, typer.Option(help="Shape of a target of the loss, as --input.")
    ] = None,
    keep_weights: Annotated[
        bool, typer.Option("--keep-weights", help="Both have their weights already.")
    ] = False,
    weights_from: Annotated[
        str, typer.Option(help="Whose weights are taken across: torch or keras.")
    ] = "torch",
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", help="Pair two layers by hand: TORCH_NAME=KERAS_NAME."),
    ] = None,
    pair_input: PairInput = None,
    pair_output: PairOutput = None,
    layout: Annotated[
        str, typer.Option(help="Image inputs in Keras: moved (channels last), same, or auto.")
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of inputs and new weights.")] = 0,
    apply: Annotated[
        str | None,
        typer.Option(
            "--apply",
            metavar="[torch|keras]",
            help="Show the port's files with every proven cause repaired, as a diff, and check "
            "them again; no file is touched. The port is Keras', or named here.",
        ),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="With --apply: write these files.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write a page: check.html, check.md, or a folder.")
    ] = None,
    model_explorer: Annotated[
        Path | None,
        typer.Option(help="Write both graphs and their node data for Model Explorer: a folder."),
    ] = None,
    torch_python: TorchPython = None,
    keras_python: KerasPython = None,
    threads: Threads = 1,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=1e6, help="Seconds for one request to a side.")
    ] = 600.0,
    memory: Annotated[
        str | None,
        typer.Option(help="Stop early where all processes together would take more: 8GB."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Check again whenever a file of the models is saved.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the error of a stage of explaining that fails.")
    ] = False,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            help="text, json, junit, sarif, or github (annotations of Actions): on standard "
            "output, or into a file: sarif=check.sarif. Several at once.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Is a port right? Compare any two models, layer by layer, and name the cause."""
    from parity.cli import check_command

    verdict = check_command.check_command(
        torch=(torch, torch_args),
        keras=(keras, keras_args),
        inputs=input_ or [],
        files=input_files or [],
        also=also or [],
        targets=target or [],
        losses=((torch_loss, torch_loss_args), (keras_loss, keras_loss_args)),
        optimizers=(
            (torch_optimizer, torch_optimizer_args),
            (keras_optimizer, keras_optimizer_args),
        ),
        pairs=map_ or [],
        input_pairs=pair_input or [],
        output_pairs=pair_output or [],
        report=report,
        explorer=model_explorer,
        formats=[*(formats or []), *(["json"] if as_json else [])],
        train=train,
        steps=steps,
        keep_weights=keep_weights,
        weights_from=weights_from,
        layout=layout,
        seed=seed,
        pythons={"torch": torch_python, "keras": keras_python},
        threads=threads,
        timeout=timeout,
        memory=memory,
        debug=debug,
        apply=apply,
        write=write,
        watch=watch,
    )
    raise typer.Exit({"agree": 0, "differ": 1}.get(verdict, 2))
