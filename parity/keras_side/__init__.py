"""All of the tool that imports Keras or TensorFlow; run in Keras' process.

In: jobs and models. Out: recordings, graphs, times. Read `adapter` (how an example is recorded),
`program` (a lesson's functions, called), `named_weights` (names of variables), `fast_path` (many
steps a call), `backends` (an example on another backend than TensorFlow); the bridges, PyTorch's
equations for Keras: `optimizers`, `layers`; `checker` (the tracer of `parity check`), `native`
(trainings with Keras' own defaults), `bench_variants` and `products` (what `parity bench` times).
"""
