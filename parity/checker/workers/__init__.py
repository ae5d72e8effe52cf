"""The two models' processes: requests in, answers out, one JSON a line, arrays in files.

In: a `Target`. Out: a `Model` that answers from another process. Read `request` (what to check, and
its processes), `remote_model` (the near end), `serve` (the far end, run by ``python -m
parity.torch_side.checker``), `pair` (both models asked at once), `fitting` (what a reference says
about a check), `spare` (a process that is made ready before there is a model).
"""
