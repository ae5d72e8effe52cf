"""`parity bench`: how long each side takes, in each way of writing the same training.

In: names of examples. Out: a `BenchResult`: medians, ratios and their intervals. Measured in
processes of their own, one at a time; nothing imported here knows a framework. Read `session` (all
of it), `plan` (which process when), `machine` (what else runs), `job` (question and answer),
`measuring` (a process from outside), `child` (from inside), `statistics`, `result`.
"""
