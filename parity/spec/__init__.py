"""What an example is: frozen dataclasses, written once and read by both sides.

In: what its author states. Out: an `ExampleSpec` and its parts, and a `Suite` of them, which is all
that the tool is handed of the lessons. Read `cases` (experiments and the numbers they must give),
`example` (a training, its variants and pairs), `expected` (whether an array is a stated number),
`difference` (a known difference of the frameworks), `backends` (an example on other backends of
Keras), `suite`.
"""
