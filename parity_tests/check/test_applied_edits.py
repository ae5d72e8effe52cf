"""Edits in source files: what is written, what stays as it is, and what is refused. No framework.

A site is found by the text of its expression, as the tracer finds it by what is being executed.
"""

import ast
import os
import stat

import pytest

from parity.checker.apply import writing
from parity.checker.apply.advice import edits
from parity.checker.apply.rewriting import Rewriting
from parity.checker.apply.source import NotAppliedError
from parity.checker.apply.writing import ReadFile
from parity.core.errors import UsageError
from parity.core.sites import Site
from parity.diagnosis.causes import Cause
from parity.diagnosis.edits import (
    CallChange,
    Insertion,
    LineChange,
    OutputOrder,
    Removal,
    Reordering,
    Repetition,
    Rewiring,
    Sharing,
    StepExchange,
    Wrapping,
)

FILE = "/models/k.py"


def site(source, text, owner=()):
    """The expression of this text; the text has to be there once."""
    found = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.expr) and ast.get_source_segment(source, node) == text
    ]
    assert len(found) == 1, text
    node = found[0]
    return Site(FILE, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset, owner)


def rewritten(source, edit, layers=None, *, made=(), called=(), codes=()):
    """The file after an edit; sites are given as texts, innermost first."""

    def sites(texts):
        return {
            name: tuple(s if isinstance(s, Site) else site(source, s) for s in stack)
            for name, stack in dict(texts).items()
        }

    rewriting = Rewriting(sites(made), sites(called), dict(codes), lambda path: source)
    try:
        rewriting.apply(edit, layers or [])
    except NotAppliedError:
        assert rewriting.texts() == {}
        raise
    return rewriting.texts().get(FILE, source)


LONG = """from keras import layers

conv = layers.Conv2D(
    8,  # channels
    kernel_size=3,

    padding="same",  # as in the paper
)  # the first
"""
CALL = LONG[LONG.index("layers.Conv2D") : LONG.index("  # the first")]
CODE = 'layers.Conv2D(8, 3, padding="same", name="conv2d")'


def test_an_argument_is_changed_and_comments_stay():
    line = 'layers.Conv2D(8, 3, padding="valid", name="conv2d")'
    text = rewritten(
        LONG, LineChange("conv2d", line), made={"conv2d": [CALL]}, codes={"conv2d": CODE}
    )
    assert text == LONG.replace('"same"', '"valid"')


def test_an_argument_is_added_as_the_others_are_written():
    line = 'layers.Conv2D(8, 3, strides=2, padding="same", name="conv2d")'
    text = rewritten(
        LONG, LineChange("conv2d", line), made={"conv2d": [CALL]}, codes={"conv2d": CODE}
    )
    assert text == LONG.replace(
        '    padding="same",  # as in the paper\n',
        '    padding="same",  # as in the paper\n    strides=2,\n',
    )


def test_line_ends_stay():
    windows = LONG.replace("\n", "\r\n")
    line = 'layers.Conv2D(8, 3, padding="valid", name="conv2d")'
    made = {"conv2d": [site(LONG, CALL)]}
    text = rewritten(windows, LineChange("conv2d", line), made=made, codes={"conv2d": CODE})
    assert text == windows.replace('"same"', '"valid"')


LOOP = """from keras import layers
for i in range(3):
    x = layers.Dense(4, activation="relu", name=f"fc{i}")(x)
"""
DENSE = 'layers.Dense(4, activation="relu", name=f"fc{i}")'


def dense(i, activation="relu"):
    return f'layers.Dense(4, activation="{activation}", name="fc{i}")'


def test_one_of_several_that_a_line_makes_is_refused_by_name():
    made, codes = {f"fc{i}": [DENSE] for i in range(3)}, {f"fc{i}": dense(i) for i in range(3)}
    with pytest.raises(NotAppliedError, match="line 3 is also fc0, fc2, not known"):
        rewritten(LOOP, LineChange("fc1", dense(1, "tanh")), ["fc1"], made=made, codes=codes)
    every = ["fc0", "fc1", "fc2"]
    text = rewritten(LOOP, LineChange("fc0", dense(0, "tanh")), every, made=made, codes=codes)
    assert text == LOOP.replace('"relu"', '"tanh"')


HELPER = """from keras import layers

def norm(name, epsilon=1e-3):
    return layers.BatchNormalization(epsilon=epsilon, name=name)

def net(x):
    x = norm("bn1")(x)  # one
    return norm("bn2", 1e-3)(x)
"""
MADE = "layers.BatchNormalization(epsilon=epsilon, name=name)"
NORMS = {"bn1": [MADE, 'norm("bn1")'], "bn2": [MADE, 'norm("bn2", 1e-3)']}


@pytest.mark.parametrize(
    ("layer", "old", "new"),
    [
        ("bn1", 'norm("bn1")', 'norm("bn1", epsilon=1e-05)'),
        ("bn2", 'norm("bn2", 1e-3)', 'norm("bn2", 1e-05)'),
    ],
)
def test_a_helper_s_parameter_is_given_by_who_calls_it(layer, old, new):
    line = f'layers.BatchNormalization(epsilon={{}}, name="{layer}")'
    edit, codes = LineChange(layer, line.format("1e-05")), {layer: line.format("0.001")}
    assert rewritten(HELPER, edit, made=NORMS, codes=codes) == HELPER.replace(old, new)


def test_a_helper_without_the_parameter_is_written_out_where_it_is_called():
    source = HELPER.replace(", epsilon=1e-3", "").replace("epsilon=epsilon", "epsilon=1e-3")
    source = source.replace(", 1e-3)(x)", ")(x)")
    inner = MADE.replace("epsilon=epsilon", "epsilon=1e-3")
    made = {"bn1": [inner, 'norm("bn1")'], "bn2": [inner, 'norm("bn2")']}
    line = 'layers.BatchNormalization(epsilon={}, name="bn1")'
    edit, codes = LineChange("bn1", line.format("1e-05")), {"bn1": line.format("0.001")}
    text = rewritten(source, edit, made=made, codes=codes)
    assert text == source.replace('norm("bn1")', line.format("1e-05"))


CLASS = """import keras
from keras import layers, ops


class Net(keras.Model):
    def __init__(self, slope=0.2):
        super().__init__()
        self.slope = slope
        self.fc = layers.Dense(4)

    def call(self, x):
        y = self.fc(x)  # the only one
        return ops.leaky_relu(y, self.slope)


def made():
    return Net(slope=0.3)
"""


def test_an_attribute_is_set_where_the_object_is_made():
    owner = (site(CLASS, "super().__init__()"), site(CLASS, "Net(slope=0.3)"))
    called = {"relu": [site(CLASS, "ops.leaky_relu(y, self.slope)", owner)]}
    code = "return ops.leaky_relu(y, self.slope)"
    edit = LineChange("relu", "return ops.leaky_relu(y, 0.1)")
    text = rewritten(CLASS, edit, called=called, codes={"relu": code})
    assert text == CLASS.replace("slope=0.3", "slope=0.1")


def test_a_layer_is_put_into_a_model_of_its_own_class_once():
    edit = Insertion("fc", "layers.ReLU()", "behind")
    text = rewritten(CLASS, edit, made={"fc": ["layers.Dense(4)"]}, called={"fc": ["self.fc(x)"]})
    wanted = CLASS.replace(
        "        self.fc =", "        self.relu = layers.ReLU()\n        self.fc ="
    )
    assert text == wanted.replace("self.fc(x)", "self.relu(self.fc(x))")


CHAIN = """from tensorflow import keras

def net():
    image = keras.Input((4,))
    x = keras.layers.Dense(4, name="a")(image)
    skip = x = keras.layers.ReLU(name="r")(x)
    x = keras.layers.Dense(4, name="b")(x)
    x = keras.layers.Dense(4, name="c")(x)  # third
    return keras.layers.Concatenate(name="cat")([x, skip])
"""
CALLED = {
    n: [f'keras.layers.Dense(4, name="{n}")({v})']
    for n, v in (("a", "image"), ("b", "x"), ("c", "x"))
} | {
    "cat": ['keras.layers.Concatenate(name="cat")([x, skip])'],
    "r": ['keras.layers.ReLU(name="r")(x)'],
}
MAKERS = {"input_layer": ["keras.Input((4,))"]}


def test_a_layer_is_put_between_two_calls_as_the_file_calls_it():
    text = rewritten(CHAIN, Insertion("c", "layers.ReLU()", "before"), called=CALLED)
    assert text == CHAIN.replace('name="c")(x)', 'name="c")(keras.layers.ReLU()(x))')


def test_a_function_is_put_between_two_calls_with_its_import():
    text = rewritten(
        CHAIN, Insertion("c", "ops.gelu(x, approximate=True)", "before"), called=CALLED
    )
    assert text == CHAIN.replace('name="c")(x)', 'name="c")(keras.ops.gelu(x, approximate=True))')


def test_what_is_taken_instead_gets_a_name_where_its_own_is_used_again():
    edit = Rewiring("cat", "", 1, "b", ("", ""))
    text = rewritten(CHAIN, edit, called=CALLED)
    assert text == CHAIN.replace('"b")(x)\n', '"b")(x)\n    b = x\n').replace("[x, skip]", "[x, b]")


def test_an_input_is_taken_by_its_variable():
    edit = Rewiring("cat", "", 1, "input:0", ("", ""))
    text = rewritten(CHAIN, edit, called=CALLED, made=MAKERS)
    assert text == CHAIN.replace("[x, skip]", "[x, image]")


def test_a_part_of_a_value_and_what_a_variable_lists_are_seen():
    edit = Rewiring("cat", "", 0, "b", ("", ""), "[:, :2]")
    source = CHAIN.replace("    return", "    both = [x, skip]\n    return").replace(
        '"cat")([x, skip])', '"cat")(both)'
    )
    called = CALLED | {"cat": ['keras.layers.Concatenate(name="cat")(both)']}
    text = rewritten(source, edit, called=called)
    assert "b = x\n" in text
    assert "both = [b[:, :2], skip]" in text


def test_a_part_of_a_layer_is_not_taken_away_with_all_of_it():
    made, called = {"rnn": ["keras.Input((4,))"]}, {"rnn.divide": ["keras.Input((4,))"]}
    with pytest.raises(NotAppliedError, match="it is a part of rnn"):
        rewritten(CHAIN, Removal("rnn.divide", ""), made=made, called=called)


def test_what_has_no_name_is_refused():
    with pytest.raises(NotAppliedError, match="no value of this model"):
        rewritten(CHAIN, Rewiring("cat", "", 1, "", ("", "")), called=CALLED)
    with pytest.raises(NotAppliedError, match="made later"):
        rewritten(CHAIN, Rewiring("b", "", 0, "cat", ("", "")), called=CALLED)


def test_operands_change_places():
    text = rewritten(CHAIN, Reordering("cat", "", (1, 0)), called=CALLED)
    assert text == CHAIN.replace("[x, skip]", "[skip, x]")


def test_a_step_is_taken_away_and_a_line_that_is_nothing_else():
    assert rewritten(CHAIN, Removal("b", ""), called=CALLED) == CHAIN.replace(
        '    x = keras.layers.Dense(4, name="b")(x)\n', ""
    )
    assert rewritten(CHAIN, Removal("a", ""), called=CALLED) == CHAIN.replace(
        'keras.layers.Dense(4, name="a")(image)', "image"
    )


def test_steps_change_places():
    edit = StepExchange(("r", "a"), ("a", "r"), ("", ""))
    text = rewritten(CHAIN, edit, called=CALLED)
    swapped = CHAIN.replace('Dense(4, name="a")', "…").replace(
        'ReLU(name="r")', 'Dense(4, name="a")'
    )
    assert text == swapped.replace("…", 'ReLU(name="r")')


LIST = """from keras import Sequential
from keras.layers import Dense

net = Sequential(
    [
        Dense(4, name="a"),  # in
        Dense(5, name="b"),
    ]
)
"""


def test_a_layer_is_put_into_a_list_and_imported():
    edit = Insertion("b", "layers.ReLU()", "before")
    text = rewritten(
        LIST, edit, made={n: [f'Dense({k}, name="{n}")'] for n, k in (("a", 4), ("b", 5))}
    )
    assert text == LIST.replace(
        '        Dense(5, name="b")', '        layers.ReLU(),\n        Dense(5, name="b")'
    ).replace("import Dense\n", "import Dense\nfrom keras import layers\n")


def test_a_layer_of_a_list_is_taken_away():
    text = rewritten(LIST, Removal("b", ""), made={"b": ['Dense(5, name="b")']})
    assert text == LIST.replace('        Dense(5, name="b"),\n', "")


def test_a_line_that_is_as_it_should_be_is_no_edit():
    with pytest.raises(NotAppliedError, match="as it should be"):
        rewritten(LONG, LineChange("c", CODE), made={"c": [CALL]}, codes={"c": CODE})


def test_a_file_that_is_not_what_ran_is_refused():
    moved = Site(FILE, 3, 0, 3, 9)
    with pytest.raises(NotAppliedError, match="not what was run"):
        rewritten(LONG, Removal("c", ""), called={"c": [moved]})


def test_words_are_no_edit_and_a_line_is_read_as_it_is_shown():
    words = Cause("padding", ("a", "1"), ("b", "2"), "confirmed", fix="# b: its padding must be 1")
    assert edits(words, "layers.Conv2D(8, 3)") == []
    both = Cause(
        "padding",
        ("a", "1"),
        ("b", "2"),
        "confirmed",
        fix='layers.ZeroPadding2D(1)\nlayers.Conv2D(8, 3, padding="valid")',
    )
    assert edits(both, 'layers.Conv2D(8, 3, padding="same")') == [
        Insertion("b", "layers.ZeroPadding2D(1)", "before"),
        LineChange("b", 'layers.Conv2D(8, 3, padding="valid")'),
    ]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "k.py"
    path.write_bytes("# -*- coding: latin-1 -*-\r\nx = 'é'\r\n".encode("latin-1"))
    path.chmod(0o640)
    return path


def test_bytes_and_mode_stay(file):
    read = {str(file): ReadFile.of(str(file))}
    writing.write({str(file): read[str(file)].text.replace("x", "y", 1)}, read)
    assert file.read_bytes() == "# -*- coding: latin-1 -*-\r\ny = 'é'\r\n".encode("latin-1")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert os.listdir(file.parent) == ["k.py"]


def test_a_file_that_changed_meanwhile_is_left_alone(file):
    other = file.with_name("other.py")
    other.write_text("y = 1\n")
    read = {str(f): ReadFile.of(str(f)) for f in (other, file)}
    file.write_text("mine = 1\n")
    with pytest.raises(UsageError, match="has changed since it was checked"):
        writing.write({str(other): "y = 2\n", str(file): "x = 2\n"}, read)
    assert (file.read_text(), other.read_text()) == ("mine = 1\n", "y = 1\n")
    assert sorted(os.listdir(file.parent)) == ["k.py", "other.py"]


def test_a_library_is_left_alone(tmp_path):
    path = tmp_path / "site-packages" / "k.py"
    path.parent.mkdir()
    path.write_text("x = 1\n")
    with pytest.raises(UsageError, match="is a library's"):
        writing.write({str(path): "x = 2\n"}, {str(path): ReadFile.of(str(path))})
    assert path.read_text() == "x = 1\n"


TORCH = """import torch
from torch import nn

def net():
    return nn.Sequential(
        nn.Linear(4, 4),  # first
        nn.ReLU(),
        nn.Linear(4, 2),  # last
    )
"""
MODULES = {"0": ["nn.Linear(4, 4)"], "1": ["nn.ReLU()"], "2": ["nn.Linear(4, 2)"]}


def test_a_module_is_put_into_a_sequential_and_taken_out_of_it():
    text = rewritten(TORCH, Insertion("2", "nn.Tanh()", "before"), made=MODULES)
    assert text == TORCH.replace("nn.ReLU(),\n", "nn.ReLU(),\n        nn.Tanh(),\n")
    text = rewritten(TORCH, Insertion("2", "nn.Tanh()", "behind"), made=MODULES)
    assert text == TORCH.replace("# last\n", "# last\n        nn.Tanh(),\n")
    assert rewritten(TORCH, Removal("1", "nn.ReLU()"), made=MODULES) == TORCH.replace(
        "        nn.ReLU(),\n", ""
    )
    last = rewritten(TORCH, Removal("2", "nn.Linear(4, 2)"), made=MODULES)
    assert "nn.ReLU()" in last
    assert "nn.Linear(4, 2)" not in last
    compile(last, "t.py", "exec")


def test_layers_that_are_unpacked_are_no_list_of_layers():
    source = "from torch import nn\na, b = nn.Linear(4, 4), nn.ReLU()\ny = b(a(x))\n"
    made = {"a": ["nn.Linear(4, 4)"], "b": ["nn.ReLU()"]}
    called = {"a": ["a(x)"], "b": ["b(a(x))"]}
    text = rewritten(source, Removal("b", "nn.ReLU()"), made=made, called=called)
    assert text == source.replace("b(a(x))", "a(x)")


def test_a_function_that_is_called_of_what_it_works_on():
    source = "import torch\ny = (a + b).relu()\nz = y.softmax(-1)\n"
    called = {"relu": ["(a + b).relu()"], "softmax": ["y.softmax(-1)"]}
    text = rewritten(source, Removal("relu", "relu"), called=called)
    assert text == source.replace("(a + b).relu()", "(a + b)")
    codes = {"softmax": "z = y.softmax(-1)"}
    edit = LineChange("softmax", "z = y.softmax(1)")
    assert rewritten(source, edit, called=called, codes=codes) == source.replace("-1", "1")


def test_what_an_operation_gives_is_multiplied():
    source = "y = softmax(q @ k)\nz = f(y)\n"
    called = {"matmul": ["q @ k"], "f": ["f(y)"]}
    text = rewritten(source, Wrapping("matmul", "x * 0.5", ""), called=called)
    assert text == source.replace("q @ k", "(q @ k) * 0.5")
    text = rewritten(source, Wrapping("f", "x + 2.0", ""), called=called)
    assert text == source.replace("f(y)", "f(y) + 2.0")


OUTPUTS = """import keras

class Net(keras.Model):
    def call(self, x):
        a, b = self.a(x), self.b(x)
        return a, {}

def net(x):
    y, z = f(x), g(x)
    return keras.Model(x, [y, z])
"""


def test_what_a_model_returns_changes_places():
    source = OUTPUTS.replace("{}", "b")
    text = rewritten(source, OutputOrder("a", (1, 0)), called={"a": ["self.a(x)"]})
    assert text == source.replace("return a, b", "return b, a")
    text = rewritten(source, OutputOrder("f", (1, 0)), called={"f": ["f(x)"]})
    assert text == source.replace("[y, z]", "[z, y]")
    source = OUTPUTS.replace("a, {}", "f(x)")
    with pytest.raises(NotAppliedError, match="not written one by one"):
        rewritten(source, OutputOrder("a", (1, 0)), called={"a": ["self.a(x)"]})


def test_layers_are_made_one():
    source = "y = layers.Dense(4, name='a')(x)  # one\nz = layers.Dense(4, name='b')(y)\n"
    called = {n: [f"layers.Dense(4, name='{n}')({v})"] for n, v in (("a", "x"), ("b", "y"))}
    text = rewritten(source, Sharing(("a", "b"), ""), called=called)
    assert text == "a = layers.Dense(4, name='a')\ny = a(x)  # one\nz = a(y)\n"
    source = "def call(self, x):\n    return self.a(self.b(x))\n"
    called = {"a": ["self.a(self.b(x))"], "b": ["self.b(x)"]}
    text = rewritten(source, Sharing(("a", "b"), ""), called=called)
    assert text == source.replace("self.b", "self.a")


def test_a_layer_multiplies_by_a_table_s_weights():
    source = "from keras import layers, ops\ne = layers.Embedding(5, 3)\n"
    source += "y = e(x)\nz = layers.Dense(5)(y + 1)\n"
    called = {"e": ["e(x)"], "d": ["layers.Dense(5)(y + 1)"]}
    text = rewritten(source, Sharing(("e", "d"), "", "embeddings"), called=called)
    made = "layers.Lambda(lambda x: ops.matmul(x, ops.transpose(e.embeddings)))"
    assert text == source.replace("layers.Dense(5)", made)
    source = "from keras import ops\nclass Net:\n    def call(self, x):\n"
    source += "        return self.d(self.e(x))\n"
    called = {"e": ["self.e(x)"], "d": ["self.d(self.e(x))"]}
    text = rewritten(source, Sharing(("e", "d"), "", "embeddings"), called=called)
    product = "ops.matmul(self.e(x), ops.transpose(self.e.embeddings))"
    assert text == source.replace("self.d(self.e(x))", product)


@pytest.mark.parametrize(
    ("given", "line", "name"),
    [
        ("x, empty", "", "empty"),
        ("inputs", "        x, empty = inputs\n", "empty"),
    ],
)
def test_a_layer_is_called_with_an_input_of_the_model(given, line, name):
    source = f"class Net:\n    def call(self, {given}):\n{line}        return self.attn(x, x)\n"
    edit = CallChange("attn", "attention_mask", "~{}", "input:1")
    text = rewritten(source, edit, called={"attn": ["self.attn(x, x)"]})
    assert text == source.replace("(x, x)", f"(x, x, attention_mask=~{name})")
    edit = CallChange("attn", "attention_mask", "~{}", "input:2")
    with pytest.raises(NotAppliedError, match="input is not seen"):
        rewritten(source, edit, called={"attn": ["self.attn(x, x)"]})


@pytest.mark.parametrize(
    "source", ["for i in range(2):\n    x = f(x)\n", "y = [f(x) for i in range(2)]\n"]
)
def test_a_loop_runs_more_often(source):
    text = rewritten(source, Repetition("f", 3), called={"f": ["f(x)"]})
    assert text == source.replace("2", "3")
    unknown = source.replace("2", "n")
    with pytest.raises(NotAppliedError, match="no loop of a stated number"):
        rewritten(unknown, Repetition("f", 3), called={"f": ["f(x)"]})


def test_a_function_of_a_layer_s_name_is_written_as_a_layer_of_another():
    """Keras refuses two operations of one name in a functional model."""
    source = (
        "from keras import layers, ops\ny = ops.mean(x, axis=1)\nz = layers.Add(name='sum')(y)\n"
    )
    edit = LineChange("mean", "y = ops.sum(x, axis=1)")
    codes, called = {"mean": "y = ops.mean(x, axis=1)"}, {"mean": ["ops.mean(x, axis=1)"]}
    made = 'layers.Lambda(lambda x: ops.sum(x, axis=1), name="sum_1")(x)'
    text = rewritten(source, edit, codes=codes, called=called)
    assert text == source.replace("ops.mean(x, axis=1)", made)
    other = source.replace("'sum'", "'add'")
    text = rewritten(other, edit, codes=codes, called=called)
    assert text == other.replace("ops.mean", "ops.sum")
