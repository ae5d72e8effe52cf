"""Through two aligned graphs: how every value and every weight goes across.

In: an `Alignment` and the weights of one side. Out: the other side's weights, and for each value
how its axes map. Read `input_layout` (in which layout the graphs align best), `mapping`,
`tables` (weights that are operands), `parts` (weights of which both models make one), `comparison`
(the two models as they are compared), `leftovers` (weights without a pair), `degenerate` and
`biases` (other weights where a model's own would hide a difference).
"""
