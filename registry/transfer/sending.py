"""Importing into a running registry over HTTP: ours, or any Confluent-compatible one that has IMPORT mode.

What the target has is read first, so ids are not mixed here either, and an
import can be run again. Subjects that get versions are in IMPORT mode for that
time; afterwards those only that the source has so. Some things cannot be done
over HTTP, and are noted: bringing a soft-deleted version back, making a context
that has no subject, and keeping the ids of schemas that were deleted for good
from being given out again.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from registry.errors import RegistryError, TransferError
from registry.model import Mode
from registry.records import ConfigRecord, ContextRecord, ModeRecord, Record, SchemaRecord, from_log
from registry.state import State
from registry.transfer.importing import Imported, check_collisions
from registry.transfer.merging import changes
from registry.transfer.remote import open_rest, read_registry
from registry.transfer.source import Source
from registry.transfer.writing import Progress, no_progress
from serde.errors import Incompatible, NotFound, Refused, SerdeError
from serde.rest import Rest


def import_over_http(url: str, source: Source, progress: Progress = no_progress) -> Imported:
    """Make the registry at `url` say all that the source does; see the module.

    source: with texts in canonical form, as the target's are compared.

    Raises TransferError with every collision before anything is changed, and where the target refuses
    something; serde's RegistryError and RegistryUnreachable. What was done before stays.
    """
    target = read_registry(url, progress, canonical=True)
    done = Imported(notes=source.notes.copy())
    check_collisions(source, target.state, target.name, done)
    rest = open_rest(url)
    try:
        _Sender(rest, target.state, source, done).send(progress)
        return done
    finally:
        rest.close()


@dataclass(slots=True)
class _Sender:
    """Does the changes, in an order in which none is refused."""

    rest: Rest
    target: State
    source: Source
    done: Imported

    def send(self, progress: Progress) -> None:
        """All of them: versions, then what is deleted, then configs and modes."""
        records = [[from_log(r) for r in change.records] for change in changes(self.source, self.target)]
        new, deleted, gone = self._sorted(records)
        subjects = (record.subject for record in [*new, *deleted, *gone])
        touched = list(dict.fromkeys([*subjects, *self._frozen(records)]))
        try:
            for scope in touched:
                self._set_mode(scope, Mode.IMPORT)
            for number, record in enumerate(new, 1):
                self._register(record)
                progress("registering", number, len(new))
            for number, record in enumerate(reversed(deleted), 1):
                self._delete(record)
                progress("deleting", number, len(deleted))
            for record in reversed(gone):
                self._delete_for_good(record)
            self._settings(one for many in records for one in many)
        except BaseException:
            with suppress(RegistryError, SerdeError):  # what was wrong first is what is told
                self._end_import(touched)
            raise
        self._end_import(touched)

    def _frozen(self, changes: list[list[Record]]) -> Iterator[str | None]:
        """The read-only scopes of the target that get another config."""
        for records in changes:
            match records:
                case [ConfigRecord(scope)] if self.target.effective_mode(scope).is_read_only:
                    yield scope

    def _end_import(self, touched: Iterable[str | None]) -> None:
        """Give scopes the mode that the source says, or that they had; also those that an import left."""
        subjects = (subject for subject, _, _ in self.source.state.subjects())
        left = [subject for subject in subjects if self.target.mode(subject) is Mode.IMPORT]
        for scope in dict.fromkeys([*touched, *left]):
            mode = self.source.state.mode(scope)
            if mode is None and scope not in self.source.mode_scopes:
                before = self.target.mode(scope)
                mode = None if before is Mode.IMPORT else before
            self._set_mode(scope, mode)

    def _sorted(self, changes: list[list[Record]]) -> tuple[list[SchemaRecord], ...]:
        """The versions that are new, those to be soft-deleted, and those to be deleted for good."""
        new, deleted, gone = [], [], []
        for records in changes:
            match records:
                case [SchemaRecord(content=None) as record]:
                    gone.append(record)
                case [SchemaRecord() as record]:
                    there = self.target.version(record.subject, record.version, deleted=True)
                    if there is None:
                        new.append(record)
                    if record.deleted and (there is None or there.content == record.content):
                        deleted.append(record)
                    elif there is not None:
                        name = f"version {record.version} of subject {record.subject}"
                        self._note(f"{name} left as it is: over HTTP it cannot be brought back, or replaced")
                case [SchemaRecord() as record, SchemaRecord(content=None)]:
                    self._note(
                        f"id {record.id} of a schema deleted for good left out: it may be given out again"
                    )
        return new, deleted, gone

    def _settings(self, records: Iterable[Record]) -> None:
        for record in records:
            match record:
                case ConfigRecord(scope, None):
                    self._ask("DELETE", "config", *_in(scope))
                    self._count("configs")
                case ConfigRecord(scope, config) if config is not None:
                    before = self.target.config(scope)
                    cleared = dict.fromkeys({} if before is None else before.to_json())
                    body: dict[str, Any] = {**cleared, **config.to_json()}
                    if "compatibilityLevel" in body:  # written under another name than it is read
                        body["compatibility"] = body.pop("compatibilityLevel")
                    self._ask("PUT", "config", *_in(scope), body=body)
                    self._count("configs")
                case ModeRecord(scope, mode):
                    self._set_mode(scope, mode)
                    self._count("modes")
                case ContextRecord(context):
                    if not self.source.state.subjects_in(f":{context}:"):
                        self._note(f"context {context} left out: it has no subject")

    def _register(self, record: SchemaRecord) -> None:
        content = record.content
        assert content is not None
        body: dict[str, Any] = {"schema": content.text, "id": record.id, "version": record.version}
        if content.schema_type != "AVRO":
            body["schemaType"] = content.schema_type
        if content.references:
            body["references"] = [reference.to_json() for reference in content.references]
        if content.metadata is not None:
            body["metadata"] = content.metadata.to_json()
        if content.rule_set is not None:
            body["ruleSet"] = content.rule_set.to_json()
        answer = self._ask("POST", "subjects", record.subject, "versions", body=body)
        got = answer.get("id") if isinstance(answer, dict) else answer
        if got != record.id:
            raise TransferError(
                f"{self.rest.urls[0]} gave version {record.version} of subject {record.subject} the id {got} "
                f"instead of {record.id}: it does not do as IMPORT mode says. What was imported before stays"
            )
        self._count("versions")

    def _delete(self, record: SchemaRecord) -> None:
        self._ask("DELETE", "subjects", record.subject, "versions", record.version)
        self._count("soft-deleted versions")

    def _delete_for_good(self, record: SchemaRecord) -> None:
        there = self.target.version(record.subject, record.version, deleted=True)
        if there is not None and not there.deleted:
            self._ask("DELETE", "subjects", record.subject, "versions", record.version)
        path = ("subjects", record.subject, "versions", record.version)
        self._ask("DELETE", *path, query={"permanent": True})
        self._count("versions deleted for good")

    def _set_mode(self, scope: str | None, mode: Mode | None) -> None:
        if mode is None:
            try:
                self._ask("DELETE", "mode", *_in(scope))
            except NotFound:
                return
        else:
            self._ask("PUT", "mode", *_in(scope), body={"mode": str(mode)}, query={"force": True})

    def _ask(self, method: str, *path: str | int, **more: Any) -> Any:
        try:
            return self.rest.request(method, *path, **more)
        except (Refused, Incompatible) as refusal:
            raise TransferError(
                f"{refusal}. What was imported before stays; import again to go on when that is settled"
            ) from refusal

    def _count(self, what: str) -> None:
        self.done.counts[what] += 1

    def _note(self, text: str) -> None:
        self.done.notes[text] += 1


def _in(scope: str | None) -> list[str]:
    return [] if scope is None else [scope]
