"""The framework-free half of the suite: specs, data, recordings, comparison, reports.

Nothing below this package imports torch, tensorflow, keras or jax; the two implementations run in
processes of their own and meet here as files.
"""

FORMAT = 1
"""Version of every JSON document and of the recording format."""
