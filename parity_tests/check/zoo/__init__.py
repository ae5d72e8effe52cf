"""A zoo of real pairs: models of public packages, in tiny configurations, and what is true of them.

`families` has a file a family; `pair` says what a pair is, `truth` (with `truth_torch` and
`truth_keras`) establishes whether the two agree, without the tool, and keeps that in
``truth.json``; `answers` asks the tool; `page` writes ``reports/zoo.md``; `building` is what the
families share. The packages: ``pip install '.[zoo]'``; all of it: ``make zoo``.
"""
