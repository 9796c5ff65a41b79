"""``fivebyte produce`` and ``fivebyte consume``: records in and out through the serdes, as JSON lines."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

import click

from broker_adapter import Record, connect
from fivebyte.cli.json_lines import NotOfSchema, from_json, key_to_json, to_json
from fivebyte.cli.options import (
    broker_option,
    counted,
    opened_registry,
    read_schema,
    references_option,
    registry_option,
)
from serde import AvroDeserializer, AvroSerializer, Reference
from serde.codec import parse_schema

if TYPE_CHECKING:
    from serde.codec.schema import Node


@click.command(
    epilog="Example: fivebyte produce orders orders.jsonl --schema order.avsc --key-field customer"
)
@click.argument("topic")
@click.argument("file", type=click.File("rb"), default="-")
@click.option(
    "--schema",
    "schema_file",
    type=click.File(encoding="utf-8-sig"),
    help="The schema to write with; it is registered. Default: the newest version of TOPIC-value.",
)
@references_option
@click.option("--key-field", metavar="FIELD", help="The field whose value, as text, is the record's key.")
@click.option("--container", is_flag=True, help="FILE is an Avro container file with a schema of its own.")
@registry_option
@broker_option
def produce(
    topic: str,
    file: BinaryIO,
    schema_file: TextIO | None,
    references: tuple[Reference, ...],
    key_field: str | None,
    container: bool,
    registry: str,
    broker: str,
) -> None:
    """Write the JSON lines in FILE (default: standard input) to TOPIC as Avro records."""
    if container and schema_file:
        raise click.UsageError("a container file has its own schema: leave --schema out")
    text = read_schema(schema_file) if schema_file else None
    with opened_registry(registry) as client, connect(broker) as opened, opened.producer() as producer:
        if container:
            text, values = _container(file)
        serializer = AvroSerializer(client, text, references=references, use_latest=text is None)
        if not container:
            registered = serializer.schema_for(topic)
            texts = client.referenced_texts(registered.references)
            values = _json_lines(file, parse_schema(registered.text, texts).root)
        count = 0
        for place, value in values:
            message = _serialized(serializer, value, topic, place)
            producer.send(topic, message, key=_key(value, key_field, place))
            count += 1
        producer.flush()
        click.echo(f"wrote {counted(count, 'record')} to {topic}", err=True)


@click.command(epilog="Example: fivebyte consume orders --group billing --with-metadata")
@click.argument("topic")
@click.option("--group", help="Go on where this group stopped, and commit what was printed.")
@click.option(
    "--schema", "schema_file", type=click.File(encoding="utf-8-sig"), help="Give all in this schema."
)
@references_option
@click.option("--max-records", type=click.IntRange(min=1), help="Stop after so many.")
@click.option("--follow", is_flag=True, help="Wait for more at the end; stop with Ctrl-C.")
@click.option("--with-metadata", is_flag=True, help="Print partition, offset, timestamp and key as well.")
@registry_option
@broker_option
def consume(
    topic: str,
    group: str | None,
    schema_file: TextIO | None,
    references: tuple[Reference, ...],
    max_records: int | None,
    follow: bool,
    with_metadata: bool,
    registry: str,
    broker: str,
) -> None:
    """Read TOPIC's records from its beginning, or where --group stopped, as JSON lines."""
    text = read_schema(schema_file) if schema_file else None
    with opened_registry(registry) as client, connect(broker) as opened:
        deserializer = AvroDeserializer(client, text, references=references)
        with opened.consumer(topic, group=group, value_deserializer=deserializer) as consumer:
            left = max_records
            # A file log has its records at hand; Kafka has to be waited for, a group's partitions above all.
            patience = 1.0 if follow else 5.0 if broker.startswith("kafka:") else 0.0
            if group and not consumer.assignment():
                patience = max(patience, 1.0)  # other members have to let go of partitions first
            while left is None or left > 0:
                records = consumer.poll(patience, min(left or 500, 500))
                if not records and not follow:
                    return
                for record in records:
                    click.echo(_line(record, with_metadata))
                if group and records:
                    consumer.commit()
                left = None if left is None else left - len(records)


def _json_lines(file: BinaryIO, node: "Node") -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        place = f"{file.name}, line {number}"
        try:
            yield place, from_json(node, json.loads(line))
        except NotOfSchema as error:
            raise click.ClickException(f"{place}: {error}") from None
        except (ValueError, RecursionError) as error:
            raise click.ClickException(f"{place}: not a JSON value: {error}") from None


def _container(file: BinaryIO) -> tuple[str, Iterator[tuple[str, Any]]]:
    """The schema and the records of an Avro object container file."""
    import fastavro

    try:
        reader = fastavro.reader(file)
        text = json.dumps(json.loads(reader.metadata["avro.schema"]))
    except (ValueError, KeyError, EOFError, IndexError) as error:
        raise click.ClickException(f"{file.name} is no Avro container file: {error}") from None

    def records() -> Iterator[tuple[str, Any]]:
        try:
            for number, value in enumerate(reader, 1):
                yield f"{file.name}, record {number}", value
        except (ValueError, EOFError, IndexError, UnicodeDecodeError) as error:
            raise click.ClickException(f"{file.name} is damaged: {error}") from None

    return text, records()


def _serialized(serializer: AvroSerializer, value: Any, topic: str, place: str) -> bytes | None:
    from serde import SerializationError

    try:
        return serializer(value, topic)
    except SerializationError as error:
        raise click.ClickException(f"{place}: {error}") from None


def _key(value: Any, field: str | None, place: str) -> bytes | None:
    if field is None:
        return None
    if not isinstance(value, dict) or field not in value:
        raise click.ClickException(f"{place}: the record has no field {field!r} to take the key from")
    key = value[field]
    return None if key is None else str(key).encode()


def _line(record: Record[bytes | None, Any], with_metadata: bool) -> str:
    if not with_metadata:
        return to_json(record.value)
    return to_json(
        {
            "partition": record.partition,
            "offset": record.offset,
            "timestamp": record.timestamp,
            "key": key_to_json(record.key),
            "value": record.value,
        }
    )
