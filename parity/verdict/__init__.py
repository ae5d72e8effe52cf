"""Findings → verdict: what is so, why, and in which words.

In: the findings of `parity.comparator`, and the recordings they are of. Out: an `ExampleVerdict`,
its sentences, its JSON. Read `judgement` (levels, pairs, verdict), `known_differences` (whether a
listed difference still holds), `wording` (every sentence about a finding).
"""
