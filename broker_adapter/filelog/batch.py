"""Kafka's record batch, version 2: many records to bytes and back.

Owns no file. Pure functions over bytes: any thread, any process.

A batch is a header of 61 bytes (`HEADER`) and its records, compressed as one
block where a codec is set. All numbers are big endian; in a record they are
zigzag varints. Bytes 0-7 (base offset) and 12-15 (leader epoch) are the log's
to write and stand outside the checksum, so a log stores a producer's batch
unchanged from byte 16 on.

The format: https://kafka.apache.org/documentation/#recordbatch
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from struct import Struct
from types import ModuleType
from typing import Final, NamedTuple, TypeAlias

from crc32c import crc32c

from broker_adapter.broker import Header, RawRecord, Record, TimestampType
from broker_adapter.errors import CorruptBatch
from broker_adapter.filelog.compression import Codec, compress, decompress
from broker_adapter.filelog.native import built

HEADER: Final = Struct(">qiibIhiqqqhii")
HEADER_SIZE: Final = HEADER.size
OVERHEAD: Final = 12
"""The bytes of base offset and length, which batchLength does not count."""
CRC_FROM: Final = 21
"""The checksum covers a batch from here to its end."""
PREFIX: Final = Struct(">qii")
"""Base offset, length and leader epoch: what the log may rewrite."""
MAX_RECORD_OVERHEAD: Final = 5 + 1 + 10 + 5 + 5 + 5 + 5
"""The most bytes that a record without headers can need beside its key and value."""

_MAGIC: Final = 2
_CODEC_BITS: Final = 0x07
_LOG_APPEND_TIME_BIT: Final = 0x08
_TRANSACTIONAL_BIT: Final = 0x10
_CONTROL_BIT: Final = 0x20
_DELETE_HORIZON_BIT: Final = 0x40
_CHECKED: Final = Struct(">hiqqqhii")
_HEAD: Final = Struct(">qiibI")


_native: Final[ModuleType | None] = built("records")

NewRecord: TypeAlias = tuple[int, bytes | None, bytes | None, Sequence[Header]]
"""A record to write: timestamp in ms, key, value, headers."""


class ProducerSequence(NamedTuple):
    """Who made a batch, and the sequence number of its first record; all -1 if it is not idempotent."""

    producer_id: int
    epoch: int
    sequence: int


NO_PRODUCER: Final = ProducerSequence(-1, -1, -1)


class BatchHeader(NamedTuple):
    """The 61 bytes before a batch's records, with Kafka's names. Read without unpacking the records."""

    base_offset: int
    batch_length: int
    partition_leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    base_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records_count: int

    @property
    def size(self) -> int:
        """The whole batch in bytes, this header included."""
        return self.batch_length + OVERHEAD

    @property
    def last_offset(self) -> int:
        """The offset of the batch's last record (or of the last it had before compaction)."""
        return self.base_offset + self.last_offset_delta

    @property
    def codec(self) -> int:
        """The compression codec's number."""
        return self.attributes & _CODEC_BITS

    @property
    def timestamp_type(self) -> TimestampType:
        """Whose clock the records' timestamps are of."""
        return TimestampType((self.attributes & _LOG_APPEND_TIME_BIT) >> 3)

    @property
    def is_control(self) -> bool:
        """Whether the records are a transaction's markers and not anybody's data."""
        return bool(self.attributes & _CONTROL_BIT)

    @property
    def is_transactional(self) -> bool:
        """Whether the records belong to a transaction."""
        return bool(self.attributes & _TRANSACTIONAL_BIT)

    @property
    def delete_horizon(self) -> int | None:
        """The time (ms) from which on the batch's tombstones may be compacted away, if it has one."""
        return self.base_timestamp if self.attributes & _DELETE_HORIZON_BIT else None


# ---------------------------------------------------------------- varints


def encode_varint(number: int) -> bytes:
    """`number` (a signed 64-bit integer) as a zigzag varint, one to ten bytes."""
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append((rest & 0x7F) | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def decode_varint(data: bytes, at: int) -> tuple[int, int]:
    """The zigzag varint at `at`, and where it ends. Raises `CorruptBatch` if it is cut short or too long."""
    result = shift = 0
    try:
        while True:
            byte = data[at]
            at += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
    except IndexError:
        raise CorruptBatch("a batch's records end within a number") from None
    if result >> 64:
        raise CorruptBatch("a batch's record has a number of more than 64 bits")
    return (result >> 1) ^ -(result & 1), at


_SMALL: Final = tuple(encode_varint(number) for number in range(4096))
_NULL: Final = encode_varint(-1)
_SHORT: Final = tuple((raw >> 1) ^ -(raw & 1) for raw in range(1 << 14))
"""What one and two varint bytes mean, by their 7 or 14 bits."""


def _varint(number: int) -> bytes:
    return _SMALL[number] if 0 <= number < 4096 else encode_varint(number)


# ---------------------------------------------------------------- writing


def encode_batch(
    records: Sequence[NewRecord],
    codec: Codec = Codec.NONE,
    producer: tuple[int, int, int] = NO_PRODUCER,
) -> bytes:
    """A whole batch of `records` (at least one), with base offset 0 and leader epoch 0.

    The base timestamp is the first record's, as Java's producer has it.
    `producer` is a `ProducerSequence`; without one the batch is not idempotent.
    """
    base_timestamp = records[0][0]
    max_timestamp = max(record[0] for record in records)
    body = encode_records(records, base_timestamp)
    count = len(records)
    return _assemble(body, 0, 0, codec, count - 1, base_timestamp, max_timestamp, producer, count)


def replacement_batch(
    header: BatchHeader, records: Sequence[tuple[int, NewRecord]], max_timestamp: int, horizon: int | None
) -> bytes:
    """The batch of `header` with only `records` left, each with its offset's distance from the first.

    Offsets, producer and sequence numbers stay as they were. `horizon` is the delete horizon, if any.
    """
    if horizon is None:
        attributes, base_timestamp = header.attributes & ~_DELETE_HORIZON_BIT, records[0][1][0]
    else:
        attributes, base_timestamp = header.attributes | _DELETE_HORIZON_BIT, horizon
    return _assemble(
        b"".join(_encode_records(records, base_timestamp)),
        header.base_offset,
        header.partition_leader_epoch,
        attributes,
        header.last_offset_delta,
        base_timestamp,
        max_timestamp,
        ProducerSequence(header.producer_id, header.producer_epoch, header.base_sequence),
        len(records),
    )


def empty_batch(header: BatchHeader) -> bytes:
    """The batch of `header` with no record left. It says which offsets and sequence numbers are gone."""
    return _assemble(
        b"",
        header.base_offset,
        header.partition_leader_epoch,
        header.attributes & _LOG_APPEND_TIME_BIT,
        header.last_offset_delta,
        header.max_timestamp,
        header.max_timestamp,
        ProducerSequence(header.producer_id, header.producer_epoch, header.base_sequence),
        0,
    )


def _assemble(
    body: bytes,
    base_offset: int,
    leader_epoch: int,
    attributes: int,
    last_offset_delta: int,
    base_timestamp: int,
    max_timestamp: int,
    producer: tuple[int, int, int],
    count: int,
) -> bytes:
    codec = attributes & _CODEC_BITS
    if codec:
        body = compress(Codec(codec), body)
    checked = _CHECKED.pack(attributes, last_offset_delta, base_timestamp, max_timestamp, *producer, count)
    crc = crc32c(body, crc32c(checked))
    head = _HEAD.pack(base_offset, HEADER_SIZE - OVERHEAD + len(body), leader_epoch, _MAGIC, crc)
    return b"".join((head, checked, body))


def with_append_time(batch: bytes, now: int) -> bytes:
    """`batch` with the append time `now` (ms) instead of its records' own timestamps, and a new checksum."""
    data = bytearray(batch)
    header = BatchHeader._make(HEADER.unpack_from(data))
    attributes = header.attributes | _LOG_APPEND_TIME_BIT
    stamped = header._replace(attributes=attributes, max_timestamp=now)
    HEADER.pack_into(data, 0, *stamped)
    HEADER.pack_into(data, 0, *stamped._replace(crc=crc32c(memoryview(data)[CRC_FROM:])))
    return bytes(data)


def encode_records(records: Sequence[NewRecord], base_timestamp: int) -> bytes:
    """The body of a batch of `records`, uncompressed."""
    if _native is not None and type(records) is list:
        try:
            body: bytes = _native.encode_records(records, base_timestamp)
        except (ValueError, TypeError, OverflowError):
            pass  # what is not plainly right is for the code below to take or to refuse
        else:
            return body
    return b"".join(_encode_records(enumerate(records), base_timestamp))


def _encode_records(records: Iterable[tuple[int, NewRecord]], base_timestamp: int) -> list[bytes]:
    # The hot loop: one table look-up per small number and one formatting per record.
    small = _SMALL
    parts: list[bytes] = []
    append = parts.append
    for delta, (timestamp, key, value, headers) in records:
        elapsed = timestamp - base_timestamp
        time = small[elapsed] if 0 <= elapsed < 4096 else encode_varint(elapsed)
        place = small[delta] if delta < 4096 else encode_varint(delta)
        if key is None:
            key_length, key = _NULL, b""
        else:
            length = len(key)
            key_length = small[length] if length < 4096 else encode_varint(length)
        if value is None:
            value_length, value = _NULL, b""
        else:
            length = len(value)
            value_length = small[length] if length < 4096 else encode_varint(length)
        tail = _encode_headers(headers) if headers else b"\x00"
        length = (
            1
            + len(time)
            + len(place)
            + len(key_length)
            + len(key)
            + len(value_length)
            + len(value)
            + len(tail)
        )
        size = small[length] if length < 4096 else encode_varint(length)
        append(b"%b\x00%b%b%b%b%b%b%b" % (size, time, place, key_length, key, value_length, value, tail))
    return parts


def _encode_headers(headers: Sequence[Header]) -> bytes:
    parts = [_varint(len(headers))]
    for name, value in headers:
        encoded = name.encode()
        parts += (_varint(len(encoded)), encoded)
        parts += (_NULL,) if value is None else (_varint(len(value)), value)
    return b"".join(parts)


# ---------------------------------------------------------------- reading


def read_header(data: bytes | memoryview, at: int = 0) -> BatchHeader:
    """The header of the batch at `at`; the records are not looked at and need not be there.

    Raises `CorruptBatch` if fewer than 61 bytes are left, or they are not
    the header of a batch of version 2.
    """
    if len(data) - at < HEADER_SIZE:
        raise CorruptBatch(
            f"a batch is cut short: {len(data) - at} of a header's {HEADER_SIZE} bytes are there"
        )
    header = BatchHeader._make(HEADER.unpack_from(data, at))
    if header.magic != _MAGIC:
        raise CorruptBatch(f"a batch has format version {header.magic}; only version {_MAGIC} is read")
    if header.batch_length < HEADER_SIZE - OVERHEAD or header.last_offset_delta < 0 or header.base_offset < 0:
        raise CorruptBatch(
            f"a batch's header cannot be: offset {header.base_offset}, length {header.batch_length}, "
            f"last offset delta {header.last_offset_delta}"
        )
    return header


def check_batch(data: bytes | memoryview, at: int = 0) -> BatchHeader:
    """The header of the batch at `at`, after checking that the batch is whole and its checksum right.

    Raises `CorruptBatch`. A change of base offset or leader epoch cannot be
    seen here, since Kafka's checksum leaves them out: a log compares the
    offsets with their neighbours'.
    """
    header = read_header(data, at)
    end = at + header.size
    if end > len(data):
        raise CorruptBatch(
            f"the batch of offset {header.base_offset} is cut short: {len(data) - at} of its "
            f"{header.size} bytes are there"
        )
    found = crc32c(memoryview(data)[at + CRC_FROM : end])
    if found != header.crc:
        raise CorruptBatch(
            f"the batch of offset {header.base_offset} is damaged: its checksum says {header.crc:08x}, "
            f"its bytes {found:08x}"
        )
    return header


_make_record: Final[Callable[[tuple[object, ...]], RawRecord]] = partial(tuple.__new__, Record)


def decode_batch(
    data: bytes, at: int = 0, *, topic: str = "", partition: int = 0, from_offset: int = 0
) -> list[RawRecord]:
    """The records of the batch at `at`, checked, from `from_offset` on.

    Control batches have no records for a reader. Raises `CorruptBatch`.
    """
    header = check_batch(data, at)
    if header.is_control:
        return []
    body = data[at + HEADER_SIZE : at + header.size]
    records = decode_records(decompress(header.codec, body), header, topic, partition)
    if from_offset > header.base_offset:
        return [record for record in records if record.offset >= from_offset]
    return records


def decode_records(body: bytes, header: BatchHeader, topic: str, partition: int) -> list[RawRecord]:
    """The records of a batch's body, uncompressed. Raises `CorruptBatch`."""
    if _native is not None:
        kind = header.timestamp_type
        append_time = header.max_timestamp if kind else None
        try:
            records: list[RawRecord] = _native.decode_records(
                body,
                Record,
                topic,
                partition,
                header.base_offset,
                header.base_timestamp,
                append_time,
                kind,
                header.records_count,
            )
        except ValueError:
            pass  # what is not plainly right is for the code below to take or to refuse
        else:
            return _within_offsets(records, header)
    return _checked_records(_decode_records(body, header, topic, partition), header)


def _decode_records(  # noqa: C901 - numbers are read in place: a call for each would halve the speed
    body: bytes, header: BatchHeader, topic: str, partition: int
) -> list[RawRecord]:
    kind = header.timestamp_type
    base_offset, base_timestamp = header.base_offset, header.base_timestamp
    records: list[RawRecord] = []
    append, make, short, no_headers = records.append, _make_record, _SHORT, ()
    at, size = 0, len(body)
    try:
        while at < size:
            if (low := body[at]) < 0x80:
                end = at + 1 + short[low]
                at += 2
            elif (high := body[at + 1]) < 0x80:
                end = at + 2 + short[low & 0x7F | high << 7]
                at += 3
            else:
                end, at = decode_varint(body, at)
                end, at = end + at, at + 1
            if (elapsed := body[at]) < 0x80:
                elapsed, at = short[elapsed], at + 1
            else:
                elapsed, at = decode_varint(body, at)
            if (low := body[at]) < 0x80:
                delta, at = short[low], at + 1
            elif (high := body[at + 1]) < 0x80:
                delta, at = short[low & 0x7F | high << 7], at + 2
            else:
                delta, at = decode_varint(body, at)
            if (length := body[at]) < 0x80:
                length, at = short[length], at + 1
            else:
                length, at = decode_varint(body, at)
            key = body[at : (at := at + length)] if length >= 0 else None
            if (low := body[at]) < 0x80:
                length, at = short[low], at + 1
            elif (high := body[at + 1]) < 0x80:
                length, at = short[low & 0x7F | high << 7], at + 2
            else:
                length, at = decode_varint(body, at)
            value = body[at : (at := at + length)] if length >= 0 else None
            headers: tuple[Header, ...] = no_headers
            if body[at]:
                headers, at = _decode_headers(body, at)
            else:
                at += 1
            if at != end:
                raise CorruptBatch(
                    f"the batch of offset {base_offset} has a record that does not fill its length"
                )
            append(
                make(
                    (
                        topic,
                        partition,
                        base_offset + delta,
                        base_timestamp + elapsed,
                        kind,
                        key,
                        value,
                        headers,
                    )
                )
            )
    except IndexError:
        raise CorruptBatch(f"the batch of offset {base_offset} ends within a record") from None
    return records


def _decode_headers(body: bytes, at: int) -> tuple[tuple[Header, ...], int]:
    count, at = decode_varint(body, at)
    if count < 0:
        raise CorruptBatch(f"a batch's record has {count} headers")
    headers: list[Header] = []
    for _ in range(count):
        length, at = decode_varint(body, at)
        end = at + length
        if length < 0 or end > len(body):
            raise CorruptBatch(f"a batch's record has a header name of {length} bytes")
        try:
            name = body[at:end].decode()
        except UnicodeDecodeError as error:
            raise CorruptBatch(f"a batch's record has a header name that is not UTF-8: {error}") from error
        length, at = decode_varint(body, end)
        if length < -1:
            raise CorruptBatch(f"a batch's record has a header value of {length} bytes")
        headers.append((name, None if length < 0 else body[at : (at := at + length)]))
    return tuple(headers), at


def _checked_records(records: list[RawRecord], header: BatchHeader) -> list[RawRecord]:
    if len(records) != header.records_count:
        raise CorruptBatch(
            f"the batch of offset {header.base_offset} says {header.records_count} records "
            f"and holds {len(records)}"
        )
    if header.timestamp_type:
        records = [record._replace(timestamp=header.max_timestamp) for record in records]
    return _within_offsets(records, header)


def _within_offsets(records: list[RawRecord], header: BatchHeader) -> list[RawRecord]:
    if records and (records[0].offset < header.base_offset or records[-1].offset > header.last_offset):
        raise CorruptBatch(f"the batch of offset {header.base_offset} has a record outside its offsets")
    return records
