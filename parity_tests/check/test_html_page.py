"""The page of a check, as a browser shows it; and where its graphs are drawn."""

import json
import random
import re
import sys
from dataclasses import replace

import pytest

from parity.checker.result import drawing, html_page, model_explorer
from parity.checker.result.check_result import CheckResult, Divergence, Layer, LayerEdge, Operation
from parity.checker.result.html_page import ShownResult
from parity.comparator.noise import Finding
from parity.diagnosis.causes import Cause

TORCH = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 6), nn.Linear(6, 6)
        self.add_module("<script>hit=1<", nn.LayerNorm(6))

    def forward(self, x):
        x = torch.relu(self.a(x))
        return torch.tanh(getattr(self, "<script>hit=1<")(x + self.b(x)))
"""
KERAS = """
import keras
from keras import layers, ops

def net():
    inputs = keras.Input((8,))
    x = layers.Dense(6, activation="relu", name="a")(inputs)
    x = x + layers.Dense(6, name="b")(x)
    x = layers.LayerNormalization(epsilon=1e-2, name="<img src=x onerror=hit=1>")(x)
    return keras.Model(inputs, ops.tanh(x))
"""
LARGE = 2000
WIDTHS = (390, 1280)


@pytest.fixture(scope="module")
def wrong(ask):
    """Of a port with another epsilon, a residual connection, and names that are markup."""
    return ask("Net", {}, "net", {}, "4,8")


def made(size, gap=4):
    """A result of so many layers: a chain with a shortcut at every few, a fault in the middle."""
    half = size // 2
    far = Finding("x", "check", "different", ratio=1e9, rule="equation", distance64=1.0, scale=2.0)
    status = ["agrees"] * half + ["diverges"] + ["downstream"] * (size - half - 1)
    layers = tuple(
        Layer(
            f"body.{at}.layer",
            f"layer_{at}",
            "dense",
            status[at],
            0.5 if at < half else 1e9,
            order=at,
            finding=far if at >= half else None,
            operations={
                side: Operation(
                    f"Dense({at})  # </script><script>hit=1</script>",
                    {"units": at},
                    ((2, at),),
                    ("x",),
                )
                for side in ("torch", "keras")
            },
        )
        for at in range(size)
    )
    chain = [LayerEdge(at, at + 1) for at in range(size - 1)]
    shortcuts = [LayerEdge(at, at + gap) for at in range(0, size - gap, gap)]
    names = layers[half].torch, layers[half].keras
    return CheckResult(
        "differ",
        {"torch": "t.py:T", "keras": "k.py:K"},
        inputs=(),
        layers=layers,
        torch_only=(),
        keras_only=(),
        divergences=(Divergence(*names, "activations", far, "Far."),),
        causes=(Cause("units", (names[0], 1), (names[1], 2), "confirmed", fix="Dense(1)"),),
        latent=(),
        parts=(),
        notes=(),
        edges=(*chain, *shortcuts),
    )


@pytest.fixture(scope="module")
def shown(browser, tmp_path_factory):
    """``shown(text, name)`` opens a page, once; what it asks for and complains of goes along."""
    context = browser.new_context(viewport={"width": WIDTHS[-1], "height": 800})
    folder = tmp_path_factory.mktemp("pages")
    opened = {}

    def show(name, text):
        if name not in opened:
            file = folder / f"{name}.html"
            file.write_text(text, "utf-8")
            page = context.new_page()
            page.told, page.asked = [], []
            page.on("console", lambda message: page.told.append(message.text))
            page.on("pageerror", lambda error: page.told.append(str(error)))
            page.on("request", lambda request: page.asked.append(request.url))
            page.goto(file.as_uri())
            opened[name] = page
        page = opened[name]
        page.wait_for_selector("html[data-ready]")
        return page

    yield show
    context.close()


@pytest.fixture
def port(shown, wrong):
    """The page of the wrong port, as it is when it opens."""
    page = shown("port", html_page.page(wrong))
    page.set_viewport_size({"width": WIDTHS[-1], "height": 800})
    page.reload()
    page.wait_for_selector("html[data-ready]")
    return page


@pytest.fixture
def large(shown):
    return shown("large", html_page.page(made(LARGE)))


def in_view(page, row):
    graph, box = page.locator("#graph").bounding_box(), page.locator(row).bounding_box()
    return graph["y"] <= box["y"] and box["y"] + box["height"] <= graph["y"] + graph["height"]


def test_the_first_divergence_is_in_view(port, large):
    assert "<img src=x onerror=hit=1>" in port.locator(".row.first").text_content()
    for page in (port, large):
        assert in_view(page, ".row.first")


def test_a_click_shows_settings_values_cause_and_the_line_to_write(port, wrong):
    assert "epsilon (confirmed)" in port.locator("#panel").inner_text()
    port.locator(".row.first").click()
    told = port.locator("#panel").inner_text()
    for words in ("DIVERGES", "epsilon (confirmed)", "layers.LayerNormalization(epsilon=1e-05"):
        assert words in told
    assert port.locator("#panel tr.different th").all_inner_texts() == ["epsilon"]
    assert "Its inputs agree" in told
    assert re.search(r"made at\s+.*k\.py:\d+", told)
    assert "apart in float64" in told
    assert port.locator("path.hot").count() > 0
    port.locator(".row.input").click()
    assert "What both were run on: 4 × 8" in port.locator("#panel").inner_text()
    port.get_by_text("All findings").click()
    assert "How far apart" in port.locator("#panel").inner_text()
    port.locator("#panel a").first.click()
    assert port.locator('.row[aria-selected="true"].first').count() == 1


def test_the_search_finds_a_layer(large):
    large.locator("#search").fill("body.1777.")
    assert large.locator("#count").inner_text() == "1 found"
    assert in_view(large, ".row.hit")
    large.locator("#search").press("Enter")
    assert large.locator("#count").inner_text() == "1 of 1"
    assert "layer_1777" in large.locator("#panel").inner_text()
    large.locator("#search").fill("no such layer")
    assert large.locator("#count").inner_text() == "none"
    large.locator("#search").press("Escape")
    assert large.locator(".row.hit").count() == 0


def test_the_keyboard_is_enough(large):
    large.locator(".row.first").focus()
    focused = "document.activeElement.id"
    half = LARGE // 2
    for key, row in (
        ("ArrowDown", half + 1),
        ("ArrowUp", half),
        ("End", LARGE - 1),
        ("Home", 0),
        ("n", half),
        ("n", half + 1),
        ("p", half),
    ):
        large.keyboard.press(key)
        assert large.evaluate(focused) == f"row-{row}"
        assert in_view(large, f"#row-{row}")
    large.keyboard.press("/")
    assert large.evaluate(focused) == "search"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_as_wide_as_the_window(port, width):
    port.set_viewport_size({"width": width, "height": 800})
    port.locator(".row.first").click()
    for element in ("html", "body", "#graph", "#panel"):
        assert port.locator(element).evaluate("e => e.scrollWidth - e.clientWidth") <= 0, element
    assert port.locator("#panel").bounding_box()["height"] > 200
    for card in port.locator(".row.first .card").all():  # a chunk would cut off what is outside
        box = card.bounding_box()
        assert 0 < box["x"] < box["x"] + box["width"] < width
        assert box["width"] > width / 5
    assert in_view(port, ".row.first")


def brightness(page, selector, what):
    """Relative luminance. Source: WCAG 2.2."""
    colour = page.locator(selector).first.evaluate(
        """(element, what) => {
          const pen = new OffscreenCanvas(1, 1).getContext("2d");
          pen.fillStyle = getComputedStyle(element)[what];
          pen.fillRect(0, 0, 1, 1);
          return [...pen.getImageData(0, 0, 1, 1).data];
        }""",
        what,
    )
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (v / 255 for v in colour[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_can_be_read(port, scheme):
    port.emulate_media(color_scheme=scheme)
    assert (brightness(port, "body", "backgroundColor") > 0.5) == (scheme == "light")
    for text, ground in (
        ("#panel p", "#panel"),
        (".row .what", ".card"),
        (".quiet", "#panel"),
        (".diverges .name", ".diverges .card"),
        (".glyph", ".key"),
        (".ratio", ".ratio"),
        (".badge", ".badge"),
    ):
        pair = brightness(port, text, "color"), brightness(port, ground, "backgroundColor")
        assert (max(pair) + 0.05) / (min(pair) + 0.05) >= 4.5, (text, ground)


def test_names_are_text_and_nothing_is_fetched(port, large):
    for page in (port, large):
        assert page.evaluate("typeof hit") == "undefined"
    assert "<img src=x onerror=hit=1>" in port.locator("#graph").text_content()
    assert "<script>hit=1<" in port.locator("#graph").text_content()
    for page in (port, large):
        assert page.told == []
        assert {url.partition("#")[0] for url in page.asked} == {page.url.partition("#")[0]}


def test_a_large_graph_is_all_there(large):
    assert large.locator(".row").count() == LARGE
    strip = large.locator("#strip").bounding_box()
    middle = {"x": strip["width"] / 2, "y": strip["height"] / 4}
    large.locator("#strip").click(position=middle)
    assert in_view(large, f"#row-{LARGE // 4}")
    large.locator("#graph").evaluate("graph => graph.scrollTop = 1e9")
    assert in_view(large, f"#row-{LARGE - 1}")
    assert "body.1999.layer" in large.locator(f"#row-{LARGE - 1}").text_content()


def test_a_notebook_shows_the_page_in_a_frame(browser, wrong):
    page = browser.new_page()
    told = []
    page.on("console", lambda message: told.append(message.text))
    page.set_content(ShownResult.of(wrong)._repr_html_())
    assert "are not the same function" in page.locator("p").inner_text()
    frame = page.frame_locator("iframe")
    frame.locator(".row.first").click()
    assert "epsilon (confirmed)" in frame.locator("#panel").inner_text()
    assert told == []
    page.close()


def test_without_scripts_the_result_is_there_as_text(browser, wrong):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_content(html_page.page(wrong))
    assert "Cause: epsilon (confirmed)" in page.locator("noscript pre").inner_text()
    context.close()


def test_a_result_knows_both_sides_of_a_layer(wrong):
    by_name = {layer.torch: layer for layer in wrong.layers}
    assert by_name["a"].operations["keras"].code == 'layers.Dense(6, activation="relu", name="a")'
    assert by_name["a"].operations["torch"].takes == ("input 0",)
    norm = by_name["<script>hit=1<"]
    assert norm.differing == ("epsilon",)
    assert norm.operations["torch"].shapes == ((4, 6),)
    # A layer and its activation have one name in Keras: each edge has its own ends all the same.
    flow = {
        (wrong.layers[edge.source].torch, wrong.layers[edge.target].torch): edge.sides
        for edge in wrong.edges
    }
    both = ("torch", "keras")
    assert flow == {
        ("a", "relu"): both,
        ("relu", "b"): both,
        ("relu", "add"): both,
        ("b", "add"): both,
        ("add", "<script>hit=1<"): both,
        ("<script>hit=1<", "tanh"): both,
    }
    (feed,) = wrong.feeds
    assert (feed.source, wrong.layers[feed.target].torch, feed.sides) == (0, "a", both)


def random_flow(seed, size=60):
    draw = random.Random(seed)
    edges = [
        LayerEdge(source, target, draw.choice((("torch",), ("keras",), ("torch", "keras"))))
        for target in range(1, size)
        for source in draw.sample(range(target), k=min(target, draw.randint(0, 3)))
    ]
    one_side = [None if draw.random() < 0.1 else "x" for _ in range(size)]
    layers = [Layer("t", name, "add", "agrees") for name in one_side]
    return layers, [
        e
        for e in edges
        if "keras" not in e.sides or {one_side[e.source], one_side[e.target]} == {"x"}
    ]


@pytest.mark.parametrize("seed", range(20))
def test_lines_run_downwards_and_share_no_lane(seed):
    layers, edges = random_flow(seed)
    rows = drawing.order(layers, edges)
    assert sorted(rows) == list(range(len(layers)))
    at = {layer: row for row, layer in enumerate(rows)}
    assert all(at[edge.source] < at[edge.target] for edge in edges)
    for side in ("torch", "keras"):
        lines = drawing.lines(side, layers, edges, rows)
        assert [line.row for line in lines] == [
            row for row, layer in enumerate(rows) if getattr(layers[layer], side)
        ]
        for line in lines:
            for other in lines:
                apart = other.first >= line.last or other.last <= line.first
                assert line is other or line.lane != other.lane or apart
        taken = [(line.row, target) for line in lines for target in line.targets]
        assert sorted(taken) == sorted(
            (at[e.source], at[e.target]) for e in edges if side in e.sides
        )


def test_sides_that_contradict_each_other_are_drawn_all_the_same():
    layers = [Layer(name, name, "add", "agrees") for name in "abc"]
    edges = [LayerEdge(0, 1, ("torch",)), LayerEdge(1, 2, ("torch",)), LayerEdge(2, 1, ("keras",))]
    rows = drawing.order(layers, edges)
    assert rows == [0, 1, 2]
    upwards = drawing.lines("keras", layers, edges, rows)[2]
    assert (upwards.row, upwards.targets, upwards.first, upwards.last) == (2, (1,), 1, 2)


def steps(do):
    """How many lines of Python it takes: the work, whatever the machine is doing beside it."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        do()
    finally:
        sys.settrace(before)
    return count


def test_the_work_grows_as_the_graph_does():
    small, big = (made(size) for size in (LARGE // 4, LARGE))
    assert steps(lambda: html_page.content(big)) < 4.4 * steps(lambda: html_page.content(small))
    assert len(html_page.page(big)) < 4.4 * len(html_page.page(small))


def test_a_document_has_no_number_that_json_lacks():
    one = replace(made(3), layers=(Layer("a", "a", "add", "inconclusive", float("nan")),), edges=())
    content = html_page.content(one)
    assert json.loads(json.dumps(content, allow_nan=False))["layers"][0]["ratio"] is None


def test_model_explorer_gets_graphs_and_data_of_their_nodes(wrong):
    """Names of fields: `graph_builder.py` and `node_data_builder.py` of ai-edge-model-explorer."""
    files = {name: json.loads(text) for name, text in model_explorer.files(wrong).items()}
    assert files.keys() == {"graphs.json", "status.json", "ratio.json"}
    graphs = {graph["id"]: graph["nodes"] for graph in files["graphs.json"]["graphs"]}
    assert files["graphs.json"].keys() == {"label", "graphs", "graphSorting"}
    for side, nodes in graphs.items():
        ids = {node["id"] for node in nodes}
        assert len(ids) == len(nodes) == len(wrong.layers) + 1  # the input
        for node in nodes:
            assert node.keys() == {
                "id",
                "label",
                "namespace",
                "attrs",
                "incomingEdges",
                "outputsMetadata",
            }
            assert {edge["sourceNodeId"] for edge in node["incomingEdges"]} <= ids
            assert all(isinstance(one["value"], str) for one in node["attrs"])
        for name in ("status.json", "ratio.json"):
            assert files[name][side]["results"].keys() <= ids
    told = {
        node["label"]: {one["key"]: one["value"] for one in node["attrs"]}
        for node in graphs["torch"]
    }["<script>hit=1<"]
    assert told["status"].startswith("DIVERGES")
    assert told["cause"].startswith("epsilon (confirmed)")
    assert told["to write"].startswith("layers.LayerNormalization(epsilon=1e-05")
    assert [node["id"] for node in graphs["torch"]] == [node["id"] for node in graphs["keras"]]
