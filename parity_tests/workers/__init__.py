"""Tests of a framework's process: how it starts, answers, fails and ends."""
