"""The project file: which files are schemas, of which subjects, at which levels, and where registries are.

It is ``fivebyte.toml``, or the table ``[tool.fivebyte]`` of ``pyproject.toml``. A
``fivebyte.toml`` may hold the server's settings as well, in ``[server]``. Nested ones
say what is different beneath their folders.
"""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from registry import toml_text
from registry.check.errors import ProjectError
from registry.check.globs import Glob, glob
from registry.model import CompatibilityLevel, Mode

FILE = "fivebyte.toml"
PYPROJECT = "pyproject.toml"

DEFAULT_FILES = ("**/*.avsc", "**/*.avdl")
"""What is a schema where no [[schemas]] say it."""
DEFAULT_SUBJECT = "{full_name}"
DEFAULT_EXCLUDE = ("**/node_modules/**", "**/target/**", "**/build/**", "**/dist/**", "**/venv/**")
"""Left out unless exclude says otherwise; hidden folders always are."""

DELETED = ("error", "warning", "note", "off")
RULE_SETS = ("minimal", "standard", "strict")

OF_A_PATH = frozenset({"stem", "folder", "topic"})
OF_A_TYPE = frozenset({"record", "full_name", "namespace"})
"""What a subject's pattern may name, beside the parts that the glob remembers."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class SchemaRule:
    """One ``[[schemas]]``: the subject (a pattern), and the level and mode, of the files that it names.

    line: of the files, in the project file.
    """

    files: tuple[str, ...]
    subject: str | None = None
    topic: str | None = None
    level: CompatibilityLevel | None = None
    mode: Mode | None = None
    deleted: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Override:
    """One ``[[override]]``: what is different for the files, or the subjects, that it names."""

    files: tuple[str, ...]
    subjects: tuple[str, ...]
    level: CompatibilityLevel | None = None
    mode: Mode | None = None
    deleted: str | None = None


@dataclass(frozen=True, slots=True)
class Lint:
    """``[lint]``: the rule set, what is added to it and left out, and what is ignored where.

    ignore: rule ids by glob of files.
    """

    rules: str | None = None
    enable: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    ignore: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def without_secrets(url: str) -> str:
    """`url` as it may be shown: without user and password."""
    scheme, between, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{between}{host.rpartition('@')[2]}{slash}{path}"


@dataclass(frozen=True, slots=True)
class RegistryAddress:
    """``[registries.NAME]``: the URL, the context, and the names of the variables that hold the secrets."""

    name: str
    url: str
    context: str | None = None
    user_variable: str | None = None
    password_variable: str | None = None
    token_variable: str | None = None

    def secrets(self, environment: Mapping[str, str] | None = None) -> tuple[str, str] | str | None:
        """User and password, or a token, from the environment (default: the process's); None without.

        Raises ProjectError where a variable is named and not set.
        """
        given = os.environ if environment is None else environment
        names = [self.user_variable, self.password_variable, self.token_variable]
        for name in names:
            if name is not None and not given.get(name):
                raise ProjectError(f"the registry {self.name} needs {name} in the environment; it is not set")
        if self.token_variable is not None:
            return given[self.token_variable]
        if self.user_variable is not None and self.password_variable is not None:
            return given[self.user_variable], given[self.password_variable]
        return None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a file says for its folder and all beneath. folder: "" or a path that ends with ``/``."""

    folder: str = ""
    file: Path | None = None
    level: CompatibilityLevel | None = None
    subject: str | None = None
    deleted: str | None = None
    exclude: tuple[str, ...] | None = None
    schemas: tuple[SchemaRule, ...] = ()
    overrides: tuple[Override, ...] = ()
    lint: Lint = Lint()


@dataclass(frozen=True, slots=True)
class Placement:
    """What the project says of a file: the pattern of its subjects and the parts of its path."""

    pattern: str
    parts: Mapping[str, str]
    level: CompatibilityLevel | None = None
    mode: Mode | None = None
    deleted: str | None = None

    @property
    def is_per_type(self) -> bool:
        """Whether each named type of the file has a subject of its own."""
        return any(name in OF_A_TYPE for name in _PLACEHOLDER.findall(self.pattern))

    def subject(self, full_name: str) -> str:
        """The subject of the schema with this name."""
        namespace, _, record = full_name.rpartition(".")
        parts = {**self.parts, "record": record, "full_name": full_name, "namespace": namespace}
        return _PLACEHOLDER.sub(lambda found: parts[found[1]], self.pattern)


@dataclass(frozen=True, slots=True)
class Project:
    """A project's schemas and how they are checked.

    root: the folder that all paths are from. file: where it was read, if it was.
    scopes: deepest folder first; the last one is the project's own.
    """

    root: Path
    file: Path | None = None
    against: str | None = None
    registry: str | None = None
    registries: Mapping[str, RegistryAddress] = field(default_factory=dict)
    baseline: str | None = None
    scopes: tuple[Scope, ...] = (Scope(),)

    def placement(self, path: str) -> Placement | None:
        """What is said of the file at `path`, from the root with ``/`` between; None: it is no schema."""
        if self.is_excluded(path):
            return None
        scopes = [scope for scope in self.scopes if path.startswith(scope.folder)]
        for scope in scopes:
            for rule in scope.schemas:
                for pattern in rule.files:
                    parts = glob(pattern).match(path[len(scope.folder) :])
                    if parts is not None:
                        return self._placed(path, scopes, rule, parts)
        if any(scope.schemas for scope in scopes) or not _matches(DEFAULT_FILES, path):
            return None
        return self._placed(path, scopes, SchemaRule(()), {})

    def is_excluded(self, path: str) -> bool:
        """Whether the file, or the folder with ``/`` at its end, at `path` is left out."""
        scopes = [scope for scope in self.scopes if path.startswith(scope.folder)]
        if any(_matches(scope.exclude, path[len(scope.folder) :]) for scope in scopes if scope.exclude):
            return True
        return all(scope.exclude is None for scope in scopes) and _matches(DEFAULT_EXCLUDE, path)

    def given(self, path: str) -> Placement:
        """`placement` of a file that was named on the command line: a schema whatever the globs say."""
        scopes = [scope for scope in self.scopes if path.startswith(scope.folder)]
        return self.placement(path) or self._placed(path, scopes, SchemaRule(()), {})

    def for_subject(self, placement: Placement, path: str, subject: str) -> Placement:
        """`placement` with what the overrides say of a subject."""
        level, mode, deleted = placement.level, placement.mode, placement.deleted
        for scope in reversed(self.scopes):
            for override in scope.overrides:
                if path.startswith(scope.folder) and _matches(override.subjects, subject):
                    level, mode, deleted = _over(override, level, mode, deleted)
        return Placement(placement.pattern, placement.parts, level, mode, deleted)

    def lint_of(self, path: str) -> list[tuple[str, Lint]]:
        """``[lint]`` of the project and of the nested files above `path`, outermost first, with folders."""
        return [(s.folder, s.lint) for s in reversed(self.scopes) if path.startswith(s.folder)]

    def address(self, text: str) -> RegistryAddress:
        """The registry with this name, or at this URL."""
        return self.registries.get(text) or RegistryAddress(without_secrets(text), text)

    @staticmethod
    def _placed(
        path: str, scopes: Iterable[Scope], rule: SchemaRule, captured: Mapping[str, str]
    ) -> Placement:
        folder, _, name = path.rpartition("/")
        stem = name.rpartition(".")[0] or name
        parts = {"stem": stem, "folder": folder.rpartition("/")[2], "topic": stem, **captured}
        if rule.topic is not None:
            parts["topic"] = _PLACEHOLDER.sub(lambda found: parts[found[1]], rule.topic)
        found = list(scopes)
        level = rule.level or next((s.level for s in found if s.level), None)
        deleted = rule.deleted or next((s.deleted for s in found if s.deleted), None)
        subject = rule.subject or next((s.subject for s in found if s.subject), None) or DEFAULT_SUBJECT
        mode = rule.mode
        for scope in reversed(found):
            for override in scope.overrides:
                if _matches(override.files, path[len(scope.folder) :]):
                    level, mode, deleted = _over(override, level, mode, deleted)
        return Placement(subject, parts, level, mode, deleted)


def _over(
    override: Override, level: CompatibilityLevel | None, mode: Mode | None, deleted: str | None
) -> tuple[CompatibilityLevel | None, Mode | None, str | None]:
    return override.level or level, override.mode or mode, override.deleted or deleted


def _matches(patterns: Iterable[str], path: str) -> bool:
    return any(glob(pattern).match(path) is not None for pattern in patterns)


def find(start: Path) -> Path | None:
    """The project file of the folder `start`, or of the nearest folder above it that has one."""
    for folder in (start, *start.parents):
        own = folder / FILE
        if own.is_file():
            return own
        shared = folder / PYPROJECT
        if shared.is_file() and _table(shared) is not None:
            return shared
        if (folder / ".git").exists():
            return None
    return None


def load(file: Path | None, root: Path, nested: Iterable[Path] = ()) -> Project:
    """The project that `file` describes, or one of defaults; `nested` are the files in folders below.

    root: where paths are from; the folder of `file` where there is one.

    Raises ProjectError, with the line; SettingsError for what is not TOML.
    """
    scopes = []
    for inner in nested:
        reader = _Reader(inner)
        folder = inner.parent.relative_to(root).as_posix() + "/"
        scopes.append(reader.scope(folder, nested=True))
    scopes.sort(key=lambda scope: scope.folder.count("/"), reverse=True)
    if file is None:
        return Project(root, scopes=(*scopes, Scope()))
    reader = _Reader(file)
    scope = reader.scope("", nested=False)
    return Project(
        root,
        file,
        against=reader.text("against"),
        registry=reader.text("registry"),
        registries=reader.registries(),
        baseline=reader.text("baseline"),
        scopes=(*scopes, scope),
    )


def _table(pyproject: Path) -> Any:
    return toml_text.read(pyproject)[1].get("tool", {}).get("fivebyte")


_KEYS = (
    "against",
    "baseline",
    "deleted",
    "exclude",
    "level",
    "lint",
    "override",
    "registries",
    "registry",
    "schemas",
    "subject",
)
_OF_THE_PROJECT = {"against", "baseline", "registries", "registry"}
_OF_SCHEMAS = ("files", "subject", "topic", "level", "mode", "deleted")
_OF_OVERRIDE = ("files", "subjects", "level", "mode", "deleted")
_OF_LINT = ("rules", "enable", "disable", "ignore")
_VARIABLES = ("user_variable", "password_variable", "token_variable")
_OF_REGISTRY = ("url", "context", *_VARIABLES)


class _Reader:
    """Takes a project file apart; every key is checked, and a fault has its line."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._text, content = toml_text.read(file)
        self._prefix: tuple[str, ...] = ()
        if file.name == PYPROJECT:
            self._prefix = ("tool", "fivebyte")
            content = content.get("tool", {}).get("fivebyte", {})
            if not isinstance(content, dict):
                raise self._fault((), "tool.fivebyte is not a table; write [tool.fivebyte]")
        self._content: dict[str, Any] = content
        others = () if self._prefix else ("server",)
        self._know((), self._content, (*_KEYS, *others))

    def scope(self, folder: str, *, nested: bool) -> Scope:
        if nested:
            for key in sorted(_OF_THE_PROJECT & self._content.keys()):
                raise self._fault((key,), f"{key} belongs in the project's own file, not in a nested one")
        return Scope(
            folder,
            self._file,
            level=self._level(("level",), self._content),
            subject=self._pattern(("subject",), self._content, ()),
            deleted=self._choice(("deleted",), self._content, DELETED),
            exclude=self._globs(("exclude",), self._content) if "exclude" in self._content else None,
            schemas=tuple(self._schema_rule(at, table) for at, table in self._tables("schemas")),
            overrides=tuple(self._override(at, table) for at, table in self._tables("override")),
            lint=self._lint(),
        )

    def text(self, key: str) -> str | None:
        value = self._string((key,), self._content)
        self._check_secrets((key,), value or "")
        return value

    def registries(self) -> dict[str, RegistryAddress]:
        found = {}
        for name, table in self._dict(("registries",), self._content).items():
            path = ("registries", name)
            if not isinstance(table, dict):
                raise self._fault(path, f"{name} is not a table; write [registries.{name}]")
            self._know(path, table, _OF_REGISTRY)
            url = self._string((*path, "url"), table)
            if url is None:
                raise self._fault(path, "a registry needs a url")
            self._check_secrets((*path, "url"), url)
            variables = {key: self._variable((*path, key), table) for key in _VARIABLES}
            if (variables["user_variable"] is None) != (variables["password_variable"] is None):
                raise self._fault(path, "user_variable and password_variable go together: give both")
            found[name] = RegistryAddress(name, url, self._string((*path, "context"), table), **variables)
        return found

    def _schema_rule(self, at: tuple[str, int], table: dict[str, Any]) -> SchemaRule:
        self._know(at, table, _OF_SCHEMAS)
        files = self._globs((*at, "files"), table)
        if not files:
            raise self._fault(at, 'files is missing: the globs of the files, such as "schemas/*.avsc"')
        captures = [set(glob(pattern).captures) for pattern in files]
        known = set.intersection(*captures)
        return SchemaRule(
            files,
            self._pattern((*at, "subject"), table, known),
            self._pattern((*at, "topic"), table, known - {"topic"}, types=False),
            self._level((*at, "level"), table),
            self._mode((*at, "mode"), table),
            self._choice((*at, "deleted"), table, DELETED),
            toml_text.line(self._text, *self._prefix, *at, "files"),
        )

    def _override(self, at: tuple[str, int], table: dict[str, Any]) -> Override:
        self._know(at, table, _OF_OVERRIDE)
        files, subjects = self._globs((*at, "files"), table), self._globs((*at, "subjects"), table)
        if not files and not subjects:
            raise self._fault(at, "say what it overrides: files or subjects, as globs")
        return Override(
            files,
            subjects,
            self._level((*at, "level"), table),
            self._mode((*at, "mode"), table),
            self._choice((*at, "deleted"), table, DELETED),
        )

    def _lint(self) -> Lint:
        table = self._dict(("lint",), self._content)
        self._know(("lint",), table, _OF_LINT)
        ignore = {}
        for pattern in self._dict(("lint", "ignore"), table):
            self._glob(("lint", "ignore", pattern), pattern)
            ignore[pattern] = self._strings(("lint", "ignore", pattern), table["ignore"])
            self._check_rules(("lint", "ignore", pattern), ignore[pattern])
        enable, disable = (self._strings(("lint", key), table) for key in ("enable", "disable"))
        self._check_rules(("lint", "enable"), enable)
        self._check_rules(("lint", "disable"), disable)
        return Lint(self._choice(("lint", "rules"), table, RULE_SETS), enable, disable, ignore)

    def _check_rules(self, path: tuple[str | int, ...], ids: tuple[str, ...]) -> None:
        if not ids:
            return
        # Here, since most project files name none.
        from registry.check.lint.catalogue import LINT

        known = {rule.id for rule in LINT}
        for one in ids:
            if one not in known:
                near = difflib.get_close_matches(one.upper(), known, n=1)
                hint = f"did you mean {near[0]}?" if near else "`fivebyte explain` lists them"
                raise self._fault(path, f"{one} is no rule of the linter: {hint}")

    def _check_secrets(self, path: tuple[str | int, ...], url: str) -> None:
        if url.startswith(("http://", "https://")) and url != without_secrets(url):
            raise self._fault(
                path,
                "a URL with a user or password does not belong in a file: name the variables of the "
                "environment that hold them, with user_variable and password_variable, or token_variable, in "
                "[registries.NAME]",
            )

    # Values

    def _level(self, path: tuple[str | int, ...], table: Mapping[str, Any]) -> CompatibilityLevel | None:
        names = tuple(CompatibilityLevel)
        chosen = self._choice(path, table, names, upper=True)
        return None if chosen is None else CompatibilityLevel(chosen)

    def _mode(self, path: tuple[str | int, ...], table: Mapping[str, Any]) -> Mode | None:
        chosen = self._choice(path, table, tuple(Mode), upper=True)
        return None if chosen is None else Mode(chosen)

    def _choice(
        self,
        path: tuple[str | int, ...],
        table: Mapping[str, Any],
        choices: Iterable[str],
        *,
        upper: bool = False,
    ) -> str | None:
        value = self._string(path, table)
        if value is None:
            return None
        spelt = value.upper() if upper else value.lower()
        names = [str(choice) for choice in choices]
        if spelt not in names:
            near = difflib.get_close_matches(spelt, names, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise self._fault(path, f'{path[-1]} = "{value}": give one of {", ".join(names)}{hint}')
        return spelt

    def _pattern(
        self,
        path: tuple[str | int, ...],
        table: Mapping[str, Any],
        captures: Iterable[str],
        *,
        types: bool = True,
    ) -> str | None:
        value = self._string(path, table)
        if value is None:
            return None
        known = sorted({*OF_A_PATH, *captures} | (OF_A_TYPE if types else set()))
        for name in _PLACEHOLDER.findall(value):
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {{{near[0]}}}?" if near else f"there are {', '.join(known)}"
                raise self._fault(path, f'{path[-1]} = "{value}": {{{name}}} stands for nothing; {hint}')
        return value

    def _globs(self, path: tuple[str | int, ...], table: Mapping[str, Any]) -> tuple[str, ...]:
        patterns = self._strings(path, table)
        for pattern in patterns:
            self._glob(path, pattern)
        return patterns

    def _glob(self, path: tuple[str | int, ...], pattern: str) -> Glob:
        if pattern.startswith(("/", "./", "../")) or "\\" in pattern:
            raise self._fault(
                path, f'"{pattern}": globs are from the folder of this file, with / between and no ./ before'
            )
        try:
            return glob(pattern)
        except ProjectError as fault:
            raise self._fault(path, str(fault)) from None

    def _strings(self, path: tuple[str | int, ...], table: Mapping[str, Any]) -> tuple[str, ...]:
        value = table.get(str(path[-1]), [])
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(item, str) and item for item in values):
            raise self._fault(path, f"{path[-1]}: give a text, or a list of texts")
        return tuple(values)

    def _string(self, path: tuple[str | int, ...], table: Mapping[str, Any]) -> str | None:
        value = table.get(str(path[-1]))
        if value is not None and (not isinstance(value, str) or not value):
            raise self._fault(path, f"{path[-1]}: give a text that is not empty, or leave it out")
        return value

    def _variable(self, path: tuple[str | int, ...], table: Mapping[str, Any]) -> str | None:
        value = self._string(path, table)
        if value is not None and not _VARIABLE.fullmatch(value):
            raise self._fault(path, f"{path[-1]} is the name of a variable of the environment, not a value")
        return value

    def _dict(self, path: tuple[str | int, ...], table: Mapping[str, Any]) -> dict[str, Any]:
        value = table.get(str(path[-1]), {})
        if not isinstance(value, dict):
            raise self._fault(path, f"{path[-1]} is not a table; write [{'.'.join(map(str, path))}]")
        return value

    def _tables(self, key: str) -> list[tuple[tuple[str, int], dict[str, Any]]]:
        value = self._content.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._fault((key,), f"{key} is not a list of tables; write [[{key}]]")
        return [((key, index), item) for index, item in enumerate(value)]

    def _know(self, path: tuple[str | int, ...], table: Mapping[str, Any], known: Iterable[str]) -> None:
        for name in table:
            if name not in known:
                near = difflib.get_close_matches(name, list(known), n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
                raise self._fault((*path, name), f"{name}: there is no such key; {hint}")

    def _fault(self, path: tuple[str | int, ...], message: str) -> ProjectError:
        line = toml_text.line(self._text, *self._prefix, *path)
        return ProjectError(f"{self._file}:{line}: {message}")
