"""The project file: which files are which subjects at which levels, and what is said where it is wrong."""

from pathlib import Path

import pytest

from registry.check.errors import ProjectError
from registry.check.project import Project, find, load
from registry.configuration import load as load_settings
from registry.errors import SettingsError
from registry.model import CompatibilityLevel, Mode


def project(folder: Path, text: str, name: str = "fivebyte.toml", **nested: str) -> Project:
    file = folder / name
    file.write_text(text)
    inner = []
    for inside, content in nested.items():
        (folder / inside).mkdir(exist_ok=True)
        (folder / inside / "fivebyte.toml").write_text(content)
        inner.append(folder / inside / "fivebyte.toml")
    return load(file, folder, inner)


def test_without_a_file_every_avsc_is_a_schema_under_its_full_name(tmp_path: Path) -> None:
    found = load(None, tmp_path)
    placement = found.placement("a/b/order.avsc")
    assert placement is not None
    assert placement.is_per_type
    assert placement.subject("com.acme.Order") == "com.acme.Order"
    assert found.placement("a/order.json") is None
    assert found.placement("node_modules/x/order.avsc") is None
    assert found.given("a/order.json").subject("x.Y") == "x.Y"


@pytest.mark.parametrize(
    ("pattern", "glob", "path", "subject"),
    [
        ("{topic}-value", "schemas/*.avsc", "schemas/orders.avsc", "orders-value"),
        (
            "{service}.{topic}-value",
            "{service}/schemas/**/{topic}.avsc",
            "pay/schemas/v1/orders.avsc",
            "pay.orders-value",
        ),
        ("{folder}-{stem}", "**/*.json", "a/b/c.d.json", "b-c.d"),
        ("{namespace}:{record}", "**", "x", "com.acme:Order"),
        ("fixed", "a?[bc].avsc", "axb.avsc", "fixed"),
    ],
)
def test_a_glob_and_a_pattern_give_the_subject(
    tmp_path: Path, pattern: str, glob: str, path: str, subject: str
) -> None:
    found = project(tmp_path, f'[[schemas]]\nfiles = "{glob}"\nsubject = "{pattern}"\n')
    placement = found.placement(path)
    assert placement is not None
    assert placement.subject("com.acme.Order") == subject
    assert found.placement(f"other/{path}.txt") is None or glob == "**"


def test_the_first_rule_that_matches_counts_and_overrides_come_after(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        """
level = "full"
deleted = "warning"
subject = "{stem}-value"
[[schemas]]
files = ["keys/*.avsc"]
subject = "{topic}-key"
topic = "t-{stem}"
level = "NONE"
[[schemas]]
files = "**/*.avsc"
mode = "readonly"
[[override]]
files = "**/legacy-*.avsc"
level = "NONE"
[[override]]
subjects = "*-key"
deleted = "off"
[server]
port = 8081
""",
    )
    key = found.placement("keys/a.avsc")
    assert key is not None
    assert (key.subject("x"), key.level, key.deleted) == ("t-a-key", CompatibilityLevel.NONE, "warning")
    assert found.for_subject(key, "keys/a.avsc", "t-a-key").deleted == "off"
    value = found.placement("v/a.avsc")
    assert value is not None
    assert (value.subject("x"), value.level, value.mode) == (
        "a-value",
        CompatibilityLevel.FULL,
        Mode.READONLY,
    )
    legacy = found.placement("v/legacy-a.avsc")
    assert legacy is not None
    assert legacy.level is CompatibilityLevel.NONE


def test_a_nested_file_speaks_for_its_folder(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        'level = "FULL"\n[[schemas]]\nfiles = "**/*.avsc"\nsubject = "{stem}"\n',
        pay='level = "NONE"\nexclude = ["old/**"]\n[[schemas]]\nfiles = "*.avsc"\nsubject = "pay-{stem}"\n',
    )
    inner, outer = found.placement("pay/a.avsc"), found.placement("shop/a.avsc")
    assert inner is not None
    assert outer is not None
    assert (inner.subject("x"), inner.level) == ("pay-a", CompatibilityLevel.NONE)
    assert (outer.subject("x"), outer.level) == ("a", CompatibilityLevel.FULL)
    assert found.placement("pay/old/a.avsc") is None
    with pytest.raises(ProjectError, match=r"pay/fivebyte.toml:1: against belongs in the project's own file"):
        project(tmp_path, "", pay='against = "git:main"\n')


def test_the_table_of_pyproject(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n[tool.fivebyte]\nagainst = "git:main"\n'
    found = project(tmp_path, text, "pyproject.toml")
    assert found.against == "git:main"
    assert find(tmp_path) == tmp_path / "pyproject.toml"
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find(tmp_path / "a" / "b") == tmp_path / "pyproject.toml"
    (tmp_path / "a" / ".git").mkdir()
    assert find(tmp_path / "a" / "b") is None
    with pytest.raises(
        ProjectError, match=r"pyproject.toml:4: levl: there is no such key; did you mean level\?"
    ):
        project(tmp_path, '[project]\nname = "x"\n[tool.fivebyte]\nlevl = "FULL"\n', "pyproject.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nlevl = 'FULL'\n", ":2: levl: there is no such key; did you mean level?"),
        ("level = 'BACKWARDS'\n", ':1: level = "BACKWARDS": give one of NONE, BACKWARD, '),
        ("level = 3\n", ":1: level: give a text that is not empty"),
        (
            "[[schemas]]\nfiles = '*.avsc'\n\n[[schemas]]\nfile = 'x'\n",
            ":5: file: there is no such key; did you mean files?",
        ),
        ("[[schemas]]\nsubject = 'x'\n", ":1: files is missing"),
        ("[[schemas]]\nfiles = '/x/*.avsc'\n", ':2: "/x/*.avsc": globs are from the folder of this file'),
        ("[[schemas]]\nfiles = '{A}/*.avsc'\n", ":2: '{A}/*.avsc' is no glob: {A} is no name"),
        (
            "[[schemas]]\nfiles = '*'\nsubject = '{topik}-v'\n",
            ':3: subject = "{topik}-v": {topik} stands for nothing; did you mean {topic}?',
        ),
        ("[schemas]\nfiles = '*'\n", ":1: schemas is not a list of tables; write [[schemas]]"),
        ("[[override]]\nlevel = 'FULL'\n", ":1: say what it overrides: files or subjects"),
        (
            "[lint]\nrules = 'strictest'\n",
            ':2: rules = "strictest": give one of minimal, standard, strict; did you mean strict?',
        ),
        ("[lint.ignore]\n'*.avsc' = 3\n", ":2: *.avsc: give a text, or a list of texts"),
        ("[registries.a]\nuser_variable = 'U'\n", ":1: a registry needs a url"),
        (
            "[registries.a]\nurl = 'http://u:p@h'\n",
            ":2: a URL with a user or password does not belong in a file",
        ),
        (
            "[registries.a]\nurl = 'http://h'\nuser_variable = 'U'\n",
            ":1: user_variable and password_variable go together",
        ),
        (
            "[registries.a]\nurl = 'http://h'\ntoken_variable = 'se cret'\n",
            ":3: token_variable is the name of a variable",
        ),
        ("\nregistry = 'https://u:p@h/x'\n", ":2: a URL with a user or password does not belong in a file"),
        ("against = 'https://u@h'\n", ":1: a URL with a user or password does not belong in a file"),
        (
            "[lint]\nenable = ['DOC_UNTIDY',\n 'DOC']\n",
            ":2: DOC is no rule of the linter: `fivebyte explain` lists them",
        ),
        (
            "[lint.ignore]\n'*' = ['FIELD_CASE']\n",
            ":2: FIELD_CASE is no rule of the linter: did you mean FIELD_NAME_CASE?",
        ),
        ("deleted = 'ignore'\n", ':1: deleted = "ignore": give one of error, warning, note, off'),
        ("exclude = [1]\n", ":1: exclude: give a text, or a list of texts"),
    ],
)
def test_what_is_wrong_has_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ProjectError) as raised:
        project(tmp_path, text)
    assert str(raised.value).startswith(f"{tmp_path / 'fivebyte.toml'}{said}")


def test_secrets_are_from_the_environment_only(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        '[registries.prod]\nurl = "http://h"\nuser_variable = "U"\npassword_variable = "P"\n'
        '[registries.eu]\nurl = "http://e"\ntoken_variable = "T"\n',
    )
    assert found.address("prod").secrets({"U": "ada", "P": "x"}) == ("ada", "x")
    assert found.address("eu").secrets({"T": "token"}) == "token"
    assert found.address("http://else").secrets({}) is None
    with pytest.raises(ProjectError, match="the registry prod needs P in the environment; it is not set"):
        found.address("prod").secrets({"U": "ada"})


def test_the_server_and_the_project_share_a_file(tmp_path: Path) -> None:
    file = tmp_path / "fivebyte.toml"
    file.write_text('level = "FULL"\n[[schemas]]\nfiles = "*.avsc"\n[server]\nport = 9000\n')
    assert load_settings(config=str(file), environment={}).settings.port == 9000
    assert load(file, tmp_path).placement("a.avsc") is not None
    file.write_text("[serverr]\nport = 9000\n")
    with pytest.raises(SettingsError, match=r"did you mean server\?"):
        load_settings(config=str(file), environment={})
