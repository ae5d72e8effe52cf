"""The border of a check: one request a line in, one answer a line out, arrays in files between.

Like `parity.workers.channel`, whose channel it uses; here every request is a method of `Model`.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import dataclasses
import gc
import json
import mmap
import os
import platform
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from parity.checker.graph import storage, target
from parity.checker.graph.model_interface import Array, Model, RecordRequest
from parity.checker.graph.storage import ArrayWriter, StoredArrays
from parity.core.errors import ParityError, UsageError
from parity.workers.channel import Channel, stdin_lines

_M_MMAP_THRESHOLD = -3
"""Of GNU's ``malloc.h``."""
_BLOCK = 1 << 22
"""Bytes: blocks of this size are fresh pages each time, which costs as much as writing to them."""
_GROWN = 1 << 27
"""Bytes by which a process may grow before what requests have left is looked for. That takes 50 ms,
and hundreds of layers are run alone, one a request."""
Make = Callable[[Callable[[], Any], str, int], Model]


def main(side: str, kind: Callable[[], type], wanted: str, make: Callable[[], Make]) -> None:
    """Serve one model on standard input and output until told to quit.

    Args:
        side: ``torch`` or ``keras``.
        kind: imports the framework and returns the class of its models.
        wanted: that class in words.
        make: returns the constructor of this side's `Model`.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    channel = Channel()
    return_large_blocks()
    try:
        model_class, constructor = kind(), make()
    except UsageError as error:
        channel.send("unfit", message=str(error))
        return
    except Exception as error:
        channel.send("broken", message=target.in_words(error))
        return
    channel.send("ready", side=side)
    gc.freeze()  # the framework stays, and need not be looked at with every model
    model: Model | None = None
    held = 0
    lines = stdin_lines()
    while (line := lines.get()) != "quit":
        request = json.loads(line)
        try:
            if request["do"] == "load":
                model = None
                gc.collect()
                wish = target.Target(**request["target"])
                model = constructor(target.build(wish, model_class, wanted), wish.title, threads)
                model.keep_in(request["folder"])
                if wish.weights:
                    model.load_weights(wish.weights, partial=wish.partial)
                answer: dict[str, Any] = {}
            elif request["do"] == "files":  # also where the model could not be loaded
                answer = {"value": target.own_files()}
            else:
                assert model is not None
                with target.guarded("running the model"):
                    answer = _carry_out(model, request)
        except ParityError as error:
            channel.send("failed", message=str(error))
        except KeyboardInterrupt as error:  # no Ctrl-C comes here: the process has no terminal
            channel.send("failed", message=target.interrupted(error))
        except BaseException as error:
            channel.send("failed", message=target.in_words(error), details=traceback.format_exc())
        else:
            channel.send("done", **answer)
        held = give_back(held)
    # Nothing is left to do, and TensorFlow takes half a second to take itself apart.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _carry_out(model: Model, request: Mapping[str, Any]) -> dict[str, Any]:
    """Call the method, with arrays from files and into files."""
    out = Path(request["out"])
    match request["do"]:
        case "trace":
            traced = model.trace(_listed(request["inputs"]), apart=request["apart"])
            out.with_suffix(".json").write_text(traced.graph.to_json(), "utf-8")
            storage.save(traced.ids, out)
        case "weights":
            with ArrayWriter(out) as kept:
                model.weights(kept)
        case "set_weights":
            model.set_weights(StoredArrays(Path(request["weights"])))
        case "record":
            fields = dict(request["settings"])
            fields["inputs"] = _listed(request["inputs"])
            fields["projections"] = _listed(request["projections"])
            fields["targets"] = _listed(request["targets"])
            with ArrayWriter(out) as kept:
                model.record(RecordRequest(**fields), kept)
        case "replay":
            sources = _listed(request["inputs"])
            storage.save(model.replay(request["node"], sources, request["precision"]), out)
        case "learn":
            return {"value": model.learn(_wish(request["loss"]), _wish(request["optimizer"]))}
        case "vocabulary":
            return {"value": model.vocabulary()}
        case "signature":
            takes = model.signature()
            return {"value": None if takes is None else dataclasses.asdict(takes)}
        case "versions":
            return {"value": _versions()}
        case "name_inputs":
            model.name_inputs(request["names"])
        case "load_weights":
            model.load_weights(request["path"], partial=request["partial"])
        case "stored":
            return {"value": model.stored(request["wanted"], datasets=request["datasets"])}
        case "save_weights":
            model.save_weights(request["path"], request["types"])
        case other:
            raise AssertionError(other)
    return {}


def _versions() -> dict[str, str]:
    """Of what computes here."""
    known = ("torch", "tensorflow", "keras", "numpy")
    found = {name: sys.modules[name] for name in known if name in sys.modules}
    versions = {str(name): str(module.__version__) for name, module in found.items()}
    return {**versions, "python": platform.python_version()}


def return_large_blocks() -> None:
    """Have the C library give large blocks back to the system as soon as they are freed.

    It keeps those of up to 32 MB (`parity.workers.environment`), and one small block in a large
    hole makes the next large one go elsewhere: ten layers' gradients, written down one by one, took
    the memory of all ten.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _BLOCK)


def give_back(held: int = 0) -> int:
    """Give back what requests of a large model have left: weights, what refers to itself, the C
    library's own. Of a small one it is not worth the time.

    Args:
        held: bytes in memory when that was last done.

    Returns:
        Bytes in memory now, or `held` where less was held then.
    """
    if not storage.give_back():
        return held
    if _resident() > held + _GROWN:
        gc.collect()
        with contextlib.suppress(OSError, AttributeError):  # another library than GNU's
            ctypes.CDLL(None).malloc_trim(0)
        return _resident()
    return min(held, _resident())


def _resident() -> int:
    """Bytes in memory; of another system than Linux too many to be thought few."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return sys.maxsize
    return pages * mmap.PAGESIZE


def _wish(raw: Any) -> Any:
    return target.Target(**raw) if isinstance(raw, dict) else raw


def _listed(path: str) -> list[Array]:
    if not path:
        return []
    arrays = storage.load(Path(path))
    return [arrays[str(i)] for i in range(len(arrays))]
