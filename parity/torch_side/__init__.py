"""All of the tool that imports PyTorch; run in PyTorch's process.

In: jobs and models. Out: recordings, graphs, times. Read `adapter` (how an example is recorded),
`program` (a lesson's functions, called), `named_weights` (names and layouts of parameters),
`fast_path` and `rewriting` (many steps a call); the bridges, Keras' equations for PyTorch:
`optimizers`, `layers`; `checker` (the tracer of `parity check`), `native` (trainings with PyTorch's
own defaults), `bench_variants` and `products` (what `parity bench` times), `imagenet` (pretrained
weights as a file).
"""
