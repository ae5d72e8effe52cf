"""How the committed pages read, and what measures it."""

import shutil

import pytest

from parity_tests import reading

WIDE = "x" * 400
PAGE = f"""# Heading

| {WIDE} |
|---|
| a |

<details><summary>Folded.</summary>

| a |
|---|
| `{"a " * 400}` |

</details>

```python
code
```

One two three. Four [five](six.md) `seven. eight`!

> *Nine.*
"""


@pytest.fixture
def pages(tmp_path):
    (tmp_path / "one.md").write_text(PAGE, "utf-8")
    return tmp_path


def test_sentences_are_told_from_code_and_tables():
    assert [s.strip() for s in reading.sentences(PAGE)] == [
        "Folded.",
        "One two three.",
        "Four five `seven. eight`!",
        "Nine.*",
    ]
    assert reading.long_sentences("word " * 29 + "word.") == []
    assert len(reading.long_sentences("word " * 30 + "word.")) == 1


def test_wide_tables_and_the_first_code_are_found(browser, pages):
    ((tables, first),) = reading.shown(browser, pages).values()
    assert tables == [True, False]  # what can be broken does not scroll
    assert 100 < first < 300


def test_the_committed_pages_read_well(browser, tmp_path):
    folder = shutil.copytree(reading.ROOT / "reports", tmp_path / "reports")
    seen = reading.shown(browser, folder)
    scrolling = {name: sum(tables) for name, (tables, _) in seen.items() if sum(tables)}
    assert sum(scrolling.values()) < 5, scrolling
    for name in reading.PAGES:
        assert seen[name][1] < 900, f"{name}: code comes late"
    for path in folder.glob("*.md"):
        # Pairs that must be so say it in their titles, in each table that names them.
        assert path.read_text("utf-8").count("bit for bit") <= 10, path.stem
