"""Three hundred schemas in twenty services, five breaks hidden among harmless changes: all are found."""

import json
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from registry.check.checking import Report
from registry.check.reports import FORMATS
from tests.registry.check.running import checked, found
from tests.support.report_schemas import check_junit, check_sarif
from tests.support.repository import GitRepository

SERVICES, OF_EACH = 20, 15

CONFIG = """
against = "git:main"
[[schemas]]
files = "services/{service}/schemas/{topic}.avsc"
subject = "{service}.{topic}-value"
[[schemas]]
files = "shared/*.avsc"
subject = "{full_name}"
[[override]]
subjects = "service-07.*"
level = "FULL"
"""

MONEY = {
    "type": "record",
    "name": "Money",
    "namespace": "shared",
    "fields": [{"name": "cents", "type": "long"}, {"name": "currency", "type": "string"}],
}


def path(service: int, number: int) -> str:
    return f"services/service-{service:02}/schemas/topic-{number:02}.avsc"


def schema(service: int, number: int) -> dict[str, Any]:
    """A record that uses the shared type and, but for the first, the one before it."""
    before = [{"name": "before", "type": ["null", f"Topic{number - 1}"], "default": None}] if number else []
    return {
        "type": "record",
        "name": f"Topic{number}",
        "namespace": f"service{service}",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "total", "type": "shared.Money"},
            {"name": "state", "type": {"type": "enum", "name": f"State{number}", "symbols": ["NEW", "OLD"]}},
            {"name": "key", "type": {"type": "fixed", "name": f"Key{number}", "size": 16}},
            {"name": "note", "type": ["null", "string"], "default": None},
            *before,
        ],
    }


def line_of(repository: GitRepository, file: str, text: str) -> str:
    lines = (repository.folder / file).read_text().splitlines()
    (number,) = [index for index, line in enumerate(lines, 1) if text in line]
    return f"{file}:{number}"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    """The services as they are committed, and in the working tree what was changed. Leave it as it is."""
    repository = GitRepository(tmp_path_factory.mktemp("monorepo"))
    files = {
        path(service, number): json.dumps(schema(service, number), indent=2)
        for service in range(SERVICES)
        for number in range(OF_EACH)
    }
    assert len(files) == 300
    repository.commit({"fivebyte.toml": CONFIG, "shared/money.avsc": json.dumps(MONEY, indent=2), **files})
    changed = {}
    for service in range(SERVICES):  # harmless
        value = schema(service, OF_EACH - 1)
        value["fields"].append({"name": "added", "type": "int", "default": 0})
        value["doc"] = "changed"
        changed[service, OF_EACH - 1] = value
    last = OF_EACH - 1
    changed[3, last]["fields"].append({"name": "needed", "type": "int"})
    changed[7, last]["fields"][2]["type"]["symbols"].append("SENT")  # FULL: old readers don't know it
    changed[11, last]["fields"][0]["type"] = "boolean"
    changed[13, last]["fields"][3]["type"]["size"] = 20
    changed[19, last]["fields"][4]["type"] = ["null", "int"]
    repository.write({path(*key): json.dumps(value, indent=2) for key, value in changed.items()})
    return repository


@pytest.fixture(scope="module")
def report(repository: GitRepository) -> Report:
    return checked(repository.folder)


def places(repository: GitRepository) -> list[tuple[str, str]]:
    """The rules and the lines of the five breaks."""
    last = OF_EACH - 1
    return [
        ("READER_FIELD_MISSING_DEFAULT_VALUE", line_of(repository, path(3, last), '"needed"')),
        ("MISSING_ENUM_SYMBOLS", line_of(repository, path(7, last), '"SENT"')),
        ("TYPE_MISMATCH", line_of(repository, path(11, last), '"boolean"')),
        ("FIXED_SIZE_MISMATCH", line_of(repository, path(13, last), '"size": 20')),
        ("MISSING_UNION_BRANCH", note_line(repository)),
    ]


def note_line(repository: GitRepository) -> str:
    file = path(19, OF_EACH - 1)
    number = int(line_of(repository, file, '"note"').rpartition(":")[2])
    return f"{file}:{number + 1}"  # its type comes next


def test_all_of_them_and_nothing_else_each_at_its_line(repository: GitRepository, report: Report) -> None:
    assert [(rule, place.rpartition(":")[0]) for rule, place in found(report)] == places(repository)
    assert (report.schemas, report.unchanged, report.exit_code) == (301, 281, 1)


def test_a_change_of_what_all_refer_to_breaks_them_all(repository: GitRepository, tmp_path: Path) -> None:
    repository = GitRepository(shutil.copytree(repository.folder, tmp_path / "copy"))
    repository.git("checkout", "-q", ".")
    value = {**MONEY, "fields": [*MONEY["fields"], {"name": "rate", "type": "double"}]}
    repository.write({"shared/money.avsc": json.dumps(value, indent=2)})
    report = checked(repository.folder)
    assert {one.subject for one in report.findings} == {
        "shared.Money",
        *(f"service-{a:02}.topic-{b:02}-value" for a in range(SERVICES) for b in range(OF_EACH)),
    }
    place = f"{line_of(repository, 'shared/money.avsc', 'rate')}:15"
    missing = [one for one in report.findings if one.rule == "READER_FIELD_MISSING_DEFAULT_VALUE"]
    assert {str(one.place) for one in missing} == {place}
    others = [one for one in report.findings if one not in missing]
    assert {one.rule for one in others} == {"MISSING_UNION_BRANCH"}  # the topic before, which is one of them
    assert all("put right what is found in Topic" in one.fix for one in others)


def test_the_text_and_json_forms(repository: GitRepository, report: Report) -> None:
    text = FORMATS["text"](report)
    for rule, place in places(repository):
        (line,) = [line for line in text.splitlines() if line.startswith(f"{place}:")]
        assert line.endswith(f"[{rule}]")
    assert text.splitlines()[-1].startswith("5 errors in 301 schemas (281 unchanged), compared with main at ")
    value = json.loads(FORMATS["json"](report))
    assert [
        (one["rule"], f"{one['place']['file']}:{one['place']['line']}") for one in value["findings"]
    ] == places(repository)
    assert (value["errors"], value["compatible"], value["exit_code"]) == (5, False, 1)
    assert len({one["fingerprint"] for one in value["findings"]}) == 5


def test_the_junit_form(repository: GitRepository, report: Report) -> None:
    text = FORMATS["junit"](report)
    check_junit(text)
    failures = ET.fromstring(text).iter("failure")
    assert [failure.get("type") for failure in failures] == [rule for rule, _ in places(repository)]


def test_the_sarif_form(repository: GitRepository, report: Report) -> None:
    (run,) = check_sarif(FORMATS["sarif"](report))["runs"]
    shown = []
    for result in run["results"]:
        where = result["locations"][0]["physicalLocation"]
        shown.append((result["ruleId"], f"{where['artifactLocation']['uri']}:{where['region']['startLine']}"))
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert shown == places(repository)


def test_the_forms_of_github_and_gitlab(repository: GitRepository, report: Report) -> None:
    inside = replace(report, prefix="backend/")
    commands = FORMATS["github"](inside).splitlines()[:-1]
    issues = json.loads(FORMATS["gitlab"](inside))
    for (rule, place), command, issue in zip(places(repository), commands, issues, strict=True):
        file, _, line = place.rpartition(":")
        assert command.startswith(f"::error file=backend/{file},line={line},col=")
        assert f",title={rule}::" in command
        assert (issue["check_name"], issue["location"]) == (
            rule,
            {"path": f"backend/{file}", "lines": {"begin": int(line)}},
        )
    assert len({issue["fingerprint"] for issue in issues}) == 5


def test_the_markdown_form(repository: GitRepository, report: Report) -> None:
    text = FORMATS["markdown"](report)
    assert text.startswith("<!-- fivebyte check -->\n### ❌ Schemas are incompatible\n")
    assert all(f"`{place}:" in text for _, place in places(repository))
