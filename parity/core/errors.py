"""The exceptions of this project: few, with one base, each message complete in itself.

A message says what is so, what was expected, and the next command. A *mismatch* between the
frameworks is never an exception: it is a finding (`parity.comparator.compare`).
"""


class ParityError(Exception):
    """Base of every error a user can cause or meet. The command line prints it and exits with 2."""


class UsageError(ParityError):
    """An argument that names nothing, or options that contradict each other."""


class DataError(ParityError):
    """A dataset that is missing, damaged, or cannot be fetched or stored."""


class RecordingError(ParityError):
    """A recording that cannot be read, written, or compared with another."""


class WorkerError(ParityError):
    """A framework's process that died, hung, or answered with something that is no event."""


class CrashError(WorkerError):
    """A framework's process that a fault in native code ended: SIGSEGV, SIGABRT and their like."""


class InterruptionError(ParityError):
    """The person at the keyboard stopped it; says what is kept."""
