"""`parity convert`: a checkpoint of one framework as a checkpoint of the other, proven.

In: two models, the weights of one, and a name for the other's. Out: that file, if the check agrees;
and, where asked, the map by which further checkpoints go the same way without any model. Read
`expressions` (the language of the map: a weight as an expression over the other side's), `places`
(from an index array to such an expression), `stored` (what a model's weights file holds), `derive`
(the map of a check), `weight_map` (the map and its file), `tensor_files` (safetensors, one tensor
at a time), `names` (which name of a file is which of the model), `conversion` (all of it, from the
check to the file), `loaded_alone` (that file in a fresh process); `by_map` (without models),
`written_script` (the map as a script).
"""
