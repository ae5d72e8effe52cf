"""What is known of each kind of operation, a file a kind; a new operation is one file and one test.

In: a kind, settings by name, arrays. Out: what the operation gives, which of its settings are
compared and by which cause they are named, their words in each framework, the mistakes people make
with it, the layer as a line of code, and how a wrong line is corrected. What each framework's own
calls mean stands on its side (`parity.torch_side.checker`, `parity.keras_side.checker`); the
equations of several lines in `parity.reference`.

Read `operation` (what is said of a kind) and one of them, `pool` say; `known` lists all, `function`
computes one. Layers: `dense`, `convolution`, `transposed`, `pool`, `adaptive_pool` (and `windows`,
which they share), `batch_norm`, `layer_norm`, `group_norm`, `rms_norm` (and `norms`), `activation`,
`embedding`, `recurrent`, `resize`, `pad`, `dropout`. Arithmetic: `arithmetic`, `affine`, `matmul`,
`unary`, `reduce`, `cumulative`, `joins`, `selection`. What is not known: `opaque`. `code` changes a
line's arguments.
"""
