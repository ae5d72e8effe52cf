"""The version of every JSON document that the command line prints."""

FORMAT = 1
"""Version of every JSON document and of the recording format."""
