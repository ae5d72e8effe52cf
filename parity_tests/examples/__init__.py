"""Tests of the lessons, driven by `shared.examples.ALL`: both sides record and agree.

`sizes` says which are recorded at which size, and how often.
"""
