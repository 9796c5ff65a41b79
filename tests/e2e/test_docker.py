"""The Dockerfile, the compose file and the systemd unit, held to the code; none of them is started here."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from fivebyte.cli import cli
from registry.configuration import load
from registry.store.redis_url import RedisUrl
from tests.support.needs import ROOT, need_programs


def dockerfile() -> list[tuple[str, str]]:
    """Its instructions with what stands behind them, over several lines or not."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


def image(name: str) -> list[str]:
    """What `name` is in the image itself, which is what the last FROM begins."""
    instructions = dockerfile()
    start = max(number for number, (found, _) in enumerate(instructions) if found == "FROM")
    return [rest for found, rest in instructions[start:] if found == name]


def image_environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for rest in image("ENV") for pair in shlex.split(rest))


def check_command(words: list[str]) -> None:
    """That `words` are a command of ours with options that it has."""
    assert words[0].rpartition("/")[2] == "fivebyte"
    context = click.Context(cli)
    name, command, arguments = cli.resolve_command(context, words[1:])
    assert command is not None
    command.make_context(name, list(arguments), resilient_parsing=False)


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps `path` out of the build; its last line that fits decides."""
    kept = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if (
            line
            and not line.startswith("#")
            and any(fnmatch(part, pattern) for part in (path, path.split("/", maxsplit=1)[0]))
        ):
            kept = line.startswith("!")
    return not kept


def sources() -> Iterator[str]:
    for name, rest in dockerfile():
        if name == "COPY" and not rest.startswith("--from="):
            yield from rest.split()[:-1]


def test_all_that_the_image_is_made_of_is_there_and_nothing_is_missing() -> None:
    copied = list(sources())
    for path in copied:
        assert (ROOT / path).exists(), path
        assert not ignored(path), path
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert packages <= set(copied)
    assert {"pyproject.toml", "README.md", "LICENSE", "examples"} <= set(copied)
    for path in ("tests", ".git", ".venv", "schemas.db"):
        assert ignored(path), path


def test_the_image_runs_our_command_without_a_shell_and_without_root() -> None:
    (entry,), (command,), (health,) = image("ENTRYPOINT"), image("CMD"), image("HEALTHCHECK")
    check_command(json.loads(entry) + json.loads(command))
    _, _, probe = health.partition(" CMD ")
    check_command(json.loads(probe))
    (user,) = image("USER")
    assert int(user) > 0
    assert f"--uid {user} " in " ".join(image("RUN"))


def test_the_image_has_settings_that_can_be() -> None:
    environment = image_environment()
    settings = load(environment=environment).settings
    (volume,) = image("VOLUME")
    assert settings.host == "0.0.0.0"
    assert settings.store.startswith(f"sqlite:///{volume}/")
    assert image("WORKDIR") == [volume]
    assert image("EXPOSE") == [str(settings.port)]
    # The virtual environment is where it was made.
    (copied,) = (rest for rest in image("COPY"))
    assert environment["PATH"].startswith(copied.split()[-1] + "/bin:")
    made = " ".join(rest for name, rest in dockerfile() if name == "RUN")
    assert f"-m venv --without-pip {copied.split()[-1]} " in made


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return found


def test_the_nodes_of_the_compose_file_share_its_redis() -> None:
    services = compose()["services"]
    nodes = {name: service for name, service in services.items() if service["image"] == "fivebyte"}
    assert len(nodes) == 2
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert len({port.split(":")[1] for port in published}) == len(published) == 2
    for node in nodes.values():
        settings = load(environment=image_environment() | node["environment"]).settings
        where = RedisUrl.parse(settings.store)
        assert where.host in services
        assert node["depends_on"] == {where.host: {"condition": "service_healthy"}}
        assert "healthcheck" in services[where.host]
        assert node["ports"][0].endswith(f":{settings.port}")
        assert (ROOT / node["build"] / "Dockerfile").is_file()
        assert node["restart"] == "unless-stopped"


def test_the_redis_of_the_compose_file_keeps_what_it_acknowledged() -> None:
    redis = compose()["services"]["redis"]
    command = " ".join(redis["command"])
    assert command.startswith("redis-server ")
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    (volume,) = redis["volumes"]
    assert volume.split(":")[0] in compose()["volumes"]


def unit() -> str:
    text = (ROOT / "docs" / "operating.md").read_text()
    (found,) = re.findall(r"^```ini\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_unit_starts_our_command() -> None:
    (start,) = re.findall(r"^ExecStart=(.*)$", unit(), re.MULTILINE)
    check_command(shlex.split(start))


def test_systemd_knows_all_that_the_unit_says(tmp_path: Path) -> None:
    need_programs("systemd-analyze")
    program = Path(sys.executable)  # verify wants a program that is there
    text = re.sub(r"^ExecStart=\S+", f"ExecStart={program}", unit(), flags=re.MULTILINE)
    file = tmp_path / "fivebyte.service"
    file.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "fivebyte.service" in line]
    assert (done.returncode, said) == (0, [])


@pytest.mark.parametrize(
    "wrong", ["fivebyte serv", "fivebyte serve --prot 1", "fivebyte doctor --reddy", "python serve"]
)
def test_a_command_that_is_none_is_noticed(wrong: str) -> None:
    with pytest.raises((click.ClickException, AssertionError)):
        check_command(wrong.split())
