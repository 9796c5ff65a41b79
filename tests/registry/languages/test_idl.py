"""Avro IDL: what a file's types are, where its parts stand, and what is refused and where."""

from pathlib import Path

import pytest

from registry.languages.avro import AVRO
from registry.languages.avro.idl import parse_idl
from registry.languages.avro.idl.imports import load_idl
from registry.languages.avro.json_text import MAX_NESTING
from registry.languages.language import SchemaFault
from tests.support.idl_generator import IdlGenerator

ORDERS = """\
/** All of the shop. */
@namespace("com.shop")
protocol Shop {
  /** What was ordered. */
  @aliases(["Purchase"])
  record Order {
    string id;
    union { null, Customer } customer = null;
    array<Line> lines = [];
    timestamp_ms placed_at, @order("ignore") shipped_at = 0;
    decimal(9, 2)? total;
  }
  record Customer { string `record`; }
  record Line { Kind kind = "BOOK"; }
  enum Kind { BOOK, TOY } = BOOK;
}
"""


def fault(text: str) -> tuple[str, int, int]:
    with pytest.raises(SchemaFault) as caught:
        parse_idl(text)
    return caught.value.message, caught.value.line, caught.value.column


def test_a_type_is_spelt_out_with_the_others_of_its_file() -> None:
    file = parse_idl(ORDERS)
    assert file.protocol == "com.shop.Shop"
    assert file.names == ("com.shop.Order", "com.shop.Customer", "com.shop.Line", "com.shop.Kind")
    schema = file.schema("com.shop.Order")
    assert AVRO.parse(schema.text).canonical == (
        '{"type":"record","name":"Order","namespace":"com.shop","doc":"What was ordered.","fields":['
        '{"name":"id","type":"string"},'
        '{"name":"customer","type":["null",{"type":"record","name":"Customer","fields":['
        '{"name":"record","type":"string"}]}],"default":null},'
        '{"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":['
        '{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["BOOK","TOY"],"default":"BOOK"},'
        '"default":"BOOK"}]}},"default":[]},'
        '{"name":"placed_at","type":{"type":"long","logicalType":"timestamp-millis"}},'
        '{"name":"shipped_at","type":{"type":"long","logicalType":"timestamp-millis"},"default":0,"order":"ignore"},'
        '{"name":"total","type":["null",{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}]}'
        '],"aliases":["Purchase"]}'
    )


def test_a_definition_names_the_others() -> None:
    line = parse_idl(ORDERS).definition("com.shop.Line")
    assert line.value["fields"][0]["type"] == "com.shop.Kind"
    assert line.name == "com.shop.Line"


@pytest.mark.parametrize(
    ("pointer", "text"),
    [
        ("", "record Order"),
        ("/name", "Order {"),
        ("/aliases", '["Purchase"]'),
        ("/fields/0", "id;"),
        ("/fields/0/type", "string id"),
        ("/fields/1/type", "union {"),
        ("/fields/1/type/1", "Customer }"),
        ("/fields/1/type/1/fields/0", "`record`;"),
        ("/fields/1/default", "null;"),
        ("/fields/2/type/items/fields/0/type/symbols/1", "TOY"),
        ("/fields/2/type/items/fields/0/type/default", "BOOK;"),
        ("/fields/3", "placed_at"),
        ("/fields/4", "shipped_at"),
        ("/fields/4/order", '"ignore"'),
        ("/fields/4/type/logicalType", "timestamp_ms"),
        ("/fields/5/type/1", "decimal("),
    ],
)
def test_every_part_has_its_place(pointer: str, text: str) -> None:
    line, column = parse_idl(ORDERS).schema("com.shop.Order").at(pointer)
    assert ORDERS.split("\n")[line - 1][column - 1 :].startswith(text)


def test_the_places_in_generated_files_are_those_of_the_names() -> None:
    generator = IdlGenerator(seed=31)
    looked_at = 0
    for _ in range(150):
        text = generator.file()
        lines = text.split("\n")
        try:
            file = parse_idl(text)
        except SchemaFault:
            continue  # a message cannot declare two parameters at once
        for name in file.names:
            schema = file.schema(name)
            for pointer, (line, column) in schema.places.items():
                value = schema.value
                for token in pointer.split("/")[1:]:
                    value = value[int(token) if isinstance(value, list) else token]
                there = lines[line - 1][column - 1 :].removeprefix("`")
                if pointer.endswith("/name") or "/symbols/" in pointer:
                    assert there.startswith(value), (text, pointer)
                elif pointer.rpartition("/")[0].endswith("/fields"):
                    assert there.startswith(value["name"]), (text, pointer)
                elif isinstance(value, dict) and value.get("type") in ("array", "map"):
                    assert there.startswith((value["type"], "@")), (text, pointer)
                looked_at += 1
    assert looked_at > 3000


def test_types_that_need_each_other_are_spelt_out_once() -> None:
    file = parse_idl("record A { B b; } record B { union { null, A } a; }")
    for name in ("A", "B"):
        assert AVRO.parse(file.schema(name).text).name == name
    assert file.missing == {}


def test_a_field_with_the_name_of_a_type_is_not_that_type() -> None:
    file = parse_idl("record R { int E; E e; } enum E { A }")
    assert file.schema("R").value["fields"][1]["type"]["symbols"] == ["A"]


def test_the_schema_form_has_a_main_schema() -> None:
    file = parse_idl("namespace com.shop;\nschema array<Line>;\nrecord Line { other.Kind? kind; }")
    assert file.protocol is None
    assert file.main is not None
    assert file.main.name == ""
    assert file.main.value["items"]["name"] == "Line"
    assert file.missing == {"other.Kind": (3, 15)}
    assert parse_idl("record R {}").main is None


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("protocol P {\n  record R { int a }\n}", 'expected ";", not "}"', 2, 20),
        ("protocol P { record R { int a;", "expected a type, not the end of the file", 1, 31),
        ("record R {}\nschema R;", "expected an import, record, error, enum or fixed, or the end", 2, 1),
        ("record R { string s = 'x'; }", "strings are written in double quotes", 1, 23),
        ('record R { string s = "x; }', "a string that does not end on its line", 1, 23),
        ("record R { int a = +5; }", "not a number", 1, 20),
        ("record R { int #a; }", "unexpected character '#'", 1, 16),
        ("/* never", "a comment that does not end", 1, 1),
        ("record R { int `a b`; }", "a name in backticks", 1, 16),
        ("record R { int a; int a; }", 'duplicate field "a" in record "R"', 1, 23),
        ("enum E { A, A }", 'duplicate symbol "A"', 1, 13),
        ("enum E { A } = B;", 'the default "B" of enum "E" is none of its symbols', 1, 16),
        ("fixed F(1L);", "the size of a fixed is an integer without a suffix", 1, 9),
        ("record R {} record R { int a; }", 'type "R" is already defined, differently, on line 1', 1, 20),
        (
            "record R { @x(1) S s; }",
            '"S" is the name of a type: annotate the type where it is defined',
            1,
            12,
        ),
        ("record R { @doc(1) int s; }", "@doc cannot be set here", 1, 12),
        ('record R { int @order("up") s; }', '@order takes "ascending"', 1, 23),
        ('@aliases("x") record R {}', "@aliases takes an array of strings", 1, 10),
        ("@namespace(1) record R {}", "@namespace takes a string", 1, 12),
        ("record R { decimal(2, 3) d; }", "the scale of a decimal is from 0 to its precision", 1, 12),
        ("record R { union { int, union { string } } a; }", "a union directly inside a union", 1, 25),
        ("record int {}", 'a type may not be named "int"', 1, 8),
        ("record R { long a = 99999999999999999999; }", "an integer of more than 64 bits", 1, 21),
        ("protocol P { int f() oneway; }", 'the one-way message "f" must return void', 1, 14),
        ('import text "x";', 'expected idl, protocol or schema, not "text"', 1, 8),
        (
            f"schema {'array<' * (MAX_NESTING + 1)}int;",
            f"nested more than {MAX_NESTING} levels deep",
            1,
            1544,
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, message: str, line: int, column: int) -> None:
    told = fault(text)
    assert told[0].startswith(message)
    assert told[1:] == (line, column)


def test_a_chain_of_types_that_nests_too_deep_is_refused_where_it_does() -> None:
    chain = "".join(f"record R{n} {{ R{n + 1} next; }}\n" for n in range(MAX_NESTING))
    file = parse_idl(f"{chain}record R{MAX_NESTING} {{}}")
    assert AVRO.parse(file.schema(f"R{MAX_NESTING - 2}").text).name == f"R{MAX_NESTING - 2}"
    with pytest.raises(SchemaFault, match="nested more than"):
        file.schema("R0")


def test_imports_bring_their_types(tmp_path: Path) -> None:
    (tmp_path / "common").mkdir()
    (tmp_path / "common/kinds.avdl").write_text('namespace k; import idl "../main.avdl"; enum Kind { A }')
    (tmp_path / "line.avsc").write_text(
        '{"type": "record", "name": "l.Line", "fields": [{"name": "c", "type":'
        ' {"type": "array", "items": {"type": "fixed", "name": "Code", "size": 4}}}]}'
    )
    (tmp_path / "p.avpr").write_text(
        '{"protocol": "P", "namespace": "p", "types": [{"type": "enum", "name": "E", "symbols": ["X"]}]}'
    )
    main = (
        'import idl "common/kinds.avdl"; import schema "line.avsc"; import protocol "p.avpr";\n'
        "record R { k.Kind kind; l.Line line; l.Code? code; p.E e; }"
    )
    (tmp_path / "main.avdl").write_text(main)
    file = load_idl("main.avdl", lambda path: (tmp_path / path).read_text())
    assert file.names == ("k.Kind", "l.Code", "l.Line", "p.E", "R")
    assert AVRO.parse(file.schema("R").text).canonical == (
        '{"type":"record","name":"R","fields":[{"name":"kind","type":{"type":"enum","name":"Kind","namespace":"k",'
        '"symbols":["A"]}},{"name":"line","type":{"type":"record","name":"Line","namespace":"l","fields":['
        '{"name":"c","type":{"type":"array","items":{"type":"fixed","name":"Code","size":4}}}]}},'
        '{"name":"code","type":["null","l.Code"]},{"name":"e","type":{"type":"enum","name":"E","namespace":"p",'
        '"symbols":["X"]}}]}'
    )
    assert file.schema("R").at("/fields/1/type/fields/0") == (1, 33)  # where it is imported


@pytest.mark.parametrize(
    ("files", "message", "place"),
    [
        ({"a": 'import idl "b";'}, '"b" cannot be imported', (1, 1)),
        ({"a": "\nrecord R { int a; b.X x; }"}, 'unknown type "b.X"', (2, 19)),
        ({"a": 'import idl "b";', "b": "record {}"}, 'in the imported "b": expected an import', (1, 1)),
        ({"a": 'import schema "b";', "b": "{"}, 'in the imported "b": not valid JSON', (1, 1)),
        ({"a": 'import schema "b";', "b": "3"}, 'in the imported "b": not a schema', (1, 1)),
        ({"a": 'import protocol "b";', "b": "[]"}, 'in the imported "b": not a protocol', (1, 1)),
        ({"a": 'import schema "b"; record R { X x; }', "b": '{"type": {}}'}, 'unknown type "X"', (1, 31)),
    ],
)
def test_a_fault_in_an_import_is_told_at_the_import(
    files: dict[str, str], message: str, place: tuple[int, int]
) -> None:
    def read(path: str) -> str:
        if path not in files:
            raise FileNotFoundError(2, "No such file")
        return files[path]

    with pytest.raises(SchemaFault) as caught:
        load_idl("a", read)
    assert caught.value.message.startswith(message)
    assert (caught.value.line, caught.value.column) == place
