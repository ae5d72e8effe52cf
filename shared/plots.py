"""Figures of a lesson: drawn where ``--plots FOLDER`` is given, into files; no window is needed.

A notebook shows them instead.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


class Plots:
    """What a lesson draws.

    Args:
        lesson: its file, which names the figures: ``fashion_mlp-training.png``.
        arguments: of the command line; None reads those of this process.

    Needs Matplotlib where ``--plots`` is given, and nothing otherwise.
    """

    def __init__(self, lesson: str, arguments: Sequence[str] | None = None) -> None:
        parser = argparse.ArgumentParser(prog=Path(lesson).name)
        parser.add_argument("--plots", type=Path, metavar="FOLDER", help="write figures there")
        self._folder: Path | None = parser.parse_args(arguments).plots
        self._lesson = Path(lesson).stem

    @staticmethod
    def inline() -> Plots:
        """What shows every figure below the notebook's cell that draws it, under its name."""
        return _InlinePlots("notebook", [])

    def image(self, name: str, image: ArrayLike) -> None:
        """One image with a colour bar."""

        def draw(figure: Any) -> None:
            axes = figure.subplots()
            figure.colorbar(axes.imshow(image, cmap="gray"))

        self.draw(name, draw)

    def gallery(
        self,
        name: str,
        images: Sequence[Any],
        labels: Sequence[Any],
        class_names: Sequence[str],
        predicted: Sequence[Any] | None = None,
    ) -> None:
        """Images with their true names, and with the predicted ones in red where they differ."""

        def draw(figure: Any) -> None:
            rows = -(-len(images) // 5)
            every = figure.subplots(rows, 5, squeeze=False).flat
            for at, (axes, image) in enumerate(zip(every, images, strict=False)):
                axes.imshow(image, cmap="gray")
                wrong = predicted is not None and int(predicted[at]) != int(labels[at])
                title = class_names[int(labels[at])]
                if wrong and predicted is not None:
                    title += f"\nnot {class_names[int(predicted[at])]}"
                axes.set_title(title, fontsize=8, color="tab:red" if wrong else "black")
            for axes in figure.axes:
                axes.axis("off")

        self.draw(name, draw)

    def curves(
        self, name: str, history: Mapping[str, Sequence[float]], x: str = "epoch", y: str = ""
    ) -> None:
        """A line for every quantity, one value an epoch, counted from 1."""

        def draw(figure: Any) -> None:
            axes = figure.subplots()
            for title, values in history.items():
                axes.plot(range(1, len(values) + 1), values, marker="o", label=title)
            axes.set(xlabel=x, ylabel=y)
            axes.legend()

        self.draw(name, draw)

    def dots(self, name: str, pairs: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> None:
        """Prediction above label: a column of dots for each set, red where they part by a half."""

        def draw(figure: Any) -> None:
            panes = figure.subplots(1, len(pairs), sharey=True, squeeze=False)[0]
            for axes, (title, (labels, predictions)) in zip(panes, pairs.items(), strict=True):
                truth, found = (np.asarray(values, np.float64) for values in (labels, predictions))
                wrong = np.abs(truth - found) > 0.5
                for chosen, colour in ((~wrong, "tab:blue"), (wrong, "tab:red")):
                    axes.plot(np.flatnonzero(chosen), found[chosen], ".", color=colour)
                axes.plot(truth, "k_", markersize=3, label="label")
                axes.set(title=title, xlabel="sample", ylabel="prediction")

        self.draw(name, draw)

    def draw(self, name: str, draw: Any) -> None:
        """Any other figure: `draw` is given a Matplotlib figure to draw on."""

        def write(path: Path) -> None:
            from matplotlib.figure import Figure  # noqa: PLC0415

            figure = Figure(layout="constrained")
            draw(figure)
            figure.savefig(path)

        self.write(name, write)

    def write(self, name: str, write: Any) -> None:
        """A figure that another library makes: `write` is given the path of its file."""
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._lesson}-{name.replace(' ', '_')}.png"
        write(path)
        print(f"wrote {path}")


class _InlinePlots(Plots):
    def write(self, name: str, write: Any) -> None:
        import IPython.display  # noqa: PLC0415  # a notebook has it

        screen: Any = IPython.display  # half of it says no types
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "figure.png"
            write(path)
            print(f"{name}:")
            screen.display(screen.Image(data=path.read_bytes()))
