"""The scenario by confluent-kafka's registry client and serializers, the waiting ones or the asynchronous."""

import asyncio
import base64
import inspect
from collections.abc import Callable
from typing import Any

from confluent_kafka.schema_registry import (
    AsyncSchemaRegistryClient,
    Metadata,
    RuleSet,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    ServerConfig,
    header_schema_id_serializer,
)
from confluent_kafka.schema_registry.avro import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AvroDeserializer,
    AvroSerializer,
)
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.clients.steps import Steps

PAYMENTS = "payments-value"


class Fresh:
    """A client whose every call is made by a new one: none answers from what it remembers."""

    def __init__(self, url: str, make: Callable[[dict[str, str]], Any], run: Callable[[Any], Any]) -> None:
        self._settings = {"url": url}
        self._make = make
        self._run = run

    def at(self, path: str) -> "Fresh":
        """The same at a path of the address."""
        return Fresh(self._settings["url"] + path, self._make, self._run)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **options: self.using(lambda client: getattr(client, name)(*args, **options))

    def using(self, call: Callable[[Any], Any]) -> Any:
        """What `call` answers, given a new client."""
        client = self._make(self._settings)
        try:
            return self._run(call(client))
        finally:
            self._run(client.aclose() if hasattr(client, "aclose") else client.close())


class Serdes:
    """Serializers and deserializers of one kind, each made for one message."""

    def __init__(self, client: Fresh, serializer: Any, deserializer: Any) -> None:
        self._client = client
        self._serializer = serializer
        self._deserializer = deserializer

    def write(self, topic: str, value: Any, schema: Any, settings: Any, headers: Any = None) -> bytes:
        """The message for a value. headers: a list that gets the message's."""
        made: bytes = self._using(
            self._serializer, {"schema_str": schema, "conf": settings}, value, topic, headers
        )
        return made

    def read(self, topic: str, message: bytes, headers: Any = None) -> Any:
        """The value of a message."""
        return self._using(self._deserializer, {}, message, topic, headers)

    def _using(self, kind: Any, options: dict[str, Any], given: Any, topic: str, headers: Any) -> Any:
        context = SerializationContext(topic, MessageField.VALUE, headers)

        async def later(client: Any) -> Any:
            return await (await kind(client, **options))(given, context)

        def at_once(client: Any) -> Any:
            return kind(client, **options)(given, context)

        return self._client.using(later if kind.__name__.startswith("Async") else at_once)


def waiting(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps, by SchemaRegistryClient, AvroSerializer and AvroDeserializer."""
    client = Fresh(task["url"], SchemaRegistryClient, lambda answer: answer)
    return _all_steps(task, client, Serdes(client, AvroSerializer, AvroDeserializer))


def asynchronous(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps, by their namesakes for asyncio."""
    with asyncio.Runner() as runner:

        def run(answer: Any) -> Any:
            return runner.run(answer) if inspect.iscoroutine(answer) else answer

        client = Fresh(task["url"], AsyncSchemaRegistryClient, run)
        return _all_steps(task, client, Serdes(client, AsyncAvroSerializer, AsyncAvroDeserializer))


def _all_steps(task: dict[str, Any], client: Fresh, serdes: Serdes) -> list[dict[str, Any]]:
    step = Steps(_describe)
    schemas = {name: Schema(text) for name, text in task["schemas"].items()}
    step("types", client.get_schema_types)
    _read(step, task, serdes)
    _register_and_find(step, schemas, client)
    _odd_subject(step, task["odd_subject"], schemas, client)
    _references(step, schemas, client)
    _compatibility(step, schemas, client)
    _levels(step, schemas, client)
    _modes(step, schemas, client)
    _contexts(step, schemas, client)
    _contracts(step, task, schemas, client)
    _write(step, task, serdes)
    _delete(step, schemas, client)
    return step.told


def _read(step: Steps, task: dict[str, Any], serdes: Serdes) -> None:
    step("read_sent", lambda: serdes.read("sent", base64.b64decode(task["sent_message"])))
    step("read_order", lambda: serdes.read("ours", base64.b64decode(task["order_message"])))
    headers = [("__value_schema_id", base64.b64decode(task["sent_header"]))]
    step("read_guid", lambda: serdes.read("sent", base64.b64decode(task["sent_body"]), headers))


def _register_and_find(step: Steps, schemas: dict[str, Schema], client: Any) -> None:
    step("register_first", lambda: client.register_schema(PAYMENTS, schemas["payment"]))
    again = client.register_schema_full_response(PAYMENTS, schemas["payment"])
    step("register_again", lambda: again.schema_id)
    step("register_next", lambda: client.register_schema(PAYMENTS, schemas["payment_2"]))
    step("register_malformed", lambda: client.register_schema(PAYMENTS, schemas["malformed"]))
    step("register_incompatible", lambda: client.register_schema(PAYMENTS, schemas["payment_incompatible"]))
    step("subjects", client.get_subjects)
    step("versions", lambda: client.get_versions(PAYMENTS))
    step("by_id", lambda: client.get_schema(4).schema_str)
    step("by_guid", lambda: client.get_schema_by_guid(again.guid).schema_str)
    step("by_version", lambda: _version(client.get_version(PAYMENTS, 1)))
    step("latest", lambda: _version(client.get_latest_version(PAYMENTS)))
    step("lookup", lambda: _version(client.lookup_schema(PAYMENTS, schemas["payment"])))
    step("subjects_of_id", lambda: client.get_subjects_by_schema_id(4))
    step(
        "versions_of_id",
        lambda: [{"subject": at.subject, "version": at.version} for at in client.get_schema_versions(4)],
    )
    step("no_such_subject", lambda: client.get_versions("missing"))
    step("no_such_version", lambda: client.get_version(PAYMENTS, 99))
    step("no_such_id", lambda: client.get_schema(999))
    step("lookup_of_another", lambda: client.lookup_schema(PAYMENTS, schemas["status"]))
    step("lookup_without_subject", lambda: client.lookup_schema("missing", schemas["status"]))


def _odd_subject(step: Steps, odd: str, schemas: dict[str, Schema], client: Any) -> None:
    step("register_odd", lambda: client.register_schema(odd, schemas["payment"]))
    step("odd_latest", lambda: client.get_latest_version(odd).schema_id)
    step("odd_is_listed", lambda: odd in client.get_subjects())


def _references(step: Steps, schemas: dict[str, Schema], client: Any) -> None:
    text = schemas["order"].schema_str
    status = SchemaReference("shop.Status", "status", 1)
    step("register_referenced", lambda: client.register_schema("status", schemas["status"]))
    referring = Schema(text, references=[status])
    step("register_referring", lambda: client.register_schema("orders-value", referring))
    step(
        "references_listed",
        lambda: [
            {"name": to.name, "subject": to.subject, "version": to.version}
            for to in client.get_version("orders-value", 1).schema.references
        ],
    )
    step("referenced_by", lambda: client.get_referenced_by("status", 1))
    step("delete_referenced", lambda: client.delete_version("status", 1))
    dangling = Schema(text, references=[SchemaReference("shop.Status", "missing", 1)])
    step("register_with_missing_reference", lambda: client.register_schema("orders-value", dangling))


def _compatibility(step: Steps, schemas: dict[str, Schema], client: Any) -> None:
    new, incompatible = schemas["payment_3"], schemas["payment_incompatible"]
    step("compatible", lambda: client.test_compatibility(PAYMENTS, new))
    step("incompatible", lambda: client.test_compatibility(PAYMENTS, incompatible, verbose=True))
    step("compatible_with_all", lambda: client.test_compatibility_all_versions(PAYMENTS, new))
    step("incompatible_with_version", lambda: client.test_compatibility(PAYMENTS, incompatible, version=1))


def _levels(step: Steps, schemas: dict[str, Schema], client: Any) -> None:
    step("level", client.get_compatibility)
    step("set_level", lambda: client.set_compatibility(level="FULL")["compatibility"])
    step("level_set", client.get_compatibility)
    client.set_compatibility(level="BACKWARD")
    step("no_subject_level", lambda: client.get_compatibility(PAYMENTS))
    step("set_subject_level", lambda: client.set_compatibility(PAYMENTS, "NONE")["compatibility"])
    step("subject_level", lambda: client.get_compatibility(PAYMENTS))
    step("register_anything", lambda: client.register_schema(PAYMENTS, schemas["payment_incompatible"]))
    step("bad_level", lambda: client.set_compatibility(PAYMENTS, "SIDEWAYS"))
    step("delete_subject_level", lambda: client.delete_config(PAYMENTS).compatibility_level.value)
    config = {
        "compatibility": "BACKWARD",
        "compatibilityGroup": "major",
        "defaultMetadata": {"properties": {"team": "shop"}},
    }
    client.set_config("grouped-value", ServerConfig.from_dict(config))
    step("config", lambda: client.get_config("grouped-value").to_dict())


def _modes(step: Steps, schemas: dict[str, Schema], client: Any) -> None:
    step("mode", client.get_global_mode)
    step("no_subject_mode", lambda: client.get_mode(PAYMENTS))
    step("set_subject_mode", lambda: client.update_mode(PAYMENTS, "READONLY"))
    step("subject_mode", lambda: client.get_mode(PAYMENTS))
    step("register_read_only", lambda: client.register_schema(PAYMENTS, schemas["payment_3"]))
    step("delete_subject_mode", lambda: client.delete_mode(PAYMENTS))


def _contexts(step: Steps, schemas: dict[str, Schema], client: Any) -> None:
    step("register_in_context", lambda: client.register_schema(f":.eu:{PAYMENTS}", schemas["payment"]))
    step("contexts_listed", client.get_contexts)
    step("context_in_address", lambda: client.at("/contexts/.eu").get_versions(PAYMENTS))
    step("subjects_of_context", lambda: client.get_subjects(subject_prefix=":.eu:"))


def _contracts(step: Steps, task: dict[str, Any], schemas: dict[str, Schema], client: Any) -> None:
    metadata, rules = Metadata.from_dict(task["metadata"]), RuleSet.from_dict(task["rules"])
    contract = Schema(schemas["payment"].schema_str, metadata=metadata, rule_set=rules)
    step("register_contract", lambda: client.register_schema("contract-value", contract))

    def stored() -> dict[str, Any]:
        schema = client.get_latest_version("contract-value").schema
        return {"metadata": schema.metadata.to_dict(), "ruleSet": schema.rule_set.to_dict()}

    step("contract", stored)
    owner = {"owner": "payments"}
    step(
        "latest_with_metadata",
        lambda: _version(client.get_latest_with_metadata("contract-value", owner)),
    )
    one, other = schemas["aliases_ab"], schemas["aliases_ba"]
    step("register_normalized", lambda: client.register_schema("normal", other, normalize_schemas=True))
    step("lookup_normalized", lambda: client.lookup_schema("normal", one, normalize_schemas=True).schema_id)


def _write(step: Steps, task: dict[str, Any], serdes: Serdes) -> None:
    latest = {"auto.register.schemas": False, "use.latest.version": True}
    text = task["schemas"]["sent"]
    step("write_sent", lambda: _base64(serdes.write("theirs", task["sent"], text, {})))
    step("write_order", lambda: _base64(serdes.write("orders", task["order"], None, latest)))

    headers: list[Any] = []
    settings = {**latest, "schema.id.serializer": header_schema_id_serializer}
    message = serdes.write("theirs", task["sent"], None, settings, headers)
    step("write_guid", lambda: {"message": _base64(message), "header": _base64(headers[0][1])})
    step("guid_in_header", lambda: serdes.read("theirs", message, headers))


def _delete(step: Steps, schemas: dict[str, Schema], client: Any) -> None:
    doomed = "doomed-value"
    client.register_schema(doomed, schemas["payment"])
    client.register_schema(doomed, schemas["payment_2"])
    step("delete_first_version", lambda: client.delete_version(doomed, 1))
    step("delete_version_again", lambda: client.delete_version(doomed, 1))
    step("get_deleted_version", lambda: client.get_version(doomed, 1))
    step("versions_left", lambda: client.get_versions(doomed))
    step("delete_undeleted_for_good", lambda: client.delete_version(doomed, 2, permanent=True))
    step("delete_version_for_good", lambda: client.delete_version(doomed, 1, permanent=True))
    step("delete_subject", lambda: client.delete_subject(doomed))
    step("delete_subject_again", lambda: client.delete_subject(doomed))
    step("is_listed", lambda: doomed in client.get_subjects())
    step("is_listed_as_deleted", lambda: doomed in client.get_subjects(deleted=True))
    step("delete_subject_for_good", lambda: client.delete_subject(doomed, permanent=True))
    step("delete_missing_subject", lambda: client.delete_subject(doomed))


def _version(found: Any) -> dict[str, Any]:
    return {"subject": found.subject, "version": found.version, "id": found.schema_id}


def _base64(message: bytes) -> str:
    return base64.b64encode(message).decode()


def _describe(error: Exception) -> tuple[int | None, int | None]:
    if isinstance(error, SchemaRegistryError):
        return error.http_status_code, error.error_code
    return None, None
