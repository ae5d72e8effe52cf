"""The file that both sides write: one safetensors file a run.

In: arrays by key, and a header. Out: the same, read one key at a time, large arrays page by page.
Read `recording_file` (header and file), `mapped_arrays` (arrays on disk), `thinning` (what is kept
of large ones), `provenance` (which sources made a recording, and where).
"""
