"""`parity sweep`: many seeds of both sides as independent jobs, here or on a cluster.

In: names of examples and a number of seeds. Out: a table of what follows, and its JSON. Every
finished job is durable at once; a sweep that was killed goes on where it was. Read `session` (all
of it), `plan` (which jobs), `job` (one, and its fingerprint), `store` (what is finished), `board`
(what follows so far), `result` (JSON); then where jobs are done: `local` or `cluster`, whose
workers run `remote`; both use a `crew` of processes, each of which runs `child`.
"""
