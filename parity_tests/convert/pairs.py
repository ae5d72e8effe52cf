"""The pairs that are converted, by name."""

from dataclasses import dataclass
from pathlib import Path

from parity.checker.graph.target import Target

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Pair:
    """Names in the two files of models, and what the models take, an input a word."""

    torch: str
    keras: str
    inputs: str

    def targets(self, **weights):
        """Both, with a weights file for a side where it is given."""
        return tuple(
            Target(str(FOLDER / f"{side}_models.py"), name, {}, str(weights.get(side, "")))
            for side, name in (("torch", self.torch), ("keras", self.keras))
        )


PAIRS = {
    "mlp": Pair("Mlp", "mlp", "4,6"),
    "cnn": Pair("Cnn", "cnn", "4,3,8,12"),
    "recurrent": Pair("Recurrent", "recurrent", "4,5,6"),
    "attention": Pair("Attention", "attention", "4,5,12"),
    "fused": Pair("Fused", "fused", "4,5,12"),
    "tied": Pair("Tied", "Tied", "4,5:int"),
    "table": Pair("Table", "table", "4,6"),
    "named": Pair("Named", "named", "4,6 4,4"),
}
