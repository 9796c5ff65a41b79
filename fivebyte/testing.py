"""For tests: that one schema may follow another, by the rules of the registry and of `fivebyte check`."""

from collections.abc import Iterable
from pathlib import Path


def assert_compatible(
    old: str | Path, new: str | Path, level: str = "BACKWARD", *, references: Iterable[str | Path] = ()
) -> None:
    """Fail, with every finding and its fix, unless `new` may follow `old` at `level`.

    old, new: the text of an Avro schema, or the path of a file. references: the same of the schemas that both
    refer to, in any order. level: one of the seven.

    Raises AssertionError where they are incompatible; ValueError where one is no schema, or the level none;
    TypeError for what is neither text nor path; OSError for a file that cannot be read.
    """
    from registry.check.pair import compare_texts
    from registry.check.reports.text import text

    report = compare_texts(
        _named(old, "old"), _named(new, "new"), level, [_named(one, "") for one in references]
    )
    if report.exit_code:
        raise AssertionError(f"incompatible:\n{text(report)}")


def _named(schema: object, name: str) -> tuple[str, str]:
    """What messages call a schema, and its text."""
    if isinstance(schema, Path):
        return str(schema), schema.read_text("utf-8-sig")
    if not isinstance(schema, str):
        kind = type(schema).__name__
        raise TypeError(f"{name or 'a reference'}: give the text of a schema, or a Path, and not a {kind}")
    if schema.endswith((".avsc", ".avdl")):
        raise ValueError(f"{schema!r} is not the text of a schema; for a file, give a Path: Path({schema!r})")
    return name, schema
