"""The settings: how they are declared, where they come from, and what is said of those that cannot be."""

from dataclasses import fields
from pathlib import Path

import pytest

from registry.configuration import load
from registry.errors import SettingsError
from registry.model import CompatibilityLevel
from registry.settings import Settings, declared_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which is where fivebyte.toml is looked for."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str, name: str = "fivebyte.toml") -> None:
    Path(name).write_text(text)


def complaint(flags: dict[str, str | None] | None = None, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as raised:
        load(flags, environment=environment or {})
    return str(raised.value)


def test_a_flag_is_over_the_environment_over_the_file_over_the_default() -> None:
    write('[server]\nport = 1\nworkers = 2\nthreads = 3\nstore = "sqlite:///f.db"\n')
    environment = {"FIVEBYTE_PORT": "4", "FIVEBYTE_WORKERS": "5"}
    found = load({"port": "6", "host": None}, environment=environment)
    assert found.settings == Settings(port=6, workers=5, threads=3, store="sqlite:///f.db")
    assert {name: origin for name, origin in found.origins.items() if origin != "default"} == {
        "port": "--port",
        "workers": "FIVEBYTE_WORKERS",
        "threads": "fivebyte.toml:4",
        "store": "fivebyte.toml:5",
    }
    assert found.file == Path("fivebyte.toml")


def test_defaults() -> None:
    found = load(environment={})
    settings = found.settings
    assert (settings.host, settings.port, settings.store) == ("127.0.0.1", 8081, "sqlite:///fivebyte.db")
    assert (settings.compatibility, settings.workers, settings.threads) == ("BACKWARD", 1, 8)
    assert settings == Settings()
    assert (set(found.origins.values()), found.file) == ({"default"}, None)


def test_every_setting_is_declared_in_full() -> None:
    assert [declared.name for declared in declared_settings()] == [f.name for f in fields(Settings)]
    for declared in declared_settings():
        assert declared.about[0].islower(), declared.name
        assert not declared.about.endswith("."), declared.name
        assert declared.check(declared.default) == declared.default
        has_range = (declared.least is not None, declared.most is not None)
        assert has_range == ((declared.kind is int and not declared.choices),) * 2, declared.name


def test_what_is_shown_of_a_value_is_read_as_it() -> None:
    for declared in declared_settings():
        if declared.default is not None:
            assert declared.parse(declared.show(declared.default)) == declared.default


def test_values_from_text() -> None:
    environment = {"FIVEBYTE_COMPATIBILITY": "full_Transitive", "FIVEBYTE_MODE_MUTABILITY": "False"}
    settings = load({"port": "0080"}, environment=environment).settings
    assert settings.compatibility is CompatibilityLevel.FULL_TRANSITIVE
    assert (settings.mode_mutability, settings.port) == (False, 80)


def test_values_from_a_file() -> None:
    write('[server]\ncompatibility = "none"\nmode_mutability = false\nport = 80\n')
    settings = load(environment={}).settings
    assert settings == Settings(port=80, compatibility=CompatibilityLevel.NONE, mode_mutability=False)


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        ("port", "x", "give a whole number from 1 to 65535"),
        ("port", "", "give a whole number from 1 to 65535"),
        ("port", " 80", "give a whole number from 1 to 65535"),
        ("port", "70000", "give a whole number from 1 to 65535"),
        ("port", "9" * 5000, "give a whole number from 1 to 65535"),
        ("workers", "0", "give a whole number from 1 to 256"),
        ("threads", "-1", "give a whole number from 1 to 1024"),
        ("max_schema_bytes", "1.5", "give a whole number from 1 to 2147483648"),
        ("host", "", "give a text that is not empty, or leave host out"),
        (
            "compatibility",
            "fool",
            (
                "give one of NONE, BACKWARD, BACKWARD_TRANSITIVE, FORWARD, FORWARD_TRANSITIVE, FULL, "
                "FULL_TRANSITIVE"
            ),
        ),
        ("mode_mutability", "1", "give true or false"),
        ("incompatible_error_code", "410", "give one of 409, 40901"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_its_place(name: str, text: str, advice: str) -> None:
    variable = f"FIVEBYTE_{name.upper()}"
    assert complaint(environment={variable: text}) == f"{variable}={text}: {advice}"
    assert complaint({name: text}) == f"--{name.replace('_', '-')} {text}: {advice}"
    write(f'[server]\n\n{name} = "{text}"')
    assert complaint() == f'fivebyte.toml:3: {name} = "{text}": {advice}'


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("port = 80.0", "port = 80.0"),
        ("port = true", "port = true"),
        ("port = 0", "port = 0"),
        ("port = [\n  80,\n  81,\n]", "port = [80, 81]"),
        ("port = 2026-01-01", 'port = "2026-01-01"'),
        ("mode_mutability = 1", "mode_mutability = 1"),
        ("compatibility = 1", "compatibility = 1"),
        ("host = 1", "host = 1"),
    ],
)
def test_a_file_has_types_and_they_must_be_right(line: str, shown: str) -> None:
    write(f"# Ours\n[server] # here\nthreads = 4\n\n# ports\n{line}\nworkers = 1\n")
    assert complaint().startswith(f"fivebyte.toml:6: {shown}: give ")


def test_a_value_is_checked_even_where_another_place_overrides_it() -> None:
    write("[server]\nport = 0\n")
    assert complaint({"port": "80"}).startswith("fivebyte.toml:2: port = 0: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[server]\nhost = "::1"\nprot = 80\n',
            "fivebyte.toml:3: prot: there is no such setting; did you mean port?",
        ),
        (
            'server.port = 80\nserver."Store" = "x"',
            "fivebyte.toml:2: Store: there is no such setting; did you mean store?",
        ),
        (
            "[server]\nthrads = 1",
            "fivebyte.toml:2: thrads: there is no such setting; did you mean threads?",
        ),
        ("[server]\nxyz = 1", "fivebyte.toml:2: xyz: there is no such setting; see `fivebyte serve --help`"),
        (
            "\n[sever]\nport = 1",
            (
                "fivebyte.toml:2: sever: there is no such setting; did you mean server? "
                "The server's settings are in [server]"
            ),
        ),
        ("server = 5", "fivebyte.toml:1: server is not a table; write [server]"),
        ("[[server]]\nport = 1", "fivebyte.toml:1: server is not a table; write [server]"),
    ],
)
def test_an_unknown_key_of_a_file_has_its_line_and_the_nearest_name(text: str, said: str) -> None:
    write(text)
    assert complaint() == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nport 80\n", "fivebyte.toml:2:6: this is not TOML: "),
        ("[server]\nhost = 'x", "fivebyte.toml:2:10: this is not TOML: "),
        ("[server]\nport = 1\nport = 2\n", "fivebyte.toml:3:"),
    ],
)
def test_a_file_that_is_no_toml(text: str, said: str) -> None:
    write(text)
    assert complaint().startswith(said)


def test_a_file_that_is_no_text(folder: Path) -> None:
    (folder / "fivebyte.toml").write_bytes(b"[server]\nhost = '\xff'")
    assert complaint() == "fivebyte.toml:2: this is not UTF-8 text; save the file as UTF-8"


def test_a_file_that_cannot_be_read(folder: Path) -> None:
    (folder / "x").mkdir()
    assert complaint(environment={"FIVEBYTE_CONFIG": "x"}) == "x cannot be read: Is a directory"


def test_a_file_of_another_name(folder: Path) -> None:
    write("[server]\nport = 0\n")  # is not read
    write("[server]\nport = 90\n", "other.toml")
    write("[server]\nport = 91\n", "third.toml")
    environment = {"FIVEBYTE_CONFIG": "other.toml"}
    found = load(environment=environment)
    assert (found.settings.port, found.origins["port"]) == (90, "other.toml:2")
    assert load(config="third.toml", environment=environment).settings.port == 91
    with pytest.raises(SettingsError, match=r"^--config no\.toml: there is no such file"):
        load(config="no.toml", environment={})
    with pytest.raises(SettingsError, match=r"^FIVEBYTE_CONFIG=no\.toml: there is no such file"):
        load(environment={"FIVEBYTE_CONFIG": "no.toml"})


@pytest.mark.parametrize(
    ("variable", "near"),
    [
        ("FIVEBYTE_PROT", "FIVEBYTE_PORT"),
        ("FIVEBYTE_STORE_URL", "FIVEBYTE_STORE"),
        ("FIVEBYTE_COMPATIBILITY_LEVEL", "FIVEBYTE_COMPATIBILITY"),
        ("FIVEBYTE_REGISTRY_URL", "FIVEBYTE_REGISTRY"),
    ],
)
def test_an_unknown_variable_is_an_error_with_the_nearest_name(variable: str, near: str) -> None:
    said = complaint(environment={variable: "1"})
    assert said == f"{variable}: there is no such setting; did you mean {near}?"


def test_other_variables_of_ours_are_none_of_the_servers() -> None:
    environment = {
        "FIVEBYTE_REGISTRY": "http://x",
        "FIVEBYTE_BROKER": "file:x",
        "FIVEBYTE_REQUIRE_ALL": "1",
        "PATH": "/bin",
    }
    assert load(environment=environment).settings == Settings()


@pytest.mark.parametrize("service", ["FIVEBYTE", "FIVEBYTE_REGISTRY"])
def test_what_kubernetes_says_of_a_service_of_our_name_is_left_alone(service: str) -> None:
    environment = {
        f"{service}_SERVICE_HOST": "10.0.0.1",
        f"{service}_SERVICE_PORT": "8081",
        f"{service}_SERVICE_PORT_HTTP": "8081",
        f"{service}_PORT": "tcp://10.0.0.1:8081",
        f"{service}_PORT_8081_TCP": "tcp://10.0.0.1:8081",
        f"{service}_PORT_8081_TCP_PROTO": "tcp",
        f"{service}_PORT_8081_TCP_PORT": "8081",
        f"{service}_PORT_8081_TCP_ADDR": "10.0.0.1",
    }
    assert load(environment=environment).settings == Settings()


def test_settings_that_do_not_agree_are_named_with_their_places() -> None:
    write("[server]\nworkers = 2\n")
    assert complaint(environment={"FIVEBYTE_STORE": "memory:"}) == (
        "workers=2 with store=memory: would be as many registries; give one worker, or a store that "
        "processes can share (sqlite:///PATH, redis://HOST) "
        "(workers is from fivebyte.toml:2, store is from FIVEBYTE_STORE)"
    )


def test_no_error_shows_a_password() -> None:
    secret = "redis://user:secret@host"
    assert "secret" not in complaint({"port": secret})
    assert "secret" not in complaint(environment={"FIVEBYTE_PORT": secret})
    write(f'[server]\nport = "{secret}"')
    assert "secret" not in complaint()


def test_settings_made_in_a_program_are_checked_as_well() -> None:
    with pytest.raises(SettingsError, match=r"^port=0: give a whole number from 1 to 65535$"):
        Settings(port=0)
    assert Settings(compatibility="full").compatibility is CompatibilityLevel.FULL  # type: ignore[arg-type]
