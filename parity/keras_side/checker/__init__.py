"""A user's Keras model, run once and written down as a graph, for `parity check`.

In: a model and its inputs. Out: what `parity.checker.graph.model_interface.Model` asks. Read
`model`, `running`, `twins` and `widening` (the model in float64), `paging` (large weights in
files), `record`, `tracer` (every primitive operation of a run), `marks` (what it keeps), `calls`
(one primitive operation); each operation in the graph's words: `layers` and `descriptions` (Keras'
layers), `recurrent`,
`attention`, `functions`, `primitives` with `arithmetic`, `products`, `windows`, `resizing`; `noise`
and `draws`; `fold`
(several as one), `naming`, `graphs` (the graph), `failures` (errors in the user's lines),
`weight_files`, `plain_files`, `loaded_alone`, `learning` (loss and optimizer),
`layerwise` (where tracing fails), `warm` (a model before the user's).
"""

from parity.keras_side.checker.model import KerasModel

__all__ = ["KerasModel"]
