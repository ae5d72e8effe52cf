"""Two sides' recordings → findings, one a key. Pure: NumPy only.

In: recordings of both sides in float32 and float64, and nudged by one ulp. Out: a `Finding` for
every key, the causes among them marked. Read `noise` (the rule that decides equality), then
`compare` (every key asked, in order), `key_arrays` (the arrays of one key), `causal_order` (what is
computed from what), `kinks` and `horizon` (where rounding alone explains a difference).
"""
