"""Native against matched: which defaults a training has, and what each of them does.

In: an example, and the defaults that are the framework's own in a training. Out: a `Summary` of
each training, and how much each default explains. Read `defaults` (which there are), `settings`
(what can be trained with which of them), `running` (one training, in its side's process), `summary`
(what is kept of it), `attribution` (which default explains how much).
"""
