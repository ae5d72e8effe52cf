"""Ports that are right and ports that are wrong: what `parity check` says of each."""
