"""The equations of both frameworks in NumPy: the third opinion.

In: settings by name, and arrays. Out: what the operation gives, in the precision of the arrays.
`parity.operations` has every kind of a traced graph's nodes, made of what stands here.
Read `activations`, `spatial` (convolution, pooling, resizing), `layers` (normalisation,
recurrence); then `losses`, `optimizers` (steps), `weight_layouts` (weights from a layer of one
framework to the other's).
"""
