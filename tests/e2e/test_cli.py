"""The command line as a user runs it: real processes, a real server, a folder of its own."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import fastavro
import pytest

from fivebyte.cli.json_lines import key_to_json
from tests.support.commands import commands
from tests.support.needs import ROOT, need_corpus
from tests.support.server import free_port, running_registry

ORDERS = ROOT / "examples" / "orders"


@dataclass
class Cli:
    """Runs ``fivebyte`` in `folder`, with the registry at `registry_url` in the environment."""

    folder: Path
    registry_url: str

    def __call__(self, *arguments: str | Path, stdin: str | bytes = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "fivebyte", *map(str, arguments)],
            cwd=self.folder,
            env=os.environ | {"FIVEBYTE_REGISTRY": self.registry_url, "PYTHONPATH": str(ROOT)},
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )


@pytest.fixture(scope="module")
def registry_url() -> Iterator[str]:
    with running_registry("memory:") as server:
        yield server.url


@pytest.fixture
def run(registry_url: str, tmp_path: Path) -> Cli:
    return Cli(tmp_path, registry_url)


def ok(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


def failed(done: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line of a failure: never a traceback, nothing on standard output."""
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stderr


def test_schemas_are_registered_listed_got_checked_and_deleted(run: Cli) -> None:
    subject = "cli/schemas %41é-value"
    for version in (1, 2, 3):
        printed = ok(run("schema", "register", subject, ORDERS / f"v{version}.avsc"))
        assert printed.startswith(f"{subject} version {version} id ")
    assert ok(run("schema", "register", subject, ORDERS / "v1.avsc")).startswith(f"{subject} version 1 ")
    assert f"{subject} versions 1,2,3\n" in ok(run("schema", "list"))
    assert ok(run("schema", "list", subject)).count("\n") == 3

    text = ok(run("schema", "get", subject, "1"))
    assert json.loads(text)["name"] == "Order"
    assert text.count("\n") == 1
    assert json.loads(ok(run("schema", "get", subject, "--pretty"))) == json.loads(
        ok(run("schema", "get", subject, "latest"))
    )

    breaking = run("schema", "check", subject, ORDERS / "v4-breaking.avsc")
    assert breaking.returncode == 1
    assert breaking.stdout.splitlines()[0] == "incompatible"
    assert "READER_FIELD_MISSING_DEFAULT_VALUE: The field 'country'" in breaking.stdout
    assert "compared with version 3" in breaking.stdout
    assert ok(run("schema", "check", subject, ORDERS / "v2.avsc")) == "compatible\n"
    refused = failed(run("schema", "register", subject, ORDERS / "v4-breaking.avsc"), 1)
    assert "refused" in refused
    assert "TYPE_MISMATCH" in refused

    assert ok(run("schema", "delete", subject, "2")) == f"deleted {subject} versions 2\n"
    assert f"{subject} versions 1,3\n" in ok(run("schema", "list"))
    assert f"{subject} versions 1,2,3\n" in ok(run("schema", "list", "--deleted"))
    assert ok(run("schema", "delete", subject)) == f"deleted {subject} versions 1,3\n"
    assert ok(run("schema", "delete", subject, "--permanent")) == f"deleted {subject} versions 1,2,3\n"
    assert "not found" in failed(run("schema", "list", subject), 1)


def test_a_schema_that_refers_to_another(run: Cli) -> None:
    line = '{"type":"record","name":"Line","namespace":"shop","fields":[{"name":"sku","type":"string"}]}'
    order = '{"type":"record","name":"Basket","fields":[{"name":"line","type":"shop.Line"}]}'
    ok(run("schema", "register", "line-value", "-", stdin=line))
    assert "unknown type" in failed(run("schema", "register", "basket-value", "-", stdin=order), 1)
    reference = ["--reference", "shop.Line=line-value:1"]
    ok(run("schema", "register", "basket-value", "-", *reference, stdin=order))
    assert "referen" in failed(run("schema", "delete", "line-value"), 1)
    bad = failed(run("schema", "register", "basket-value", "-", "--reference", "shop.Line", stdin=order), 2)
    assert "NAME=SUBJECT:VERSION" in bad


def test_records_go_in_and_come_out_as_json_lines(run: Cli, tmp_path: Path) -> None:
    assert ok(run("topic", "create", "orders", "--partitions", "3")) == "created orders with 3 partitions\n"
    assert ok(run("topic", "list")) == "orders partitions 3\n"
    orders = [
        {"id": f"o{n}", "customer": "ada" if n % 2 else "grace", "total_cents": n, "currency": "EUR",
         "placed_at": "2026-01-02T03:04:05+00:00" if n % 3 else None,
         "lines": [{"sku": "é", "quantity": n}]}
        for n in range(50)
    ]  # fmt: skip
    lines = "".join(json.dumps(order, ensure_ascii=False) + "\n" for order in orders)
    done = run("produce", "orders", "--schema", ORDERS / "v3.avsc", "--key-field", "customer", stdin=lines)
    ok(done)
    assert done.stderr == "wrote 50 records to orders\n"

    everything = [json.loads(line) for line in ok(run("consume", "orders")).splitlines()]
    assert sorted(everything, key=lambda order: order["total_cents"]) == orders
    with_metadata = [
        json.loads(line) for line in ok(run("consume", "orders", "--with-metadata")).splitlines()
    ]
    assert {record["key"] for record in with_metadata} == {"ada", "grace"}
    for key in ("ada", "grace"):
        of_key = [record for record in with_metadata if record["key"] == key]
        assert len({record["partition"] for record in of_key}) == 1
        assert [record["offset"] for record in of_key] == sorted(record["offset"] for record in of_key)

    # A group goes on where it stopped; a reader's schema drops what it does not have.
    first = ok(
        run("consume", "orders", "--group", "g", "--max-records", "20", "--schema", ORDERS / "v1.avsc")
    )
    rest = ok(run("consume", "orders", "--group", "g", "--schema", ORDERS / "v1.avsc"))
    assert (first.count("\n"), rest.count("\n")) == (20, 30)
    assert set(json.loads(first.splitlines()[0])) == {"id", "customer", "total_cents"}
    assert len({json.loads(line)["id"] for line in (first + rest).splitlines()}) == 50
    assert ok(run("consume", "orders", "--group", "g")) == ""


def test_values_that_json_has_no_words_for(run: Cli) -> None:
    schema = {
        "type": "record",
        "name": "Odd",
        "fields": [
            {"name": "raw", "type": "bytes"},
            {"name": "fix", "type": ["null", {"type": "fixed", "name": "F", "size": 2}]},
            {
                "name": "price",
                "type": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2},
            },
            {"name": "day", "type": {"type": "int", "logicalType": "date"}},
            {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
            {"name": "either", "type": ["int", "string", {"type": "map", "values": "bytes"}]},
        ],
    }
    values: list[dict[str, Any]] = [
        {"raw": "\u0000\u00ff", "fix": "ab", "price": "12.30", "day": "2026-11-23",
         "id": "6f1b1a2e-4a4e-4f57-9d5b-0a3f4c1d2e3f", "either": {"k": "\u00fe"}},
        {"raw": "", "fix": None, "price": "-0.01", "day": "1969-12-31",
         "id": "00000000-0000-0000-0000-000000000000", "either": "7"},
    ]  # fmt: skip
    ok(run("topic", "create", "odd"))
    (run.folder / "odd.avsc").write_text(json.dumps(schema))
    lines = "".join(json.dumps(value) + "\n" for value in values)
    ok(run("produce", "odd", "--schema", "odd.avsc", stdin=lines))
    assert [json.loads(line) for line in ok(run("consume", "odd")).splitlines()] == values
    tagged = {**values[0], "either": {"string": "tagged"}}
    ok(run("produce", "odd", stdin=json.dumps(tagged)))
    assert json.loads(ok(run("consume", "odd")).splitlines()[2])["either"] == "tagged"


def test_container_files_are_produced_with_their_own_schema(run: Cli) -> None:
    alert = max((need_corpus() / "ztf" / "alerts").glob("*.avro"))
    ok(run("topic", "create", "alerts"))
    ok(run("produce", "alerts", alert, "--container", "--key-field", "candid"))
    with alert.open("rb") as file:
        original: Any = next(fastavro.reader(file))
    value = json.loads(ok(run("consume", "alerts")))
    assert value["candid"] == original["candid"]
    stamp = value["cutoutScience"]["stampData"].encode("latin-1")
    assert stamp == original["cutoutScience"]["stampData"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "message"),
    [
        ("schema register s -", "{", 1, "not valid JSON"),
        ("schema register s -", "", 1, "<stdin> is empty"),
        ("schema register s -", b"\xff", 1, "<stdin> is not UTF-8 text"),
        ("schema register s no.avsc", "", 2, "No such file"),
        ("schema register s .", "", 2, "Is a directory"),
        ("schema get s", "", 1, "Subject 's' not found"),
        ("schema get", "", 2, "give a SUBJECT, or --id"),
        ("schema get s --id 3", "", 2, "give a SUBJECT, or --id"),
        ("schema get --id 4711", "", 1, "Schema 4711 not found"),
        ("schema get --id 0", "", 2, "0 is not in the range"),
        ("schema get s 0", "", 1, "The specified version '0' is not a valid version id"),
        ("schema delete s", "", 1, "Subject 's' not found"),
        ("schema nope", "", 2, "No such command 'nope'"),
        ("nope", "", 2, "No such command 'nope'"),
        ("topic create a/b", "", 1, "a/b"),
        ("topic create x --config nope=1", "", 1, "nope"),
        ("topic create x --config nope", "", 2, "KEY=VALUE"),
        ("topic create x --partitions 0", "", 2, "0 is not in the range"),
        ("topic list --broker tcp://x", "", 1, "tcp://x"),
        ("topic list --broker kafka://x?no.such.key=1", "", 1, "no.such.key"),
        ("consume nope", "", 1, "nope"),
        ("produce nope", "{}", 1, "nope-value"),
        ("serve --port x", "", 2, "--port x: give a whole number from 1 to 65535"),
        ("serve --store redis+nope://x", "", 2, "no store is known"),
    ],
)
def test_wrong_input_is_one_line_and_an_exit_code(
    run: Cli, arguments: str, stdin: str | bytes, code: int, message: str
) -> None:
    assert message in failed(run(*shlex.split(arguments), stdin=stdin), code)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nope", "<stdin>, line 3: not a JSON value"),
        ("[" * 100_000, "<stdin>, line 3: not a JSON value"),
        ('{"id": "x"}', "<stdin>, line 3: "),
        ('{"id": "x", "customer": "y", "total_cents": "9"}', "total_cents"),
        ('{"id": "x", "customer": "y", "total_cents": 9, "totl": 1}', "totl"),
    ],
)
def test_a_bad_line_is_named_and_those_before_it_are_written(run: Cli, line: str, message: str) -> None:
    ok(run("topic", "create", "orders"))
    good = '{"id": "1", "customer": "ada", "total_cents": 5}\n'
    done = run("produce", "orders", "--schema", ORDERS / "v1.avsc", stdin=f"{good}\n{line}\n{good}")
    assert message in failed(done, 1)
    assert ok(run("consume", "orders")).count("\n") == 1


def test_a_registry_that_is_not_there_is_said_to_be_so(run: Cli) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert url in failed(run("schema", "list", "--registry", url), 1)


@pytest.mark.parametrize("url", ["localhost:8081", "ftp://host", "embedded:nowhere", "http://a,embedded:"])
def test_an_address_that_is_no_registrys(run: Cli, url: str) -> None:
    assert "Invalid value for --registry: " in failed(run("schema", "list", "--registry", url), 2)


def test_serve_says_that_its_port_is_taken(run: Cli, registry_url: str) -> None:
    port = registry_url.rpartition(":")[2]
    assert "in use" in failed(run("serve", "--port", port, "--store", "memory:"), 1)


@pytest.mark.parametrize("path", sorted(commands()), ids=" ".join)
def test_every_command_has_help_with_an_example_that_is_a_command(path: tuple[str, ...]) -> None:
    command = commands()[path]
    assert command.help
    assert command.epilog
    assert command.epilog.startswith("Example: fivebyte ")
    words = shlex.split(command.epilog.removeprefix("Example: "))
    assert tuple(words[1 : len(path) + 1]) == path
    assert all(option in all_options(command, words) for option in words if option.startswith("--"))
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def all_options(command: click.Command, words: list[str]) -> set[str]:
    """The options of the command that the example runs: the group's own, or that of one of its commands."""
    known = commands()
    longest = max((path for path in known if tuple(words[1 : len(path) + 1]) == path), key=len)
    return {name for parameter in known[longest].params for name in parameter.opts}


def test_the_start_imports_none_of_the_rooms() -> None:
    code = "import sys, fivebyte.cli as c; c.run(['--version']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert "fivebyte.cli" in loaded
    assert loaded.isdisjoint({"flask", "httpx2", "fastavro", "registry", "serde", "broker_adapter", "rich"})


def test_a_reader_that_goes_away_is_no_error(run: Cli, tmp_path: Path) -> None:
    command = f"{sys.executable} -m fivebyte --help | true"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, cwd=ROOT, check=False
    )
    assert b"Traceback" not in done.stderr


def test_demo_does_the_main_job_and_leaves_nothing_running(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fivebyte", "demo"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "version 3 has id 3" in done.stdout
    assert "The field 'country'" in done.stdout
    assert "read all 1,000 of them" in done.stdout
    assert "500 say USD themselves, 500 are older" in done.stdout
    assert list(tmp_path.iterdir()) == []
    assert not processes_with(str(tmp_path))


def processes_with(text: str) -> list[str]:
    """The processes whose environment or command line names `text`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            described = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue  # it has ended, or is not ours to look at
        if text.encode() in described:
            found.append(folder.name)
    return found


def test_what_the_demo_keeps_can_be_used_as_it_says(run: Cli, tmp_path: Path) -> None:
    printed = ok(run("demo", "--keep", "kept"))
    assert "fivebyte serve --store sqlite:///kept/schemas.db &" in printed
    with running_registry(f"sqlite:///{tmp_path / 'kept' / 'schemas.db'}") as server:
        there = ["--registry", server.url]
        assert "version 3 id 3" in ok(run("schema", "list", "orders-value", *there))
        lines = ok(run("consume", "orders", "--broker", "file:kept/data", *there))
        assert lines.count("\n") == 1000
    assert "is there already" in failed(run("demo", "--keep", "kept"), 1)


def test_keys_that_are_no_text_are_shown_as_base64() -> None:
    assert key_to_json(b"\xff") == "base64:/w=="
    assert key_to_json("é".encode()) == "é"
    assert key_to_json(None) is None
