"""Which node of one graph is which of the other: by the flow of data, not by name or order.

In: two canonical graphs. Out: an `Alignment`: pairs of nodes, and what is left over. Read
`alignment`, `node_costs` (two nodes alone), `flow` (with all that flows in and out), `matching`
(from costs to pairs), `matches` (the pairs, as later stages take them); then what is brought closer
first: `reconcile` (layers to be split), `masks` (their sense), `untraced` (what a tracer did not
see), `derived_weights` and `weight_sums` (weights made of weights), `bias_sums` (two biases that
are one), `cells` (recurrent layers by hand).
"""
