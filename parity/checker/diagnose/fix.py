"""The corrected line: a node's own code with the setting that the other side has."""

from __future__ import annotations

import ast
import contextlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from parity.checker.diagnose.settings import canonical, operation_text
from parity.checker.diagnose.statement_edit import (
    bypassed,
    call_in,
    is_statement,
    on_its_argument,
    operation_in,
    scaled,
    shifted,
)
from parity.checker.graph.graph import Node
from parity.core.sides import Side
from parity.diagnosis.edits import Insertion, Replacement
from parity.operations import activation
from parity.operations.code import call, changed, function_name, small, written
from parity.operations.known import operation

Pads = Sequence[Sequence[int]]


def fix(
    kind: str, node: Node, other: Node, side: Side, *, wanted: str = "", present: str = ""
) -> str:
    """The line of `node`, corrected so that it does what `other` does.

    Args:
        kind: of the cause.
        node: the one whose line is wrong; for ``extra_layer`` the layer that is too many, for
            ``missing_layer`` the one before which the layer belongs.
        other: its counterpart, which is right; for ``missing_layer`` the layer itself.
        side: the framework of `node`.
        wanted: what was found on the other side, in words, where its settings do not tell.
        present: what was found on this side, in words.

    Returns:
        One line, or a few with what must stand before it, to be pasted in place of the line that
        is there; a comment where no argument and no operand of it can say so; '' where there is
        nothing to say.
    """
    if is_statement(node.code):
        text = _in_statement(kind, node, other, side, (wanted, present))
    else:
        make = _FIXES.get(kind)
        text = make(node, other, side) if make is not None else ""
        if text and side == "keras" and kind in ("stride", "dilation", "kernel_size"):
            text = _padded_as(other, text, node)
        text = text if text != node.code else ""
        text = text or _behind(kind, node, side, wanted, present)
    return text if text and text != node.code else _in_words(kind, node, wanted, present)


def _in_statement(kind: str, node: Node, other: Node, side: Side, words: tuple[str, str]) -> str:
    """The user's statement with the operation in it corrected."""
    names = _called(node)
    change = _change(kind, *words)
    if change is not None:
        return (scaled if kind == "scale" else shifted)(node.code, names, change)
    part, make = call_in(node.code, names), _FIXES.get(kind)
    if make is None:
        return ""
    if part is None and kind == "operation" and (sum_ := operation_in(node.code, names)):
        line = on_its_argument(sum_, make(replace(node, code=sum_.text), other, side))
        return sum_.replaced(line) if line else ""
    if part is None:
        return make(node, other, side) if kind in ("scale", "offset", "constant", "order") else ""
    inner = replace(node, code=part.text)
    text = make(inner, other, side)
    if not text or text == part.text or "\n" in text:
        return ""
    same = function_name(text) == function_name(part.text)
    if same and "(x" in text and kind == "activation":
        settings = {k: v for k, v in canonical(other).items() if k not in ("name", "channels")}
        slope = settings.pop("slope", None)
        settings |= {} if slope is None else {"negative_slope": slope}
        text = changed(part.text, settings)
    elif not same and not _on_the_same(text, part.text):
        text = on_its_argument(part, text)
    return part.replaced(text) if text else ""


def _on_the_same(line: str, other: str) -> bool:
    """Whether two calls are given the same."""
    given = [
        (ast.dump(ast.List(c.args)), [ast.dump(k) for k in c.keywords])
        for c in map(call, (line, other))
        if c is not None
    ]
    return len(given) == 2 and given[0] == given[1]


def _called(node: Node) -> set[str]:
    """What the function may be called that a user wrote for a node."""
    last = re.sub(r"_\d+$", "", node.name.rpartition(".")[2])
    words = {
        last,
        node.kind,
        str(node.settings.get("name", "")),
        str(node.settings.get("mode", "")),
    }
    return words - {""}


def _change(kind: str, wanted: str, present: str) -> float | None:
    """By which factor, or by how much, an operation's output is off."""
    try:
        left, right = float(wanted), float(present)
    except ValueError:
        return None
    if kind == "scale":
        return left / right if right else None
    return left - right if kind == "offset" else None


def _behind(kind: str, node: Node, side: Side, wanted: str, present: str) -> str:
    """A factor or a summand that no argument of a layer reaches, as a layer behind it."""
    if function_name(node.code) == "Rescaling":
        return _rescaled(kind, node.code, wanted, present)
    change = _change(kind, wanted, present)
    if change is None or side != "keras" or not node.code.startswith("layers."):
        return ""
    more = f"layers.Rescaling({change!r})"
    if kind == "offset":
        more = f"layers.Rescaling(1.0, offset={change!r})"
    return f"{node.code}\n{more}"


def _rescaled(kind: str, code: str, wanted: str, present: str) -> str:
    """Other numbers of a layer that multiplies and adds, so that it gives what is wanted."""
    parsed = call(code)
    assert parsed is not None
    given = {k.arg: k.value for k in parsed.keywords}
    given |= dict(zip(("scale", "offset"), parsed.args, strict=False))
    try:
        scale, offset = (
            float(ast.literal_eval(given[word])) if word in given else default
            for word, default in (("scale", 1.0), ("offset", 0.0))
        )
    except ValueError:
        return ""
    both = re.fullmatch(r"(\S+), and (\S+) added", present)
    if both and re.fullmatch(r"1(\.0)?", wanted):  # what it gives, of what it should give
        factor, more = float(both[1]), float(both[2])
        scale, offset = scale / factor, (offset - more) / factor
    elif (change := _change(kind, wanted, present)) is None:
        return ""
    elif kind == "scale":
        scale, offset = scale * change, offset * change
    else:
        offset += change
    arguments = {"scale": float(f"{scale:.12g}"), "offset": float(f"{offset:.12g}")}
    return changed(
        code, {k: v for k, v in arguments.items() if k in given or (k, v) != ("offset", 0)}
    )


def without(node: Node) -> str:
    """What to change where a step is too many: only an activation goes, its layer stays."""
    code = node.code
    if node.kind == "activation" and _keyword(code, "activation"):
        return changed(code, {"activation": None})
    if is_statement(code):
        return bypassed(code, _called(node)) or f"# without the {_called_so(node)} in: {code}"
    return f"# without {code or node.name}"


def inserted(node: Node, place: Insertion, side: Side = "keras") -> Insertion | None:
    """What to write where a step of the other side is missing.

    Args:
        node: the step, as the other side has it.
        place: where it belongs, without its line.
        side: whose line is to be written.

    Returns:
        None where there is no short way to say the step, or what it takes is not known here.
    """
    line = _written(node, side)
    live = [s for s in node.sources if not s.value.startswith("constant:")]
    if not line or (len(live) > 1 and len(place.operands) < 2):
        return None
    return replace(place, line=line)


def inserted_in_words(node: Node, place: Insertion) -> str:
    """The same where no line says it."""
    return f"{place.text.strip()}, as in PyTorch: {node.code or node.kind}"


def _called_so(node: Node) -> str:
    """What an operation in a statement is called: ``power``, ``add``."""
    return re.sub(r"_\d+$", "", node.name.rpartition(".")[2]) or node.kind


def _keyword(code: str, name: str) -> bool:
    """Whether the line is a call that is given this argument by name."""
    parsed = call(code)
    return parsed is not None and any(k.arg == name for k in parsed.keywords)


def _in_words(kind: str, node: Node, wanted: str, present: str = "") -> str:
    """Where no line can be written: what to change in the one that is there."""
    advice = {
        "kernel_order": "its kernel's elements must stand in this order",
        "gate_order": "its gates must stand in this order",
        "order": "its operands must stand in this order",
        "scale": "its output must be multiplied by",
        "offset": "to its output must be added",
        "activation": "its activation must be",
        "padding": "its padding must be",
        "wiring": "it must take",
        "constant": "it must take",
        "precision": "it must compute in",
        "dropout": "dropout must be",
        "direction": "it must run",
        "epsilon": "its epsilon must be",
        "bias": "bias:",
        "affine": "it must have",
        "axis": "its axis must be",
        "initial_state": "its initial state must be",
        "pooling": "it must be",
        "normalisation": "it must be",
        "operation": "it must be",
        "resize": "it must be",
        "padding_counted": "counts padding:",
        "mask": "its mask must be",
        "missing_layer": "must be",
        "extra_layer": "must be",
        "units": "its width must be",
        "reset_after": "resets after the product:",
        "momentum": "its momentum must be",
    }.get(kind)
    if not node.code:
        return ""
    if kind == "wiring":
        return f"# {node.code}: take what {wanted} is on the other side instead of {present}"
    if not advice or not wanted or wanted == "as stated":
        return ""
    if kind == "constant" and "×" in wanted:
        return f"# {node.code}: the table must be {wanted} of the other side; here: {present}"
    neutral = {"scale": 1.0, "offset": 0.0}.get(kind)
    stands, right = _number_in(present), _number_in(wanted)
    if neutral is not None and right is not None and stands not in (None, neutral):
        what = "factor" if kind == "scale" else "summand"
        return f"# {node.code}: the {what} {present} in it must be {wanted}"
    unsaid = "" if is_statement(node.code) else " (no argument says so)"
    return f"# {node.code}: {advice} {wanted}{unsaid}"


def _number_in(text: str) -> float | None:
    with contextlib.suppress(ValueError):
        return float(text)
    return None


def _plain(*keys: str) -> Callable[[Node, Node, Side], str]:
    """Settings that both frameworks have as one argument each."""

    def make(node: Node, other: Node, side: Side) -> str:
        theirs = canonical(other, channels=node.settings.get("channels"))
        mine, arguments = canonical(node), {}
        for key in keys:
            setting = operation(node.kind).settings.get(key)
            word = setting.word(side) if setting is not None else ""
            if key not in theirs or theirs[key] == mine.get(key) or not word:
                continue
            value = theirs[key]
            if key in ("stride", "dilation"):
                value = small(value)
            if word == "use_bias" and function_name(node.code) == "EinsumDense":
                word, value = "bias_axes", _bias_axes(node.code) if value else None
            arguments[_word(word, node.code)] = value
        return changed(node.code, arguments) if arguments else ""

    return make


def _bias_axes(code: str) -> str:
    """The letters of an equation's output that only the kernel has."""
    equation = re.search(r"""["']([\w.]+),([\w.]+)->([\w.]+)["']""", code)
    taken, kernel, output = equation.groups() if equation else ("", "", "")
    return "".join(c for c in output if c in kernel and c not in taken)


def _word(word: str, code: str) -> str:
    """A few classes call it otherwise."""
    if word == "groups" and function_name(code) == "GroupNorm":
        return "num_groups"
    if word == "affine" and function_name(code) in ("LayerNorm", "RMSNorm"):
        return "elementwise_affine"
    return word


def _momentum(node: Node, other: Node, side: Side) -> str:
    momentum = other.settings.get("momentum")
    if momentum is None:
        return ""
    value = round(1 - momentum, 12) if side == "torch" else round(momentum, 12)
    return changed(node.code, {"momentum": value})


def _padding(node: Node, other: Node, side: Side) -> str:
    theirs = canonical(other)
    if node.kind == "pad":
        return ""
    pads = theirs.get("padding" if node.kind != "transposed" else "crop", ())
    if theirs.get("mode") in ("reflect", "replicate", "circular") and side == "torch":
        return changed(node.code, {"padding_mode": theirs["mode"]})
    if node.kind == "transposed" and side == "keras" and min(map(min, pads), default=-1) >= 0:
        line = changed(node.code, {"padding": "valid"})
        cropped = tuple(tuple(p) for p in pads)
        shown = written(cropped[0]) if len(cropped) == 1 else written(cropped)
        return f"{line}\nlayers.Cropping{len(pads)}D({shown})" if any(map(any, pads)) else line
    if not pads or node.kind not in ("convolution", "pool"):
        return ""
    if theirs.get("mode") in ("reflect", "replicate", "circular") and side == "keras":
        line = changed(node.code, {"padding": "valid"})
        every = ((0, 0), *(tuple(p) for p in pads), (0, 0))
        mode = {"replicate": "edge", "circular": "wrap"}.get(theirs["mode"], theirs["mode"])
        return f'x = ops.pad(x, {every}, mode="{mode}")\n{line}'
    if side == "torch":
        return _torch_padding(node, pads)
    return _keras_padding(node, pads)


def _torch_padding(node: Node, pads: Pads) -> str:
    if all(b == a for b, a in pads):
        return changed(node.code, {"padding": small([b for b, _ in pads])})
    flat = tuple(n for pair in reversed(pads) for n in pair)
    line = changed(node.code, {"padding": 0})
    if node.kind == "pool" and node.settings.get("mode") == "max":
        return f'x = F.pad(x, {flat}, value=float("-inf"))\n{line}'
    return f"nn.ZeroPad{len(pads)}d({flat})\n{line}"


def _keras_padding(node: Node, pads: Pads) -> str:
    line = _keras_padded(node, pads)
    own = node.settings.get("pad_value", -math.inf)
    instead = node.settings.get("mode") == "max" and own != -math.inf
    return f"{line}  # without the padding of {own:g} before it" if instead else line


def _keras_padded(node: Node, pads: Pads) -> str:
    if not any(b or a for b, a in pads):
        return changed(node.code, {"padding": "valid"})
    before = any(map(any, canonical(node).get("padding", ()))) and not _works_out_padding(node)
    if (
        _is_same(node, pads)
        and not before
        and not (node.settings.get("mode") == "average" and node.settings.get("counts_padding"))
    ):
        return changed(node.code, {"padding": "same"})
    line = changed(node.code, {"padding": "valid"})
    if node.kind == "pool" and node.settings.get("mode") == "max":
        every = ((0, 0), *(tuple(p) for p in pads), (0, 0))
        return f'x = ops.pad(x, {every}, constant_values=float("-inf"))\n{line}'
    pairs = tuple(tuple(p) for p in pads)
    shown = written(pairs[0]) if len(pairs) == 1 else written(pairs)
    return f"layers.ZeroPadding{len(pads)}D({shown})\n{line}"


def _padded_as(other: Node, line: str, node: Node) -> str:
    """The corrected line with the other's padding, where "same" would be another one by now."""
    theirs = canonical(other)
    pads = theirs.get("padding", ())
    if not _works_out_padding(node) or not pads or follows(node, other):
        return line
    if canonical(node).get("padding") != pads:
        return line  # a cause of its own, with a line of its own
    window: dict[str, Any] = {k: theirs[k] for k in ("kernel", "stride", "dilation") if k in theirs}
    repaired = replace(node, code=line, settings={**node.settings, **window}, sources=other.sources)
    return _keras_padded(repaired, pads)


def _works_out_padding(node: Node) -> bool:
    """Whether the line says "same" or "causal", which is another for every size and window."""
    parsed = call(node.code)
    stated = [k.value for k in parsed.keywords if k.arg == "padding"] if parsed else []
    return any(isinstance(v, ast.Constant) and v.value in ("same", "causal") for v in stated)


def follows(node: Node, other: Node) -> bool:
    """Whether the line works its padding out, and as the other's with the other's window."""
    if not _works_out_padding(node):
        return False
    theirs = canonical(other)
    window: dict[str, Any] = {k: theirs[k] for k in ("kernel", "stride", "dilation") if k in theirs}
    repaired = replace(node, settings={**node.settings, **window}, sources=other.sources)
    return _is_same(repaired, theirs.get("padding", ()))


def _is_same(node: Node, pads: Pads) -> bool:
    """Whether this is what the line adds for the size that the node takes: "same", or "causal"."""
    s = canonical(node)
    if _keyword(node.code, "padding") and '"causal"' in node.code:
        ahead = zip(s["kernel"], s["dilation"], strict=True)
        return [tuple(p) for p in pads] == [(d * (k - 1), 0) for k, d in ahead]
    shape = node.sources[0].shape if node.sources else ()
    sizes = shape[2:] if s.get("channels") == "first" else shape[1:-1]
    if len(sizes) != len(pads) or "kernel" not in s:
        return False
    for n, pair, k, stride, d in zip(
        sizes, pads, s["kernel"], s["stride"], s["dilation"], strict=True
    ):
        total = max((-(-n // stride) - 1) * stride + d * (k - 1) + 1 - n, 0)
        if tuple(pair) != (total // 2, total - total // 2):
            return False
    return True


def _activation(node: Node, other: Node, side: Side) -> str:
    if other.kind != "activation":
        if node.kind == "recurrent" and other.kind == "recurrent":
            return _recurrent_activation(node, other, side)
        return ""
    if node.kind == "opaque":
        return activation.line(canonical(other), side)
    if node.kind != "activation" or canonical(node) == canonical(other):
        return ""
    settings = canonical(other)
    if settings["name"] == canonical(node)["name"] == "leaky_relu" and "(" in node.code:
        own = function_name(node.code)
        if own == "leaky_relu" and side == "keras":
            word = "alpha" if node.code.startswith("tf.nn.") else "negative_slope"
            return changed(node.code, {word: settings["slope"]})
    if "activation=" in node.code and side == "keras":
        made = activation.line(settings, side)
        if made.startswith('layers.Activation("'):
            return changed(node.code, {"activation": made.split('"')[1]})
        if settings["name"] == "relu":
            return changed(node.code, {"activation": "relu"})
        if settings["name"] == "leaky_relu":
            value = f"=keras.layers.LeakyReLU(negative_slope={settings['slope']!r})"
            return changed(node.code, {"activation": value})
        if settings["name"] == "gelu" and not settings.get("approximate"):
            return changed(node.code, {"activation": "gelu"})
        value = f"=lambda x: {made}" if "(x" in made else f"={made}"
        return changed(node.code, {"activation": value})
    return _named(node.code, activation.line(settings, side))


def replaced_activation(node: Node, other: Node, side: Side, text: str) -> Replacement | None:
    """The other activation in place of one that a statement calls by a name of its own.

    Args:
        node, other, side: as of `fix`.
        text: what people are told.
    """
    kinds = {node.kind, other.kind}
    if kinds != {"activation"} or not is_statement(node.code) or canonical(other).get("axis"):
        return None
    return Replacement(node.name, activation.line(canonical(other), side), text)


def _recurrent_activation(node: Node, other: Node, side: Side) -> str:
    mine, theirs = canonical(node), canonical(other)
    keys = [k for k in ("activation", "recurrent_activation") if mine.get(k) != theirs.get(k)]
    if side == "torch":
        return changed(node.code, {"nonlinearity": theirs["activation"]})
    return changed(node.code, {k: theirs[k] for k in keys})


def _named(old: str, new: str) -> str:
    """The new line under the old one's name."""
    name = re.search(r"""name=("[^"]*"|'[^']*')""", old)
    if not name or not new.startswith("layers."):
        return new
    return changed(new, {"name": "=" + name.group(1)})


SWAPPED = {
    "max": {
        "AvgPool": "MaxPool",
        "AveragePooling": "MaxPooling",
        "avg_pool": "max_pool",
        "average_pool": "max_pool",
        "reduce_mean": "reduce_max",
        ".mean(": ".amax(",
        "ops.mean(": "ops.max(",
    },
    "average": {
        "MaxPool2d": "AvgPool2d",
        "MaxPool1d": "AvgPool1d",
        "MaxPool3d": "AvgPool3d",
        "MaxPooling": "AveragePooling",
        "MaxPool2D": "AveragePooling2D",
        "AdaptiveMaxPool": "AdaptiveAvgPool",
        "F.max_pool": "F.avg_pool",
        "adaptive_max_pool": "adaptive_avg_pool",
        "ops.max_pool": "ops.average_pool",
        "reduce_max": "reduce_mean",
        ".amax(": ".mean(",
        "ops.max(": "ops.mean(",
    },
}


def _pooling(node: Node, other: Node, side: Side) -> str:
    theirs, code = canonical(other), node.code
    mode = {"mean": "average"}.get(theirs.get("mode", ""), theirs.get("mode", ""))
    if (
        operation_text(node.kind, node.settings) != operation_text(other.kind, other.settings)
        and mode in SWAPPED
    ):
        for old, new in SWAPPED[mode].items():
            if old in code and new not in code:
                code = code.replace(old, new)
                break
    if node.kind == other.kind == "pool" and theirs["kernel"] != canonical(node)["kernel"]:
        word = "kernel_size" if side == "torch" else "pool_size"
        code = changed(code, {word: small(theirs["kernel"])})
    return code if code != node.code else ""


def _reduction(node: Node, other: Node, side: Side) -> str:
    """Another mode of the same function: ``ops.sum`` for ``ops.mean``."""
    if node.kind != "reduce" or other.kind != "reduce":
        return ""
    mine, theirs = canonical(node)["mode"], canonical(other)["mode"]
    if mine == theirs or not {mine, theirs} <= {"mean", "sum", "max", "min", "prod"}:
        return ""
    if node.code.startswith("layers."):
        return _written(other, side)
    return re.sub(rf"(?<=[._]){mine}\(", f"{theirs}(", node.code, count=1)


def _axis(node: Node, other: Node, side: Side) -> str:
    """Along which axis; an activation has it as an argument of its own."""
    theirs = canonical(other, channels=node.settings.get("channels")).get("axis")
    if node.kind != "activation" or theirs is None:
        moved = node.sources and node.sources[0].ids  # it sees other axes than the line
        return "" if moved else _plain("axis", "axes")(node, other, side)
    if "softmax" not in function_name(node.code).lower():
        return ""
    if node.sources and node.sources[0].ids:
        theirs = _unswapped(theirs, node)
    word = "axis" if side == "keras" else "dim"
    return "" if theirs is None else changed(node.code, {word: theirs})


def _unswapped(axis: int, node: Node) -> int | None:
    """An axis as the line counts it: TensorFlow's softmax swaps its own with the last one."""
    parsed = call(node.code)
    stated = [k.value for k in parsed.keywords if k.arg == "axis"] if parsed else []
    try:
        own = int(ast.literal_eval(stated[0]))
    except (IndexError, TypeError, ValueError):
        return None
    last = len(node.sources[0].shape) - 1
    return last if axis == own % (last + 1) else axis


def _kernel_size(node: Node, other: Node, side: Side) -> str:
    return changed(node.code, {"kernel_size": small(canonical(other)["kernel"])})


def _units(node: Node, other: Node, side: Side) -> str:
    theirs = other.settings
    names: dict[str, dict[Side, str]] = {
        "dense": {"torch": "out_features", "keras": "units"},
        "recurrent": {"torch": "hidden_size", "keras": "units"},
    }
    if function_name(node.code) == "EinsumDense":
        return _key_dim(node, theirs.get("units"))
    if node.kind in names and "units" in theirs:
        return changed(node.code, {names[node.kind][side]: theirs["units"]})
    if node.kind == "embedding":
        words = (
            ("num_embeddings", "embedding_dim") if side == "torch" else ("input_dim", "output_dim")
        )
        return changed(node.code, dict(zip(words, (theirs["rows"], theirs["size"]), strict=True)))
    return ""


def _key_dim(node: Node, units: Any) -> str:
    """The argument of an attention layer that reaches a projection within it."""
    layer, _, role = node.name.rpartition("/")
    heads = re.search(r"\(None, (\d+), \d+\)", node.code)
    if role not in ("query", "key", "value") or not layer or not heads or not units:
        return ""
    word = "value_dim" if role == "value" else "key_dim"
    return f"# layers.MultiHeadAttention: {word}={units // int(heads.group(1))}, of {layer}"


def _counted(node: Node, other: Node, side: Side) -> str:
    counts = bool(other.settings.get("counts_padding"))
    if side == "torch":
        return changed(node.code, {"count_include_pad": counts})
    pads = canonical(other).get("padding", ())
    if counts and pads:
        pairs = tuple(tuple(p) for p in pads)
        line = changed(node.code, {"padding": "valid"})
        return f"layers.ZeroPadding{len(pads)}D({written(pairs)})\n{line}"
    return changed(node.code, {"padding": "same"})


def _resize(node: Node, other: Node, side: Side) -> str:
    s = canonical(other)
    mode = s.get("mode", "nearest")
    if side == "torch":
        arguments: dict[str, Any] = {"mode": mode.replace("_", "-")}
        if mode in ("bilinear", "bicubic"):
            arguments["align_corners"] = bool(s.get("align_corners"))
            if s.get("antialias"):
                arguments["antialias"] = True
        return changed(node.code, arguments)
    if s.get("align_corners"):
        return f"{node.code}  # Keras cannot align corners; resize with a matrix, or use False"
    name = function_name(node.code)
    word = "method" if node.code.startswith("tf.") else "interpolation"
    arguments = {word: mode.removesuffix("_exact")}
    if bool(s.get("antialias")) != bool(canonical(node).get("antialias")):
        if name == "UpSampling2D":
            return ""
        arguments["antialias"] = bool(s.get("antialias"))
    return changed(node.code, arguments)


def _written(node: Node, side: Side) -> str:
    """A node as a layer of a framework; '' where there is no short way to say it."""
    line = operation(node.kind).lines.get(side)
    return line(canonical(node), node.sources[0].shape if node.sources else ()) if line else ""


def _another(node: Node, other: Node, side: Side) -> str:
    """All of the other operation, written for this framework."""
    if node.kind == other.kind == "unary":
        mine, theirs = (str(canonical(n).get("name")) for n in (node, other))
        return re.sub(rf"(?<=\.){mine}\(", f"{theirs}(", node.code, count=1)
    if node.kind == other.kind:
        return ""
    return _named(node.code, _written(other, side))


def _missing(node: Node, other: Node, side: Side) -> str:
    line = _written(other, side) or f"# what {other.code or other.kind} does"
    return f"{line}\n{node.code}" if node.code else line


def _extra(node: Node, other: Node, side: Side) -> str:
    return f"# remove: {node.code}"


def _direction(node: Node, other: Node, side: Side) -> str:
    mine, theirs = canonical(node), canonical(other)
    both = theirs.get("bidirectional")
    if both != mine.get("bidirectional"):
        if side == "torch":
            return changed(node.code, {"bidirectional": bool(both)})
        if both:
            one = changed(node.code, {"units": theirs["units"]}) if "units" in theirs else ""
            return f"layers.Bidirectional({one or node.code})"
        wrapped = re.fullmatch(r"(?:\w+\.)*Bidirectional\((.*)\)", node.code)
        return wrapped.group(1) if wrapped else ""
    if side == "keras" and theirs.get("backwards") != mine.get("backwards"):
        return changed(node.code, {"go_backwards": bool(theirs.get("backwards"))})
    return ""


def _flatten(node: Node, other: Node, side: Side) -> str:
    if side == "keras":
        return f"layers.Permute((3, 1, 2))\nlayers.Flatten()\n{node.code}"
    return f"x = x.permute(0, 2, 3, 1).flatten(1)\n{node.code}"


def _number(node: Node, other: Node, side: Side) -> str:
    """A number that stands in an expression once."""
    mine, theirs = canonical(node).get("scalar"), canonical(other).get("scalar")
    if mine is None or theirs is None:
        return ""
    for text in dict.fromkeys((repr(mine), f"{mine:g}", str(mine))):
        pattern = rf"(?<![\w.]){re.escape(text)}(?![\w.])"
        if len(re.findall(pattern, node.code)) == 1:
            return re.sub(pattern, repr(theirs), node.code)
    return ""


def _order(node: Node, other: Node, side: Side) -> str:
    """Two operands change places, as two arguments, a list of two, or around a sign."""
    if re.search(r"\bif\b", node.code):
        return ""  # which branch was taken, the line does not tell
    operands = re.fullmatch(r"(.*[(\[])\s*(\w[\w.]*)\s*,\s*(\w[\w.]*)\s*([)\]].*)", node.code)
    if operands:
        return "{0}{2}, {1}{3}".format(*operands.groups())
    operands = re.fullmatch(r"\s*(\w[\w.]*)\s*([-/@]|\*\*)\s*(\w[\w.]*)\s*", node.code)
    return "{2} {1} {0}".format(*operands.groups()) if operands else ""


_FIXES: Mapping[str, Callable[[Node, Node, Side], str]] = {
    **{
        kind: _plain(kind)
        for kind in ("epsilon", "stride", "dilation", "groups", "bias", "reset_after")
    },
    "momentum": _momentum,
    "padding": _padding,
    "activation": _activation,
    "pooling": lambda n, o, s: _pooling(n, o, s) or _reduction(n, o, s) or _another(n, o, s),
    "kernel_size": _kernel_size,
    "units": _units,
    "padding_counted": _counted,
    "resize": _resize,
    "normalisation": _another,
    "operation": _another,
    "dropout": _plain("rate"),
    "affine": _plain("scale", "center"),
    "axis": _axis,
    "mask_zero": _plain("mask_zero", "zero_index"),
    "missing_layer": _missing,
    "extra_layer": _extra,
    "direction": _direction,
    "flatten_order": _flatten,
    "scale": _number,
    "offset": _number,
    "constant": _number,
    "order": _order,
}
