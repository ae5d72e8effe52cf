"""`parity check`: is a port right? Any two models, one in each framework.

In: two `Target`s or models, and a `CheckRequest`. Out: a `CheckResult`. `check` runs the stages,
and is read first (`named` starts two processes for it); each package is a stage, in this order:
`graph` (a model as a graph: the words that both sides use), `canonical` (one form for what is
written in different steps), `align` (which node is which), `transfer` (values and weights across),
`judge` (which layer diverges by itself), `training` (the user's own loss and optimizer), `diagnose`
(why, and the line that repairs it). Beside them: `workers` (the models' processes), `references` (a
side that was recorded before, made by a `self_check`), `result` (what is answered), `apply` (the
user's files with what was advised, checked once more) and `watching` (a check again at every save).
"""
