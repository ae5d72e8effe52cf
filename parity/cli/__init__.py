"""The command `parity`: options in; the answer on standard output, progress on standard error.

Exit codes: 0 the sides agree, 1 they differ, 2 could not tell. Read `main` (all commands),
`options` (what several share), `lessons` (the one place that imports the lessons); for each large
command its options and what it does with them: `check` and `check_command`, `record` and
`record_command`, `convert` and `convert_command`, `bench` and `bench_command`, `sweep` and
`sweep_command`, `cache` and `cache_command`, `differences` and `differences_command`; `notebook`;
`backends` (Keras on other backends); `screen` and `sweep_screen` (what people see); `side` (one
side alone, ``python -m pytorch_impl``, and the process that records); `writable` (refuses what
cannot be written, before the work).
"""
