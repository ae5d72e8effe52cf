"""`parity run`: from names of examples to verdicts.

In: a `RunRequest`. Out: a `RunOutcome`, verdicts and the recordings they are of. Read `pipeline`
(plan, record, compare), `pool` (recordings made in both sides' processes), `cache` (verdicts and
pages that need not be made again), `cache_limit` (which recordings are removed when).
"""
