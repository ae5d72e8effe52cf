"""Why two arrays, two steps or two operations differ: hypotheses that were tried, as data.

In: arrays, settings by name. Out: what explains the difference, and the ratio that is left when it
is repaired. Shared by `parity run` and `parity check`. Read `causes` (kinds of cause, and their
JSON), `edits` (what is to be changed in the code, as data), `array_hypotheses` (what two arrays
tell), `permutations` (their orders), `constants` (how one table became another),
`operation_hypotheses` (what an operation, computed again, tells), `optimizer_settings` and
`optimizer_step` (which equation took a step).
"""
