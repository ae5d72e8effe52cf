"""The versions of what is written: JSON documents and recordings, each its own."""

FORMAT = 2
"""Version of the recording format, which `parity.recording.recording_file` writes."""

READABLE = frozenset({1, FORMAT})
"""Versions that it reads: in 1 nothing was thinned, and there were no checksums."""

JSON_FORMAT = 2
"""Version of every JSON document: those of ``--json`` and those beside the pages."""

READABLE_JSON = frozenset({1, JSON_FORMAT})
"""Versions of the documents beside the pages that are read: none of them changed with 2."""
