"""Tests of trainings with each framework's own defaults, on both sides."""
