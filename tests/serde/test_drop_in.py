"""One user's program under both imports, confluent_kafka's and ours: the same bytes and values."""

import dataclasses
import enum
import inspect
import textwrap
from typing import Any

import attr
import confluent_kafka.schema_registry as their_package
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient as TheirClient
from confluent_kafka.schema_registry.avro import AvroDeserializer as TheirDeserializer
from confluent_kafka.schema_registry.avro import AvroSerializer as TheirSerializer

import serde
from serde import confluent
from serde.confluent.avro import AvroDeserializer, AvroSerializer
from tests.serde.servers import Behaving, sent
from tests.support.server import running_registry

THEIRS = """
from confluent_kafka.schema_registry import *
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError
"""
OURS = """
from serde.confluent import *
from serde.confluent.avro import AvroDeserializer, AvroSerializer
"""
COMMON = '''
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

ORDER = json.dumps({"type": "record", "name": "shop.Order", "fields": [
    {"name": "id", "type": "long"},
    {"name": "note", "type": ["null", "string"], "default": None},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "on", "type": {"type": "int", "logicalType": "date"}},
    {"name": "key", "type": {"type": "string", "logicalType": "uuid"}},
    {"name": "total", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
    {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "DONE"]}},
]})
VALUE = {"id": 7, "note": "n", "at": datetime(2026, 1, 2, tzinfo=UTC), "on": date(2026, 1, 2),
         "key": UUID(int=7), "total": Decimal("12.34"), "state": "DONE"}

def record(**fields):
    fields = [{"name": name, "type": kind} for name, kind in fields.items()]
    return json.dumps({"type": "record", "name": "R", "fields": fields})

def context(topic="orders", field=MessageField.VALUE, headers=None):
    return SerializationContext(topic, field, headers)

def failing(call, *kinds):
    """What a call raises, as far as both say the same: the status and the code."""
    try:
        call()
    except SchemaRegistryError as error:
        return ("registry", error.http_status_code, error.error_code)
    except kinds as error:
        return "refused"
    raise AssertionError("nothing was raised")
'''

PROGRAMS = {
    "a message and back": """
        write, read = AvroSerializer(client, ORDER), AvroDeserializer(client)
        message = write(VALUE, context())
        show(message, read(message, context()), read(None, context()), write(None, context()))
        keys = AvroSerializer(client, '"string"')
        show(keys("k", context(field=MessageField.KEY)), client.get_subjects())
    """,
    "objects": """
        class Order:
            def __init__(self, n): self.n = n
        def to_dict(order, ctx): return {"n": order.n, "topic": ctx.topic}
        def from_dict(value, ctx): return (ctx.topic, ctx.field, value["n"])
        text = record(n="int", topic="string")
        message = AvroSerializer(client, text, to_dict)(Order(3), context())
        show(message, AvroDeserializer(client, text, from_dict)(message, context()))
    """,
    "extra and missing fields": """
        text = record(a="int", b=["null", "int"])
        write = AvroSerializer(client, text)
        show(write({"a": 1, "typo": 2}, context()))
        strict = AvroSerializer(client, text, conf={"validate.strict": True})
        show(failing(lambda: strict({"a": 1, "b": 2, "typo": 3}, context()), ValueError))
        allow = AvroSerializer(client, text, conf={"validate.strict.allow.default": True})
        show(failing(lambda: allow({"a": 1}, context()), ValueError))
    """,
    "without registering": """
        write = AvroSerializer(client, ORDER, conf={"auto.register.schemas": False})
        show(failing(lambda: write(VALUE, context())))
        client.register_schema("orders-value", Schema(ORDER, "AVRO"))
        show(write(VALUE, context()))
    """,
    "the latest version": """
        conf = {"auto.register.schemas": False, "use.latest.version": True}
        write = AvroSerializer(client, conf=conf)
        first = record(a="int")
        second = json.loads(first)
        second["fields"].append({"name": "b", "type": "string", "default": "x"})
        second = json.dumps(second)
        client.register_schema("orders-value", Schema(first))
        message = AvroSerializer(client, first)({"a": 1}, context())
        client.register_schema("orders-value", Schema(second))
        show(write({"a": 1}, context()))
        show(AvroDeserializer(client, conf={"use.latest.version": True})(message, context()))
        show(AvroDeserializer(client, second)(message, context()))
        conf = {"use.schema.id": 1, "auto.register.schemas": False}
        show(AvroSerializer(client, conf=conf)({"a": 2}, context()))
    """,
    "strategies": """
        for conf in (
            {"subject.name.strategy": record_subject_name_strategy},
            {"subject.name.strategy": topic_record_subject_name_strategy},
            {"subject.name.strategy.type": "TOPIC"},
            {"subject.name.strategy": lambda ctx, name: f"own-{ctx.topic}-{ctx.field}-{name}"},
        ):
            write = AvroSerializer(client, ORDER, conf=conf)
            show(write(VALUE, context()), sorted(client.get_subjects()))
        show(AvroSerializer(client, ORDER, conf={"subject.name.strategy.type": "RECORD"})(VALUE))
    """,
    "references": """
        state = '{"type": "enum", "name": "ref.State", "symbols": ["NEW", "DONE"]}'
        client.register_schema("state", Schema(state, "AVRO"))
        text = '{"type": "record", "name": "ref.R", "fields": [{"name": "s", "type": "ref.State"}]}'
        schema = Schema(text, "AVRO", [SchemaReference("ref.State", "state", 1)])
        message = AvroSerializer(client, schema)({"s": "DONE"}, context())
        show(message, AvroDeserializer(client, schema)(message, context()))
        found = client.get_latest_version("orders-value")
        show(found.schema.references[0].name, found.schema.references[0].version, found.schema_id)
    """,
    "a guid in a header": """
        conf = {"schema.id.serializer": header_schema_id_serializer}
        write, read = AvroSerializer(client, ORDER, conf=conf), AvroDeserializer(client)
        for headers in ([("x", b"1")], {"x": b"1"}):
            message = write(VALUE, context(headers=headers))
            show(message, headers, read(message, context(headers=headers)))
        show(failing(lambda: write(VALUE, context()), SerializationError))
        prefixed = AvroSerializer(client, ORDER)(VALUE, context())
        only = AvroDeserializer(client, conf={"schema.id.deserializer": prefix_schema_id_deserializer})
        show(only(prefixed, context(headers=[("__value_schema_id", b"\\x01" + bytes(16))])))
    """,
    "functions of one's own for the schema's id": """
        def shout(payload, ctx, schema_id): return b"!" + schema_id.id_to_bytes() + payload
        def hear(payload, ctx, schema_id):
            import io
            return schema_id.from_bytes(io.BytesIO(payload[1:]))
        message = AvroSerializer(client, ORDER, conf={"schema.id.serializer": shout})(VALUE, context())
        show(message, AvroDeserializer(client, conf={"schema.id.deserializer": hear})(message, context()))
    """,
    "a union's record with its name": """
        text = json.dumps({"type": "record", "name": "R", "fields": [{"name": "u", "type": ["null",
            {"type": "record", "name": "n.A", "fields": [{"name": "x", "type": "int"}]},
            {"type": "record", "name": "n.B", "fields": [{"name": "x", "type": "int"}]}]}]})
        write = AvroSerializer(client, text)
        for value in ({"u": ("n.B", {"x": 1})}, {"u": {"-type": "n.B", "x": 1}}, {"u": None}):
            message = write(value, context())
            show(message, AvroDeserializer(client)(message, context()))
            show(AvroDeserializer(client, return_record_name=True)(message, context()))
            show(AvroDeserializer(client, text, return_record_name=True)(message, context()))
    """,
    "bare values": """
        for number, (text, value) in enumerate([('"string"', "abc"), ('"bytes"', b"\\x01"), ('"long"', -5)]):
            message = AvroSerializer(client, text)(value, context(f"t{number}"))
            show(message, AvroDeserializer(client)(message, context(f"t{number}")))
    """,
    "errors": """
        read = AvroDeserializer(client)
        show(failing(lambda: read(bytes.fromhex("000000006302"), context())))
        show(failing(lambda: read(b"no frame at all", context()), SerializationError))
        write = AvroSerializer(client, ORDER)
        show(failing(lambda: write({**VALUE, "id": None}, context()), ValueError, TypeError))
        client.register_schema("int-value", Schema('"int"'))
        show(failing(lambda: AvroSerializer(client, ORDER)(VALUE, context("int"))))
        show(failing(lambda: AvroSerializer(client, '{"type": "recor"}')(1, context()), Exception))
    """,
    "the client's calls": """
        first, second = Schema('"int"', "AVRO"), Schema('"long"', "AVRO")
        show(client.register_schema("s", first), client.register_schema("s", second))
        full = client.register_schema_full_response("s", second)
        show(full.schema_id, full.guid)
        found = client.get_schema(1)
        show(found.schema_str, found.schema_type, found.references, found == client.get_schema(1))
        show(client.get_schema_by_guid(full.guid).schema_str)
        latest = client.get_latest_version("s")
        show(latest.schema_id, latest.version, latest.subject, latest.guid, latest.schema.schema_str)
        show(client.get_version("s", 1).schema.schema_str, client.get_version("s").version)
        looked = client.lookup_schema("s", first)
        show(looked.schema_id, looked.version, looked.subject)
        show(client.get_subjects(), client.get_subjects("x"), client.get_subjects(subject_prefix="s"))
        show(client.get_versions("s"), client.get_referenced_by("s", 1), client.get_schema_types())
        show(client.get_subjects_by_schema_id(1))
        show([(each.subject, each.version) for each in client.get_schema_versions(1)])
        show(client.test_compatibility("s", Schema('"string"')), client.test_compatibility("s", second, 1))
        show(client.test_compatibility_all_versions("s", Schema('"double"'), verbose=True))
        show(client.get_compatibility(), client.set_compatibility("s", "full"), client.get_compatibility("s"))
        show(client.set_compatibility(level="NONE"), client.get_config().compatibility_level)
        show(client.get_config("s").compatibility_level == ConfigCompatibilityLevel.FULL)
        show(client.set_config("s", ServerConfig(compatibility=ConfigCompatibilityLevel.BACKWARD)))
        show(client.delete_config("s").compatibility, failing(lambda: client.get_config("s")))
        show(client.get_global_mode(), client.update_mode("s", "READONLY"), client.get_mode("s"))
        show(client.delete_mode("s"), client.update_global_mode("READWRITE"), client.get_contexts())
        metadata = Metadata(MetadataTags({}), MetadataProperties({"major": "1"}), [])
        client.register_schema("m", Schema('"int"', "AVRO", [], metadata))
        tagged = client.get_latest_with_metadata("m", {"major": "1"})
        show(tagged.version, tagged.schema.metadata.properties.properties)
        show(failing(lambda: client.get_latest_with_metadata("m", {"major": "2"})))
        show(client.delete_version("s", 1), client.get_versions("s"), client.get_versions("s", deleted=True))
        show(client.delete_subject("s"), client.get_subjects(), client.get_subjects(deleted=True))
        show(client.delete_version("s", 1, permanent=True), client.delete_subject("s", permanent=True))
        show(failing(lambda: client.get_latest_version("gone")), failing(lambda: client.get_schema(99)))
        show(failing(lambda: client.lookup_schema("m", second)), failing(lambda: client.get_version("m", 9)))
        show(failing(lambda: client.set_compatibility(level="SIDEWAYS")))
    """,
    "what a schema is": """
        kind, mode, params = RuleKind.CONDITION, RuleMode.WRITE, RuleParams({"a": "b"})
        rule = Rule("n", "d", kind, mode, "CEL", ["t"], params, "e", "s", "f", True)
        metadata = Metadata(MetadataTags({"p": ["t"]}), MetadataProperties({"k": "v"}), ["k"])
        schema = Schema("x", "AVRO", [SchemaReference("a", "b", 1)], metadata, RuleSet([], [rule]))
        show(schema.to_dict(), Schema("x").to_dict(), Schema("x") == Schema("x", "AVRO", []))
        answer = {"id": 1, "schema": "x", "subject": "s", "version": 2, "guid": "g"}
        found = RegisteredSchema.from_dict(answer)
        show(found.schema_id, found.guid, found.schema.schema_type, found.to_dict())
        config = {"compatibilityLevel": "FULL", "defaultMetadata": metadata.to_dict()}
        show(ServerConfig.from_dict({**config, "compatibilityGroup": "g"}).to_dict())
        show(hash(Schema("x")) == hash(Schema("x")), str(RuleMode.READ), str(ConfigCompatibilityLevel.FULL))
        show(str(MessageField.KEY), str(SchemaRegistryError(409, 40901, "no")))
    """,
    "every key": """
        keys = {"timeout": 5, "cache.capacity": 10, "cache.latest.ttl.sec": 5, "max.retries": 1,
                "proxy": None, "retries.wait.ms": 1, "retries.max.wait.ms": 2, "ssl.ca.location": None,
                "ssl.certificate.location": None, "ssl.key.location": None, "ssl.key.password": None}
        with SchemaRegistryClient({"url": URL, **keys}) as other:
            show(other.get_subjects(), other.config()["timeout"])
        conf = {"auto.register.schemas": True, "normalize.schemas": False, "use.schema.id": None,
                "use.latest.version": False, "use.latest.with.metadata": None,
                "subject.name.strategy.type": "TOPIC", "subject.name.strategy.conf": None,
                "subject.name.strategy": None, "schema.id.serializer": prefix_schema_id_serializer,
                "validate.strict": False, "validate.strict.allow.default": False,
                "validation.rules.execution": "DISABLED", "validation.rules.fail.fast": False,
                "validation.rules.executor": None}
        message = AvroSerializer(client, ORDER, None, conf)(VALUE, context())
        conf = {"use.latest.version": False, "use.latest.with.metadata": None,
                "subject.name.strategy.type": "TOPIC", "subject.name.strategy.conf": None,
                "subject.name.strategy": None, "schema.id.deserializer": dual_schema_id_deserializer}
        show(message, AvroDeserializer(client, ORDER, None, False, conf)(message, context()))
    """,
    "a schema without a name, and parts of schemas": """
        names = []
        def strategy(ctx, name):
            names.append(name)
            return f"own-{name}"
        keyed = {"subject.name.strategy.type": "TOPIC_RECORD"}
        for text, value in (('"string"', "x"), ('{"type": "array", "items": "int"}', [1]), ('"bytes"', b"x"),
                            ('{"type": "map", "values": "int"}', {}), ('["null", "int"]', 1), (ORDER, VALUE)):
            AvroSerializer(client, text, conf={"subject.name.strategy": strategy})(value, context())
            if text[0] != "[":
                show(AvroSerializer(client, text, conf=keyed)(value, context(field=MessageField.KEY)))
        show(names, client.get_subjects())
        record_type = {"subject.name.strategy.type": "RECORD"}
        show(AvroSerializer(client, '"string"', conf=record_type)("k"), client.get_subjects())
        rule = {"name": "r", "kind": "CONDITION", "mode": "READ", "type": "T", "tags": ["a"]}
        rules, tags = {"domainRules": [rule]}, {"tags": {"a": ["b"]}}
        for kind, given in ((RuleSet, {}), (RuleSet, rules), (Metadata, {}), (Metadata, tags),
                            (ServerConfig, {}), (Schema, {"schema": "x"}), (SchemaReference, {})):
            show(kind.from_dict(given).to_dict())
        for part in (RuleSet.from_dict(rules), Metadata.from_dict({}), MetadataTags({"a": ["b"]}),
                     Schema("x"), MetadataProperties({"a": "b"}), RuleParams({"a": "b"}),
                     SchemaReference("a", "b", 1)):
            show(hash(part) == hash(part))
        show(client.get_schema("1").schema_str, repr(SchemaRegistryError(404, 40401, "no")))
        headers = {"schema.id.serializer": header_schema_id_serializer}
        try:
            AvroSerializer(client, ORDER, conf=headers)(VALUE, context(headers=()))
        except SerializationError as error:
            show(str(error))
    """,
    "keys that are wrong": """
        bearer = {"url": URL, "bearer.auth.credentials.source": "STATIC_TOKEN", "bearer.auth.token": "t"}
        logical = {**bearer, "bearer.auth.logical.cluster": "c"}
        custom = {"url": URL, "bearer.auth.credentials.source": "CUSTOM"}
        named = {**custom, "bearer.auth.custom.provider.config": {}}
        for make in (
            lambda: SchemaRegistryClient({}),
            lambda: SchemaRegistryClient({"url": URL, "urll": 1}),
            lambda: SchemaRegistryClient({"url": 5}),
            lambda: SchemaRegistryClient({"url": None}),
            lambda: SchemaRegistryClient(bearer),
            lambda: SchemaRegistryClient({**logical, "bearer.auth.token": 5}),
            lambda: SchemaRegistryClient({**logical, "bearer.auth.logical.cluster": 5}),
            lambda: SchemaRegistryClient({**logical, "bearer.auth.identity.pool.id": 5}),
            lambda: SchemaRegistryClient(named),
            lambda: SchemaRegistryClient({**named, "bearer.auth.custom.provider.function": 5}),
            lambda: SchemaRegistryClient(
                {**named, "bearer.auth.custom.provider.function": lambda config: {}}
            ).get_subjects(),
            lambda: SchemaRegistryClient({"url": URL, "max.retries": "many"}),
            lambda: SchemaRegistryClient({"url": URL, "basic.auth.user.info": "nobody"}),
            lambda: SchemaRegistryClient({"url": URL, "ssl.key.location": "x"}),
            lambda: SchemaRegistryClient({"url": URL, "bearer.auth.credentials.source": "X"}),
            lambda: AvroSerializer(client, ORDER, conf={"auto.register.schema": True}),
            lambda: AvroSerializer(client, ORDER, conf={"auto.register.schemas": "yes"}),
            lambda: AvroSerializer(client, ORDER, conf={"use.latest.version": True}),
            lambda: AvroSerializer(client, ORDER, conf={"use.schema.id": "1"}),
            lambda: AvroSerializer(client, ORDER, conf={"use.latest.with.metadata": 1}),
            lambda: AvroSerializer(client, ORDER, conf={"subject.name.strategy": "TOPIC"}),
            lambda: AvroSerializer(client, ORDER, conf={"subject.name.strategy.type": "TOPICAL"}),
            lambda: AvroSerializer(client, ORDER, conf={"schema.id.serializer": 1}),
            lambda: AvroSerializer(client, ORDER, to_dict=1),
            lambda: AvroDeserializer(client, conf={"auto.register.schemas": True}),
            lambda: AvroDeserializer(client, from_dict=1),
            lambda: AvroDeserializer(client, return_record_name=1),
            lambda: AvroSerializer(client, ORDER)(VALUE),
        ):
            try:
                make()
            except (ValueError, TypeError) as error:
                show(isinstance(error, ValueError))
    """,
}


def run(imports: str, program: str, url: str) -> list[Any]:
    shown: list[Any] = []
    names: dict[str, Any] = {"show": lambda *values: shown.append(values), "URL": url}
    exec(imports + COMMON, names)
    with names["SchemaRegistryClient"]({"url": url}) as client:
        names["client"] = client
        exec(textwrap.dedent(program), names)
    return shown


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_program_gives_the_same(name: str) -> None:
    with running_registry("memory:") as one, running_registry("memory:") as other:
        theirs = run(THEIRS, PROGRAMS[name], one.url)
        ours = run(OURS, PROGRAMS[name], other.url)
    assert len(theirs) >= 1
    for number, (their, our) in enumerate(zip(theirs, ours, strict=True)):
        assert our == their, f"show number {number}"


CREDENTIALS: list[dict[str, Any]] = [
    {},
    {"basic.auth.user.info": "me:s3:cret"},
    {
        "bearer.auth.credentials.source": "STATIC_TOKEN",
        "bearer.auth.token": "a-token",
        "bearer.auth.logical.cluster": "lsrc-1",
        "bearer.auth.identity.pool.id": "pool-1",
    },
    {
        "bearer.auth.credentials.source": "CUSTOM",
        "bearer.auth.custom.provider.function": lambda config: {
            "bearer.auth.token": config["token"],
            "bearer.auth.logical.cluster": "lsrc-2",
            "bearer.auth.identity.pool.id": "pool-2",
        },
        "bearer.auth.custom.provider.config": {"token": "another"},
    },
]


@pytest.mark.parametrize("given", CREDENTIALS, ids=["none", "basic", "static", "custom"])
def test_the_registry_is_shown_the_same(given: dict[str, Any]) -> None:
    shown: list[dict[str, str]] = []
    for kind in (TheirClient, confluent.SchemaRegistryClient):
        server = Behaving(sent(200, []))
        with server.listening() as url, kind({"url": url, **given}) as client:
            assert client.get_subjects() == []
        lines = server.requests[0].decode().lower().split("\r\n")
        wanted = ("authorization", "target-sr-cluster", "confluent-identity-pool-id")
        shown.append({line.partition(":")[0]: line for line in lines if line.startswith(wanted)})
    assert shown[0] == shown[1]
    assert len(shown[0]) == (3 if len(given) > 1 else len(given))


ABSENT = {
    "Association",
    "AssociationCreateOrUpdateInfo",
    "AssociationCreateOrUpdateRequest",
    "AssociationInfo",
    "AssociationResponse",
    "AsyncSchemaRegistryClient",
}
ABSENT_CALLS = {"create_association", "delete_associations", "get_associations_by_resource_name"}


def test_what_is_not_there_is_what_the_page_says() -> None:
    assert {name for name in their_package.__all__ if not hasattr(confluent, name)} == ABSENT
    calls = {name for name in vars(TheirClient) if not name.startswith("_")}
    assert {name for name in calls if not hasattr(confluent.SchemaRegistryClient, name)} == ABSENT_CALLS
    assert hasattr(confluent.error, "OAuthTokenError")
    assert confluent.serialization.SerializationError is confluent.SerializationError


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    found = inspect.signature(function).parameters.values()
    # A default that a field makes anew is shown in two ways.
    made = {attr.NOTHING, dataclasses._HAS_DEFAULT_FACTORY}  # type: ignore[attr-defined]
    return [(each.name, each.kind, "made" if each.default in made else each.default) for each in found]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (getattr(their_package, name), getattr(confluent, name))
        for name in sorted(set(their_package.__all__) - ABSENT - {"SchemaRegistryError"})
    ]
    + [(TheirSerializer, AvroSerializer), (TheirDeserializer, AvroDeserializer)],
    ids=lambda given: given.__name__,
)
def test_every_signature_is_theirs(theirs: Any, ours: Any) -> None:
    if not isinstance(theirs, type):
        assert [name for name, _, _ in parameters(ours)] == [name for name, _, _ in parameters(theirs)]
        return
    if not issubclass(theirs, enum.Enum):
        assert parameters(ours) == parameters(theirs)
    own = {name for name in vars(theirs) if not name.startswith("_")} & vars(ours).keys()
    for name in own | ({"__call__"} & vars(ours).keys()):
        if inspect.isroutine(getattr(theirs, name)):
            assert parameters(getattr(ours, name)) == parameters(getattr(theirs, name)), name


def test_what_is_said_is_said_in_the_keys_of_this_face() -> None:
    with running_registry("memory:") as server, confluent.SchemaRegistryClient({"url": server.url}) as client:
        context = confluent.SerializationContext("t", confluent.MessageField.VALUE)
        with pytest.raises(confluent.SerializationError, match=r"or use auto\.register\.schemas"):
            AvroSerializer(client, '"int"', conf={"auto.register.schemas": False})(1, context)
    for conf, problem in (
        ({"url": "mock://"}, "embedded: is the real registry"),
        ({"url": "http://one", **CREDENTIALS[1], **CREDENTIALS[2]}, "give one of them"),
    ):
        with pytest.raises(ValueError, match=problem):
            confluent.SchemaRegistryClient(conf)
    with confluent.SchemaRegistryClient({"url": "embedded:"}) as client:
        with pytest.raises(ValueError, match="ASSOCIATED is not supported"):
            AvroSerializer(client, '"int"', conf={"subject.name.strategy.type": "ASSOCIATED"})
        with pytest.raises(TypeError, match="a subject is text, not None"):
            client.get_versions(None)  # type: ignore[arg-type]
    no_token = {"bearer.auth.issuer.endpoint.url": "http://127.0.0.1:1/token", "max.retries": 0}
    oauth = {
        f"bearer.auth.{name}": "x" for name in ("client.id", "client.secret", "scope", "logical.cluster")
    }
    conf = {"url": "http://one", "bearer.auth.credentials.source": "OAUTHBEARER", **oauth, **no_token}
    with (
        confluent.SchemaRegistryClient(conf) as client,
        pytest.raises(confluent.OAuthTokenError, match="Connection refused") as caught,
    ):
        client.get_subjects()
    assert isinstance(caught.value, serde.TokenError)
    assert (caught.value.message, caught.value.status_code) == (caught.value.reason, None)


def test_their_client_is_not_taken_for_ours() -> None:
    with (
        TheirClient({"url": "http://127.0.0.1:1"}) as client,
        pytest.raises(TypeError, match=r"give serde\.conf"),
    ):
        AvroSerializer(client, '"int"')


def test_the_errors_say_what_ours_say() -> None:
    with running_registry("memory:") as server, confluent.SchemaRegistryClient({"url": server.url}) as client:
        context = confluent.SerializationContext("t", confluent.MessageField.VALUE)
        write, read = AvroSerializer(client, '"int"'), AvroDeserializer(client)
        with pytest.raises(confluent.SerializationError) as caught:
            write("x", context)
        assert isinstance(caught.value, serde.SerializationError)
        assert str(caught.value) == "subject 't-value', schema 1: expected int, got 'x'"
        with pytest.raises(confluent.SerializationError) as caught:
            read(b"\0\0\0\0\x63\x02", context)
        assert isinstance(caught.value, serde.DeserializationError)
        assert isinstance(caught.value, confluent.SchemaRegistryError)
        assert (caught.value.data, caught.value.topic) == (b"\0\0\0\0\x63\x02", "t")
        assert (caught.value.http_status_code, caught.value.error_code) == (404, 40403)
        assert isinstance(caught.value.__cause__, serde.SchemaNotFound)
        with pytest.raises(serde.SerdeError, match="1 bytes are left after the value"):
            read(b"\0\0\0\0\x01\x02\x00", context)
    with (
        confluent.SchemaRegistryClient({"url": "http://127.0.0.1:1", "max.retries": 0}) as client,
        pytest.raises(serde.RegistryUnreachable),
    ):
        AvroSerializer(client, '"int"')(1, context)
