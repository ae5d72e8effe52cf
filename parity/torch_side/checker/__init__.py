"""A user's PyTorch model, run once and written down as a graph, for `parity check`.

In: a model and its inputs. Out: what `parity.checker.graph.model_interface.Model` asks. Read
`model`, `running` (precision, mode, errors), `tracer` (every torch function of a run), `steps` and
`refs` (what it keeps: which element of which value stands where), `calls` (one call and its
arguments); each operation in the graph's words: `kinds` (layers), `recurrent`, `attention`,
`arithmetic`, `movement` (what only moves numbers), `noise` (dropout and draws), `training_only`
(dropouts that evaluation does not call), `control`, `nudging` (constants moved by what rounding
does); `helpers`; `naming` (the user's lines); `graphs` (the graph), `weights` (canonical layout),
`paging` (large weights in files), `weight_files` (in files), `plain_files` (without a model),
`loaded_alone` (without this project), `learning` (loss and optimizer), `layerwise` (where tracing
fails), `warm` (a model before the user's).
"""

from parity.torch_side.checker.model import TorchModel

__all__ = ["TorchModel"]
