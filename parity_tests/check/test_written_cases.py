"""`parity check` answers every pair of `cases/` rightly, and proves nothing that is not so.

``PARITY_LONG=1`` asks about all of them; otherwise about a quarter, drawn by ``PARITY_SEED``.
"""

import importlib.util

import pytest

from parity_tests.check.written_cases import all_cases, answer, wrong
from parity_tests.draws import draw

CASES = all_cases()
FOLDERS = draw(sorted({case.folder for case in CASES}), lambda folder: {folder.parent}, 0.25)
"""Some of every group, each whole: what is wrong beside its repaired twin."""
ASKED = tuple(case for case in CASES if case.folder in FOLDERS)


@pytest.mark.parametrize("case", ASKED, ids=lambda case: case.name)
def test_the_answer_is_right(remotes, case, request):
    if missing := [name for name in case.needs if importlib.util.find_spec(name) is None]:
        pytest.skip(f"{', '.join(missing)} is not installed: pip install '.[zoo]'")
    if case.open:
        request.applymarker(pytest.mark.xfail(strict=True, reason="not answered rightly yet"))
    assert wrong(case, answer(remotes, case)) == []
