"""The linter's rules and its three sets. `fivebyte explain ID` tells each."""

from collections.abc import Iterable

from registry.check.findings import Rule

MINIMAL = (
    Rule(
        "OPTIONAL_WITHOUT_DEFAULT",
        "lint",
        "An optional field has no default",
        "The field takes null, and its type begins with null, so null was meant to stand for its absence. "
        "But without a default a reader cannot do without it: data that was written before the field was "
        "added cannot be read, and the field can never be removed.",
        '{"name": "note", "type": ["null", "string"]}',
        'Add "default": null. `fivebyte lint --fix` does it.',
        '{"name": "note", "type": ["null", "string"], "default": null}',
    ),
    Rule(
        "DEFAULT_NOT_OF_FIRST_BRANCH",
        "lint",
        "The default of a union is not of its first branch",
        "The specification takes a union's default as of its first branch. Java lets it be of any; other "
        "libraries refuse the schema, or take the default for something else.",
        '{"name": "note", "type": ["string", "null"], "default": null}',
        "Put the branch of the default first.",
        '{"name": "note", "type": ["null", "string"], "default": null}',
    ),
    Rule(
        "LOGICAL_TYPE_UNKNOWN",
        "lint",
        "A logical type that Avro does not know",
        "Libraries ignore a logical type that they do not know, without a word: what should have been a "
        "date is a number. Often it is only misspelt.",
        '{"type": "long", "logicalType": "timestamp_millis"}',
        "Use one of Avro's: date, time-millis, time-micros, timestamp-millis, timestamp-micros, timestamp-"
        "nanos, local-timestamp-millis, -micros and -nanos, uuid, duration, decimal, big-decimal.",
        '{"type": "long", "logicalType": "timestamp-millis"}',
    ),
    Rule(
        "LOGICAL_TYPE_INVALID",
        "lint",
        "A logical type on a type that it does not fit",
        "Each logical type stands on certain types: a date on an int, a timestamp on a long, a decimal on "
        "bytes or a fixed, with a precision that its bytes can hold. On others libraries ignore it, without"
        " a word.",
        '{"type": "int", "logicalType": "timestamp-millis"}',
        "Put it on the type that it is for, and give a decimal its precision and scale.",
        '{"type": "long", "logicalType": "timestamp-millis"}',
    ),
    Rule(
        "LOGICAL_TYPE_ON_FIELD",
        "lint",
        "A logical type beside the type, not in it",
        "The logical type is an attribute of a type. As one of a field it means nothing, and is ignored.",
        '{"name": "placed_at", "type": "long", "logicalType": "timestamp-millis"}',
        "Move it into the type. Readers then get another kind of value: tell them.",
        '{"name": "placed_at", "type": {"type": "long", "logicalType": "timestamp-millis"}}',
    ),
    Rule(
        "ATTRIBUTE_MISSPELT",
        "lint",
        "An attribute that is nearly one of Avro's",
        "Avro keeps attributes that it does not know, and they mean nothing. One that is a letter or two "
        "away from one that means something is likely to be that.",
        '{"name": "note", "type": "string", "defualt": ""}',
        "Spell it as Avro does.",
        '{"name": "note", "type": "string", "default": ""}',
    ),
    Rule(
        "ATTRIBUTE_IGNORED",
        "lint",
        "An attribute of Avro's where it means nothing",
        "A default belongs to a field or an enum, symbols to an enum, an order to a field. Elsewhere they "
        "are kept and mean nothing. What stands beside the name of a type that is defined elsewhere is "
        "lost.",
        '{"name": "note", "type": {"type": "string", "default": ""}}',
        "Move it to where it means something, or remove it.",
        '{"name": "note", "type": "string", "default": ""}',
    ),
    Rule(
        "NAMES_DIFFER_BY_CASE",
        "lint",
        "Two fields, or symbols, differ only by case or underscores",
        "Code that is generated for some languages, and tables that are made of the data, know no "
        "difference.",
        '{"fields": [{"name": "orderId", "type": "string"}, {"name": "order_id", "type": "string"}]}',
        "Rename one of them; name the old name among its aliases.",
        '{"fields": [{"name": "orderId", "type": "string"}, {"name": "shop_order_id", "type": "string"}]}',
    ),
    Rule(
        "IGNORE_UNKNOWN",
        "lint",
        "fivebyte.ignore names no rule of the linter",
        "Nothing is ignored by it: the id is misspelt, or not one of a lint rule.",
        '{"name": "ID", "type": "string", "fivebyte.ignore": ["FIELD_CASE"]}',
        "Give the id as the finding has it; `fivebyte explain` lists them.",
        '{"name": "ID", "type": "string", "fivebyte.ignore": ["FIELD_NAME_CASE"]}',
    ),
)

STANDARD = (
    Rule(
        "NAMESPACE_MISSING",
        "lint",
        "A type without a namespace",
        "Its full name is a bare word that the next team may use as well, and types without a namespace "
        "cannot be named from within one.",
        '{"type": "record", "name": "Order", "fields": []}',
        "Give it a namespace. This changes its full name: readers match names without namespaces, but "
        "references and generated code do not.",
        '{"type": "record", "name": "Order", "namespace": "com.acme.shop", "fields": []}',
    ),
    Rule(
        "NAMESPACE_CASE",
        "lint",
        "A namespace is not in lower case",
        "Namespaces become packages and folders; these are in lower case, with dots between.",
        '{"type": "record", "name": "Order", "namespace": "com.Acme", "fields": []}',
        "Use lower-case letters, digits and underscores.",
        '{"type": "record", "name": "Order", "namespace": "com.acme", "fields": []}',
    ),
    Rule(
        "TYPE_NAME_CASE",
        "lint",
        "The name of a type is not in PascalCase",
        "Types become classes.",
        '{"type": "record", "name": "order_line", "fields": []}',
        "Use PascalCase, and name the old full name among the aliases.",
        '{"type": "record", "name": "OrderLine", "aliases": ["order_line"], "fields": []}',
    ),
    Rule(
        "FIELD_NAME_CASE",
        "lint",
        "The name of a field is neither in snake_case nor in camelCase",
        "Fields become columns and attributes, which begin with a lower-case letter.",
        '{"name": "OrderID", "type": "string"}',
        "Use snake_case or camelCase, and name the old name among the aliases.",
        '{"name": "order_id", "type": "string", "aliases": ["OrderID"]}',
    ),
    Rule(
        "SYMBOL_CASE",
        "lint",
        "A symbol of an enum is not in UPPER_CASE",
        "Symbols become constants.",
        '{"type": "enum", "name": "State", "symbols": ["new", "paid"]}',
        "Use upper case for new enums. In one that is in use, a renamed symbol is a removed one.",
        '{"type": "enum", "name": "State", "symbols": ["NEW", "PAID"]}',
    ),
    Rule(
        "ENUM_WITHOUT_DEFAULT",
        "lint",
        "An enum has no default",
        "Without one, a symbol can be added only when every reader knows it: older readers fail on it. With"
        " one they take the default.",
        '{"type": "enum", "name": "State", "symbols": ["NEW", "PAID"]}',
        "Add a symbol for what is not known, and make it the default of the enum.",
        '{"type": "enum", "name": "State", "symbols": ["UNKNOWN", "NEW", "PAID"], "default": "UNKNOWN"}',
    ),
    Rule(
        "NULL_NOT_FIRST",
        "lint",
        "A field takes null and has no default that says so",
        "The default of a union is of its first branch, so with null further back the field cannot default "
        "to it.",
        '{"name": "note", "type": ["string", "null"]}',
        "Put null first, and make it the default. Data that is written already stays readable.",
        '{"name": "note", "type": ["null", "string"], "default": null}',
    ),
    Rule(
        "DOC_UNTIDY",
        "lint",
        "A doc with white space around it, or nothing in it",
        "It shows in pages that are made of the schema, and makes two schemas of what is one.",
        '{"name": "note", "type": "string", "doc": " What the customer said. "}',
        "Remove it. `fivebyte lint --fix` does it where something is left.",
        '{"name": "note", "type": "string", "doc": "What the customer said."}',
    ),
    Rule(
        "ALIAS_REDUNDANT",
        "lint",
        "An alias that says nothing",
        "It is the name itself, or there twice.",
        '{"name": "note", "aliases": ["note", "remark", "remark"], "type": "string"}',
        "Remove it. `fivebyte lint --fix` does it.",
        '{"name": "note", "aliases": ["remark"], "type": "string"}',
    ),
)

STRICT = (
    Rule(
        "TYPE_WITHOUT_DOC",
        "lint",
        "A record, enum or fixed has no doc",
        "Who meets the data later has nothing else to go by.",
        '{"type": "record", "name": "Order", "fields": []}',
        "Say in a sentence what one of it stands for.",
        '{"type": "record", "name": "Order", "doc": "What a customer bought at once.", "fields": []}',
    ),
    Rule(
        "FIELD_WITHOUT_DOC",
        "lint",
        "A field has no doc",
        "A name rarely tells the unit, the time zone, or when the field is empty.",
        '{"name": "total", "type": "long"}',
        "Say what it holds, in which unit, and what its absence means.",
        '{"name": "total", "type": "long", "doc": "In cents, with tax."}',
    ),
    Rule(
        "FIELD_WITHOUT_DEFAULT",
        "lint",
        "A field has no default",
        "It can never be removed without breaking those who read with the old schema. Fields that are "
        "always there may do without; ignore the rule for them.",
        '{"name": "total", "type": "long"}',
        "Give it a default, or ignore the rule for it.",
        '{"name": "total", "type": "long", "fivebyte.ignore": ["FIELD_WITHOUT_DEFAULT"]}',
    ),
    Rule(
        "FIELD_NAMES_MIXED",
        "lint",
        "Fields in snake_case and in camelCase in one schema",
        "One of the two will do.",
        '{"fields": [{"name": "order_id", "type": "string"}, {"name": "placedAt", "type": "long"}]}',
        "Use the one that most of the fields use.",
        '{"fields": [{"name": "order_id", "type": "string"}, {"name": "placed_at", "type": "long"}]}',
    ),
    Rule(
        "UNION_OF_MANY",
        "lint",
        "A union of more than null and one other type",
        "Many languages have no type for it, tables no column, and who reads it must look at each value's "
        "type.",
        '{"name": "amount", "type": ["null", "long", "string"]}',
        "Use one type, or a record with an optional field for each.",
        '{"name": "amount", "type": ["null", "long"], "default": null}',
    ),
    Rule(
        "LOGICAL_TYPE_MISSING",
        "lint",
        "A field that is named as a time, and is a bare number or string",
        "Nothing tells readers whether it is seconds or milliseconds.",
        '{"name": "placed_at", "type": "long"}',
        "Give its type a logical type, such as timestamp-millis.",
        '{"name": "placed_at", "type": {"type": "long", "logicalType": "timestamp-millis"}}',
    ),
)

LINT = (*MINIMAL, *STANDARD, *STRICT)
"""All rules of the linter."""

_SETS = {"minimal": MINIMAL, "standard": (*MINIMAL, *STANDARD), "strict": LINT}
DEFAULT_SET = "standard"


def rule_ids(rule_set: str | None, enable: Iterable[str] = (), disable: Iterable[str] = ()) -> frozenset[str]:
    """The ids of a set (None: the default one), with some more and some less."""
    chosen = frozenset(rule.id for rule in _SETS[rule_set or DEFAULT_SET])
    return chosen.union(enable).difference(disable)
