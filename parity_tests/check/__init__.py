"""Tests of `parity check`: each stage on small graphs, both tracers, and whole checks."""
