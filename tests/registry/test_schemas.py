import pytest

from registry.errors import InvalidSchemaError
from registry.languages.avro import AVRO
from registry.languages.language import ReferencedSchema, SchemaFault
from registry.model import LATEST, SchemaReference
from registry.schemas import Schemas, _Recent, pin, resolve
from registry.state import State
from tests.registry.samples import avro, stored


@pytest.fixture
def schemas() -> Schemas:
    return Schemas([AVRO])


def names(resolved: tuple[ReferencedSchema, ...]) -> list[str]:
    return [reference.name for reference in resolved]


def test_a_schema_is_parsed_once(schemas: Schemas) -> None:
    text = avro(a="int")
    assert schemas.parse("AVRO", text) is schemas.parse("avro", text)


def test_a_new_schema_is_not_parsed_again_when_it_is_read_back(schemas: Schemas) -> None:
    new = schemas.parse("AVRO", ' {"type": "string"} ', strict=True)
    assert schemas.parse("AVRO", new.canonical) is new


def test_a_text_that_the_log_has_is_not_taken_for_canonical_when_it_is_sent(schemas: Schemas) -> None:
    """A log that others wrote may hold any spelling."""
    text = '{"type": "string"}'
    schemas.parse("AVRO", text, stored=True)
    assert schemas.parse("AVRO", text).canonical == '"string"'


def test_a_strict_parse_is_not_answered_with_a_lax_one(schemas: Schemas) -> None:
    bad_default = avro(a=("int", "x"))
    schemas.parse("AVRO", bad_default)
    with pytest.raises(SchemaFault):
        schemas.parse("AVRO", bad_default, strict=True)


def test_the_same_text_with_other_references_is_another_schema(schemas: Schemas) -> None:
    text = avro("Outer", a="Inner")
    one = schemas.parse("AVRO", text, [ReferencedSchema("Inner", avro("Inner"))])
    other = schemas.parse("AVRO", text, [ReferencedSchema("Inner", avro("Inner", x="int"))])
    assert one is not other
    assert schemas.compare(other, one) != []


def test_a_comparison_is_remembered(schemas: Schemas) -> None:
    old, new = schemas.parse("AVRO", avro(a="int")), schemas.parse("AVRO", avro(a="string"))
    assert schemas.compare(new, old) is schemas.compare(new, old)
    assert schemas.compare(old, old) == []


def test_an_unknown_type_is_refused(schemas: Schemas) -> None:
    with pytest.raises(InvalidSchemaError, match="Invalid schema type THRIFT; this registry knows AVRO"):
        schemas.parse("THRIFT", "{}")


def test_what_was_not_asked_for_is_forgotten_when_the_table_is_full() -> None:
    recent: _Recent[str, int] = _Recent(10)
    recent.put("a", 1, 4)
    recent.put("b", 2, 4)
    assert recent.get("a") == 1
    recent.put("c", 3, 4)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]
    recent.put("a", 5, 6)
    assert [recent.get(key) for key in "ac"] == [5, 3]
    recent.put("huge", 6, 100)
    assert [recent.get(key) for key in ("a", "c", "huge")] == [None, None, 6]


def folded(*versions: tuple[str, int, list[tuple[str, str, int]]]) -> State:
    state = State()
    for number, (subject, version, refs) in enumerate(versions, 1):
        state.apply(number, 0, [stored(subject, version, number, refs=refs)])
    return state


def test_latest_is_pinned_to_the_version_of_the_moment() -> None:
    state = folded(("base", 1, []), ("base", 2, []))
    assert pin([SchemaReference("b", "base", LATEST)], "s", state) == (SchemaReference("b", "base", 2),)
    with pytest.raises(SchemaFault, match='No schema reference found for subject "nope" and version -1'):
        pin([SchemaReference("b", "nope", LATEST)], "s", state)


def test_what_a_schema_needs_comes_before_it_and_once() -> None:
    state = folded(
        ("a", 1, []),
        ("b", 1, [("A", "a", 1)]),
        ("c", 1, [("A", "a", 1), ("B", "b", 1)]),
    )
    references = [SchemaReference("C", "c", 1), SchemaReference("B", "b", 1)]
    assert names(resolve(references, "s", state)) == ["A", "B", "C"]


def test_of_two_references_of_one_name_the_first_holds() -> None:
    state = folded(("a", 1, []), ("a", 2, []))
    references = [SchemaReference("A", "a", 2), SchemaReference("A", "a", 1)]
    assert resolve(references, "s", state) == (ReferencedSchema("A", avro("R2")),)


def test_references_are_resolved_in_the_context_of_their_schema() -> None:
    state = folded(("a", 1, []), (":.eu:a", 1, []), (":.eu:b", 1, [("A", "a", 1)]))
    resolved = resolve([SchemaReference("B", ":.eu:b", 1)], "s", state)
    assert [r.text for r in resolved] == [avro("R2"), avro("R3")]


def test_a_reference_to_nothing_deep_down_is_named() -> None:
    state = folded(("b", 1, [("A", "a", 7)]))
    with pytest.raises(SchemaFault, match=r"subject .a. and version 7 \(the reference named 'A'\)"):
        resolve([SchemaReference("B", "b", 1)], "s", state)


def test_references_in_a_circle_end() -> None:
    state = folded(("a", 1, [("B", "b", 1)]), ("b", 1, [("A", "a", 1)]))
    assert sorted(names(resolve([SchemaReference("A", "a", 1)], "s", state))) == ["A", "B"]


def test_a_chain_of_thousands_of_references_ends() -> None:
    chain = [(f"s{n}", 1, [(f"N{n - 1}", f"s{n - 1}", 1)] if n else []) for n in range(5000)]
    resolved = resolve([SchemaReference("N4999", "s4999", 1)], "s", folded(*chain))
    assert names(resolved) == [f"N{n}" for n in range(5000)]
