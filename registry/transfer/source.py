"""What an import brings: records as another registry wrote them, tidied, and what they say.

Dumps of a ``_schemas`` topic are replayed in their order (reference, section 5),
so a tombstone, a DELETE_SUBJECT or a CLEAR_SUBJECT acts at its place. Of the records:

* keys get Confluent's present form: ``magic`` 1, the order of the fields, without Redpanda's ``seq`` and
  ``node``. Values stay as they are;
* NOOP is left out; keytypes that we do not know are kept, and change nothing;
* Avro texts are brought into the form in which this registry writes them, where that is asked for: another
  registry may have stored them as they were sent, and who registers one again would get another id;
* of two contents that have one id, the first is kept. Where that one had been deleted for good before the
  other came, the other is: it is the one in use.

What is left out is noted, with the reason.
"""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from registry.errors import InvalidSchemaError, LogFormatError, TransferError
from registry.languages.avro import AVRO
from registry.languages.language import SchemaFault
from registry.model import QualifiedSubject, SchemaContent, context_of
from registry.records import (
    ConfigRecord,
    Json,
    LogRecord,
    ModeRecord,
    NoopRecord,
    Record,
    SchemaRecord,
    UnknownRecord,
    from_log,
)
from registry.schemas import Schemas, resolve
from registry.state import State, VersionKey
from registry.store import Entry
from registry.transfer.lines import Line

_IdKey = tuple[str, int]
"""A context and an id."""


@dataclass(slots=True)
class Source:
    """Another registry's log, or what could be learnt of it.

    name: of the file or the registry, for messages.
    entries: at positions from 1 on.
    is_log: whether it is a history, which says also what is gone, or only what there is.
    is_timed: whether the times are the source's, and not that of reading it.
    state: what the entries say. Its position counts records.
    versions: for each version that ever was, the ids and digests that it had, should it have been deleted
        for good and its number given to another schema.
    contents: for each id that was ever given out, a version that had it.
    config_scopes, mode_scopes: those of which it says that something is set for them, or nothing.
    notes: what was left out or kept although unknown, and how often.
    """

    name: str
    is_log: bool
    entries: list[Entry] = field(default_factory=list)
    is_timed: bool = True
    state: State = field(default_factory=State)
    versions: dict[VersionKey, set[tuple[int, bytes]]] = field(default_factory=dict)
    contents: dict[_IdKey, SchemaRecord] = field(default_factory=dict)
    config_scopes: set[str | None] = field(default_factory=set)
    mode_scopes: set[str | None] = field(default_factory=set)
    notes: Counter[str] = field(default_factory=Counter)


def gather(
    name: str, entries: Iterable[list[Line]], *, is_log: bool = True, canonical: bool = False
) -> Source:
    """Tidy the records of a dump and fold them.

    canonical: bring Avro texts into canonical form.

    Raises TransferError for a record that is not as Confluent writes it.
    """
    read = list(entries)
    given_away: set[tuple[_IdKey, bytes]] = set()
    while True:
        gatherer = _Gatherer(Source(name, is_log), given_away, canonical=canonical)
        for lines in read:
            gatherer.add(lines)
        if not gatherer.found_given_away:
            return gatherer.source
        given_away |= gatherer.found_given_away


class _Gatherer:
    """Fills a source, entry by entry.

    given_away: contents whose id the source gave to another one after they were deleted for good.
    """

    def __init__(self, source: Source, given_away: set[tuple[_IdKey, bytes]], *, canonical: bool) -> None:
        self.source = source
        self.found_given_away: set[tuple[_IdKey, bytes]] = set()
        self._given_away = given_away
        self._schemas = Schemas((AVRO,)) if canonical else None
        self._now = time.time_ns() // 1_000_000

    def add(self, lines: list[Line]) -> None:
        """Take in the records of one entry."""
        source = self.source
        known = [line.time for line in lines if line.time is not None]
        moment = known[0] if known else self._now
        kept = [record for line in lines if (record := self._tidy(line, moment)) is not None]
        if kept:
            source.is_timed = source.is_timed and bool(known)
            source.entries.append(Entry(len(source.entries) + 1, moment, tuple(kept), lines[0].principal))

    def _tidy(self, line: Line, moment: int) -> LogRecord | None:
        """The record as it is kept, and folded; None if it is left out."""
        source = self.source
        try:
            record = from_log(line.record)
        except LogFormatError as fault:
            raise TransferError(f"{line.where}: {fault}") from None
        match record:
            case NoopRecord():
                source.notes["NOOP records left out: they change nothing"] += 1
                return None
            case UnknownRecord():
                keytype = line.record.key.get("keytype")
                source.notes[f"records of keytype {keytype} kept as they are: they change nothing here"] += 1
                return line.record
        value = line.record.value
        if isinstance(record, SchemaRecord) and record.content is not None and value is not None:
            record, value = self._in_canonical_form(record, record.content, value, line.where)
            if not self._fits(record, line.where):
                return None
        kept = LogRecord(record.to_log().key, value)
        source.state.apply(source.state.position + 1, moment, [kept])
        self._remember(record)
        return kept

    def _in_canonical_form(
        self, record: SchemaRecord, content: SchemaContent, value: Json, where: str
    ) -> tuple[SchemaRecord, Json]:
        if self._schemas is None or content.schema_type != AVRO.type_name:
            return record, value
        try:
            needed = resolve(content.references, spelling(record.subject), self.source.state)
            text = self._schemas.parse(content.schema_type, content.text, needed).canonical
        except (SchemaFault, InvalidSchemaError) as fault:
            what = f"{where}: version {record.version} of subject {record.subject} kept as it is"
            self.source.notes[f"{what}: it cannot be brought into canonical form ({fault})"] += 1
            return record, value
        if text == content.text:
            return record, value
        self.source.notes["Avro texts brought into canonical form"] += 1
        return replace(record, content=replace(content, text=text)), {**value, "schema": text}

    def _fits(self, record: SchemaRecord, where: str) -> bool:
        """Whether the record's id stands for its content, or for nothing yet."""
        source, context = self.source, context_of(spelling(record.subject))
        assert record.content is not None
        digest, key = record.content.digest(), (context, record.id)
        first = source.state.digest_of(*key)
        what = f"{where}: version {record.version} of subject {record.subject} left out"
        if (key, digest) in self._given_away:
            source.notes[
                f"{what}: it was deleted for good, and its id {record.id} given to another schema"
            ] += 1
            return False
        if first in {None, digest}:
            return True
        assert first is not None
        if source.state.holders(*key):
            source.notes[f"{what}: its id {record.id} stands for another schema, which came first"] += 1
        else:
            self.found_given_away.add((key, first))
        return False

    def _remember(self, record: Record) -> None:
        source = self.source
        match record:
            case SchemaRecord(content=content) if content is not None:
                subject = spelling(record.subject)
                had = source.versions.setdefault((subject, record.version), set())
                had.add((record.id, content.digest()))
                source.contents.setdefault((context_of(subject), record.id), record)
            case ConfigRecord(subject=scope):
                source.config_scopes.add(spelling(scope or "") or None)
            case ModeRecord(subject=scope):
                source.mode_scopes.add(spelling(scope or "") or None)


def spelling(subject: str) -> str:
    """The one spelling of a subject or a scope: another registry may qualify the default context."""
    return str(QualifiedSubject.parse(subject))
