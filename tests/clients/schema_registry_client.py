"""The scenario by python-schema-registry-client, the waiting one or the asynchronous.

It answers a 404 with None, or an empty list, and has no references, modes, metadata or rules.
"""

import asyncio
import base64
import inspect
import json
from collections.abc import Callable
from typing import Any

from schema_registry.client import AsyncSchemaRegistryClient, SchemaRegistryClient
from schema_registry.client.errors import ClientError
from schema_registry.serializers.message_serializer import AsyncAvroMessageSerializer, AvroMessageSerializer

from tests.clients.steps import Steps

PAYMENTS = "payments-value"


class Fresh:
    """A client whose every call is made by a new one: none answers from what it remembers."""

    def __init__(self, make: Callable[[], Any], run: Callable[[Any], Any]) -> None:
        self._make = make
        self._run = run

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **options: self._run(getattr(self._make(), name)(*args, **options))


def waiting(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps, by SchemaRegistryClient and AvroMessageSerializer."""
    return _all_steps(task, SchemaRegistryClient, AvroMessageSerializer, lambda answer: answer)


def asynchronous(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps, by their namesakes for asyncio."""
    with asyncio.Runner() as runner:

        def run(answer: Any) -> Any:
            return runner.run(answer) if inspect.iscoroutine(answer) else answer

        return _all_steps(task, AsyncSchemaRegistryClient, AsyncAvroMessageSerializer, run)


def _all_steps(
    task: dict[str, Any], client_type: Any, serializer_type: Any, run: Callable[[Any], Any]
) -> list[dict[str, Any]]:
    def make() -> Any:
        return client_type(url=task["url"])

    step = Steps(_describe)
    schemas: dict[str, str] = task["schemas"]
    client = Fresh(make, run)
    messages = Fresh(lambda: serializer_type(make()), run)
    step("read_sent", lambda: messages.decode_message(base64.b64decode(task["sent_message"])))
    _register_and_find(step, schemas, client)
    _levels(step, schemas, client)
    step("register_in_context", lambda: client.register(f":.eu:{PAYMENTS}", schemas["payment"]))
    in_address = Fresh(lambda: client_type(url=f"{task['url']}/contexts/.eu"), run)
    step("context_in_address", lambda: in_address.get_versions(PAYMENTS))
    step("write_sent", lambda: _write(messages, client, task))
    _delete(step, schemas, client)
    return step.told


def _register_and_find(step: Steps, schemas: dict[str, str], client: Any) -> None:
    step("register_first", lambda: client.register(PAYMENTS, schemas["payment"]))
    step("register_again", lambda: client.register(PAYMENTS, schemas["payment"]))
    step("register_next", lambda: client.register(PAYMENTS, schemas["payment_2"]))
    step("register_incompatible", lambda: client.register(PAYMENTS, schemas["payment_incompatible"]))
    step("subjects", client.get_subjects)
    step("versions", lambda: client.get_versions(PAYMENTS))
    step("by_id", lambda: _text(client.get_by_id(4)))
    step("by_version", lambda: _version(client.get_schema(PAYMENTS, 1)))
    step("latest", lambda: _version(client.get_schema(PAYMENTS)))
    step("lookup", lambda: _version(client.check_version(PAYMENTS, schemas["payment"])))
    step(
        "versions_of_id",
        lambda: [
            {"subject": at.subject, "version": at.version} for at in client.get_schema_subject_versions(4)
        ],
    )
    step("no_such_subject", lambda: client.get_versions("missing"))
    step("no_such_version", lambda: client.get_schema(PAYMENTS, 99))
    step("no_such_id", lambda: client.get_by_id(999))
    step("lookup_of_another", lambda: client.check_version(PAYMENTS, schemas["status"]))
    step("lookup_without_subject", lambda: client.check_version("missing", schemas["status"]))
    step("compatible", lambda: client.test_compatibility(PAYMENTS, schemas["payment_3"]))
    new = schemas["payment_incompatible"]
    step("incompatible", lambda: client.test_compatibility(PAYMENTS, new))
    step("incompatible_messages", lambda: client.test_compatibility(PAYMENTS, new, verbose=True)["messages"])
    step("incompatible_with_version", lambda: client.test_compatibility(PAYMENTS, new, version=1))


def _levels(step: Steps, schemas: dict[str, str], client: Any) -> None:
    step("level", client.get_compatibility)
    step("set_level", lambda: client.update_compatibility("FULL"))
    step("level_set", client.get_compatibility)
    client.update_compatibility("BACKWARD")
    step("no_subject_level", lambda: client.get_compatibility(PAYMENTS))
    step("set_subject_level", lambda: client.update_compatibility("NONE", PAYMENTS))
    step("subject_level", lambda: client.get_compatibility(PAYMENTS))
    step("register_anything", lambda: client.register(PAYMENTS, schemas["payment_incompatible"]))


def _write(messages: Any, client: Any, task: dict[str, Any]) -> str:
    # The serializer takes a schema of the client's own type; one that is registered comes as such.
    schema_id = client.register("theirs-value", task["schemas"]["sent"])
    made = messages.encode_record_with_schema_id(schema_id, task["sent"])
    return base64.b64encode(made).decode()


def _delete(step: Steps, schemas: dict[str, str], client: Any) -> None:
    doomed = "doomed-value"
    client.register(doomed, schemas["payment"])
    client.register(doomed, schemas["payment_2"])
    step("delete_first_version", lambda: client.delete_version(doomed, 1))
    step("delete_version_again", lambda: client.delete_version(doomed, 1))
    step("get_deleted_version", lambda: client.get_schema(doomed, 1))
    step("versions_left", lambda: client.get_versions(doomed))
    step("delete_subject", lambda: client.delete_subject(doomed))
    step("delete_subject_again", lambda: client.delete_subject(doomed))
    step("is_listed", lambda: doomed in client.get_subjects())


def _version(found: Any) -> dict[str, Any] | None:
    return found and {"subject": found.subject, "version": found.version, "id": found.schema_id}


def _text(schema: Any) -> str:
    return schema and json.dumps(schema.raw_schema, separators=(",", ":"))


def _describe(error: Exception) -> tuple[int | None, int | None]:
    if not isinstance(error, ClientError):
        return None, None
    told: Any = error.server_traceback  # it says str, and gives what was in the JSON
    return error.http_code, told["error_code"] if isinstance(told, dict) else None
