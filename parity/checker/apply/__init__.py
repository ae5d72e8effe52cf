"""What a check advises, applied: the user's files as they would be, checked once more.

In: a `CheckResult` with confirmed causes. Out: an `Outcome`: the changed texts of files, what was
applied and what was not and why, and the check of the changed files. No file is touched until
`writing`. Read `rounds` (check, apply, check again), `advice` (a cause's line as edits),
`rewriting` (each kind of edit in the syntax tree). What it is made of: `user_code` (the files while
they are edited, and what each layer is there), `source` (a file and its changes), `slots` (where a
value is decided: here, or where a caller says it), `line_changes` (a layer's own line),
`insertions` (steps put in), `values` (what an operation takes, and an expression for it), `calls`
(a call with other arguments), `differences` (of two lines), `loops` (how often they run),
`spelling` (as the file writes it).
`wording` has the diff, and what was not applied.
"""
