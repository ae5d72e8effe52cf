"""Tests: `check` of `parity.checker`, `engine` of what records, compares, judges and reports.

The other folders are called as what they test; `backends` are those of Keras. `recipes` runs what
the known differences say to write, `draws` says what a run tests of what is many alike, `forked`
starts a framework once for many scripts, `waiting` waits for events, `reading` measures how the
pages read.
"""
