"""The tree of errors, and how they read."""

import pickle
import re
from collections.abc import Iterator

import pytest

from serde import errors
from serde.errors import (
    DeserializationError,
    InvalidClass,
    InvalidSchema,
    MissingExtra,
    NotFound,
    RegistryUnreachable,
    SchemaNotFound,
    SerdeError,
    SerializationError,
)


def tree(kind: type[SerdeError], depth: int = 0) -> Iterator[tuple[int, str]]:
    yield depth, kind.__name__
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:  # serde.confluent has some of its own
            yield from tree(below, depth + 1)


def test_the_docstring_draws_the_tree() -> None:
    drawn = re.findall(r"^    ([│├└─ ]*)([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE)
    assert sorted((len(lines) // 4, name) for lines, name in drawn) == sorted(tree(SerdeError))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            SerializationError(
                "expected double, got 'x'",
                path="order.lines[3].price",
                topic="orders",
                subject="orders-value",
                schema_id=7,
            ),
            "subject 'orders-value', schema 7: order.lines[3].price: expected double, got 'x'",
        ),
        (SerializationError("no"), "no"),
        (SerializationError("no", topic="t"), "topic 't': no"),
        (SerializationError("no", index=3, subject="s"), "value 3, subject 's': no"),
        (DeserializationError("no", data=b"x", index=0), "message 0: no"),
        (MissingExtra("no"), "no"),
        (
            DeserializationError("no", data=b"x", path="a", topic="t", schema_id=0),
            "topic 't', schema 0: a: no",
        ),
        (InvalidSchema("no", "/fields/0"), "no at /fields/0"),
        (InvalidClass("no", "Order.id"), "Order.id: no"),
        (RegistryUnreachable(["http://a", "http://b"], "no"), "no schema registry at http://a, http://b: no"),
        (RegistryUnreachable(["embedded:"], "no"), "no schema registry at embedded: no"),
        (NotFound(404, 40401, "no", "http://a/x"), "no (error 40401, HTTP 404, http://a/x)"),
    ],
)
def test_an_error_says_what_and_where(error: SerdeError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(
    "error",
    [
        SerializationError("no", path="a", topic="t", subject="s", schema_id=1, index=2),
        MissingExtra("no"),
        DeserializationError("no", data=b"x", path="a", topic="t", schema_id=1),
        InvalidSchema("no", "/a"),
        InvalidClass("no", "Order.id"),
        RegistryUnreachable(["http://a"], "no"),
        SchemaNotFound(404, 40403, "no", "http://a", schema_id=1),
    ],
)
def test_an_error_crosses_processes(error: SerdeError) -> None:
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is type(error)
    assert str(copied) == str(error)
    assert vars(copied) == vars(error)
