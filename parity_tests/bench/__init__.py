"""Tests of `parity bench`: what is measured, in which order, and how it is summed up."""
