"""Tests of recording, comparing, judging and reporting, most of them without a framework."""
