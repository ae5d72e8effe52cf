"""The options of ``parity convert``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from parity.cli.check import JsonWords
from parity.cli.options import (
    AsJson,
    InputFiles,
    KerasPython,
    PairInput,
    PairOutput,
    Threads,
    TorchPython,
)
from parity.core.json_format import JSON_FORMAT


def convert(
    out: Annotated[Path, typer.Option(help="The other side's file: net.weights.h5, net.pt …")],
    torch: Annotated[
        str | None, typer.Option(help="PyTorch's model: models.py:Net, package:name.")
    ] = None,
    keras: Annotated[str | None, typer.Option(help="Keras' model, named in the same way.")] = None,
    torch_weights: Annotated[
        Path | None,
        typer.Option(help="Its weights: .pt, .pth, .safetensors or their index (.index.json)."),
    ] = None,
    keras_weights: Annotated[
        Path | None, typer.Option(help="Its weights: .weights.h5, .keras, .safetensors.")
    ] = None,
    torch_args: JsonWords = "{}",
    keras_args: JsonWords = "{}",
    input_: Annotated[
        list[str] | None,
        typer.Option("--input", help="Shape of an input, as parity check has it; one for each."),
    ] = None,
    input_files: InputFiles = None,
    weights_from: Annotated[
        str | None,
        typer.Option(help="Whose weights, where neither comes with a file: torch or keras."),
    ] = None,
    map_: Annotated[
        Path | None,
        typer.Option("--map", help="Convert by this map, without any model: net.map.json."),
    ] = None,
    map_out: Annotated[
        Path | None, typer.Option(help="Write the map: net.map.json, for further checkpoints.")
    ] = None,
    script: Annotated[
        Path | None, typer.Option(help="Write the map as a NumPy script: convert.py.")
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Write where the two differ, or the file is partial.")
    ] = False,
    pair_layer: Annotated[
        list[str] | None, typer.Option(help="Pair two layers by hand: TORCH_NAME=KERAS_NAME.")
    ] = None,
    pair_input: PairInput = None,
    pair_output: PairOutput = None,
    layout: Annotated[
        str, typer.Option(help="Image inputs in Keras: moved (channels last), same, or auto.")
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of inputs and new weights.")] = 0,
    torch_python: TorchPython = None,
    keras_python: KerasPython = None,
    threads: Threads = 1,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=1e6, help="Seconds for one request to a side.")
    ] = 600.0,
    as_json: AsJson = False,
) -> None:
    """Take a checkpoint to the other framework, prove that nothing was lost, and write it."""
    from parity.cli import convert_command

    if map_ is not None:
        convert_command.map_command(
            map_,
            {"torch": torch_weights, "keras": keras_weights},
            out,
            named={"torch": torch, "keras": keras},
            pythons={"torch": torch_python, "keras": keras_python},
            quiet=as_json,
        )
        raise typer.Exit(0)
    conversion = convert_command.convert_command(
        torch=(torch, torch_args, torch_weights),
        keras=(keras, keras_args, keras_weights),
        inputs=input_ or [],
        files=input_files or [],
        weights_from=weights_from,
        out=out,
        anyway=anyway,
        map_out=map_out,
        script=script,
        pairs=pair_layer or [],
        input_pairs=pair_input or [],
        output_pairs=pair_output or [],
        layout=layout,
        quiet=as_json,
        seed=seed,
        pythons={"torch": torch_python, "keras": keras_python},
        threads=threads,
        timeout=timeout,
    )
    if as_json:
        document = convert_command.to_json(conversion, out)
        print(json.dumps({"format": JSON_FORMAT, **document}, indent=2, allow_nan=False))
    raise typer.Exit(convert_command.exit_code(conversion))
