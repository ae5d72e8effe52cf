"""What a check advises, applied: the user's files as they would be, checked once more.

In: a `CheckResult` with confirmed causes. Out: an `Outcome`: the changed texts of files, what was
applied and what was not and why, and the check of the changed files. No file is touched until
`writing`. Read `rounds` (check, apply, check again), `advice` (a cause's line as edits),
`rewriting` (each edit in the syntax tree), `slots` (where a value is decided: here, or where a
caller says it), `source` (a file and its changes), `wording` (the diff, and what was not applied).
"""
