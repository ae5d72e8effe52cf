"""Tests: `check` of `parity.checker`, `engine` of what records, compares, judges and reports.

The other folders are called as what they test.
"""
