"""What a check answers. Data and words; nothing is computed here.

In: layers, findings, causes. Out: a `CheckResult`, its JSON, its sentences. Read `check_result`,
`wording` (every sentence of a check), `remarks` (what is said of the user's code, and at which
line), `formats` (a check for machines), and its `junit`, `sarif` and `annotations`; `html_page`
(for people: both graphs, drawn where `drawing` says) and `model_explorer` (for Google's viewer).
"""
