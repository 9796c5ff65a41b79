"""Our Avro IDL against Java's compiler: what is refused, and every type that comes of what is not."""

from collections import Counter
from pathlib import Path

from registry.languages.avro import AVRO
from registry.languages.avro.idl import parse_idl
from registry.languages.avro.idl.imports import load_idl
from registry.languages.language import SchemaFault
from tests.support.idl_generator import IdlGenerator
from tests.support.java_avro import ask, parse_request

FILES = 500  # each as it is, and broken in two ways


def compiled(text: str, folder: Path = Path()) -> tuple[dict[str, object] | None, str]:
    """The answer that Java's compiler should give, and why it should refuse. folder: of what is imported."""
    try:
        file = load_idl(
            "main.avdl", lambda path: text if path == "main.avdl" else (folder / path).read_text()
        )
        types = {name: AVRO.parse(file.schema(name).text).canonical for name in file.names}
        main = None if file.main is None else AVRO.parse(file.main.text).canonical
    except SchemaFault as fault:
        return None, str(fault)
    return {"types": types, "main": main}, ""


def test_the_same_files_are_refused_and_the_others_give_the_same_schemas(tmp_path: Path) -> None:
    generator = IdlGenerator(seed=30)
    texts = []
    for _ in range(FILES):
        text = generator.file()
        texts += [text, generator.broken(text), generator.broken(text)]
    requests: list[dict[str, object]] = [{"idl": text, "folder": str(tmp_path)} for text in texts]
    met: Counter[str] = Counter()
    for text, answer in zip(texts, ask(requests, "Idl", project="idl"), strict=True):
        ours, why = compiled(text)
        if "union directly inside" in why:
            met["union in union"] += 1  # Java makes an empty union of them
            continue
        assert ours == (None if "refused" in answer else answer), (text, why)
        met["refused" if ours is None else "accepted"] += 1
    assert met["refused"] > FILES / 2
    assert met["accepted"] > FILES
    assert met["union in union"] < FILES / 50


IMPORTED = {
    "kinds.avdl": 'namespace k; import idl "inner/m.avdl"; enum Kind { A } record Pair { m.Point p; }',
    "inner/m.avdl": '@namespace("m") protocol M { import idl "../kinds.avdl"; record Point { int x; } }',
    "line.avsc": """{"type": "record", "name": "l.Line", "fields": [
      {"name": "c", "type": {"type": "array", "items": {"type": "fixed", "name": "Code", "size": 4}}},
      {"name": "d", "type": ["null", "Code"]}]}""",
    "p.avpr": """{"protocol": "P", "namespace": "p", "messages": {}, "types": [
      {"type": "enum", "name": "E", "symbols": ["X"]},
      {"type": "record", "name": "q.R", "fields": [{"name": "e", "type": "p.E"}]}]}""",
}


def test_imports_bring_the_same_types(tmp_path: Path) -> None:
    for name, text in IMPORTED.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    mains = [
        'protocol P { import idl "kinds.avdl"; record R { k.Kind kind; k.Pair? pair; m.Point point; } }',
        'protocol P { import schema "line.avsc"; record R { l.Line line; array<l.Code> codes; } }',
        'namespace n; import protocol "p.avpr"; import schema "line.avsc"; record R { q.R r; l.Line c; }',
        'protocol P { import idl "none.avdl"; }',
        'protocol P { import schema "kinds.avdl"; }',
        'protocol P { import idl "line.avsc"; }',
        'protocol P { import idl "kinds.avdl"; record R { k.Line line; } }',
    ]
    requests: list[dict[str, object]] = [{"idl": text, "folder": str(tmp_path)} for text in mains]
    refused = 0
    for text, answer in zip(mains, ask(requests, "Idl", project="idl"), strict=True):
        ours, why = compiled(text, tmp_path)
        assert ours == (None if "refused" in answer else answer), (text, why)
        refused += ours is None
    assert refused == 4


def test_a_default_that_json_has_no_number_for_is_refused_in_a_union(tmp_path: Path) -> None:
    text = "record R { double? d = NaN; }"
    (answer,) = ask([{"idl": text, "folder": str(tmp_path)}], "Idl", project="idl")
    types = answer["types"]
    assert isinstance(types, dict)
    (refused,) = ask([parse_request(str(types["R"]))])  # and Java does not read what Java makes of it
    assert "Invalid default" in str(refused["refused"])
    assert compiled(text)[1].startswith("invalid default")


def test_a_character_that_belongs_to_no_token_is_refused_where_java_skips_it(tmp_path: Path) -> None:
    text = "record R { int #a; }"
    (answer,) = ask([{"idl": text, "folder": str(tmp_path)}], "Idl", project="idl")
    assert "types" in answer
    assert compiled(text)[1].startswith("unexpected character")


def test_the_documentation_of_a_declaration_is_javas(tmp_path: Path) -> None:
    comments = [
        *[
            "/** a */",
            "/**a*/",
            "/**   */",
            "/**/",
            "/***/",
            "/****/",
            "/***x*/",
            "/** * x */",
            "/** x */ /* y */",
        ],
        *["/**\n* x\n* y */", "/** x\n * y */", "/**\n ** x\n ** y */", "/**\n ** x\n * y */"],
        *[
            "/**\n\n x\n\n   y\n */",
            "/** x\n\ty\n\t  z */",
            "/** x\r\n * y\r\n */",
            "/**\r\n * x\r\n *\r\n * y */",
        ],
        *["/** x\n  y\n z */", "/** é\u2028y */", "/**\n * x\n */ // y\n"],
    ]
    requests: list[dict[str, object]] = [
        {"idl": f"{comment} record R {{}}", "folder": str(tmp_path)} for comment in comments
    ]
    for request, answer in zip(requests, ask(requests, "Idl", project="idl"), strict=True):
        assert compiled(str(request["idl"]))[0] == answer, request
    assert parse_idl("/** x\n  y\n z */ record R {}").definition("R").value["doc"] == "x\n y\nz"
