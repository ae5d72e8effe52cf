"""Keras on TensorFlow, PyTorch and JAX: calls of every documented function, drawn and compared.

`templates` draws calls, from ``calls.txt`` and from signatures; `serve` evaluates them, in a
process for each backend that `backends` holds; `judge` says how the answers part, by measured
noise; `fuzz` does so for all and keeps the smallest call of each finding, ``known.toml``, and what
it reached, ``reached.json``. `known` reads these, and ``causes.toml``: what is behind the findings,
with a program for each fault of Keras. `programs` runs them, `page` writes reports/upstream.md.

``python -m parity_tests.backends.fuzz`` and ``python -m parity_tests.backends.page`` are commands.
"""
