"""What the tracer cannot look into."""

from parity.operations.operation import Operation

OPERATION = Operation("opaque", None)
