"""In a float64 run, what asks for float32 by name computes in float64.

RMSNorm, rotary tables and softmax are cast to float32 on purpose, so that half precision does not
spoil them. Where float32 is the working precision such a cast does nothing; where float64 is, it
must do nothing either. Half and bfloat16 stay what they are: they change numbers in every run.
"""

from __future__ import annotations

import functools

import tensorflow as tf
from tensorflow.python import pywrap_tfe
from tensorflow.python.framework import op_def_registry

from parity.checker.graph.nudge import nudged
from parity.keras_side.checker.marks import filled, flat

WIDE = {tf.float32: tf.float64, tf.complex64: tf.complex128}
_DRAWS = ("Random", "StatelessRandom", "StatelessTruncated", "TruncatedNormal", "ParameterizedTr")
"""Of these another precision draws other numbers."""


def patch(tracer):
    """(module, name → function): every primitive operation, float32 in it being float64.

    Where the tracer is `nudging`, constants that meet what is computed are moved by half a unit.
    """
    execute = pywrap_tfe.TFE_Py_FastPathExecute

    def cast(context, x, dtype):
        return execute(context, "Cast", None, x, "DstT", dtype, "Truncate", False)

    def wide(context, op, name, *arguments):
        single, typed = _signature(op)
        if single is None:
            return execute(context, op, name, *arguments)
        inputs, settings = list(arguments[: len(single)]), list(arguments[len(single) :])
        if op == "Bitcast" and tf.as_dtype(settings[settings.index("type") + 1]).size == 4:
            single = [True]  # its bits are those of a float32: a sign, say

        def fitting(x, keeps):
            if not isinstance(x, tf.Tensor) or not hasattr(x, "numpy"):
                return x
            if keeps:
                return cast(context, x, tf.float32) if x.dtype == tf.float64 else x
            return cast(context, x, WIDE[x.dtype]) if x.dtype in WIDE else x

        for k, (given, keeps) in enumerate(zip(inputs, single, strict=True)):
            several = isinstance(given, list | tuple)
            inputs[k] = [fitting(x, keeps) for x in given] if several else fitting(given, keeps)
        for k in range(0, len(settings), 2):
            if settings[k] in typed:
                wanted = tf.as_dtype(settings[k + 1])
                settings[k + 1] = WIDE.get(wanted, wanted)
        if tracer.nudging and not tracer.paused:
            inputs = _moved(tracer, inputs)
        return execute(context, op, name, *inputs, *settings)

    return pywrap_tfe, {"TFE_Py_FastPathExecute": wide}


def _moved(tracer, inputs):
    """Operands of one operation: constants moved, where something computed is among them."""
    operands = [x for x in flat(inputs) if isinstance(x, tf.Tensor) and hasattr(x, "numpy")]
    if all(tracer.is_constant(x) for x in operands):
        return inputs

    def change(x):
        wide = isinstance(x, tf.Tensor) and x.dtype in WIDE.values() and hasattr(x, "numpy")
        if not wide or not tracer.is_constant(x):
            return x
        with tracer.suspended():
            return tf.constant(nudged(x.numpy()))

    return filled(inputs, change)


@functools.cache
def _signature(op):
    """Of each operand whether it can only be float32; names of the types that may be float64.

    None for what holds variables, and for random draws: these stay as they are.
    """
    known = op_def_registry.get(op)
    held = known is None or any(
        arg.type == tf.resource.as_datatype_enum for arg in (*known.input_arg, *known.output_arg)
    )
    if held or op.startswith(_DRAWS):
        return None, frozenset()
    wide = {kind.as_datatype_enum for kind in WIDE.values()}
    typed = frozenset(
        attr.name
        for attr in known.attr
        if attr.type == "type"
        and (not attr.allowed_values.list.type or wide & set(attr.allowed_values.list.type))
    )
    return [arg.type == tf.float32.as_datatype_enum for arg in known.input_arg], typed
