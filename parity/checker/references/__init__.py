"""References: what one side answers in a check, kept in a file, so that the side need not be there.

In: a model that is asked. Out: a file ``….reference``, and a `Model` that answers from it. Read
`questions` (what was asked, by digests), `remembering_model` (a model whose answers are kept),
`recording_model` (one that answers more than it is asked, for any partner), `reference_file` (the
format), `reference_model` (answers from a file). A compact reference leaves out what can be had
again: `drawn_weights` (weights by how they are drawn), `recomputing` (a node in NumPy),
`compact_runs` (what is kept of a run), `compact_memory` (of all answers).
`parity.checker.self_check` asks all that a check asks.
"""
