"""Lets ``python pytorch_impl/fashion_mlp.py`` find the folder ``shared`` beside this one.

A script finds what stands in its own folder, so this is what it finds; its parts are over there.
"""

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(_ROOT))
__path__ = [str(_ROOT / "shared")]
