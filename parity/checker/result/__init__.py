"""What a check answers. Data and words; nothing is computed here.

In: layers, findings, causes. Out: a `CheckResult`, its JSON, its sentences. Read `check_result`,
`wording` (every sentence of a check).
"""
