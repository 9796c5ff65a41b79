"""The HTTP API and a small model of it, driven side by side: they never differ.

The model is written from the reference's words (sections 2.1 to 2.6), with lists
and dicts and no regard for speed. Schemas are primitives, so that what reads
what is a table. A schema whose request insists on a version number says of which
version it is, and so do all after it; this stamp is in its content.
"""

from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from registry.http import create_app
from registry.registry import Registry
from registry.store import MemoryStore

SUBJECTS = ("a", "b/c", ":.eu:a")
READS = {
    "int": ("int",),
    "long": ("int", "long"),
    "string": ("string", "bytes"),
    "bytes": ("bytes", "string"),
}
LEVELS = ("NONE", "BACKWARD", "FORWARD_TRANSITIVE", "FULL", "BACKWARD_TRANSITIVE")

Reference = tuple[str, int]
Content = tuple[str, Reference | None, int | None]


@dataclass
class Version:
    number: int
    kind: str
    reference: Reference | None
    stamp: int | None
    id: int
    deleted: bool = False


class Model:
    """What a registry is, in as few words as possible. Every method answers an error's code or a value."""

    def __init__(self) -> None:
        self.versions: dict[str, list[Version]] = {subject: [] for subject in SUBJECTS}
        self.contents: dict[tuple[str, int], Content] = {}
        """What ids stand for, by context and id, for ever."""
        self.levels: dict[str, str] = {}
        self.modes: dict[str, str] = {}

    def is_read_only(self, subject: str) -> bool:
        return self.modes.get(subject, "").startswith("READONLY")

    def imports(self, subject: str) -> bool:
        return self.modes.get(subject) == "IMPORT"

    def register(
        self, subject: str, kind: str, reference: Reference | None, number: int, given_id: int | None = None
    ) -> Any:
        rows = self.versions[subject]
        target = None
        if reference is not None:
            target = self.row(*self.resolve(subject, reference))
            if target is None:
                return 42201
        known = self.known(subject, kind, reference, number)
        if known is not None and given_id in {None, known.id}:
            return known.id, known.number
        if self.is_read_only(subject) or self.imports(subject) != (given_id is not None):
            return 42205
        if target is not None and target.deleted:
            return 42201
        if not self.imports(subject) and not self.is_compatible(subject, kind):
            return 409
        following = max((v.number for v in rows), default=0) + 1
        if number not in {0, following}:
            if not self.imports(subject):
                return 42201
            if self.row(subject, number) is not None:
                return 42205
        stamp = None if self.imports(subject) else self.stamp(subject, number, following)
        new_id = self.id_for(subject, (kind, reference, stamp), given_id)
        if new_id is None:
            return 42205
        new = Version(number or following, kind, reference, stamp, new_id)
        rows[:] = [v for v in rows if not self.is_replaced(subject, v, new)] + [new]
        rows.sort(key=lambda v: v.number)
        return new.id, new.number

    def known(self, subject: str, kind: str, reference: Reference | None, number: int) -> Version | None:
        """The newest without a stamp goes before the newest with one.

        Behind both comes one with a reference, for one without: it is the same when all is spelt out.
        """
        found = [
            v
            for v in self.versions[subject]
            if v.kind == kind
            and (v.reference == reference or (reference is None and number == 0))
            and not v.deleted
            and number in {0, v.number}
        ]
        return max(found, key=lambda v: (v.reference == reference, v.stamp is None, v.number), default=None)

    def stamp(self, subject: str, number: int, following: int) -> int | None:
        live = [v for v in self.versions[subject] if not v.deleted]
        return following if number or (live and live[-1].stamp is not None) else None

    def id_for(self, subject: str, content: Content, given: int | None) -> int | None:
        """None where the given id stands for another content."""
        context = self.context(subject)
        mine = {number: other for (its, number), other in self.contents.items() if its == context}
        if given is None:
            known = [number for number, other in mine.items() if other == content]
            given = known[0] if known else max(mine, default=0) + 1
        if self.contents.setdefault((context, given), content) != content:
            return None
        return given

    def is_replaced(self, subject: str, old: Version, new: Version) -> bool:
        """A soft-deleted version goes when its schema comes back under a higher number."""
        return (
            old.deleted
            and old.id == new.id
            and old.number < new.number
            and not self.referrers(subject, old.number)
        )

    def set_mode(self, subject: str, mode: str, force: bool) -> Any:
        rows = self.versions[subject]
        if mode == "IMPORT" and not force and not self.imports(subject):
            if not all(v.deleted for v in rows):
                return 42205
            if any(other != subject for v in rows for other in self.referrers(subject, v.number)):
                return 42206
            rows.clear()
        self.modes[subject] = mode
        return {"mode": mode}

    @staticmethod
    def context(subject: str) -> str:
        return subject[: subject.rindex(":")] if ":" in subject else "."

    def is_compatible(self, subject: str, kind: str) -> bool:
        level = self.levels.get(subject, "BACKWARD")
        live = [v for v in self.versions[subject] if not v.deleted]
        against = live if level.endswith("TRANSITIVE") else live[-1:]
        backward = level.startswith(("BACKWARD", "FULL"))
        forward = level.startswith(("FORWARD", "FULL"))
        return all(
            (not backward or v.kind in READS[kind]) and (not forward or kind in READS[v.kind])
            for v in against
        )

    def delete_version(self, subject: str, number: int, permanent: bool) -> Any:
        if self.is_read_only(subject):
            return 42205
        if not self.versions[subject]:
            return 40401
        row = self.row(subject, number)
        if row is None:
            return 40402
        if row.deleted != permanent:
            return 40407 if permanent else 40406
        if self.referrers(subject, number, live_only=not permanent):
            return 42206
        if permanent:
            self.versions[subject].remove(row)
            self.forget(subject)
        else:
            row.deleted = True
        return number

    def delete_subject(self, subject: str, permanent: bool) -> Any:
        rows = self.versions[subject]
        live = [v for v in rows if not v.deleted]
        if self.is_read_only(subject):
            return 42205
        if not rows:
            return 40401
        if permanent and live:
            return 40405
        if not permanent and not live:
            return 40404
        for row in rows:
            referrers = self.referrers(subject, row.number, live_only=not permanent)
            if any(referrer != subject for referrer in referrers):
                return 42206
        if permanent:
            numbers = [v.number for v in rows]
            rows.clear()
            self.forget(subject)
            return numbers
        for row in live:
            row.deleted = True
        return [v.number for v in live]

    def forget(self, subject: str) -> None:
        if not self.versions[subject]:
            self.levels.pop(subject, None)
            self.modes.pop(subject, None)

    def row(self, subject: str, number: int) -> Version | None:
        return next((v for v in self.versions.get(subject, ()) if v.number == number), None)

    def referrers(self, subject: str, number: int, *, live_only: bool = False) -> list[str]:
        return [
            other
            for other, rows in self.versions.items()
            for v in rows
            if v.reference is not None
            and self.resolve(other, v.reference) == (subject, number)
            and not (live_only and v.deleted)
        ]

    @staticmethod
    def resolve(subject: str, reference: Reference) -> Reference:
        """A bare subject in a reference is one of its referrer's context."""
        return (f":.eu:{reference[0]}" if subject.startswith(":.eu:") else reference[0]), reference[1]


class SideBySide(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.store = MemoryStore()
        self.in_path = False
        self.client: FlaskClient = create_app(Registry(self.store)).test_client()

    subjects = st.sampled_from(SUBJECTS)
    kinds = st.sampled_from(sorted(READS))
    numbers = st.integers(1, 4)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer, or the code of the error; contexts are spelled in both ways by turns."""
        self.in_path = not self.in_path
        if self.in_path and ":.eu:" in path:
            path = f"/contexts/.eu{path.replace(':.eu:', '')}"
        response = self.client.open(path, method=method, json=body)
        value = response.get_json()
        return value["error_code"] if response.status_code != 200 else value

    @initialize()
    def begin_with_versions_that_do_not_get_on(self) -> None:
        for subject in SUBJECTS:
            self.set_level(subject, "NONE")
            for kind in ("string", "int"):
                self._register(subject, kind, None, 0)

    @rule(subject=subjects, kind=kinds)
    def register(self, subject: str, kind: str) -> None:
        self._register(subject, kind, None, 0)

    @rule(subject=subjects, kind=kinds, number=numbers)
    def register_as(self, subject: str, kind: str, number: int) -> None:
        self._register(subject, kind, None, number)

    @rule(subject=subjects, kind=kinds, reference=st.tuples(st.sampled_from(["a", "b/c"]), numbers))
    def register_with_a_reference(self, subject: str, kind: str, reference: Reference) -> None:
        self._register(subject, kind, reference, 0)

    @rule(subject=subjects, kind=kinds, data=st.data())
    def register_with_a_reference_to_what_is_there(
        self, subject: str, kind: str, data: st.DataObject
    ) -> None:
        rows = [(name, v.number) for name in ("a", "b/c") for v in self.model.versions[name] if not v.deleted]
        if rows:
            self._register(subject, kind, data.draw(st.sampled_from(rows)), 0)

    @rule(subject=subjects, kind=kinds, number=st.integers(0, 6), given_id=st.integers(1, 6))
    def import_it(self, subject: str, kind: str, number: int, given_id: int) -> None:
        self._register(subject, kind, None, number, given_id)

    @rule(kind=kinds, number=st.integers(0, 6), given_id=st.integers(1, 6), data=st.data())
    def import_where_that_goes_on(self, kind: str, number: int, given_id: int, data: st.DataObject) -> None:
        importing = [subject for subject in SUBJECTS if self.model.imports(subject)]
        if importing:
            self._register(data.draw(st.sampled_from(importing)), kind, None, number, given_id)

    def _register(
        self, subject: str, kind: str, reference: Reference | None, number: int, given_id: int | None = None
    ) -> None:
        body: dict[str, Any] = {"schema": f'"{kind}"', "version": number}
        if given_id is not None:
            body["id"] = given_id
        if reference is not None:
            body["references"] = [{"name": "unused", "subject": reference[0], "version": reference[1]}]
        got = self.ask("POST", f"/subjects/{subject.replace('/', '%2F')}/versions", body)
        if isinstance(got, dict):
            got = got["id"], got["version"]
        assert got == self.model.register(subject, kind, reference, number, given_id)

    @rule(subject=subjects, number=numbers, permanent=st.booleans())
    def delete_version(self, subject: str, number: int, permanent: bool) -> None:
        path = f"/subjects/{subject.replace('/', '%2F')}/versions/{number}?permanent={permanent}"
        assert self.ask("DELETE", path) == self.model.delete_version(subject, number, permanent)

    @rule(data=st.data())
    def delete_a_version_that_is_there(self, data: st.DataObject) -> None:
        rows = [(subject, v) for subject, rows in self.model.versions.items() for v in rows]
        if rows:
            subject, version = data.draw(st.sampled_from(rows))
            self.delete_version(subject, version.number, version.deleted)

    @rule(subject=subjects, permanent=st.booleans())
    def delete_subject(self, subject: str, permanent: bool) -> None:
        path = f"/subjects/{subject.replace('/', '%2F')}?permanent={permanent}"
        assert self.ask("DELETE", path) == self.model.delete_subject(subject, permanent)

    @rule(subject=subjects)
    def delete_a_subject_for_good(self, subject: str) -> None:
        self.delete_subject(subject, False)
        self.delete_subject(subject, True)

    @rule(subject=subjects, level=st.sampled_from(LEVELS))
    def set_level(self, subject: str, level: str) -> None:
        got = self.ask("PUT", f"/config/{subject.replace('/', '%2F')}", {"compatibility": level})
        if self.model.is_read_only(subject):
            assert got == 42205
            return
        assert got == {"compatibility": level}
        self.model.levels[subject] = level

    @rule(
        subject=subjects,
        mode=st.sampled_from(["READWRITE", "READWRITE", "READONLY", "IMPORT"]),
        force=st.booleans(),
    )
    def set_mode(self, subject: str, mode: str, force: bool) -> None:
        path = f"/mode/{subject.replace('/', '%2F')}?force={force}"
        assert self.ask("PUT", path, {"mode": mode}) == self.model.set_mode(subject, mode, force)

    @rule(subject=subjects)
    def reset_mode(self, subject: str) -> None:
        mode = self.model.modes.pop(subject, None)
        expected = 40401 if mode is None else {"mode": mode}
        assert self.ask("DELETE", f"/mode/{subject.replace('/', '%2F')}") == expected

    @rule(subject=subjects, kind=kinds)
    def check(self, subject: str, kind: str) -> None:
        path = f"/compatibility/subjects/{subject.replace('/', '%2F')}/versions"
        verdict = {"is_compatible": self.model.is_compatible(subject, kind)}
        assert self.ask("POST", path, {"schema": f'"{kind}"'}) == verdict

    @rule()
    def restart(self) -> None:
        """A registry that is folded anew from the same log is no other."""
        self.client = create_app(Registry(self.store)).test_client()

    @invariant()
    def the_same_subjects_and_versions_are_listed(self) -> None:
        live = [s for s, rows in self.model.versions.items() if any(not v.deleted for v in rows)]
        assert self.ask("GET", "/subjects") == sorted(live)
        for subject, rows in self.model.versions.items():
            path = f"/subjects/{subject.replace('/', '%2F')}/versions"
            assert self.ask("GET", f"{path}?deletedAsNegative=true") == (
                [-v.number if v.deleted else v.number for v in rows] or 40401
            )

    @rule()
    def compare_all_that_can_be_seen(self) -> None:
        every = [s for s, rows in self.model.versions.items() if rows]
        assert self.ask("GET", "/subjects?deleted=true") == sorted(every)
        for subject, rows in self.model.versions.items():
            path = f"/subjects/{subject.replace('/', '%2F')}/versions"
            for row in rows:
                got = self.ask("GET", f"{path}/{row.number}?deleted=true")
                assert (got["id"], got["schema"], got["deleted"]) == (row.id, f'"{row.kind}"', row.deleted)
            level = self.model.levels.get(subject)
            expected = 40408 if level is None else {"compatibilityLevel": level}
            assert self.ask("GET", f"/config/{subject.replace('/', '%2F')}") == expected
            mode = self.model.modes.get(subject)
            expected_mode = 40409 if mode is None else {"mode": mode}
            assert self.ask("GET", f"/mode/{subject.replace('/', '%2F')}") == expected_mode
        listed = [(v["subject"], v["version"]) for v in self.ask("GET", "/schemas?subjectPrefix=:*:")]
        live = [
            (s, v.number) for s, rows in sorted(self.model.versions.items()) for v in rows if not v.deleted
        ]
        assert listed == live
        self._ids()

    def teardown(self) -> None:
        self.compare_all_that_can_be_seen()

    def _ids(self) -> None:
        for (context, number), (kind, reference, stamp) in self.model.contents.items():
            holders = [
                v
                for subject, rows in self.model.versions.items()
                for v in rows
                if v.id == number and self.model.context(subject) == context
            ]
            got = self.ask("GET", f"/schemas/ids/{number}?subject={'' if context == '.' else ':.eu:'}")
            if not holders:
                assert got == 40403
                continue
            assert got["schema"] == f'"{kind}"'
            stamped = got.get("metadata", {"properties": {}})["properties"].get("confluent:version")
            assert stamped == (None if stamp is None else str(stamp))
            references = got.get("references", [])
            assert [(r["subject"], r["version"]) for r in references] == ([reference] if reference else [])


SideBySide.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
test_side_by_side = SideBySide.TestCase
