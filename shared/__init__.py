"""What the lessons share, and what the tool is handed of them; nothing here imports a framework.

Read in this order: `data` (datasets: fetch, verify, load), `metrics` (accuracy), `plots` (figures),
`initial_weights`, `numpy_reference` (third opinions on small experiments), `examples` and
`differences` (what each lesson is, as data), `suite` (all of it in one object, which `parity` is
handed), `pretrain` (the weights that `transfer_learning` starts from, written from a recording). In
come the files of the datasets; out go arrays and the frozen dataclasses of `parity.spec`.
"""
