"""The website: what its pages are made of, and how a browser shows them."""

import functools
import http.server
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import nbformat
import pytest

from parity.core.errors import UsageError
from parity_tests.draws import draw
from shared.examples import ALL
from website import differences, report_page
from website.build import navigation, to_html
from website.dialect import converted
from website.links import Places
from website.page import Page

ROOT = Path(__file__).parents[1]
WIDTHS = (390, 1280)
INDEX = "**/search_index.json"
DIFFERENCES = json.loads((ROOT / "reports" / "differences.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def mkdocs():
    if importlib.util.find_spec("material") is None:
        assert not os.environ.get("CI"), "CI installs the extra `site`"
        pytest.skip("the extra `site` is not installed: make .venv/.site")


@pytest.fixture(scope="module")
def site(mkdocs, tmp_path_factory):
    """The site's folder, made once, by the command of the Makefile."""
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "website", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == f"Written: {folder / 'site' / 'index.html'}\n"
    return folder / "site"


def paths(site):
    return sorted(file.relative_to(site).as_posix() for file in site.rglob("*.html"))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Nothing."""


@pytest.fixture(scope="module")
def address(site):
    handler = functools.partial(Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def page(browser, address, index):
    """A page of a reader who has never been here; what it complains of and asks for goes along."""
    context = browser.new_context(viewport={"width": WIDTHS[-1], "height": 900}, base_url=address)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.route(INDEX, lambda route: route.fulfill(json=index))
    page.told, page.asked = [], []
    page.on("console", lambda message: page.told.append(message.text))
    page.on("pageerror", lambda error: page.told.append(str(error)))
    page.on("response", lambda r: r.status < 400 or page.told.append(f"{r.status} {r.url}"))
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    context.close()


@pytest.fixture(scope="module")
def index(site):
    """What the search knows, without what there is to find: that takes long to read."""
    return json.loads((site / "search" / "search_index.json").read_text("utf-8")) | {"docs": []}


# Words of Markdown, outside code.
MARKUP = r"""
() => {
  const found = [];
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const { textContent: text, parentElement: owner } = words.currentNode;
    if (!owner.closest("pre, code, script, style, noscript") &&
        /\]\(|\*\*|^\||\|\s*-{3}|`{3}|\[!|<\/?details|^(===|!!!|\?\?\?) |\{[:#. ]/m.test(text))
      found.push(`markup: ${text.trim().slice(0, 80)}`);
  }
  return found;
}
"""
# What is wider than the window, but for what scrolls by itself; figures that are not there.
WIDE = r"""
() => {
  for (const moving of document.getAnimations()) moving.finish();
  const found = [];
  for (const name of ["html", "body"]) {
    const element = document.querySelector(name);
    if (element.scrollWidth > element.clientWidth) found.push(`${name} scrolls sideways`);
  }
  const scrolls = ".md-typeset__scrollwrap, pre, code, .tabbed-labels";
  const blocks = "article :is(h1, h2, h3, p, li, img, details, .tabbed-set)";
  for (const element of document.querySelectorAll(blocks))
    if (element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(scrolls))
      found.push(`cut off: ${element.tagName} ${element.textContent.trim().slice(0, 60)}`);
  for (const image of document.images)
    if (image.complete && !image.naturalWidth) found.push(`no figure: ${image.src}`);
  return found;
}
"""


def test_every_page_is_as_wide_as_the_window(browser, address, site):
    """Without scripts, with which a page takes three times as long."""
    context = browser.new_context(
        viewport={"width": WIDTHS[0], "height": 100}, base_url=address, java_script_enabled=False
    )
    assert flaws(context.new_page(), paths(site)) == {}
    context.close()


def test_pages_say_nothing_in_the_console_and_ask_nobody(page, site, address):
    drawn = draw(paths(site), lambda path: {os.path.dirname(path)}, share=0.15)
    assert flaws(page, drawn) == {}
    assert page.told == []
    assert {url for url in page.asked if not url.startswith((address, "data:"))} == set()


def flaws(page, paths):
    """Page, or page and width → what is wrong. The window is low, for less is drawn then."""
    found = {}
    for path in paths:
        page.goto(path)
        found[path] = page.evaluate(MARKUP)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 100})
            found[path, width] = page.evaluate(WIDE)
    return {place: flaws for place, flaws in found.items() if flaws}


@pytest.mark.parametrize("tag", ["link", "script", "img", "iframe", "source"])
def test_pages_name_nothing_elsewhere_to_be_fetched(site, tag):
    for path in paths(site):
        text = (site / path).read_text("utf-8")
        named = re.findall(rf"<{tag}\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^>]*", text)
        assert [words for words in named if 'rel="canonical"' not in words] == [], path
    sheets = "".join(file.read_text("utf-8") for file in site.rglob("*.css"))
    assert re.findall(r"@import[^;]*//|url\([\"']?(?:https?:)?//[^)]*", sheets) == []


@pytest.fixture
def in_full(page):
    """``in_full(name)`` opens a lesson; the tabs of its first function come along."""

    def show(name):
        page.goto(f"lessons/{name}.html")
        return page.locator("article > .tabbed-set")

    return show


def seen(tabs):
    """Per set of tabs, which of the two programs can be seen."""
    return [
        [block.is_visible() for block in one.locator(".tabbed-block").all()[:2]]
        for one in tabs.all()
    ]


def test_a_choice_of_a_framework_holds_on_every_page(page, in_full):
    tabs = in_full("tensors")
    assert tabs.count() > 5
    assert seen(tabs) == [[True, True]] * tabs.count()
    tabs.first.get_by_text("Keras", exact=True).first.click()
    assert seen(tabs) == [[False, True]] * tabs.count()
    assert "import tensorflow" in tabs.first.inner_text()
    assert "import torch" not in tabs.first.inner_text()
    tabs = in_full("fashion_mlp")
    assert seen(tabs) == [[False, True]] * tabs.count()
    tabs.nth(1).get_by_text("PyTorch", exact=True).first.click()
    assert seen(tabs) == [[True, False]] * tabs.count()
    tabs = in_full("losses")
    assert seen(tabs) == [[True, False]] * tabs.count()
    tabs.first.get_by_text("Both", exact=True).click()
    assert seen(tabs) == [[True, True]] * tabs.count()


def test_both_stand_side_by_side_where_there_is_room(page, in_full):
    left, right = in_full("fashion_mlp").nth(1).locator(".tabbed-block").all()[:2]
    for width, beside in ((390, False), (900, True), (1280, True)):
        page.set_viewport_size({"width": width, "height": 900})
        a, b = left.bounding_box(), right.bounding_box()
        assert (a["y"] == b["y"] and a["x"] + a["width"] <= b["x"]) == beside
        assert beside or a["y"] + a["height"] <= b["y"]


def test_the_search_finds_the_row_of_a_difference(page):
    page.unroute(INDEX)
    page.goto("index.html")
    page.get_by_placeholder("Search").first.fill("momentum")
    row = page.locator("a.md-search-result__link[href*='#batch_norm_momentum']")
    row.click()
    heading = page.locator("h2#batch_norm_momentum")
    heading.wait_for()
    assert "BatchNorm" in heading.inner_text()
    page.wait_for_function("scrollY > 0")
    box = heading.bounding_box()
    assert 0 <= box["y"] < 900 / 2


def test_code_is_copied_as_it_stands_in_the_file(page, in_full):
    code = in_full("fashion_mlp").nth(1).locator(".tabbed-block").first
    code.hover()
    code.locator("button").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("def build_model():")
    source = (ROOT / "pytorch_impl" / "fashion_mlp.py").read_text("utf-8")
    assert copied.splitlines()[-3:] == source.split("\n\n\ndef make_optimizer")[0].splitlines()[-3:]


def test_dark_and_light_are_switched_and_stay(page):
    page.emulate_media(color_scheme="light")
    page.goto("index.html")
    scheme = "document.body.dataset.mdColorScheme"
    ground = "getComputedStyle(document.body).backgroundColor"
    grounds = {}
    for _ in range(2):
        page.locator("label.md-header__button[for^='__palette']:visible").click()
        grounds[page.evaluate(scheme)] = page.evaluate(ground)
    assert page.evaluate(scheme) == "slate"
    page.goto("lessons/perceptron.html")
    assert page.evaluate(scheme) == "slate"
    assert grounds.keys() == {"default", "slate"}
    assert grounds["default"] != grounds["slate"]


def test_the_lessons_follow_each_other_as_in_the_catalogue(site):
    path, met = "lessons/index.html", []
    while path.startswith("lessons/"):
        text = (site / path).read_text("utf-8")
        (target,) = re.findall(r'href="([^"]*)" class="[^"]*footer__link--next"', text)
        before, path = path, os.path.normpath(f"{Path(path).parent}/{target}")
        met.append(path)
        if path.startswith("lessons/"):
            assert f'href="{Path(before).name}" class="md-footer__link md-footer__link--prev"' in (
                site / path
            ).read_text("utf-8")
    about = ["lessons/learn.html", "lessons/coverage.html"]
    lessons = [f"lessons/{spec.name}.html" for spec in ALL]
    assert met == [*lessons, *about, "differences/index.html"]


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_a_lesson_shows_the_code_then_the_verdict_then_the_proof(site, spec):
    text = (site / "lessons" / f"{spec.name}.html").read_text("utf-8")
    order = [
        "What to look at",
        ">PyTorch</label>",
        "Are both the same program?",
        "<summary>The proof",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    folded = text[text.rindex("<details", 0, places[-1]) : places[-1]]
    assert "</details>" not in folded
    ladder = text.index("would agree with C", places[-1])
    assert "</details>" not in text[places[-1] : ladder]
    for side in ("pytorch_impl", "keras_impl"):
        assert (site / "lessons" / side / f"{spec.name}.py").is_file()
    for side in ("torch", "keras"):
        notebook = f"notebooks/{spec.name}-{side}.ipynb"
        assert f'<a download href="{notebook}">' in text
        nbformat.validate(nbformat.read(site / "lessons" / notebook, as_version=4))


def test_the_first_page_counts_what_there_is(site):
    text = (site / "index.html").read_text("utf-8")
    assert f"{len(ALL)} lessons" in text
    assert f"{DIFFERENCES['rows']} defaults" in text


def test_every_difference_has_an_address_and_says_what_makes_it_equal(site):
    for section in DIFFERENCES["sections"]:
        text = (site / "differences" / f"{section['name']}.html").read_text("utf-8")
        pieces = dict(re.findall(r'<h2 id="([^"]+)">(.*?)(?=<h2 |</article>)', text, re.DOTALL))
        for row in section["rows"]:
            piece = pieces[row["name"]]
            assert ("They agree as they are" in piece) == row["equal"]
            assert ("to get what Keras gives" in piece) == (not row["equal"])
            assert row["test"] in piece
            assert f"def {row['name']}" in re.sub("<[^>]+>", "", piece)
            assert row["link"] in piece


ROW = {
    "name": "x",
    "topic": "`X`",
    "torch": {"listed": "1", "measured": "1.01"},
    "keras": {"listed": "2", "measured": "2.01"},
    "equal": False,
    "mapping": "",
    "in_torch": {"code": "a=2"},
    "in_keras": {"none": "There is none."},
    "test": "pytest",
    "link": "https://keras.io",
    "holds": True,
    "words": "",
}


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({}, ["| `1` | `2` |", "**In PyTorch, to get what Keras gives:**\n\n```python\na=2\n"]),
        ({}, ["**In Keras, to get what PyTorch gives:**\n\nThere is none."]),
        ({"equal": True}, ["They agree as they are.", "**In PyTorch:**\n\n```python\na=2\n"]),
        ({"holds": False, "words": "Oh."}, ["| `1.01` | `2.01` |", "no longer holds.** Oh."]),
    ],
)
def test_a_row_says_both_directions(change, shown):
    text = differences.row(ROW | change, "", "", "PyTorch 2.15")
    for words in shown:
        assert words in text


@pytest.mark.filterwarnings("ignore:::(?!parity|website)")  # what MkDocs warns of is not ours
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[x](nowhere.md)", "nowhere.md"),
        ("[x](other.md#nowhere)", "#nowhere"),
        ("[x](#nowhere)", "#nowhere"),
        ("![x](nowhere.png)", "nowhere.png"),
        ("[x](/other.md)", "/other.md"),
    ],
)
def test_a_link_that_leads_nowhere_is_an_error(mkdocs, tmp_path, text, complaint):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "index.md").write_text(f"# One\n\n{text}\n", "utf-8")
    (tmp_path / "pages" / "other.md").write_text("# Two\n\n## Here\n", "utf-8")
    nav = [{"One": "index.md"}, {"Two": "other.md"}]
    with pytest.raises(UsageError, match=re.escape(complaint)):
        to_html(tmp_path / "pages", tmp_path / "site", nav)


PLACES = Places(
    {
        "reports/x.md": "lessons/x.md",
        "reports/d.md": "differences/index.md",
        "reports/d.md#row": "differences/section.md#row",
        "reports/figures/x.png": "reports/figures/x.png",
    }
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](x.md), [`b`](x.md#c)", "[a](x.md), [`b`](x.md#c)"),
        (
            "[a](d.md#row) [a](d.md#other)",
            "[a](../differences/section.md#row) [a](../differences/index.md#other)",
        ),
        ("![a [b] c](figures/x.png)", "![a [b] c](../reports/figures/x.png)"),
        ("[a](https://x.y/z.md) [a](#here)", "[a](https://x.y/z.md) [a](#here)"),
        ("[parity/a.py](../parity/a.py)", "`parity/a.py`"),
        ("[`a.py`](../parity/a.py)", "`parity/a.py`"),
        ("[the rule](../parity/a.py)", "the rule (`parity/a.py`)"),
        ("`[a](x.md)` ``[`](x.md)``", "`[a](x.md)` ``[`](x.md)``"),
        (
            "```text\n[a](d.md)\n```\n[a](d.md)",
            "```text\n[a](d.md)\n```\n[a](../differences/index.md)",
        ),
    ],
)
def test_links_lead_where_the_site_has_things(text, expected):
    assert PLACES.relinked(text, "reports", "lessons/y.md") == expected


def test_what_the_site_lacks_is_linked_in_the_repository_where_that_has_an_address():
    known = Places({}, "https://x.y/blob/main")
    assert known.relinked("[a](../parity/a.py)", "docs", "port/b.md") == (
        "[a](https://x.y/blob/main/parity/a.py)"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("> [!CAUTION]\n> Two\n> lines.\n", '!!! danger "Caution"\n\n    Two\n    lines.\n'),
        ('<details><summary>A "b"</summary>\n\nc\n\n</details>', '??? note "A \\"b\\""\n\n    c'),
        ("A\n- b\n  c\n- d\n\nE", "A\n\n- b\n    c\n- d\n\nE"),
        ("1. b\n\n   ```sh\n   x\n   ```\n2. d", "1. b\n\n    ```sh\n    x\n    ```\n2. d"),
        ("```\n- b\n  c\n> [x]\n```", "```\n- b\n  c\n> [x]\n```"),
    ],
)
def test_the_markdown_of_the_repository_is_said_as_mkdocs_reads_it(text, expected):
    assert converted(text) == expected


REPORT = """# X

About x.

Lesson 1 of 2 · next: [y](y.md)

> [!WARNING]
> Old.

## Function by function

The whole files.

### `f`

Twice.

**PyTorch**

```python
# ## no heading
```

**Keras only**: Of its own.

```python
1
```

Given `x = 1`:

| result | both give | how near |
|---|---|---|
| `a` | `1` | ✓ exactly equal |

<details><summary>NumPy</summary>

```python
1
```

</details>

<details><summary>The rest</summary>

### `g`

```python
2
```

</details>

## What comes out

High.

**`h`**, given `y = 2`:

| result | both give | how near |
|---|---|---|
| `c` | `1` | ✓ exactly equal |

| result | PyTorch | Keras | how near |
|---|---|---|---|
| `d` | `1` | `2` | ✗ other |

### Class by class

Low.

## Own defaults

### Deep

## The programs

Code.

## Are both the same program?

**Both agree.** After 9 steps, to 14 decimal places.

<details><summary>The proof</summary>

Said.

</details>
"""


def test_a_report_is_cut_into_what_is_read_and_what_is_folded():
    report = report_page.read(REPORT)
    assert report.verdict == "**Both agree.** After 9 steps, to 14 decimal places."
    assert report.opening.strip() == '!!! warning "Warning"\n\n    Old.'
    assert report.shown == "High.\n\n### Class by class\n\nLow.\n\n### Own defaults\n\n#### Deep"
    assert report.proof == '??? note "The proof"\n\n    Said.'
    assert report.results == {
        "f": "Given `x = 1`:\n\n| result | both give | how near |\n|---|---|---|\n"
        '| `a` | `1` | ✓ exactly equal |\n\n??? note "NumPy"\n\n    ```python\n    1\n    ```',
        "h": "Given `y = 2`:\n\n| result | both give | how near |\n|---|---|---|\n"
        "| `c` | `1` | ✓ exactly equal |\n\n| result | PyTorch | Keras | how near |\n"
        "|---|---|---|---|\n| `d` | `1` | `2` | ✗ other |",
    }


def test_pages_of_a_part_stand_together_in_the_navigation():
    pages = [
        Page("index.md", "H", "", ""),
        Page("lessons/a.md", "A", "", "", "One"),
        Page("lessons/b.md", "B", "", "", "One"),
        Page("lessons/c.md", "C", "", "", "Two"),
    ]
    assert navigation(pages)[:2] == [
        {"Start": [{"H": "index.md"}]},
        {
            "Learn": [
                {"One": [{"A": "lessons/a.md"}, {"B": "lessons/b.md"}]},
                {"Two": [{"C": "lessons/c.md"}]},
            ]
        },
    ]
