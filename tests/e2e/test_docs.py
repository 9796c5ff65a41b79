"""The documentation held to the code: its examples run, and nothing a user meets is left out."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from types import FunctionType, ModuleType

import click
import pytest
from prometheus_client.parser import text_string_to_metric_families

import broker_adapter
import registry.errors
import serde
import serde.confluent
from broker_adapter.filelog.config import TopicConfig
from broker_adapter.filelog.other_settings import NO_MORE, WITHOUT_EFFECT
from registry.check.diff.changes import KINDS
from registry.check.lint.catalogue import LINT
from registry.check.reports import FORMATS
from registry.check.rules import catalogue
from registry.configuration import PROJECT_KEYS
from registry.http import create_app
from registry.languages.avro.compatibility import DESCRIPTIONS
from registry.model import CompatibilityLevel
from registry.registry import Registry
from registry.settings import declared_settings
from registry.store import open_store
from serde.codec import CODEC_VARIABLE, LOGICAL_TYPES
from tests.support.commands import commands
from tests.support.needs import ROOT, need_programs
from tests.support.repository import GitRepository
from tests.support.server import running_registry

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
DEFAULT_URL = "127.0.0.1:8081"


def page(name: str) -> str:
    return (ROOT / name).read_text()


def blocks(path: Path, language: str) -> list[str]:
    return [text for found, text in _BLOCK.findall(path.read_text()) if found == language]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder where the documentation's programs can run, with a registry for them (see `localised`)."""
    with running_registry("memory:") as server:
        (tmp_path / "address").write_text(server.url.removeprefix("http://"))
        yield tmp_path


def localised(text: str, folder: Path) -> str:
    """`text` with the default address replaced by that of the test's registry."""
    return text.replace(DEFAULT_URL, (folder / "address").read_text())


def run(command: list[str], folder: Path) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "FIVEBYTE_REGISTRY": f"http://{(folder / 'address').read_text()}",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, (command[-1], done.stdout, done.stderr)
    return done.stdout


@pytest.mark.parametrize(
    "path", [path for path in PAGES if blocks(path, "python")], ids=lambda path: path.name
)
def test_every_python_example_runs(path: Path, folder: Path) -> None:
    for block in blocks(path, "python"):
        run([sys.executable, "-c", localised(block, folder)], folder)


def test_registering_as_the_readme_says(folder: Path) -> None:
    need_programs("curl")
    serve, by_hand, command_line, _ = blocks(ROOT / "README.md", "bash")
    assert serve == "fivebyte serve --store sqlite:///schemas.db &\n"  # the fixture's part
    answers = run(["bash", "-ec", localised(by_hand, folder)], folder)
    decoder = json.JSONDecoder()
    registered, end = decoder.raw_decode(answers)
    versions, end = decoder.raw_decode(answers, end)
    by_id, end = decoder.raw_decode(answers, end)
    assert (registered["id"], versions, end) == (1, [1], len(answers))
    assert json.loads(by_id["schema"])["name"] == "Order"
    assert "orders-value versions 1" in run(["bash", "-ec", command_line], folder)


def test_wrapping_a_producer_and_checking_a_schema_as_the_readme_says(folder: Path) -> None:
    (use,) = blocks(ROOT / "README.md", "python")
    printed = run([sys.executable, "-c", localised(use, folder)], folder).splitlines()
    assert len(printed) == 10
    assert printed[0].endswith("{'account': 'ada', 'cents': 0}")

    *_, check = blocks(ROOT / "README.md", "bash")
    schema = re.search(r'SCHEMA = """\n(.*?)"""', use, re.DOTALL)
    assert schema
    repository = GitRepository(folder)
    commit = repository.commit({"payment.avsc": schema[1]})
    assert run(["bash", "-ec", check], folder).startswith("nothing found in 1 schema (1 unchanged)")
    grown = schema[1].replace('"long"}', '"long"},\n  {"name": "currency", "type": "string"}')
    repository.write({"payment.avsc": grown})
    shown = re.search(r"^```\n(payment.avsc:.*?)^```", page("README.md"), re.MULTILINE | re.DOTALL)
    assert shown
    assert run(["bash", "-c", f"! {check}"], folder) == shown[1].replace("1a2b3c4d5e", commit[:10])


def test_links_lead_somewhere() -> None:
    for path in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
            assert (path.parent / target).exists(), (path.name, target)


def test_every_route_is_documented() -> None:
    documented = set(re.findall(r"`([A-Z`, ]+ /[^` ]*)`", page("docs/http-api.md")))
    known = {
        (method.strip(), path)
        for entry in documented
        for methods, path in [entry.replace("`", "").rsplit(" ", 1)]
        for method in methods.split(",")
    }
    app = create_app(Registry(open_store("memory:")))
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule).replace("{number}", "{id}")
        path = path.replace("/associations/subjects/{resource}", "/associations/subjects/{subject}")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            if (method, path) != ("POST", "/"):  # for those clients that post to it; it says nothing
                assert (method, path) in known


def test_every_error_code_is_documented() -> None:
    text = page("docs/http-api.md")
    codes = {
        error.code
        for error in vars(registry.errors).values()
        if isinstance(error, type) and issubclass(error, registry.errors.RegistryError)
    }
    assert len(codes) > 15
    for code in codes - {404, 422, 500}:
        assert f"| {code} | " in text, code


def test_every_metric_is_documented() -> None:
    text = page("docs/operating.md")
    client = create_app(Registry(open_store("memory:"))).test_client()
    families = list(text_string_to_metric_families(client.get("/metrics").text))
    assert len(families) > 15
    for family in families:
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        (row,) = re.findall(rf"^\| `{family.name}` \| (.*?) \|", text, re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", row)) >= labels, family.name


def test_every_setting_is_documented() -> None:
    text = page("docs/operating.md")
    for declared in declared_settings():
        cells = [declared.name, declared.flag, declared.variable, declared.show(declared.default)]
        row = f"| {' | '.join(f'`{cell}`' if cell else '' for cell in cells)} | {declared.about} |\n"
        assert row in text, f"docs/operating.md lacks the line\n{row}"
    for level in CompatibilityLevel:
        assert level.name in page("docs/http-api.md")
    for name, default in TopicConfig().as_mapping().items():
        assert f"| `{name}` | {default} |" in page("docs/file-log.md"), name
    for name, other in WITHOUT_EFFECT.items():
        assert f"| `{name}` | {other.why} |\n" in page("docs/file-log.md"), name
    assert [name for name in NO_MORE if f"`{name}`" not in page("docs/file-log.md")] == []


def test_every_command_and_option_is_documented() -> None:
    text = page("docs/command-line.md")
    settings = page("docs/operating.md")
    for path, command in commands().items():
        if isinstance(command, click.Group):
            continue
        assert f"`fivebyte {' '.join(path)}" in text
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                option = max(parameter.opts, key=len)
                assert f"`{option}" in text + settings, (path, option)


def test_every_report_and_key_of_the_project_file_is_documented() -> None:
    text = page("docs/check.md")
    assert [name for name in FORMATS if f"| `{name}` | " not in text] == []
    assert [key for key in PROJECT_KEYS if key not in text] == []


def test_every_call_and_option_of_the_client_is_documented() -> None:
    text = page("docs/client.md")
    for name, call in vars(serde.RegistryClient).items():
        if isinstance(call, FunctionType) and not name.startswith("_") and name != "close":
            assert f"`{name}`" in text, name
    for name, parameter in inspect.signature(serde.RegistryClient).parameters.items():
        default = {"None": "`None` ", str(parameter.empty): ""}.get(str(parameter.default))
        shown = f"{parameter.default} " if default is None else default
        assert f"| `{name}` | {shown}| " in text, name
    for error in vars(serde).values():
        if isinstance(error, type) and issubclass(error, serde.RegistryError | serde.TokenError):
            assert f"`{error.__name__}`" in text, error


def test_every_option_of_the_serializers_is_documented() -> None:
    text = page("docs/serializers.md")
    for kind in (serde.AvroSerializer, serde.AvroDeserializer):
        for name in inspect.signature(kind).parameters:
            assert name in {"client", "schema"} or f"`{name}" in text, name


def test_every_finding_is_documented() -> None:
    text = page("docs/avro.md")
    assert all(f"| `{kind}` | " in text for kind in DESCRIPTIONS)
    text += page("docs/check.md")
    rules = [rule.id for rule in catalogue().values() if rule.group != "lint"]
    assert [rule for rule in rules if f"| `{rule}` | " not in text] == []


def test_every_rule_of_the_linter_and_every_kind_of_change_is_documented() -> None:
    text = page("docs/lint.md")
    assert [
        rule.id for rule in LINT if f"| `{rule.id}` | {rule.title[0].lower()}{rule.title[1:]} |" not in text
    ] == []
    assert [kind for kind in KINDS if f"`{kind}`" not in page("docs/diff.md")] == []


FORBIDDEN = {
    "registry": {"broker_adapter", "fivebyte", "serde"},
    "serde": {"broker_adapter", "fivebyte", "registry"},
    "broker_adapter": {"fivebyte", "registry"},
}
"""What each package may not import."""

ALLOWED = {"registry": {"serde.auth", "serde.client", "serde.errors", "serde.model", "serde.rest"}}
"""What it may all the same: the registry reads other registries by the client's HTTP side."""


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_go_as_the_architecture_page_says(package: str) -> None:
    for path in sorted((ROOT / package).rglob("*.py")):
        inside_functions = package == "serde" and path.name == "embedded.py"
        tree = ast.parse(path.read_text())
        nodes = tree.body if inside_functions else list(ast.walk(tree))
        for node in nodes:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            others = set(names) - ALLOWED.get(package, set())
            assert not {name.partition(".")[0] for name in others} & FORBIDDEN[package], path


@pytest.mark.parametrize("package", ["broker_adapter", "fivebyte", "registry", "serde"])
def test_no_imports_go_in_a_circle(package: str) -> None:
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__init__.py"
    }
    imported: dict[str, set[str]] = {}
    for module, path in files.items():
        names = imported[module] = set()
        for node in ast.parse(path.read_text()).body:  # what is imported within functions is imported later
            if isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        names &= files.keys()
    tuple(TopologicalSorter(imported).static_order())  # raises CycleError, with the circle


def test_every_module_says_what_it_is() -> None:
    for package in ("registry", "serde", "broker_adapter", "fivebyte"):
        for path in sorted((ROOT / package).rglob("*.py")):
            assert ast.get_docstring(ast.parse(path.read_text())), path


@pytest.mark.parametrize(
    "package", [serde, serde.confluent, broker_adapter], ids=lambda package: package.__name__
)
def test_everything_that_is_exported_says_what_it_does(package: ModuleType) -> None:
    for name in package.__all__:
        exported = getattr(package, name)
        if not isinstance(exported, type | FunctionType):
            continue  # an alias of types
        assert inspect.getdoc(exported), name
        for attribute, member in vars(exported).items():
            if isinstance(member, FunctionType | property) and not attribute.startswith("_"):
                assert inspect.getdoc(member), f"{name}.{attribute}"


def test_the_serializers_page_names_every_logical_type_and_what_chooses_the_codec() -> None:
    text = page("docs/serializers.md")
    assert [name for name in (*LOGICAL_TYPES, CODEC_VARIABLE) if f"`{name}" not in text] == []
