"""A check in the forms that machines read: JUnit, SARIF, annotations; and at which line."""

import json
import shlex
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
import typer
import yaml

from parity.checker.result.annotations import workflow_commands
from parity.checker.result.check_result import CheckResult, ComparedQuantity, Divergence
from parity.checker.result.formats import FORMATS
from parity.checker.result.junit import junit
from parity.checker.result.remarks import Place, remarks
from parity.checker.result.sarif import sarif
from parity.cli.check_command import _formats
from parity.cli.main import app
from parity.comparator.noise import Finding
from parity.core.errors import UsageError
from parity.diagnosis.causes import KINDS, Cause
from parity.recording.provenance import ROOT

SOURCE = "import keras\n\n\ndef other(): ...\n\n\ndef net():\n    return None\n"
CAUSE = Cause(
    "epsilon",
    ("bn1", 1e-5),
    ("bn,1", 1e-3),
    "confirmed",
    fix='layers.BatchNormalization(epsilon=1e-05, name="bn,1")',
    layers=2,
    places=(("bn1", "bn,1"), ("bn2", "bn2")),
)
LINES = {"keras": {"bn,1": 12, "bn2": 30}}


def finding(key, status="rounding"):
    return Finding(key, "check", status, ratio=7.0, rule="equation", distance64=1.0)


@pytest.fixture
def result(tmp_path, monkeypatch):
    """Of a port with a confirmed, a suspected, and a latent cause; run in the port's folder."""
    monkeypatch.chdir(tmp_path)
    port = tmp_path / "my port.py"
    port.write_text(SOURCE)
    suspected = replace(CAUSE, kind="mask", status="suspected", right=("a\nb: 5%", 3), places=())
    return CheckResult(
        "differ",
        {"torch": "torchvision.models:resnet18", "keras": f"{port}:net"},
        inputs=(),
        layers=(),
        torch_only=(),
        keras_only=(),
        divergences=(
            Divergence("bn1", "bn,1", "activations", finding("bn1", "different"), "Far."),
        ),
        causes=(CAUSE, suspected),
        latent=(replace(CAUSE, kind="momentum", places=()),),
        parts=(
            ComparedQuantity("outputs", "output", "output", finding("output", "different")),
            ComparedQuantity("gradients", "fc/bias", "fc/bias", finding("gradient of fc/bias")),
        ),
        notes=(),
        seconds={"trace": 1.5},
        places={"keras": {name: (str(port), line) for name, line in LINES["keras"].items()}},
    )


def test_a_cause_stands_where_its_layers_are_made_else_where_the_model_is(result, tmp_path):
    known, unknown, latent = remarks(result)
    assert [place.line for place in known.places] == [12, 30]
    assert {place.file.as_posix() for place in known.places} == {"my port.py"}
    assert [place.line for place in unknown.places] == [7]  # def net
    assert [r.level for r in (known, unknown, latent)] == ["error", "warning", "note"]
    package = {**result.titles, "keras": "keras.applications:ResNet50"}
    assert remarks(replace(result, titles=package, places={}))[0].places == ()
    ours = replace(result, titles={"torch": result.titles["keras"], "keras": package["keras"]})
    assert [place.line for place in remarks(replace(ours, places={}))[0].places] == [7]
    beyond = replace(result, places={"keras": {"bn,1": ("/usr/lib/x.py", 3)}})
    assert str(remarks(beyond)[0].places[0].file) == "/usr/lib/x.py"


def test_a_difference_without_a_cause_is_said_all_the_same(result):
    (only,) = remarks(replace(result, causes=(), latent=()))
    assert (only.kind, only.level, only.places[0].line) == ("unknown", "error", 12)
    nowhere = replace(result, causes=(), latent=(), divergences=())
    assert remarks(nowhere)[0].places[0].line == 7
    assert remarks(replace(result, verdict="agree", causes=(), latent=())) == []


def test_sarif_has_what_the_standard_and_code_scanning_ask_for(result):
    document = json.loads(FORMATS["sarif"](result))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(KINDS)
    assert all(rule["shortDescription"]["text"] for rule in rules)
    assert run["invocations"] == [{"executionSuccessful": True}]
    assert [found["level"] for found in run["results"]] == ["error", "warning", "note"]
    for found in run["results"]:
        assert rules[found["ruleIndex"]]["id"] == found["ruleId"]
        assert found["message"]["text"]
        (location,) = found["locations"]
        physical = location["physicalLocation"]
        assert unquote(physical["artifactLocation"]["uri"]) == "my port.py"
        assert " " not in physical["artifactLocation"]["uri"]
        assert physical["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        assert physical["region"]["startLine"] >= 1
    first = run["results"][0]
    assert CAUSE.fix in first["message"]["text"]
    assert first["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "bn1 / bn,1"}]
    assert [p["physicalLocation"]["region"]["startLine"] for p in first["relatedLocations"]] == [30]
    prints = [found["partialFingerprints"]["layer/v1"] for found in run["results"]]
    assert len(set(prints)) == len(prints)
    moved = sarif(replace(result, places={}, causes=(replace(CAUSE, residual_ratio=0.5),)))
    assert moved["runs"][0]["results"][0]["partialFingerprints"]["layer/v1"] == prints[0]


def test_sarif_of_what_could_not_be_told_is_a_run_that_failed(result):
    (run,) = sarif(replace(result, verdict="undecided", causes=(), latent=()))["runs"]
    assert run["results"] == []
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "could not be told" in invocation["toolExecutionNotifications"][0]["message"]["text"]


def parsed(result):
    (suite,) = ElementTree.fromstring(junit(result).encode())
    cases = suite.findall("testcase")
    found = [
        (case.get("classname"), case.get("name"), next((one.tag for one in case), "passed"))
        for case in cases
    ]
    assert int(suite.get("tests")) == len(cases)
    for tag in ("failure", "error"):
        assert int(suite.get(f"{tag}s")) == [outcome for *_, outcome in found].count(tag)
    return suite, found


def test_junit_has_a_test_for_every_divergence_and_every_quantity(result):
    suite, found = parsed(result)
    assert found == [
        ("parity.layers", "bn1 / bn,1", "failure"),
        ("parity.outputs", "output", "failure"),
        ("parity.gradients", "gradient of fc/bias", "passed"),
    ]
    assert suite.get("name") == "parity check: torchvision.models:resnet18 / my port.py:net"
    assert float(suite.get("time")) == 1.5
    assert suite.find("testcase/failure").get("message") == "Far."
    assert CAUSE.fix in suite.find("system-out").text


def test_junit_is_green_only_where_the_two_agree(result):
    right = replace(result, divergences=(), causes=(), parts=result.parts[1:])
    assert [outcome for *_, outcome in parsed(replace(right, verdict="agree"))[1]] == ["passed"] * 2
    assert parsed(replace(right, verdict="differ"))[1][-1] == (
        "parity.verdict",
        "verdict",
        "failure",
    )
    assert parsed(replace(right, verdict="undecided"))[1][-1][-1] == "error"
    untold = ComparedQuantity("outputs", "y", "y", finding("y", "nonfinite"))
    assert parsed(replace(right, verdict="undecided", parts=(untold,)))[1][-1][-1] == "error"
    assert parsed(replace(result, verdict="undecided"))[1][0][-1] == "error"


def test_junit_says_nothing_that_xml_cannot(result):
    one = replace(result.divergences[0], torch="a\x00<b>&", text='\x1b["\x0c\ud800')
    suite, found = parsed(replace(result, divergences=(one,)))
    assert found[0][1] == "a\ufffd<b>& / bn,1"
    assert suite.find("testcase/failure").text == '\ufffd["\ufffd\ufffd'


def test_annotations_are_one_escaped_line_each(result):
    verdict, confirmed, suspected, latent = workflow_commands(result).splitlines()
    assert verdict.startswith("::error title=parity::differ: ")
    head = "::error file=my port.py,line=12,title=parity%3A epsilon%3A bn1 / bn%2C1::epsilon "
    assert confirmed.startswith(head)
    assert confirmed.endswith("%0Awrite: " + CAUSE.fix)
    head = "::warning file=my port.py,line=7,title=parity%3A mask%3A bn1 / a%0Ab%3A 5%25::mask "
    assert suspected.startswith(head)
    assert "bn1 / a%0Ab: 5%25: " in suspected
    assert latent.startswith("::notice ")
    right = replace(result, verdict="agree", causes=(), latent=())
    assert workflow_commands(right) == ""
    assert workflow_commands(replace(right, verdict="undecided")).startswith("::error ")


@pytest.mark.parametrize("name", FORMATS)
def test_every_form_is_named_by_its_name(result, name):
    assert _formats([name]) == ([name], {})
    assert FORMATS[name](result)


def test_what_is_printed_and_what_is_written(tmp_path):
    file = tmp_path / "check.sarif"
    assert _formats([]) == (["text"], {})
    assert _formats([f"sarif={file}"]) == (["text"], {file: "sarif"})
    assert _formats(["text", "github", "github"]) == (["text", "github"], {})


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["xml"], "expected text, json, junit, sarif, github"),
        (["sarif="], "one with a file: sarif=check.sarif"),
        (["text=a.txt"], "expected json"),
        (["json", "sarif"], "one document fits standard output"),
        (["sarif=nowhere/check.sarif"], "there is no folder nowhere"),
    ],
)
def test_formats_typed_wrong(texts, told):
    with pytest.raises(UsageError, match=told):
        _formats(texts)


TORCH = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.fc = nn.Linear(8, 6), nn.Linear(6, 3)
        self.norm = nn.LayerNorm(6)

    def forward(self, x):
        return self.fc(torch.tanh(self.norm(self.a(x)) * 0.5))
"""
KERAS = """
import keras
from keras import layers, ops

def norm(**given):
    return layers.LayerNormalization(**given)  # the norm

class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.fc = layers.Dense(6), layers.Dense(3)
        self.norm = norm(
            epsilon=1e-2,
            name="norm",
        )

    def call(self, x):
        x = self.norm(self.a(x))
        return self.fc(ops.tanh(x * 0.25))  # the factor
"""


def test_lines_are_those_where_a_layer_is_made_and_an_operation_called(ask):
    found = remarks(ask("Net", {}, "Net", {}, "4,8"))
    kinds = {remark.kind: remark.places for remark in found}
    (norm,), (scale,) = kinds["epsilon"], kinds["scale"]
    source = KERAS.splitlines()
    assert source[norm.line - 1].endswith("# the norm")
    assert source[scale.line - 1].endswith("# the factor")
    assert isinstance(norm, Place)
    assert norm.file.name == "k.py"


def test_the_workflow_that_people_copy_types_what_there_is():
    (job,) = yaml.safe_load((ROOT / "docs/workflow.yml").read_text("utf-8"))["jobs"].values()
    (command,) = [step["run"] for step in job["steps"] if step.get("name") == "parity check"]
    words = shlex.split(command)
    given = [words[i + 1] for i, word in enumerate(words) if word == "--format"]
    printed, written = _formats(given)
    assert printed == ["text", "github"]
    known = typer.main.get_command(app).commands["check"].params
    options = {option for parameter in known for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options
    (upload,) = [step for step in job["steps"] if "upload-sarif" in step.get("uses", "")]
    assert written[Path(upload["with"]["sarif_file"])] == "sarif"
