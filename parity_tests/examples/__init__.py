"""Tests of the lessons, driven by `shared.examples.ALL`: both sides record and agree."""
