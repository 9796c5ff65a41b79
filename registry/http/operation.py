"""What can be said of an operation of the HTTP API; `registry.http.operations` says it of each."""

from dataclasses import dataclass

from marshmallow import Schema

from registry import errors
from registry.http.answers import JsonSchema
from registry.http.negotiation import MEDIA_TYPES

Fault = int | type[errors.RegistryError]
"""A way to fail: one of the registry's errors, or an error code without one, mostly an HTTP status."""


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter in the query, absent by default. many: it may be given several times."""

    name: str
    schema: JsonSchema
    description: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """What a method on a path does.

    name: unique; generated clients call their method so.
    answers, schema: what a success answers, in words and as JSON Schema (None: not JSON, or no body).
    faults: what can go wrong, beside what the parameters and the body bring along (see `all_faults`).
    """

    name: str
    summary: str
    answers: str
    schema: JsonSchema | None
    faults: tuple[Fault, ...] = ()
    query: tuple[Query, ...] = ()
    body: Schema | None = None
    status: int = 200
    media_types: tuple[str, ...] = MEDIA_TYPES
    description: str = ""

    def all_faults(self) -> list[Fault]:
        """Every way in which it fails."""
        more: list[Fault] = []
        if self.media_types == MEDIA_TYPES:
            more.append(406)
        if any(parameter.schema.get("type") == "integer" for parameter in self.query):
            more.append(404)
        if self.body is not None:
            more += [400, 413, 415, 422]
        return list(dict.fromkeys([*self.faults, *more]))
