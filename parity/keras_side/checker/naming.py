"""What people call layers and operations, and how they would write them."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import weakref

from keras.src.layers.layer import Layer
from keras.src.ops.node import Node
from keras.src.ops.operation import Operation

from parity.checker.graph.user_sites import OURS, frames, is_users, site_of
from parity.core.sites import Site

_CALL = inspect.unwrap(Operation.__call__).__code__
_Sites = weakref.WeakKeyDictionary[Operation, tuple[Site, ...]]
_CALLED: _Sites = weakref.WeakKeyDictionary()
"""Operation of a functional model → where the user called it first."""
_SHARED: weakref.WeakSet[Operation] = weakref.WeakSet()
"""Operations of functional models that were called more than once."""
_MADE: _Sites = weakref.WeakKeyDictionary()
"""Layer or operation → where the user made it."""
_MADE_BY: weakref.WeakKeyDictionary[Operation, dict | None] = weakref.WeakKeyDictionary()
"""Operation of a functional model → the library's function that made it, as `library_of` says."""
_PLAIN = (bool, int, float, str, type(None))
_DULL = frozenset(
    (
        "trainable",
        "dtype",
        "seed",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
        "build_config",
        "registered_name",
        "batch_input_shape",
    )
)
_NO_SETTING = ("self", "name", "dtype", "args", "kwargs")
_SHOWN = frozenset(
    (
        "epsilon",
        "momentum",
        "padding",
        "activation",
        "rate",
        "approximate",
        "negative_slope",
    )
)


def children(layer):
    """The layers that a layer holds."""
    return [x for x in getattr(layer, "_layers", ()) if isinstance(x, Layer)]


def every_layer(model):
    """Path (without the model's own name) → layer, each once, in order."""
    found: dict[int, tuple[str, Layer, bool]] = {}

    def walk(layer, path, inside):
        for child in children(layer):
            if id(child) not in found and child is not model:
                own = f"{path}/{child.name}" if path else child.name
                found[id(child)] = (own, child, inside)
                composite = type(child).__module__.startswith("keras.src.layers.")
                walk(child, own, inside or composite)

    walk(model, "", False)
    return list(found.values())


def names_of(model):
    """id of a layer → its name where that is unique, else its path."""
    layers = every_layer(model)
    count: dict[str, int] = {}
    for _, layer, _ in layers:
        count[layer.name] = count.get(layer.name, 0) + 1
    names, taken = {}, set()
    for path, layer, inside in layers:
        name = path if inside or count[layer.name] > 1 else layer.name
        unique, n = name, 1
        while unique in taken:
            unique, n = f"{name}_{n}", n + 1
        taken.add(unique)
        names[id(layer)] = unique
    return names


def remember_lines():
    """From now on remember where each layer is made, and each of a functional model is called.

    When such a model runs, no line of the user's is being executed any more: Keras replays the
    operations from its own list. Called once, in the process that serves a user's model.
    """
    call, make = Node.__init__, Operation.__init__

    @functools.wraps(call)
    def remembering_call(node, operation, *args, **kwargs):
        if operation in _CALLED:
            _SHARED.add(operation)
        else:
            _CALLED[operation], _MADE_BY[operation] = user_sites(), _building_library()
        call(node, operation, *args, **kwargs)

    @functools.wraps(make)
    def remembering_place(self, *args, **kwargs):
        _MADE[self] = user_sites()
        make(self, *args, **kwargs)

    # Keras reads from the signature, and from that of what is not unwrapped, how to make it again.
    remembering_place.__signature__ = inspect.signature(make)
    Node.__init__, Operation.__init__ = remembering_call, remembering_place


def made_at(layer):
    """Where the user made a layer, innermost first; () where a library did, or nobody looked."""
    return _MADE.get(layer, ())


def call_sites(layer=None):
    """Where the user called a layer, or what is being executed; () where that was twice or more."""
    if layer is not None and layer in _CALLED:
        return () if layer in _SHARED else _CALLED[layer]
    return user_sites(shared=False)


def user_sites(*, shared=True):
    """What of the user's is being executed, innermost first, or called what Keras replays.

    Args:
        shared: also where Keras replays what was called more than once; else nothing then.
    """
    found = []
    for frame in frames():
        if is_users(frame.f_code.co_filename):
            found.append(site_of(frame, _made_at))
        elif frame.f_code is _CALL and not found:
            operation = frame.f_locals["self"]
            if operation in _SHARED and not shared:
                return ()
            if called := _CALLED.get(operation):
                return called
    return tuple(found)


def _made_at(own):
    return made_at(own) if isinstance(own, Operation) else ()


def _building_library():
    """The outermost function of a library that is being executed, within the user's own line.

    Keras' own functions are none, but for those that build whole models.
    """
    found, frame = None, sys._getframe(2)  # of Keras, which was called by the one that we look for
    while frame is not None:
        path, module = frame.f_code.co_filename, frame.f_globals.get("__name__", "")
        if is_users(path) or path.startswith(OURS + os.sep):
            break
        top = module.partition(".")[0]
        builds = top != "keras" or module.startswith("keras.src.applications.")
        if builds and top not in sys.stdlib_module_names:
            found = frame
        frame = frame.f_back
    if found is None:
        return None
    names, _, _, values = inspect.getargvalues(found)
    made = found.f_code.co_name
    if made == "__init__" and names:
        made = type(values[names[0]]).__name__
    return {
        "library": found.f_globals["__name__"].partition(".")[0],
        "object": made,
        "arguments": {
            n: values[n] if isinstance(values.get(n), _PLAIN) else None
            for n in names
            if n not in _NO_SETTING
        },
    }


def library_of(layers):
    """What a library made that the user did not write: its outermost object there.

    Args:
        layers: that are being called, the outermost first.

    Returns:
        As `parity.checker.graph.graph.Graph.libraries`; None where the innermost layer that is not
        Keras' is the user's own, or the user's own line made it.
    """
    found = origin = None
    for layer in reversed(layers):
        origin = _origin(type(layer))
        if origin == "user":
            break
        found = layer if origin == "library" else found
    if found is None:
        return _MADE_BY.get(layers[-1]) if layers and origin != "user" else None
    try:
        config = found.get_config()
    except Exception:  # not every layer can say how it was made
        config = {}
    known = {k: v for k, v in config.items() if isinstance(v, _PLAIN)}
    names = [n for n in inspect.signature(type(found).__init__).parameters if n not in _NO_SETTING]
    return {
        "library": type(found).__module__.partition(".")[0],
        "object": type(found).__name__,
        "arguments": {name: known.get(name) for name in names},
    }


@functools.lru_cache(maxsize=1024)
def _origin(kind):
    """Whose class it is: keras, library, or user."""
    if kind.__module__.partition(".")[0] == "keras":
        return "keras"
    try:
        return "user" if is_users(inspect.getfile(kind)) else "library"
    except (TypeError, OSError):  # written at a prompt
        return "user"


def code_of(layer):
    """A layer as one would write it: what differs from the defaults, and what matters."""
    try:
        config = layer.get_config()
        signature = inspect.signature(type(layer).__init__)
    except Exception:  # a layer of the user's without a config
        return f"{type(layer).__name__}(name={layer.name!r})"
    parts = []
    for name, parameter in signature.parameters.items():
        if name in ("self", "name") or name in _DULL or name not in config:
            continue
        value, default = config[name], parameter.default
        given = _plain(value)
        if given is None:
            continue
        if isinstance(value, list | tuple) and len(set(value)) == 1 and len(value) > 1:
            given = repr(value[0])
        if default is inspect.Parameter.empty:
            parts.append(given)
        elif name == "data_format" and value == "channels_last":
            continue
        elif (name in _SHOWN and default is not None) or (
            value != default and not _same(value, default)
        ):
            parts.append(f"{name}={given}")
    parts.append(f'name="{layer.name}"')
    return f"layers.{type(layer).__name__}({', '.join(parts)})"


def _same(value, default):
    if value == default:
        return True
    if isinstance(value, list | tuple) and isinstance(default, int):
        return all(v == default for v in value)
    both = isinstance(value, list | tuple) and isinstance(default, list | tuple)
    return (both and list(value) == list(default)) or (value == "linear" and default is None)


def _plain(value):
    """A value as Python writes it; None for what has no short form."""
    if isinstance(value, dict):
        name = value.get("config")
        return f'"{name}"' if isinstance(name, str) else None
    if isinstance(value, str):
        return f'"{value}"'
    text = repr(value)
    return text if len(text) < 60 else None
