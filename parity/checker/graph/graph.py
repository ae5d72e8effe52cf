"""A traced model, said without a framework: what both sides write and everything else reads.

A model is *run*, not parsed: every operation that yields a tensor becomes a node, in the order of
execution, with the settings it was really called with. Both sides use the same words.

**Values.** A node's outputs, the model's inputs (``input:0``), its weights where an operation takes
one directly (``parameter:NAME``) and tensors made on the way (``constant:0``) are *root values*.
What only moves numbers is no node: reshape, flatten, permute, transpose, squeeze, slice, split,
select, flip, roll, tile, expand, cast, copy, and joining pieces of one root. Instead, the `Source`
of whatever takes the result says which element of the root stands at each place.

**Layout.** Values are recorded as the framework has them: images channels first in PyTorch, as
``data_format`` says in Keras. Settings about axes name axes of that side's own arrays.
*Parameters* are canonical on both sides, in Keras' layout, by their roles below.

**Kinds and their settings** (all sizes in the order of the spatial axes; ``channels`` is ``first``
or ``last`` and says where this side has the channel axis):

``convolution``         channels, kernel, stride, dilation [int…]; padding [[before, after]…] as
                        numbers, also for 'same'; groups; bias (bool); mode zeros|reflect|replicate|
                        circular. Depthwise is groups = channels in. Separable is two nodes.
``transposed``          channels, kernel, stride, dilation, groups, bias; crop [[before, after]…]:
                        what is cut from the full output of (n-1)·stride + dilation·(kernel-1) + 1;
                        negative where zeros are added.
``dense``               units, bias. On the last axis. Einsum over one axis is a dense, too.
``batch_norm``          channels, epsilon, momentum (weight of the *old*), scale, center, tracked;
                        training (bool: batch statistics were used)
``layer_norm``          axes, epsilon, scale, center
``group_norm``          channels, groups (instance norm: one a channel), epsilon, scale, center
``rms_norm``            axes, epsilon, scale
``activation``          name, and what that name needs: relu; relu6; leaky_relu slope; prelu (with a
                        parameter alpha; channels); elu alpha; selu; celu alpha; gelu approximate
                        (bool); silu; mish; sigmoid; log_sigmoid; tanh; softplus; softsign;
                        hard_sigmoid; hard_silu; hard_tanh low high; softmax axis; log_softmax axis;
                        clip low high; quick_gelu; threshold … A Keras layer with ``activation=`` is
                        two nodes, the second with the first's name.
``pool``                mode max|average; channels, kernel, stride, dilation; padding
                        [[before, after]…]; counts_padding (bool, average only)
``adaptive_pool``       mode, channels, output [int…]; only where the input is no multiple of it;
                        output 1 is a ``reduce`` over the spatial axes
``reduce``              mode mean|max|sum|min|prod|variance|std|norm; axes [int…]; keepdims
``resize``              channels, size [int…], mode nearest|nearest_exact|bilinear|bicubic|area,
                        align_corners, antialias
``pad``                 padding [[before, after]…] of *every* axis; mode; value
``embedding``           rows, size; zero_index (None, or the row that stays zero); mask_zero (bool)
``recurrent``           cell lstm|gru|rnn; units; bias; bidirectional; backwards; reset_after;
                        activation, recurrent_activation; has_state (an initial state was given).
                        One node a layer of a stack. Its value is always the whole sequence,
                        (batch, time, units or 2·units); the last output, h_n and the like are
                        pieces of it (a `Source` with ids); a second value is the cell's state.
``add subtract multiply divide power maximum minimum``
                        scalar, scalar_left where one operand is a number, else two sources
``matmul``              transpose_left, transpose_right; scale 1.0. Two sources.
``concatenate stack``   axis
``affine``              made by `parity.checker.canonical.canonical_graph`
``einsum``              equation; where it is neither a dense nor a matmul
``unary``               name: exp log sqrt rsqrt square abs neg sin cos erf …
``cumulative``          name, axis
``where gather compare``  whatever tells them apart
``dropout``             rate; noise dropout|alpha|gaussian|gaussian_dropout|…; shared [axes along
                        which one draw serves all]; active (bool: it dropped in *evaluation*)
                        Its value is its input: numbers are compared without the draw. Noise that
                        is added or multiplied is, in training, as `draws` has it.
``opaque``              name of the class or function: what the tracer cannot look into;
                        ``untraced`` for what runs between layers where only these are seen

Attention is always taken apart: dense query, key and value, ``matmul`` (scores), ``multiply`` by a
scalar, ``add`` of a mask, ``activation`` softmax, ``matmul``, dense output; so a built-in layer and
one written by hand are the same graph.

**Roles of parameters and their axes**, with ``forward_`` or ``backward_`` before them in a
bidirectional layer:

``kernel``              dense (in, out); convolution (*kernel, in/groups, out); transposed (*kernel,
                        out/groups, in); lstm (in, 4·units), gates i f c o; gru (in, 3·units), gates
                        z r h
``recurrent_kernel``    (units, 4·units) or (units, 3·units), the same gates
``bias``                (out,); lstm (4·units,), PyTorch's two summed; gru (2, 3·units)
``gamma beta``          (channels,), or the normalised axes
``mean variance``       running statistics (channels,)
``embeddings``          (rows, size)
``alpha``               of prelu
``raw``                 as the framework has it
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from parity.core.sides import Side
from parity.core.sites import Site, Sites

STATISTICS = ("mean", "variance")


@dataclass(frozen=True)
class Parameter:
    """A weight in canonical layout; several framework weights may stand behind it.

    Attributes:
        id: unique on its side, readable: ``layer1.0.conv1/kernel``.
        role: one of those above, with the direction of a bidirectional layer before it.
        shape: canonical.
        trainable: whether an optimizer moves it.
        constant: all elements are equal as the model was built, so that it may hide a fault.
        names: the framework's own names of what stands behind it.
        computed: the model makes it of other weights, so that it cannot be set.
    """

    id: str
    role: str
    shape: tuple[int, ...]
    trainable: bool = True
    constant: bool = False
    names: tuple[str, ...] = ()
    computed: bool = False


@dataclass(frozen=True)
class Value:
    """A root value: ``n12:0`` is node ``n12``'s first output. Shape as on this side."""

    id: str
    shape: tuple[int, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class Source:
    """What a node takes, or the model returns.

    Attributes:
        value: id of the root value.
        shape: as it is seen here, after all moving.
        ids: key of an int64 array of that shape: which element of the flattened root stands where;
            empty where the root is taken as it is.
    """

    value: str
    shape: tuple[int, ...]
    ids: str = ""


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
        id: ``n0``, ``n1``, … in the order of execution; the same in every run of the model.
        name: what people call it: PyTorch's module path (``layer1.0.bn1``) or Keras' layer name
            (its path where the name is not unique); for an operation without a layer the path it
            was called in and the function (``layer1.0.add``, ``layer1.0.add_1``).
        kind: see the module's text.
        settings: see the module's text; JSON values only.
        sources: what it takes, in order.
        values: what it yields.
        parameters: role → parameter id.
        code: the call as one would write it: ``nn.BatchNorm2d(64, eps=1e-05)``,
            ``layers.BatchNormalization(epsilon=0.001, name="bn2a")``.
    """

    id: str
    name: str
    kind: str
    settings: Mapping[str, Any]
    sources: tuple[Source, ...]
    values: tuple[Value, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    code: str = ""


@dataclass(frozen=True)
class Graph:
    """A traced model.

    Attributes:
        side: which framework.
        title: how people call the model: ``models.py:TorchNet``.
        inputs: the model's inputs.
        outputs: what it returns, flattened in order (a dict: as it was filled).
        nodes: in the order of execution.
        parameters: id → parameter; also those no node takes.
        unused: ids of parameters that no node takes.
        notes: what the tracer could not see, in full sentences.
        output_names: of each output the keys, fields or numbers that lead to it; empty for a
            single tensor.
        stopped: root values whose gradient is stopped: detached, or behind a stop_gradient.
        penalties: (layer, what it is) of what a framework's own training adds or enforces beside
            the forward pass: regularizers, constraints.
        libraries: name of a node that the user did not write → which library did: ``library``, the
            ``object`` of it that the user makes, and that one's ``arguments`` with their values,
            None where it does not tell.
        places: name of a node → file and line of the user's that makes it, where they are known.
        made: where each layer was made.
        called: where each node's layer or function was called; nothing where that was more than
            once.
    """

    side: Side
    title: str
    inputs: tuple[Value, ...]
    outputs: tuple[Source, ...]
    nodes: tuple[Node, ...]
    parameters: Mapping[str, Parameter]
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    penalties: tuple[tuple[str, str], ...] = ()
    libraries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    places: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    made: Sites = field(default_factory=dict)
    called: Sites = field(default_factory=dict)

    def executed(self, name: str) -> str:
        """The expression that a node's function was called by, as it stands in the file; '' where
        that is not known, or has more than one line."""
        sites = self.called.get(name, ())
        return sites[0].text if sites else ""

    def to_json(self) -> str:
        """As text, for the way between processes."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Graph:
        """Read what `to_json` wrote."""
        raw = json.loads(text)
        return cls(
            side=raw["side"],
            title=raw["title"],
            inputs=tuple(_value(v) for v in raw["inputs"]),
            outputs=tuple(_source(s) for s in raw["outputs"]),
            nodes=tuple(
                Node(
                    **{
                        **node,
                        "sources": tuple(_source(s) for s in node["sources"]),
                        "values": tuple(_value(v) for v in node["values"]),
                    }
                )
                for node in raw["nodes"]
            ),
            parameters={
                name: Parameter(**{**p, "shape": tuple(p["shape"]), "names": tuple(p["names"])})
                for name, p in raw["parameters"].items()
            },
            unused=tuple(raw["unused"]),
            notes=tuple(raw["notes"]),
            output_names=tuple(raw.get("output_names", ())),
            stopped=tuple(raw.get("stopped", ())),
            penalties=tuple((name, what) for name, what in raw.get("penalties", ())),
            libraries=raw.get("libraries", {}),
            places={n: (file, line) for n, (file, line) in raw.get("places", {}).items()},
            made=_sites(raw.get("made", {})),
            called=_sites(raw.get("called", {})),
        )


def _sites(raw: Mapping[str, Any]) -> Sites:
    return {name: tuple(Site.from_json(site) for site in stack) for name, stack in raw.items()}


def _value(raw: Mapping[str, Any]) -> Value:
    return Value(raw["id"], tuple(raw["shape"]), raw["dtype"])


def _source(raw: Mapping[str, Any]) -> Source:
    return Source(raw["value"], tuple(raw["shape"]), raw["ids"])
