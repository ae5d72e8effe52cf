"""Recordings of both models → findings: which layers part, and which of them by themselves.

In: a `ModelComparison` and what each side recorded. Out: `CheckFindings` and a `LayerAttribution`.
Read `comparing` (one quantity, by the rule of `parity.comparator.noise`), `judging` (all of them),
`attribution` (each layer alone), `regions` (steps that are others on the other side), `stages`
(which may fail without costing the verdict), `settled_gradients` (which need no float64);
exceptions: `masking`, `dropouts`, `float32_constants`, `empty_rows`, `untraced_views`.
"""
