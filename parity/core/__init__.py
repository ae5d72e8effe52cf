"""Words that every package uses. It imports no other, but for `blockwise`, which gives a mapped
array's pages back.

In and out: names, numbers and arrays. Read `sides` (torch and keras, float32 and float64),
`errors`, `axis_layouts` (what an array's axes mean on each side), `recording_keys` (what a
recording's arrays are called), `json_format` (versions of what is written), `sites` (where in the
user's code a layer comes from) and `text`; then what is asked of arrays: `blockwise` (whole arrays
in one pass), `classification` (accuracy), `statistics` (equal, different or undecided).
"""
