"""Known differences between the frameworks: each a row that is measured, on both sides."""

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
from shared.differences.spec import Difference, Section
from shared.spec import ExampleSpec

__all__ = ["DIFFERENCES", "ROWS", "SECTIONS", "Difference", "Section"]

SECTIONS = (
    Section("layer_defaults", "Layers: what they do when nothing is said", layer_defaults.ROWS),
    Section("layer_semantics", "Layers: the same word, another meaning", layer_semantics.ROWS),
    Section("losses", "Losses", losses.ROWS),
    Section("optimizer_defaults", "Optimizers: defaults", optimizer_defaults.ROWS),
    Section("optimizer_semantics", "Optimizers: equations", optimizer_semantics.ROWS),
    Section("schedules", "Learning-rate schedules", schedules.ROWS),
    Section("arithmetic", "Arithmetic and types", arithmetic.ROWS),
    Section("gradients", "Gradients: edges, ties and rules", gradients.ROWS),
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
