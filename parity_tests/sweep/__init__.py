"""Tests of `parity sweep`: plan, store, processes, clusters and statistics."""
