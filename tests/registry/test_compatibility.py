import pytest

from registry.compatibility import MAX_OLD_SCHEMA, OldVersion, check
from registry.languages.language import Finding
from registry.model import CompatibilityLevel as Level

BACKWARD = [Level.BACKWARD, Level.BACKWARD_TRANSITIVE]
FORWARD = [Level.FORWARD, Level.FORWARD_TRANSITIVE]
FULL = [Level.FULL, Level.FULL_TRANSITIVE]


class Pairs:
    """Compares names: the pairs in `broken` do not read; keeps what was asked."""

    def __init__(self, *broken: tuple[str, str]) -> None:
        self.broken = broken
        self.asked: list[tuple[str, str]] = []

    def __call__(self, reader: str, writer: str) -> list[Finding] | None:
        self.asked.append((reader, writer))
        if (reader, writer) not in self.broken:
            return []
        return [Finding("KIND", "/", "%s {0}", "{reader} from {writer} {x} %d")]


def olds(count: int) -> list[OldVersion[str]]:
    return [OldVersion(n, f"text {n}", f"v{n}") for n in range(count, 0, -1)]


@pytest.mark.parametrize(
    ("level", "asked"),
    [
        (Level.NONE, []),
        (Level.BACKWARD, [("new", "v2")]),
        (Level.FORWARD, [("v2", "new")]),
        (Level.FULL, [("v2", "new"), ("new", "v2")]),
        (Level.BACKWARD_TRANSITIVE, [("new", "v2"), ("new", "v1")]),
        (Level.FORWARD_TRANSITIVE, [("v2", "new"), ("v1", "new")]),
        (Level.FULL_TRANSITIVE, [("v2", "new"), ("new", "v2"), ("v1", "new"), ("new", "v1")]),
    ],
)
def test_a_level_says_which_pairs_are_compared(level: Level, asked: list[tuple[str, str]]) -> None:
    pairs = Pairs()
    assert check(level, "new", olds(2), pairs) == []
    assert pairs.asked == asked


def test_a_transitive_check_stops_at_the_first_that_is_incompatible() -> None:
    pairs = Pairs(("new", "v2"))
    messages = check(Level.BACKWARD_TRANSITIVE, "new", olds(3), pairs)
    assert pairs.asked == [("new", "v3"), ("new", "v2")]
    assert "{oldSchemaVersion: 2}" in messages


@pytest.mark.parametrize("level", BACKWARD)
def test_backward_messages(level: Level) -> None:
    assert check(level, "new", olds(1), Pairs(("new", "v1"))) == [
        "{errorType:'KIND', description:'new from old {x} %d', additionalInfo:'%s {0}'}",
        "{oldSchemaVersion: 1}",
        "{oldSchema: 'text 1'}",
        f"{{validateFields: 'false', compatibility: '{level}'}}",
    ]


@pytest.mark.parametrize("level", FORWARD)
def test_forward_messages(level: Level) -> None:
    assert check(level, "new", olds(1), Pairs(("v1", "new"))) == [
        "{errorType:'KIND', description:'old from new {x} %d', additionalInfo:'%s {0}'}",
        "{oldSchemaVersion: 1}",
        "{oldSchema: 'text 1'}",
        f"{{validateFields: 'false', compatibility: '{level}'}}",
    ]


@pytest.mark.parametrize("level", FULL)
def test_full_lists_forward_first_and_shows_the_old_schema_for_its_backward_half(level: Level) -> None:
    both = check(level, "new", olds(1), Pairs(("v1", "new"), ("new", "v1")))
    assert [message[:40] for message in both] == [
        "{errorType:'KIND', description:'old from",
        "{errorType:'KIND', description:'new from",
        "{oldSchemaVersion: 1}",
        "{oldSchema: 'text 1'}",
        "{validateFields: 'false', compatibility:",
    ]
    forward = check(level, "new", olds(1), Pairs(("v1", "new")))
    assert [message[:20] for message in forward] == ["{errorType:'KIND', d", "{validateFields: 'fa"]


def test_a_long_old_schema_is_cut() -> None:
    def old_schema(text: str) -> str:
        return check(Level.BACKWARD, "new", [OldVersion(1, text, "v1")], Pairs(("new", "v1")))[2]

    whole = "x" * MAX_OLD_SCHEMA
    assert old_schema(whole) == f"{{oldSchema: '{whole}'}}"
    assert old_schema(whole + "y") == f"{{oldSchema: <truncated> '{whole}...'}}"


def test_different_languages_never_get_on_unless_nothing_is_asked() -> None:
    messages = check(Level.BACKWARD, "new", olds(1), lambda _reader, _writer: None)
    assert messages[0] == "Incompatible because of different schema type"
    assert check(Level.NONE, "new", olds(1), lambda _reader, _writer: None) == []
