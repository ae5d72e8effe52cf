"""A user's model by name: ``models.py:TorchNet`` or ``torchvision.models:resnet18``.

Runs in the framework's own process, and knows no framework.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import io
import json
import linecache
import os
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from parity.core.errors import ParityError, UsageError
from parity.core.text import did_you_mean, nearest

REFERENCE = ".reference"
"""At the end of the name of a file that answers in a model's place."""
_FRAMES = 4
_MARKS = re.compile(r"\x1b\[\d+m|\{\{(?:function_)?node [^}]*\}\}\s*|\s*\[Op:\w+\](?: name: *)?")
_LIBRARIES = ("site-packages", "dist-packages", "importlib", "<frozen", "/lib/python")
_OWN = ("parity/checker", "_side/checker")


class ModelError(ParityError):
    """The user's model cannot be loaded or run; says what to change."""


@dataclass(frozen=True)
class Target:
    """Where a model comes from.

    Attributes:
        module: a file (``models.py``) or an installed module (``torchvision.models``).
        name: of a class, function or instance in it; dots go into it.
        arguments: keyword arguments of the class or function.
        weights: a file of weights that it is to have; empty: those that it is built with.
        partial: the file may lack some, and have others.
        sources: file → text that is run in its place, which the file itself need not hold.
    """

    module: str
    name: str
    arguments: Mapping[str, Any]
    weights: str = ""
    partial: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """As people would write it."""
        return Path(self.module).name if self.is_reference else f"{self.module}:{self.name}"

    @property
    def is_reference(self) -> bool:
        """Whether it is the file of a reference, which answers in a model's place."""
        return self.module.endswith(REFERENCE) and not self.name

    @property
    def is_file(self) -> bool:
        """Whether it is a file, not an installed module."""
        return self.module.endswith(".py") or "/" in self.module

    @classmethod
    def parse(cls, text: str, arguments: str, option: str) -> Target:
        """Read ``FILE.py:NAME`` or ``PACKAGE.MODULE:NAME`` and keyword arguments as JSON.

        ``FILE.reference`` is a reference, and takes no arguments.

        Raises:
            UsageError: one of them is not of that form, or the file is not there.
        """
        if text.endswith(REFERENCE):
            return cls._of_reference(text, arguments, option)
        module, colon, name = text.rpartition(":")
        if not colon or not module or not name:
            raise UsageError(
                f"{option} '{text}' names no model. Expected a file and a name (models.py:Net), "
                "an installed module and a name (torchvision.models:resnet18), or a reference "
                f"(net{REFERENCE})."
            )
        target = cls(module, name, _keywords(arguments, option))
        if target.is_file:
            path = Path(module).expanduser()
            if not path.is_file():
                raise UsageError(f"{option} '{text}': there is no file '{module}'.{_near(path)}")
            target = cls(str(path.resolve()), name, target.arguments)
        return target

    @classmethod
    def _of_reference(cls, text: str, arguments: str, option: str) -> Target:
        path = Path(text).expanduser()
        if not path.is_file():
            raise UsageError(f"{option} '{text}': there is no file '{text}'.")
        if _keywords(arguments, option):
            raise UsageError(f"{option} '{text}' is a reference: it takes no {option}-args.")
        return cls(str(path.resolve()), "", {})


def _keywords(text: str, option: str) -> dict[str, Any]:
    try:
        keywords = json.loads(text or "{}")
    except ValueError as error:
        raise UsageError(
            f"{option}-args is not JSON: {error}. Expected keyword arguments, e.g. "
            f"""{option}-args '{{"weights": null}}'."""
        ) from error
    if not isinstance(keywords, dict):
        raise UsageError(f"{option}-args is a JSON {type(keywords).__name__}; expected an object.")
    return keywords


def _near(path: Path) -> str:
    with contextlib.suppress(OSError):
        names = [p.name for p in path.parent.iterdir() if p.suffix == ".py"]
        if near := nearest(path.name, names):
            return f" Did you mean '{path.with_name(near[0])}'?"
    return ""


def find(target: Target) -> Any:
    """Import the module and take the object; what the user's code prints goes to standard error.

    Raises:
        ModelError: it is not there, or importing it fails.
    """
    _take_sources(target.sources)
    with guarded(f"importing {target.module}"):
        module = _load_file(Path(target.module)) if target.is_file else _import(target.module)
    if "tensorflow" in sys.modules:
        keep_out_triton()
    item: Any = module
    for part in target.name.split("."):
        if not hasattr(item, part):
            public = [n for n in dir(item) if not n.startswith("_")]
            near = did_you_mean(part, public, most=3)
            hint = f" {near}" if near else _own_names(module)
            raise ModelError(f"{target.module} has no '{part}'.{hint}")
        item = getattr(item, part)
    return item


def build(target: Target, kind: type, wanted: str) -> Callable[[], Any]:
    """A function that makes the model anew on every call.

    An instance in a file is made by running the file again, so that it takes on the precision
    that is set then.

    Args:
        target: where it comes from.
        kind: class of a model in this framework.
        wanted: that class in words.

    Raises:
        ModelError: it is no model and makes none.
    """
    first = find(target)
    if isinstance(first, kind):
        if target.arguments:
            raise ModelError(f"{target.title} is a model already; it takes no keyword arguments.")
        if target.is_file:
            return lambda: find(target)
        return lambda: first
    if not callable(first):
        raise ModelError(
            f"{target.title} is a {type(first).__name__}. Expected {wanted}, or a class or "
            "function that makes one."
        )

    def make() -> Any:
        made = find(target)
        try:
            with guarded(f"calling {target.name}({_spelled(target.arguments)})"):
                model = made(**target.arguments)
        except ModelError as error:
            if isinstance(error.__cause__, TypeError):
                _expect_arguments(target, made, kind)
            raise
        if not isinstance(model, kind):
            raise ModelError(
                f"{target.name}({_spelled(target.arguments)}) gives a {type(model).__name__}. "
                f"Expected {wanted}."
            )
        return model

    return make


def _expect_arguments(target: Target, made: Callable[..., Any], kind: type) -> None:
    """What has to be given must be given; by its name, so that people know what to type."""
    try:
        call = made.__init__ if inspect.isclass(made) else made
        parameters = list(inspect.signature(call).parameters.values())[inspect.isclass(made) :]
    except (TypeError, ValueError):
        return
    named = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    lacking = [
        p.name
        for p in parameters
        if p.default is p.empty and p.kind not in named and p.name not in target.arguments
    ]
    if lacking:
        option = "torch" if kind.__module__.startswith("torch") else "keras"
        wanted = ", ".join(f'"{name}": …' for name in lacking)
        raise ModelError(
            f"{target.name} is missing {len(lacking)} required argument"
            f"{'' if len(lacking) == 1 else 's'}: {', '.join(repr(n) for n in lacking)}. "
            f"Give {'it' if len(lacking) == 1 else 'them'} as JSON: "
            f"--{option}-args '{{{wanted}}}'"
        )


def _own_names(module: ModuleType) -> str:
    """What the user's module defines itself."""
    names = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and callable(value)
        and getattr(value, "__module__", "") == module.__name__
    ]
    return f" It has {', '.join(names[:8])}{' …' if len(names) > 8 else ''}." if names else ""


def _spelled(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def own_files() -> list[str]:
    """Files of all modules that were loaded, but for libraries and this project."""
    found = {
        str(Path(file).absolute())
        for module in list(sys.modules.values())
        if isinstance(file := getattr(module, "__file__", None), str)
    }
    return sorted(filter(_is_own, found))


_NOT_OWN = tuple(
    f"{folder}{os.sep}"
    for folder in (
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib")),
        str(Path(__file__).parents[2]),
    )
)


def _is_own(file: str) -> bool:
    """Whether it is the user's: neither a library's nor this project's."""
    installed = any(part in file for part in ("site-packages", "dist-packages"))
    return not installed and not file.startswith(_NOT_OWN)


def _load_file(path: Path) -> ModuleType:
    name = f"_checked_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))  # its neighbours, as if it were run as a script
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_TAKEN: dict[str, str] = {}
"""File → text that is run in its place."""


def _take_sources(sources: Mapping[str, str]) -> None:
    """From now on run these texts in place of what the files hold.

    Modules that were imported from one of the files, or from beside it, are forgotten: those that
    import it have taken what they wanted out of it.
    """
    if sources == _TAKEN:
        return
    folders = {Path(file).parent for file in (*sources, *_TAKEN)}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and any(Path(file).is_relative_to(folder) for folder in folders):
            del sys.modules[name]
    linecache.checkcache()
    for file in _TAKEN:
        linecache.cache.pop(file, None)
    _TAKEN.clear()
    _TAKEN.update(sources)
    for file, text in sources.items():
        lines = text.splitlines(keepends=True)
        linecache.cache[file] = (len(text), None, lines, file)


_get_code = SourceFileLoader.get_code


def _get_taken_code(self: SourceFileLoader, fullname: str) -> Any:
    """The text's code where there is one, by the file's name: what is said of it fits both.

    A file of the user's is read itself and never its bytecode: that is known by the second of the
    last save and its size, so two saves within a second that exchange four letters would be one.
    """
    path = self.get_filename(fullname)
    text: str | bytes | None = _TAKEN.get(path)
    if text is None and _is_own(os.path.abspath(path)):
        text = self.get_data(path)
    return _get_code(self, fullname) if text is None else compile(text, path, "exec")


SourceFileLoader.get_code = _get_taken_code  # type: ignore[method-assign, assignment]


def _import(name: str) -> ModuleType:
    if "" not in sys.path:
        sys.path.append("")  # modules of the working directory, after the libraries
    return importlib.import_module(name)


def keep_out_triton() -> None:
    """Keep triton out of a process that holds TensorFlow.

    Both bring LLVM; loaded second it ends the process ("inconsistency in registered CommandLine
    options"), and PyTorch loads it at some later call. Nothing here needs it.
    """
    if "triton" not in sys.modules:
        sys.modules["triton"] = None  # type: ignore[assignment]


@contextlib.contextmanager
def guarded(doing: str) -> Iterator[None]:
    """Turn whatever the user's code raises into one message that shows the user's own lines.

    Raises:
        ModelError: in place of any exception, also of `SystemExit`.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except ParityError:
        raise
    except MemoryError as error:
        raise ModelError(f"Out of memory while {doing}. Take a smaller --input.") from error
    except SystemExit as error:
        raise ModelError(
            f"The code called exit({error.code!r}) while {doing}.{own_lines(error)}"
        ) from error
    except Exception as error:
        raise ModelError(f"{in_words(error)}, while {doing}.{own_lines(error)}") from error


def interrupted(error: KeyboardInterrupt) -> str:
    """What to say of a model that interrupts itself, where nobody else can."""
    return (
        "The code raised KeyboardInterrupt, as Ctrl-C does. Expected code that runs to its end; "
        f"take out what raises it.{own_lines(error)}"
    )


def bare(text: str) -> str:
    """A message without colours and TensorFlow's marks of its own functions."""
    return _MARKS.sub("", text).strip()


def in_words(error: BaseException) -> str:
    """Class and message of an exception, cut to what fits a terminal."""
    lines = [line.strip() for line in bare(str(error)).splitlines() if line.strip()]
    text = " ".join(lines[:6])
    if len(text) > 600:
        text = text[:600] + " …"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def own_lines(error: BaseException) -> str:
    """The last frames of a traceback that lie in the user's own files."""
    frames = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if not any(part in f.filename for part in (*_LIBRARIES, *_OWN))
    ]
    if isinstance(error, SyntaxError) and error.filename:
        return f"\n  {error.filename}:{error.lineno}: {(error.text or '').strip()}"
    out = io.StringIO()
    for frame in frames[-_FRAMES:]:
        out.write(f"\n  {frame.filename}:{frame.lineno}, in {frame.name}: {frame.line}")
    return out.getvalue()
