"""Schemas parsed, compared, and both remembered.

Parsing and comparing are pure, so their results are kept in bounded tables:
a schema that is registered again, or held against the same versions as
before, costs a look-up. The tables are safe to use from several threads.
"""

import itertools
import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from registry.errors import InvalidSchemaError
from registry.languages.language import Finding, Language, ParsedSchema, ReferencedSchema, SchemaFault
from registry.model import LATEST, SchemaReference
from registry.state import SchemaVersion, State, reference_key

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MAX_TEXT = 8 * 1024 * 1024
"""Characters of schema text whose parsed form is kept; that takes some ten times the room."""

_MAX_COMPARISONS = 20_000
"""Comparisons, and findings in them, that are kept."""

_serials = itertools.count()


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """A schema and its language.

    serial: a number that no other has, so that a comparison can be remembered and its schemas forgotten.
    """

    language: Language
    schema: ParsedSchema
    serial: int = field(default_factory=lambda: next(_serials))

    @property
    def canonical(self) -> str:
        """See `ParsedSchema`."""
        return self.schema.canonical


class Schemas:
    """The languages by name, and what was parsed and compared of late."""

    def __init__(self, languages: Sequence[Language]) -> None:
        self._languages: Mapping[str, Language] = {language.type_name: language for language in languages}
        self._parsed: _Recent[Hashable, Parsed] = _Recent(_MAX_TEXT)
        self._resolved: _Recent[int, str] = _Recent(_MAX_TEXT)
        self._compared: _Recent[tuple[int, int], list[Finding]] = _Recent(_MAX_COMPARISONS)

    @property
    def types(self) -> list[str]:
        """The names of the languages, sorted."""
        return sorted(self._languages)

    def parse(
        self,
        schema_type: str,
        text: str,
        references: Sequence[ReferencedSchema] = (),
        *,
        strict: bool = False,
        stored: bool = False,
    ) -> Parsed:
        """The schema that `text` is; parsed only if it was not of late.

        stored: the text is from the log, so it is canonical as it is.

        Raises SchemaFault, and InvalidSchemaError (42201) for a type that is no language of ours.
        """
        schema_type = schema_type.upper()
        language = self._languages.get(schema_type)
        if language is None:
            raise InvalidSchemaError(
                f"Invalid schema type {schema_type}; this registry knows {', '.join(self.types)}"
            )
        key = (schema_type, strict, text, tuple(references))
        parsed = self._parsed.get(key)
        if parsed is None:
            parsed = Parsed(language, language.parse(text, references, strict=strict))
            canonical = text if stored else parsed.canonical
            weight = len(text) + sum(len(reference.text) for reference in references)
            self._parsed.put(key, parsed, weight)
            if text != canonical or strict:
                # As it will be read back from the log, when the next version is held against it.
                self._parsed.put((schema_type, False, canonical, key[3]), parsed, weight)
        return parsed

    def compare(self, reader: Parsed, writer: Parsed) -> list[Finding] | None:
        """What stops `reader` from reading data of `writer`; None if they are of different languages."""
        if reader.language is not writer.language:
            return None
        if reader.schema is writer.schema:
            return []
        pair = (reader.serial, writer.serial)
        findings = self._compared.get(pair)
        if findings is None:
            findings = reader.language.compare(reader.schema, writer.schema)
            self._compared.put(pair, findings, 1 + len(findings))
        return findings

    def resolved(self, schema_type: str, text: str, references: Sequence[ReferencedSchema]) -> str:
        """The text with all that it needs of `references` put in; worked out only if it was not of late."""
        parsed = self.parse(schema_type, text, references)
        whole = self._resolved.get(parsed.serial)
        if whole is None:
            whole = parsed.language.resolved(parsed.schema)
            self._resolved.put(parsed.serial, whole, len(whole))
        return whole


class _Recent(Generic[K, V]):
    """A table that forgets what was not asked for the longest, when it weighs too much."""

    def __init__(self, max_weight: int) -> None:
        self._max_weight = max_weight
        self._weight = 0
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: K, value: V, weight: int) -> None:
        with self._lock:
            self._weight += weight - self._entries.pop(key, (value, 0))[1]
            self._entries[key] = (value, weight)
            while self._weight > self._max_weight and len(self._entries) > 1:
                self._weight -= self._entries.popitem(last=False)[1][1]


def pin(references: Sequence[SchemaReference], subject: str, state: State) -> tuple[SchemaReference, ...]:
    """The references of a new schema of `subject` with -1 replaced by the version that is latest now.

    Raises SchemaFault where there is none.
    """
    pinned = []
    for reference in references:
        if reference.version == LATEST:
            version = state.version(reference_key(reference, subject)[0], LATEST)
            if version is None:
                raise missing(reference, subject)
            reference = SchemaReference(reference.name, reference.subject, version.version)
        pinned.append(reference)
    return tuple(pinned)


def resolve(
    references: Sequence[SchemaReference], subject: str, state: State, most: int | None = None
) -> tuple[ReferencedSchema, ...]:
    """The texts that `references` of a schema of `subject` stand for, and what those need, before them.

    Depth first, each name once (reference, 2.5). Soft-deleted versions still stand for their text.

    Raises SchemaFault for one that is not there, and if there are more than `most`.
    """
    if not references:
        return ()
    found: dict[str, str] = {}
    names: set[str] = set()
    open_names: set[str] = set()
    # A stack of its own, not Python's: a chain of references may be long.
    stack = [(reference, subject) for reference in reversed(references)]
    while stack:
        reference, referrer = stack.pop()
        if reference.name in found:
            continue
        names.add(reference.name)
        if most is not None and len(names) > most:
            raise SchemaFault(
                f"it needs more than {most} other schemas, directly or through those it refers to; "
                "refer to fewer, or raise the limit (FIVEBYTE_MAX_REFERENCES)"
            )
        version = _target(reference, referrer, state)
        inner = version.content.references
        if reference.name in open_names or all(r.name in found for r in inner):
            found[reference.name] = version.content.text
            continue
        open_names.add(reference.name)
        stack.append((reference, referrer))
        stack.extend((r, version.subject) for r in reversed(inner))
    return tuple(ReferencedSchema(name, text) for name, text in found.items())


def _target(reference: SchemaReference, referrer: str, state: State) -> SchemaVersion:
    version = state.version(*reference_key(reference, referrer), deleted=True)
    if version is None or reference.version == LATEST:
        raise missing(reference, referrer)
    return version


def missing(reference: SchemaReference, referrer: str) -> SchemaFault:
    """What to say of a reference that nothing stands behind."""
    subject, number = reference_key(reference, referrer)
    return SchemaFault(
        f'No schema reference found for subject "{subject}" and version {number}'
        f" (the reference named {reference.name!r})"
    )
