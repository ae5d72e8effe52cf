"""A model in a process of its own: `parity.checker.graph.model_interface.Model` at the near end of the channel."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from parity.checker.graph.graph import Graph
from parity.checker.graph.model_interface import Array, Model, RecordRequest, Traced
from parity.checker.graph.storage import CompactArrays
from parity.checker.graph.target import ModelError, Target
from parity.core.errors import WorkerError
from parity.core.sides import SIDE_PACKAGES, TITLES, Precision, Side
from parity.recording import mapped_arrays
from parity.run.pool import environment

_TAIL_LINES = 12
_NOISE = ("I0000", "WARNING: All log messages", "To enable the following instructions")


def _plain(array: Array) -> Array:
    """As it lies in a file; a single number stays one."""
    return np.ascontiguousarray(array).reshape(np.shape(array))


class StoredArrays(Mapping[str, Array]):
    """Arrays of a file, read one at a time when asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with safe_open(path, framework="np") as file:
            self._keys = tuple(file.keys())

    def __getitem__(self, key: str) -> Array:
        if key not in self._keys:
            raise KeyError(key)
        with safe_open(self._path, framework="np") as file:
            array: Array = file.get_tensor(key)
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys


class RemoteModel(Model):
    """One side's model in a child process; a context manager, so that the child always ends.

    Args:
        side: which framework.
        folder: for the files between; the caller removes it.
        python: interpreter that has the framework.
        threads: CPU threads.
        timeout: seconds for one request.

    Raises:
        WorkerError: the process does not start, dies or hangs.
        ModelError: the user's code fails.
    """

    def __init__(
        self,
        side: Side,
        folder: Path,
        *,
        python: str,
        threads: int = 1,
        timeout: float = 600.0,
    ) -> None:
        self.side, self.title = side, ""
        self._ready = False
        self._folder, self._timeout, self._python = folder, timeout, python
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._files = 0
        command = [python, "-m", f"{SIDE_PACKAGES[side]}.checker", "--threads", str(threads)]
        try:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise WorkerError(
                f"{TITLES[side]}: cannot start '{python}': {error.strerror}. Give the path of a "
                f"Python interpreter: --{side}-python PATH"
            ) from error
        for read in (self._listen, self._collect):
            threading.Thread(target=read, daemon=True).start()

    def __enter__(self) -> RemoteModel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._write("quit")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=0.1 if kind else 5)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()

    def load(self, target: Target) -> None:
        """Import the user's code and build the model; another may follow in the same process."""
        self.title = target.title
        if not self._ready:
            self._take()
            self._ready = True
        self._ask("load", target=dataclasses.asdict(target))

    def forget(self) -> None:
        """Remove what was recorded of the last model."""
        for path in self._folder.glob(f"{self.side}-*"):
            path.unlink(missing_ok=True)

    def trace(self, inputs: Sequence[Array]) -> Traced:
        """See `Model.trace`."""
        out = self._ask("trace", inputs=self._given(inputs))
        graph = Graph.from_json(out.with_suffix(".json").read_text("utf-8"))
        return Traced(graph, load_file(out))

    def weights(self) -> Mapping[str, Array]:
        """See `Model.weights`; arrays are read when asked for."""
        return StoredArrays(self._ask("weights"))

    def set_weights(self, weights: Mapping[str, Array]) -> None:
        """See `Model.set_weights`."""
        path = self._new()
        kept = weights.arrays if isinstance(weights, CompactArrays) else weights
        mapped_arrays.save_file({k: _plain(w) for k, w in kept.items()}, str(path), {})
        self._ask("set_weights", weights=str(path))
        path.unlink()

    def record(self, order: RecordRequest) -> Mapping[str, Array]:
        """See `Model.record`; arrays are read when asked for."""
        fields = {f.name: getattr(order, f.name) for f in dataclasses.fields(order)}
        inputs = self._given(fields.pop("inputs"))
        projections = self._given(fields.pop("projections"))
        targets = self._given(fields.pop("targets"))
        return StoredArrays(
            self._ask(
                "record", order=fields, inputs=inputs, projections=projections, targets=targets
            )
        )

    def learn(self, loss: Any, optimizer: Any) -> Mapping[str, Any]:
        """See `Model.learn`."""
        wishes = {
            name: dataclasses.asdict(wish) if isinstance(wish, Target) else wish
            for name, wish in (("loss", loss), ("optimizer", optimizer))
        }
        self._send({"do": "learn", "out": "", **wishes})
        told: dict[str, Any] = self._take()["value"]
        return told

    def replay(self, node: str, sources: Sequence[Array], precision: Precision) -> dict[str, Array]:
        """See `Model.replay`."""
        given = self._given(sources)
        out = self._ask("replay", node=node, inputs=given, precision=precision)
        arrays = load_file(out)
        out.unlink()
        Path(given).unlink(missing_ok=True)
        return arrays

    def vocabulary(self) -> int | None:
        """See `Model.vocabulary`."""
        rows: int | None = self._value("vocabulary")
        return rows

    def input_shapes(self) -> list[tuple[int | None, ...]] | None:
        """See `Model.input_shapes`."""
        shapes = self._value("input_shapes")
        return None if shapes is None else [tuple(shape) for shape in shapes]

    def _value(self, do: str) -> Any:
        self._send({"do": do, "out": ""})
        return self._take()["value"]

    def _new(self) -> Path:
        self._files += 1
        return self._folder / f"{self.side}-{self._files}.safetensors"

    def _given(self, arrays: Sequence[Array]) -> str:
        if not arrays:
            return ""
        path = self._new()
        save_file({str(i): _plain(a) for i, a in enumerate(arrays)}, path)
        return str(path)

    def _ask(self, do: str, **request: Any) -> Path:
        out = self._new()
        self._send({"do": do, "out": str(out), **request})
        self._take()
        return out

    def _send(self, request: Mapping[str, Any]) -> None:
        self._tail.clear()  # what was printed before is not about this
        self._write(json.dumps(request))

    def _write(self, line: str) -> None:
        assert self._child.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._child.stdin.write(line + "\n")
            self._child.stdin.flush()

    def _take(self) -> dict[str, Any]:
        """The next answer; a failure becomes an exception."""
        begun = time.monotonic()
        while True:
            try:
                line = self._answers.get(timeout=0.5)
            except queue.Empty:
                if self._child.poll() is not None:
                    line = None
                elif time.monotonic() - begun > self._timeout:
                    raise WorkerError(
                        f"{TITLES[self.side]}: {self.title} has run for "
                        f"{self._timeout:.0f} s; it was stopped. Longer: --timeout SECONDS."
                    ) from None
                else:
                    continue
            break
        if line is None:
            raise WorkerError(self._death())
        answer: dict[str, Any] = json.loads(line)
        if answer["event"] == "broken":
            raise WorkerError(
                f"{TITLES[self.side]} cannot be used with {self._python}: {answer['message']}. "
                f"Install it there, or name an interpreter that has it: --{self.side}-python PATH"
            )
        if answer["event"] == "unfit":
            raise WorkerError(f"{TITLES[self.side]}: {answer['message']}")
        if answer["event"] == "failed":
            message = answer["message"]
            named = message.startswith(self.title)
            where = f"{TITLES[self.side]}, {'' if named else self.title + ': '}{message}"
            raise ModelError(where + ("\n" + answer["details"] if answer.get("details") else ""))
        return answer

    def _death(self) -> str:
        code = self._child.wait()
        how = f"exit code {code}"
        if code < 0:
            how = f"signal {signal.Signals(-code).name}"
            if code == -signal.SIGKILL:
                how += ", perhaps out of memory: take a smaller --input"
        lines = [line for line in self._tail if line.strip() and not line.startswith(_NOISE)]
        said = "\n  " + "\n  ".join(lines) if lines else " (it printed nothing)"
        return f"{TITLES[self.side]}: the process of {self.title} ended: {how}.{said}"

    def _listen(self) -> None:
        assert self._child.stdout is not None
        with contextlib.suppress(ValueError):
            for line in self._child.stdout:
                self._answers.put(line)
        self._answers.put(None)

    def _collect(self) -> None:
        assert self._child.stderr is not None
        with contextlib.suppress(ValueError):
            for line in self._child.stderr:
                self._tail.append(line.rstrip())
