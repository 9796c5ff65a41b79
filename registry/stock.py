"""How much there is in a registry: for those who watch it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from registry.model import context_of
from registry.state import SchemaVersion


@dataclass(frozen=True, slots=True)
class Stock:
    """Counts of what is there, and of what the log says came and went.

    schemas: ids that versions have, counted for each context, by schema type.
    subjects: by whether all their versions are soft-deleted.
    versions: by schema type, and whether they are soft-deleted.
    created, deleted: versions, by schema type; one that was brought back was created twice.
    """

    schemas: Mapping[str, int]
    subjects: Mapping[bool, int]
    versions: Mapping[tuple[str, bool], int]
    created: Mapping[str, int]
    deleted: Mapping[str, int]


def count(
    subjects: Iterable[Sequence[SchemaVersion]],
    created: Mapping[str, int],
    deleted: Mapping[str, int],
    types: Iterable[str],
) -> Stock:
    """The stock of these versions by subject. types: those that are told even where there is none."""
    known = list(types)
    ids: dict[tuple[str, int], str] = {}
    by_subject = Counter({False: 0, True: 0})
    versions = Counter({(kind, gone): 0 for kind in known for gone in (False, True)})
    for subject in filter(None, subjects):
        context = context_of(subject[0].subject)
        for version in subject:
            kind = version.content.schema_type
            versions[kind, version.deleted] += 1
            ids[context, version.id] = kind
        by_subject[all(version.deleted for version in subject)] += 1
    none = dict.fromkeys(known, 0)
    return Stock(
        {**none, **Counter(ids.values())}, by_subject, versions, {**none, **created}, {**none, **deleted}
    )
