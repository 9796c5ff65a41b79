"""Values to messages in Confluent's wire formats with Avro, and back, for asyncio."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from serde.async_client import AsyncRegistryClient
from serde.bulk_reading import ErrorHandler, Nulls, read_batch, read_many
from serde.codec import Fault
from serde.codec.binary import as_message
from serde.errors import DeserializationError
from serde.framing import PREFIX_SIZE, GivenHeaders, Headers, drop_header, frame_in_headers, put_header
from serde.model import Schema
from serde.reading import Reading
from serde.writing import Entry, Writing

if TYPE_CHECKING:
    import pyarrow as pa


class AsyncAvroSerializer(Writing[AsyncRegistryClient]):
    """AvroSerializer for asyncio: the same options, on an AsyncRegistryClient.

        serializer = AsyncAvroSerializer(client, schema_text)
        message = await serializer({"id": 7}, "orders")

    Only a topic's first message waits for anything. Use one serializer from any number of tasks of one
    event loop.
    """

    _CLIENT = AsyncRegistryClient

    async def __call__(self, value: Any, topic: str, headers: Headers | None = None) -> bytes | None:
        """See `serde.avro.AvroSerializer`."""
        if value is None:
            return None
        if self._to_dict is not None:
            value = self._to_dict(value)
        try:
            encode = self._encode.get(topic)
        except TypeError:  # not even hashable: what follows says so
            encode = None
        if encode is None:
            entry = await self._entry(topic)
            return self._written(entry, value, topic, headers)
        try:
            message = encode(value)
        except Fault as fault:
            raise self._refusal(fault, topic) from None
        if self._in_header:
            put_header(headers, self._header_name, self._headers[topic])
        elif headers:
            drop_header(headers, self._header_name)
        return message

    async def serialize_many(
        self, values: Iterable[Any], topic: str, headers: Sequence[Headers] | None = None
    ) -> list[bytes | None]:
        """See `serde.avro.AvroSerializer.serialize_many`."""
        entry = await self._entry(topic)
        return self._written_many(entry, values, topic, headers)

    async def from_arrow(
        self, batch: "pa.RecordBatch | pa.Table", topic: str, headers: Sequence[Headers] | None = None
    ) -> list[bytes]:
        """See `serde.avro.AvroSerializer.from_arrow`."""
        entry = await self._entry(topic)
        return self._written_rows(entry, batch, topic, headers)

    async def schema_for(self, topic: str) -> Schema:
        """The schema that messages to a topic are written with; asks the registry as a first message does."""
        return (await self._entry(topic)).schema

    async def _entry(self, topic: str) -> Entry:
        entry = self._known(topic)
        return await self._client._driver.run(self._prepare(topic)) if entry is None else entry


class AsyncAvroDeserializer(Reading[AsyncRegistryClient]):
    """AvroDeserializer for asyncio: the same options, on an AsyncRegistryClient.

        deserializer = AsyncAvroDeserializer(client)
        value = await deserializer(message, "orders")

    Only the first message of a schema waits for anything. Use one deserializer from any number of tasks of
    one event loop.
    """

    _CLIENT = AsyncRegistryClient

    async def __call__(
        self,
        data: bytes | bytearray | memoryview | None,
        topic: str | None = None,
        headers: GivenHeaders | None = None,
        *,
        partition: int | None = None,
        offset: int | None = None,
    ) -> Any:
        """See `serde.avro.AvroDeserializer`."""
        if data is None:
            return None
        if type(data) is not bytes:
            data = as_message(data)
        framed = frame_in_headers(headers, self._header_name) if headers else None
        decode = self._decoders.get(data[:PREFIX_SIZE] if framed is None else framed)
        try:
            if decode is None:
                frame, start = self._frame(data, topic, headers)
                decode = self._known(topic, frame)
                if decode is None:
                    decode = await self._client._driver.run(self._prepare(data, topic, frame))
                value = decode(data, start)
            else:
                value = decode(data, PREFIX_SIZE if framed is None else 0)
        except Fault as fault:
            error = self._refusal(fault, data, topic, headers)
            error.partition, error.offset = partition, offset
            raise error from fault.__cause__
        except DeserializationError as error:
            error.partition, error.offset = partition, offset
            raise
        return value if self._from_dict is None else self._from_dict(value)

    async def deserialize_many(
        self,
        values: Iterable[bytes | bytearray | memoryview | None],
        topic: str | None = None,
        headers: Sequence[GivenHeaders | None] | None = None,
        *,
        on_error: ErrorHandler | None = None,
    ) -> list[Any]:
        """See `serde.avro.AvroDeserializer.deserialize_many`."""
        return await self._client._driver.run(read_many(self, values, topic, headers, on_error))

    async def to_arrow(
        self,
        values: Iterable[bytes | bytearray | memoryview | None],
        topic: str | None = None,
        headers: Sequence[GivenHeaders | None] | None = None,
        *,
        nulls: Nulls = "refuse",
        on_error: ErrorHandler | None = None,
    ) -> "pa.RecordBatch":
        """See `serde.avro.AvroDeserializer.to_arrow`."""
        return await self._client._driver.run(read_batch(self, values, topic, headers, nulls, on_error))
