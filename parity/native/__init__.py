"""Native against matched: which defaults a training has, and what each of them does.

`settings` says what there is to train, `running` (called in a side's process) trains one of them, a
`summary.Summary` is what is kept of it, and `attribution` says how much each default explains.
"""
