"""The catalogue of rules: what each finding's id stands for, with an example. `fivebyte explain` prints it.

The ids of the compatibility rules are those that the registry's answers have
(`registry.languages.avro.compatibility`). The linter's rules are in a catalogue of its own, which is
added here.
"""

import difflib
from collections.abc import Mapping

from registry.check.errors import ProjectError
from registry.check.findings import Rule, Severity
from registry.check.lint.catalogue import LINT

_COMPATIBILITY = (
    Rule(
        "READER_FIELD_MISSING_DEFAULT_VALUE",
        "compatibility",
        "The reader has a field that the data does not have, and no default for it",
        "Data is read field by field by name. For a field that the writer did not have, the reader takes its "
        "default; without one it cannot build the record. Under BACKWARD this is a field that was added without a "
        "default; under FORWARD one that was removed though it had none. A renamed field is both.",
        'old  {"name": "Order", "fields": [{"name": "id", "type": "string"}]}\n'
        'new  {"name": "Order", "fields": [{"name": "id", "type": "string"},\n'
        '                                  {"name": "note", "type": "string"}]}',
        "Give the field a default; for an optional field, a union with null first and the default null. For a "
        "renamed field, name the old one among its aliases.",
        '{"name": "note", "type": ["null", "string"], "default": null}',
    ),
    Rule(
        "TYPE_MISMATCH",
        "compatibility",
        "The reader's type cannot hold what the writer's type wrote",
        "Avro promotes int to long, float and double, long to float and double, float to double, and string and "
        "bytes to each other. Any other change of a type makes old data unreadable. A promotion is one way: under "
        "FORWARD or FULL, old readers meet the wider type and fail.",
        'old  {"name": "price", "type": "double"}\nnew  {"name": "price", "type": "long"}',
        "Keep the type, widen it only in the direction that the level allows, or add a new field with a default "
        "and leave the old one in place until nobody reads it.",
        '{"name": "price", "type": "double"},\n{"name": "price_cents", "type": "long", "default": 0}',
    ),
    Rule(
        "NAME_MISMATCH",
        "compatibility",
        "A record, enum or fixed has another name",
        "Records, enums and fixed types are matched by their names without the namespace. A type that was renamed "
        "is another type, unless it lists the old full name among its aliases; aliases help only those who read "
        "with the new schema.",
        'old  {"type": "record", "name": "Order", ...}\nnew  {"type": "record", "name": "Purchase", ...}',
        "Keep the name, or add the old full name to the aliases of the new type.",
        '{"type": "record", "name": "Purchase", "aliases": ["com.acme.Order"], ...}',
    ),
    Rule(
        "FIXED_SIZE_MISMATCH",
        "compatibility",
        "A fixed type has another size",
        "A fixed has no length in the data: who reads another number of bytes than were written reads all that "
        "follows from the wrong place.",
        'old  {"type": "fixed", "name": "Digest", "size": 16}\nnew  {"type": "fixed", "name": "Digest", "size": 20}',
        "Keep the size, or add a new field of a new fixed type with a default.",
        '{"name": "digest_sha1", "type": ["null", {"type": "fixed", "name": "Sha1", "size": 20}], "default": null}',
    ),
    Rule(
        "MISSING_ENUM_SYMBOLS",
        "compatibility",
        "The reader's enum lacks a symbol that the writer's has",
        "Data holds the number of a symbol in the writer's list; the reader looks the name up in its own. A symbol "
        "that it does not know is an error, unless the reader's enum has a default of its own. Under BACKWARD "
        "this is a symbol that was removed; under FORWARD one that was added.",
        'old  {"type": "enum", "name": "State", "symbols": ["NEW", "PAID"]}\n'
        'new  {"type": "enum", "name": "State", "symbols": ["NEW"]}',
        "Keep the symbol, or give the enum of the reader a default (of the enum, not of the field).",
        '{"type": "enum", "name": "State", "symbols": ["UNKNOWN", "NEW"], "default": "UNKNOWN"}',
    ),
    Rule(
        "MISSING_UNION_BRANCH",
        "compatibility",
        "The reader's union lacks a type that the writer's has",
        "A value of a union is written with the branch it has. The reader needs a branch that can read it. Under "
        "BACKWARD this is a branch that was removed, or null that an optional field no longer takes; under FORWARD "
        "one that was added, as when a field becomes optional.",
        'old  {"name": "note", "type": ["null", "string"], "default": null}\n'
        'new  {"name": "note", "type": ["int"]}',
        "Keep the branch. To allow another type, add a field.",
        '{"name": "note", "type": ["null", "string"], "default": null}',
    ),
    Rule(
        "AMBIGUOUS_FIELD_ALIAS",
        "compatibility",
        "A field matches several fields of the data, by its name and its aliases",
        "A reader's field takes the value of the writer's field with its name, or with one of its aliases. Where "
        "the writer has two of them, nothing says which is meant, and Java's reader fails.",
        'old  fields: "total", "amount"\nnew  {"name": "total", "aliases": ["amount"], "type": "long"}',
        "Remove the alias that names a field which the data has beside the other.",
        '{"name": "total", "type": "long"}',
    ),
)

_CHECK = (
    Rule(
        "SCHEMA_DELETED",
        "check",
        "A subject of the baseline has no file any more",
        "Who reads the topic's data keeps needing the schema, and the registry keeps it; with the file gone nobody "
        "looks after it. Where its file was renamed and its subject is the same, this is not found.",
        "old  schemas/payment.avsc   (payment-value)\nnew  -",
        'Bring the file back, or, if the topic is gone, say so in the project file: deleted = "note", for all or in '
        "an [[override]]; or put the finding in the baseline file with a reason.",
        '[[override]]\nfiles = "schemas/payment.avsc"\ndeleted = "note"',
    ),
    Rule(
        "TYPE_OF_SCHEMA_CHANGED",
        "check",
        "The subject's schemas are of another language",
        "The baseline has the subject as JSON Schema or Protobuf, and the file has it as Avro: data of one cannot "
        "be read with the other.",
        "old  payment-value: PROTOBUF\nnew  payment-value: AVRO",
        "Use another subject, and so another topic, for data in another format.",
        "payment-avro-value",
    ),
    Rule(
        "SUBJECT_NEW",
        "check",
        "The subject is not in the baseline",
        "Nothing is there to break, so it passes. If it should be there, see whether its file or its record was "
        "renamed: a subject is followed by its name.",
        "old  -\nnew  schemas/refund.avsc   (refund-value)",
        "Nothing is to be done.",
        "",
        Severity.NOTE,
    ),
    Rule(
        "GLOB_WITHOUT_FILES",
        "check",
        "A glob of the project file matches no file",
        "Files that no glob matches are no schemas, and nobody checks them. A glob that matches nothing is mostly a "
        "slip: a folder that was renamed, or a path that is not from the folder of the project file.",
        '[[schemas]]\nfiles = "schema/*.avsc"     # the folder is schemas',
        "Put the glob right, or remove it.",
        '[[schemas]]\nfiles = "schemas/*.avsc"',
        Severity.WARNING,
    ),
    Rule(
        "NO_SCHEMAS",
        "check",
        "No schema was looked at",
        "Nothing was found by the globs of the project file, or in the files and folders that were asked for: the "
        "answer says nothing about any schema. Without a project file, the schemas are the .avsc and .avdl files "
        "from the working directory on.",
        "$ fivebyte check docs/",
        "Run it where the schemas are, or name them in the project file.",
        "$ fivebyte check schemas/",
        Severity.WARNING,
    ),
    Rule(
        "FOLDER_UNREADABLE",
        "check",
        "A folder cannot be read",
        "Whether there are schemas in it is not known. None of it is looked at, and none of it counts as deleted.",
        "data/postgres   (belongs to another user)",
        "Let it be read, or leave it out.",
        'exclude = ["data/**", "**/build/**"]',
        Severity.WARNING,
    ),
    Rule(
        "BASELINE_STALE",
        "check",
        "An entry of the baseline file no longer occurs",
        "The baseline file accepts a finding that is not found any more: it was put right, or the old version is "
        "out of sight. An entry that stays could hide the next break of the same kind.",
        '{"rule": "TYPE_MISMATCH", "subject": "payment-value", ...}',
        "Remove the entry; `fivebyte check --write-baseline` leaves out what no longer occurs.",
        "",
        Severity.WARNING,
    ),
    Rule(
        "BASELINE_EXPIRED",
        "check",
        "An entry of the baseline file has expired",
        "The break was accepted up to a day that has passed. The finding counts again.",
        '{"rule": "TYPE_MISMATCH", "subject": "payment-value", "expires": "2026-01-31", ...}',
        "Put the break right, or decide anew: give the entry a later day and a reason.",
        "",
        Severity.WARNING,
    ),
)

_SCHEMA = (
    Rule(
        "SCHEMA_INVALID",
        "schema",
        "The file is no Avro schema",
        "It is not JSON, or not what the Avro specification allows. The place is that of the fault. Where the "
        "schema of the baseline does not parse, the new one is held against none: see OLD_SCHEMA_INVALID.",
        '{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "strin"}]}',
        "Put it right at the place that is named.",
        '{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "string"}]}',
    ),
    Rule(
        "OLD_SCHEMA_INVALID",
        "schema",
        "The schema of the baseline does not parse",
        "What the file is to be compared with is no schema, so nothing can be broken that ever worked with it. It "
        "passes with a warning.",
        'main:order.avsc  {"type": "record", "name": "Order", "fields": [}',
        "Nothing is to be done, if the new file is right.",
        "",
        Severity.WARNING,
    ),
    Rule(
        "REFERENCE_CYCLE",
        "schema",
        "Schemas of several files need each other in a circle",
        "A schema can be registered only after those that it refers to, so two files cannot refer to each other. "
        "Within one file types may.",
        'a.avsc  {"name": "A", "fields": [{"name": "b", "type": "B"}]}\n'
        'b.avsc  {"name": "B", "fields": [{"name": "a", "type": ["null", "A"]}]}',
        "Define both types in one file, or move what they share into a third.",
        '{"name": "A", "fields": [{"name": "b", "type": {"name": "B", "fields": [{"name": "a", "type": ["null", "A"]}]}}]}',
    ),
    Rule(
        "REFERENCE_AMBIGUOUS",
        "schema",
        "A type is defined in several files, differently",
        "The name of a type is used, and more than one file defines it: nothing says which is meant.",
        'a.avsc  {"name": "com.acme.Money", "fields": [...]}\nb.avsc  {"name": "com.acme.Money", "fields": [...]}',
        "Keep one of the definitions, or give one of them another name or namespace.",
        "",
    ),
    Rule(
        "SUBJECT_TWICE",
        "schema",
        "Two schemas have one subject",
        "A subject has one newest schema, and two files claim to be it.",
        "a/order.avsc and b/order.avsc, both with the subject order-value",
        "Make the pattern in the project file tell them apart ({folder}, {full_name}), or remove one of them.",
        'subject = "{folder}-{stem}-value"',
    ),
)


def catalogue() -> Mapping[str, Rule]:
    """All rules by their ids."""
    return {rule.id: rule for rule in (*_COMPATIBILITY, *_CHECK, *_SCHEMA, *LINT)}


def rule(rule_id: str) -> Rule:
    """The rule with this id, in any letter case. Raises ProjectError with the nearest one."""
    rules = catalogue()
    found = rules.get(rule_id.upper().replace("-", "_"))
    if found is None:
        near = difflib.get_close_matches(rule_id.upper(), rules, n=1)
        hint = f"did you mean {near[0]}?" if near else "`fivebyte explain` lists them"
        raise ProjectError(f"there is no rule {rule_id}: {hint}")
    return found
