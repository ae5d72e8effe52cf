"""A traced model without a framework: what both sides answer, and everything else reads.

In: a user's model by name. Out: a `Graph`, and arrays by the ids of its values. Read `graph` (the
words: kinds of nodes and their settings), `model_interface` (what a side must answer),
`loadable_model` (that and which model it is), `target` and `training_recipe` (the user's model,
loss and optimizer by name), `input_names` (which input is which), `model_inputs`, `input_files`,
`special_inputs` (what a random draw hardly ever holds) and `model_outputs`,
`layerwise` (where a tracer fails), `arrangement` (which element of an array is which of the other
side's), `draws` (random numbers), `storage` (arrays in little memory), `unseen` (numbers
that were not kept), `memory` (how much a check takes), `nudge` (what rounding can do),
`user_sites` (which of the user's lines is running), `statements` (the whole of one).
"""
