"""A model in a process of its own: `Model` at the near end of the channel."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from parity.checker.graph import storage
from parity.checker.graph.graph import Graph
from parity.checker.graph.input_names import Signature
from parity.checker.graph.loadable_model import LoadableModel
from parity.checker.graph.model_interface import Array, Kept, RecordRequest, Traced
from parity.checker.graph.storage import ArrayWriter, CompactArrays, StoredArrays
from parity.checker.graph.target import ModelError, Target
from parity.core.errors import WorkerError
from parity.core.sides import SIDE_PACKAGES, TITLES, Precision, Side
from parity.workers.child import ChildProcess

_GRACE = 5.0
"""Seconds that a process with nothing left to do has to end by itself."""


class RemoteModel(LoadableModel):
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
        self._closed = False
        self._folder, self._timeout = folder, timeout
        self._files = 0
        self._own: dict[str, Any] = {}
        self._writing = threading.Lock()
        module = f"{SIDE_PACKAGES[side]}.checker"
        self._command = [python, "-m", module, "--threads", str(threads)]
        self._start()

    def _start(self) -> None:
        self._ready = False
        self._child = ChildProcess(self.side, self._command, less="a smaller --input")

    def __enter__(self) -> RemoteModel:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._child.send("quit")
        self._child.close(0.0 if kind else _GRACE)
        with self._writing:  # what another thread was writing is there, and nothing comes after it
            self._closed = True

    def load(self, target: Target) -> None:
        """Import the user's code and build the model; another may follow in the same process."""
        self.title = target.title
        if not self._ready:
            self._take()
            self._ready = True
        self._child.doing = f"while running {target.title}"
        self._own = {}
        self._ask("load", target=dataclasses.asdict(target), folder=str(self._folder))

    def revive(self) -> bool:
        """Have a process, another one if this one has ended: it has no model then."""
        ended = self._child.has_ended
        if ended:
            self._child.close()
            self._start()
        return ended

    def forget(self) -> None:
        """Remove what was recorded of the last model."""
        for path in self._folder.glob(f"{self.side}-*"):
            path.unlink(missing_ok=True)

    def versions(self) -> Mapping[str, str]:
        """Of the framework, of Python and NumPy, in its environment."""
        found: Mapping[str, str] = self._value("versions")
        return found

    def files(self) -> list[Path]:
        """The Python files that its process has loaded, but for libraries and this project."""
        return [Path(file) for file in self._value("files")]

    def trace(self, inputs: Sequence[Array], *, apart: Sequence[str] = ()) -> Traced:
        """See `Model.trace`."""
        out = self._ask("trace", inputs=self._write_arrays(inputs), apart=list(apart))
        graph = Graph.from_json(out.with_suffix(".json").read_text("utf-8"))
        return Traced(graph, storage.load(out))

    def weights(self, into: Kept | None = None) -> Mapping[str, Array]:
        """See `Model.weights`; arrays are read when asked for."""
        found = CompactArrays()
        stored = StoredArrays(self._ask("weights"))
        self._own = {name: partial(stored.__getitem__, name) for name in stored}
        found.arrays |= self._own
        return found

    def set_weights(self, weights: Mapping[str, Array]) -> None:
        """See `Model.set_weights`; what the model itself gave, and has still, it is not given."""
        kept = weights.arrays if isinstance(weights, CompactArrays) else {}
        new = [n for n in weights if n not in kept or kept[n] is not self._own.get(n)]
        if not new:
            return
        with self._file() as path, ArrayWriter(path) as writer:
            for name in new:
                self._own.pop(name, None)
                writer[name] = storage.kept(weights, name)
        self._ask("set_weights", weights=str(path))
        path.unlink()

    def record(self, request: RecordRequest, into: Kept | None = None) -> Mapping[str, Array]:
        """See `Model.record`; arrays are read when asked for."""
        fields = {f.name: getattr(request, f.name) for f in dataclasses.fields(request)}
        inputs = self._write_arrays(fields.pop("inputs"))
        projections = self._write_arrays(fields.pop("projections"))
        targets = self._write_arrays(fields.pop("targets"))
        path = self._ask(
            "record", settings=fields, inputs=inputs, projections=projections, targets=targets
        )
        recorded = StoredArrays(path)
        weakref.finalize(recorded, path.unlink, missing_ok=True)
        return recorded

    def learn(self, loss: Any, optimizer: Any) -> Mapping[str, Any]:
        """See `Model.learn`."""
        wishes = {
            name: dataclasses.asdict(wish) if isinstance(wish, Target) else wish
            for name, wish in (("loss", loss), ("optimizer", optimizer))
        }
        self._send({"do": "learn", "out": "", **wishes})
        settings: dict[str, Any] = self._take()["value"]
        return settings

    def replay(self, node: str, sources: Sequence[Array], precision: Precision) -> dict[str, Array]:
        """See `Model.replay`."""
        inputs = self._write_arrays(sources)
        out = self._ask("replay", node=node, inputs=inputs, precision=precision)
        arrays = storage.load(out)
        out.unlink()
        Path(inputs).unlink(missing_ok=True)
        return arrays

    def vocabulary(self) -> int | None:
        """See `Model.vocabulary`."""
        rows: int | None = self._value("vocabulary")
        return rows

    def signature(self) -> Signature | None:
        """See `Model.signature`."""
        return Signature.from_json(self._value("signature"))

    def name_inputs(self, names: Sequence[str] | None) -> None:
        """See `Model.name_inputs`."""
        self._send({"do": "name_inputs", "out": "", "names": names})
        self._take()

    def load_weights(self, path: str, *, partial: bool = False) -> None:
        """See `Model.load_weights`; a `Target` with weights asks for it by itself."""
        self._send({"do": "load_weights", "out": "", "path": path, "partial": partial})
        self._take()

    def stored(self, wanted: Sequence[str] = (), *, datasets: bool = False) -> Mapping[str, Any]:
        """See `Model.stored`."""
        self._send({"do": "stored", "out": "", "wanted": list(wanted), "datasets": datasets})
        found: Mapping[str, Any] = self._take()["value"]
        return found

    def save_weights(self, path: str, types: Mapping[str, str]) -> None:
        """See `Model.save_weights`."""
        self._ask("save_weights", path=path, types=dict(types))

    def _value(self, do: str) -> Any:
        self._send({"do": do, "out": ""})
        return self._take()["value"]

    def _new(self) -> Path:
        self._files += 1
        return self._folder / f"{self.side}-{self._files}.arrays"

    def _write_arrays(self, arrays: Sequence[Array]) -> str:
        if not arrays:
            return ""
        with self._file() as path:
            storage.save({str(i): a for i, a in enumerate(arrays)}, path)
        return str(path)

    @contextlib.contextmanager
    def _file(self) -> Iterator[Path]:
        """A new file of this end, which the closing waits for: the folder is removed then."""
        with self._writing:
            if self._closed:
                raise WorkerError(f"{TITLES[self.side]}: the process of {self.title} was stopped.")
            yield self._new()

    def _ask(self, do: str, **request: Any) -> Path:
        out = self._new()
        self._send({"do": do, "out": str(out), **request})
        self._take()
        return out

    def _send(self, request: Mapping[str, Any]) -> None:
        self._child.forget_lines()  # what was printed before is not about this
        self._child.send(json.dumps(request))

    def _take(self) -> dict[str, Any]:
        """The next answer; a failure becomes an exception."""
        answer = self._child.next_event(self._timeout)
        if answer["event"] == "unfit":
            raise WorkerError(f"{TITLES[self.side]}: {answer['message']}")
        if answer["event"] == "failed":
            message = answer["message"]
            named = message.startswith(self.title)
            where = f"{TITLES[self.side]}, {'' if named else self.title + ': '}{message}"
            raise ModelError(where + ("\n" + answer["details"] if answer.get("details") else ""))
        return answer
