"""One form for both graphs: what one framework says in two nodes, and the other in one.

In: a `Graph`. Out: a `CanonicalGraph`, whose nodes say which of the graph's they stand for. Read
`canonical_graph`, `drafts` (a graph while it is rewritten); first of all `settled` (constants, and
what changes no id that is fed); the rules: `folding`, `affine` (arithmetic with constants),
`formulas` (activations written by hand), `norms` (normalisations written by hand); `split_layers`
(one layer that is several on the other side).
"""
