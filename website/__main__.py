"""``python -m website [FOLDER]`` makes the site, in ``build`` where no folder is named."""

import sys
from pathlib import Path

from parity.core.errors import ParityError
from parity.recording.provenance import ROOT
from shared.examples import ALL
from website.build import build

if __name__ == "__main__":
    try:
        made = build(ROOT, ALL, Path(*(sys.argv[1:] or ["build"])).resolve())
    except ParityError as error:
        sys.exit(f"{error}")
    print(f"Written: {made / 'index.html'}")
