"""Why a layer parts by itself, proven by repair, and the line of code that repairs it.

In: `CheckFindings`, a `LayerAttribution`, and what was recorded. Out: causes, each with its proof
and its corrected line. Read `diagnosis` (all of it), `search` (the rules in their order, and what a
cause must withstand); of a pair that diverges: `evidence` (what a proof needs), `settings` (which
of them differ), `repair` (each repaired in the NumPy reference); then what no setting of a layer
tells: `made_weights` (the line that makes a weight of others), `structure` (one side's layers
alone), `bypass` (each taken away and put in), `chains` (steps of a chain, and steps that changed
places), `written_out` (one side's function, in steps on the other), `region_tables` (a table in
such steps), `other_inputs` (wiring), `tables` (weights taken as operands), `gradient_stops`,
`training_state`, `running_statistics`, `untied` (weights that tell nothing), `latent` (what no
input of the run shows); the line: `fix` (as for any operation; what a kind says of its own is in
`parity.operations`), `combined_fix`, `library_advice` (where the line is a library's),
`statement_edit` (an operation in a statement), `torch_lines` (where PyTorch's model is the port).
"""
