"""What a known difference is: its listed values, and the mapping that makes the sides equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from parity.core.sides import Side
from parity.spec.cases import Case, Known, Numbers

TORCH = "https://pytorch.org/docs/stable/"
NN = TORCH + "generated/torch.nn."
FUNCTIONAL = TORCH + "generated/torch.nn.functional."
OPTIM = TORCH + "generated/torch.optim."
KERAS = "https://keras.io/api/"
LAYERS = KERAS + "layers/"
KERAS_OPTIMIZERS = KERAS + "optimizers/"
TF = "https://www.tensorflow.org/api_docs/python/tf/"


@dataclass(frozen=True)
class NoWay:
    """There is nothing to write that gives what the other framework gives.

    Attributes:
        why: in a sentence of Markdown, with what comes near where something does.
    """

    why: str


Recipe = str | NoWay
"""Lines of Python to copy, or that there are none."""
DIRECTIONS: dict[Side, str] = {
    "torch": "In PyTorch, to get what Keras gives",
    "keras": "In Keras, to get what PyTorch gives",
}
"""Side → what a `Recipe` on it is for."""
AGREEING: dict[Side, str] = {"torch": "In PyTorch", "keras": "In Keras"}
"""The same of rows on which the frameworks agree."""


@dataclass(frozen=True)
class Difference:
    """One row: what each framework gives, and how to make them equal.

    Attributes:
        name: of a function in ``differences/SECTION.py`` on both sides. It returns ``given``, what
            the framework does by itself, and, where there is a mapping, ``mapped``.
        topic: what the row is about, in a few words of Markdown.
        torch, keras: the values listed for ``given``. A number is exact, text such as ``"2.67"`` is
            a number to half its last digit, other text is a fact. Equal values say that the
            frameworks agree, where people expect a difference.
        mapping: the words of what makes ``mapped`` equal on both sides; empty where nothing does.
        link: the page of a framework that says so.
        in_torch: what to write in PyTorch to get what Keras gives; of rows that agree, the call.
            It may use the names of `inputs` and `integers`, and `torch`, `nn`, `F`, `np`, `model`.
        in_keras: what to write in Keras to get what PyTorch gives; with `keras`, `tf`, `np`.
        inputs, integers, roles: as of a `Case`.
    """

    name: str
    topic: str
    torch: Numbers
    keras: Numbers
    mapping: str
    link: str
    in_torch: Recipe
    in_keras: Recipe
    inputs: Mapping[str, Numbers] = field(default_factory=dict)
    integers: Mapping[str, Numbers] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)

    @property
    def test(self) -> str:
        """The command that holds the row."""
        return f"pytest parity_tests/test_differences.py -k {self.name}"

    @property
    def recipes(self) -> dict[Side, Recipe]:
        """Side → what to write there to get what the other gives."""
        return {"torch": self.in_torch, "keras": self.in_keras}

    @property
    def directions(self) -> list[tuple[str, Recipe]]:
        """What each recipe is for, and the recipe."""
        words = AGREEING if self.equal else DIRECTIONS
        return [(words[side], recipe) for side, recipe in self.recipes.items()]

    @property
    def recipes_json(self) -> dict[str, dict[str, str]]:
        """``{"in_torch": {"code": …}, "in_keras": {"none": …}}``."""
        return {
            f"in_{side}": {"none": recipe.why} if isinstance(recipe, NoWay) else {"code": recipe}
            for side, recipe in self.recipes.items()
        }

    @property
    def equal(self) -> bool:
        """Whether the frameworks agree without a mapping."""
        return self.torch == self.keras

    @property
    def given(self) -> str:
        """Key of what each framework gives."""
        return f"values/{self.name}/given"

    @property
    def mapped(self) -> str:
        """Key of what each gives with the mapping."""
        return f"values/{self.name}/mapped"

    @property
    def case(self) -> Case:
        """The experiment."""
        expected = {"given": self.torch} if self.equal else {}
        return Case(self.name, dict(self.inputs), expected, dict(self.integers), dict(self.roles))

    @property
    def known(self) -> Known | None:
        """The listed difference, strict both ways; None where the frameworks agree."""
        if self.equal:
            return None
        return Known(self.given, self.torch, self.keras, reason=self.topic, link=self.link)


@dataclass(frozen=True)
class DifferenceSection:
    """Rows of one kind: a file of this name in ``differences/`` on both sides."""

    name: str
    title: str
    rows: tuple[Difference, ...]
