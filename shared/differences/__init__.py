"""Known differences between the frameworks: each a row that is measured, on both sides.

In: nothing. Out: `SECTIONS` of rows, and `DIFFERENCES`, all rows as one example. A file a section:
`layer_defaults`, `layer_semantics`, `losses`, `optimizer_defaults`, `optimizer_semantics`,
`schedules`, `arithmetic`, `gradients`; how each row is measured stands in the files of the same
name in `pytorch_impl/differences` and `keras_impl/differences`.
"""

from parity.spec.difference import DifferenceSection
from parity.spec.example import ExampleSpec
from shared.differences import (
    arithmetic,
    gradients,
    layer_defaults,
    layer_semantics,
    losses,
    optimizer_defaults,
    optimizer_semantics,
    schedules,
)

SECTIONS = (
    DifferenceSection(
        "layer_defaults", "Layers: what they do when nothing is said", layer_defaults.ROWS
    ),
    DifferenceSection(
        "layer_semantics", "Layers: the same word, another meaning", layer_semantics.ROWS
    ),
    DifferenceSection("losses", "Losses", losses.ROWS),
    DifferenceSection("optimizer_defaults", "Optimizers: defaults", optimizer_defaults.ROWS),
    DifferenceSection("optimizer_semantics", "Optimizers: equations", optimizer_semantics.ROWS),
    DifferenceSection("schedules", "Learning-rate schedules", schedules.ROWS),
    DifferenceSection("arithmetic", "Arithmetic and types", arithmetic.ROWS),
    DifferenceSection("gradients", "Gradients: edges, ties and rules", gradients.ROWS),
)
ROWS = tuple(row for section in SECTIONS for row in section.rows)

DIFFERENCES = ExampleSpec(
    name="differences",
    title="Known differences between PyTorch and Keras / TensorFlow",
    part="Reference",
    summary="What parts when a model is ported, measured on both sides, and what makes it equal.",
    cases=tuple(row.case for row in ROWS),
    known=tuple(row.known for row in ROWS if row.known is not None),
    nonfinite=tuple(row.given for row in ROWS),
)
"""All rows as one example of values, so that the suite's recordings and verdict serve them too."""
