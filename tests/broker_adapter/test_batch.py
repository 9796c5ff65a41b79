"""A record batch's bytes: pinned, and every damage to them found."""

from struct import pack, unpack_from

import pytest
from crc32c import crc32c
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_adapter.broker import Record, TimestampType
from broker_adapter.errors import CorruptBatch
from broker_adapter.filelog.batch import (
    HEADER_SIZE,
    NewRecord,
    check_batch,
    decode_batch,
    decode_varint,
    encode_batch,
    encode_varint,
    read_header,
)
from broker_adapter.filelog.compression import Codec, compress, decompress

NOW = 1_700_000_000_000

records = st.lists(
    st.tuples(
        st.integers(0, 2**62),
        st.none() | st.binary(max_size=300),
        st.none() | st.binary(max_size=5000),
        st.lists(st.tuples(st.text(max_size=20), st.none() | st.binary(max_size=200)), max_size=4).map(tuple),
    ),
    min_size=1,
    max_size=30,
)


def with_crc(batch: bytes) -> bytes:
    """The batch with the checksum of what is in it now."""
    return batch[:17] + pack(">I", crc32c(batch[21:])) + batch[21:]


def with_body(body: bytes, count: int) -> bytes:
    """A batch of `count` records with a right checksum over any `body`."""
    batch = bytearray(encode_batch([(NOW, None, None, ())])[:HEADER_SIZE] + body)
    batch[8:12] = pack(">i", len(batch) - 12)
    batch[23:27] = pack(">i", count - 1)
    batch[57:61] = pack(">i", count)
    return with_crc(bytes(batch))


def test_bytes_are_those_of_the_specification() -> None:
    batch = encode_batch([(NOW, b"k", b"vv", (("a", b"b"),)), (NOW + 5, None, None, ())])
    assert batch.hex(" ") == (
        "00 00 00 00 00 00 00 00 "  # base offset
        "00 00 00 46 "  # length: what follows
        "00 00 00 00 "  # leader epoch
        "02 "  # magic
        "6e 0a da 4d "  # CRC-32C of what follows
        "00 00 "  # attributes
        "00 00 00 01 "  # last offset delta
        "00 00 01 8b cf e5 68 00 "  # base timestamp
        "00 00 01 8b cf e5 68 05 "  # largest timestamp
        "ff ff ff ff ff ff ff ff "  # producer id
        "ff ff "  # producer epoch
        "ff ff ff ff "  # base sequence
        "00 00 00 02 "  # number of records
        "1a 00 00 00 02 6b 04 76 76 02 02 61 02 62 "  # 13 bytes, attributes, +0 ms, +0, "k", "vv", a header
        "0c 00 0a 02 01 01 00"  # 6 bytes, attributes, +5 ms, +1, null, null, no headers
    )


@given(records, st.sampled_from(Codec))
def test_what_is_written_is_read(written: list[NewRecord], codec: Codec) -> None:
    batch = encode_batch(written, codec)
    read = decode_batch(batch, topic="t", partition=3)
    assert read == [
        Record("t", 3, offset, timestamp, TimestampType.CREATE_TIME, key, value, tuple(headers))
        for offset, (timestamp, key, value, headers) in enumerate(written)
    ]
    header = read_header(batch)
    assert header.size == len(batch)
    assert header.records_count == len(written) == header.last_offset + 1
    assert header.max_timestamp == max(record[0] for record in written)
    assert header.codec == codec


def test_a_batch_is_read_from_within_a_buffer_and_from_an_offset() -> None:
    first = encode_batch([(NOW, None, b"%d" % n, ()) for n in range(3)])
    second = pack(">q", 3) + encode_batch([(NOW, None, b"%d" % n, ()) for n in range(3, 6)])[8:]
    both = first + second
    assert [record.offset for record in decode_batch(both, len(first))] == [3, 4, 5]
    assert [record.value for record in decode_batch(both, len(first), from_offset=5)] == [b"5"]


@pytest.mark.parametrize("size", [0, 1, 63, 64, 127, 128, 8191, 8192, 70_000, 1_100_000])
def test_lengths_at_the_edges_of_varints(size: int) -> None:
    (record,) = decode_batch(encode_batch([(NOW, b"k" * size, b"v" * size, (("n", b"h" * size),))]))
    assert (record.key, record.value, record.headers) == (b"k" * size, b"v" * size, (("n", b"h" * size),))


def test_many_records_and_large_time_differences() -> None:
    written: list[NewRecord] = [(NOW + (n * 1_000_003) * (-1) ** n, None, b"", ()) for n in range(20_000)]
    read = decode_batch(encode_batch(written))
    assert [(record.offset, record.timestamp) for record in read] == [
        (n, record[0]) for n, record in enumerate(written)
    ]


@pytest.mark.parametrize(
    ("number", "encoded"),
    [
        (0, "00"),
        (-1, "01"),
        (1, "02"),
        (63, "7e"),
        (-64, "7f"),
        (64, "80 01"),
        (-65, "81 01"),
        (8191, "fe 7f"),
        (8192, "80 80 01"),
        (2**31 - 1, "fe ff ff ff 0f"),
        (-(2**31), "ff ff ff ff 0f"),
        (2**63 - 1, "fe ff ff ff ff ff ff ff ff 01"),
        (-(2**63), "ff ff ff ff ff ff ff ff ff 01"),
    ],
)
def test_varints(number: int, encoded: str) -> None:
    data = bytes.fromhex(encoded)
    assert encode_varint(number) == data
    assert decode_varint(b"\x55" + data + b"\x55", 1) == (number, 1 + len(data))


@pytest.mark.parametrize("data", ["", "80", "ff ff ff", "ff ff ff ff ff ff ff ff ff 7f", "80 " * 40 + "01"])
def test_varints_that_are_cut_or_too_long(data: str) -> None:
    with pytest.raises(CorruptBatch):
        decode_varint(bytes.fromhex(data), 0)


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize("codec", Codec)
def test_every_truncation_is_found(codec: Codec) -> None:
    batch = encode_batch([(NOW, b"key", b"value" * 20, (("h", b"x"),)), (NOW, None, b"v", ())], codec)
    for size in range(len(batch)):
        with pytest.raises(CorruptBatch):
            decode_batch(batch[:size])


@pytest.mark.parametrize("codec", Codec)
def test_every_flipped_bit_is_found(codec: Codec) -> None:
    batch = encode_batch([(NOW, b"key", b"value" * 20, (("h", b"x"),)), (NOW, None, b"v", ())], codec)
    outside_the_checksum = set(range(8)) | set(range(12, 16))  # base offset and leader epoch
    for at in set(range(len(batch))) - outside_the_checksum:
        for bit in range(8):
            damaged = bytearray(batch)
            damaged[at] ^= 1 << bit
            with pytest.raises(CorruptBatch):
                decode_batch(bytes(damaged))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_batch(data: bytes) -> None:
    with pytest.raises(CorruptBatch):
        decode_batch(data)


@pytest.mark.parametrize("codec", Codec)
@settings(max_examples=200)
@given(body=st.binary(max_size=120), count=st.integers(1, 5))
def test_a_right_checksum_over_nonsense(codec: Codec, body: bytes, count: int) -> None:
    batch = bytearray(with_body(body, count))
    batch[22] = codec
    try:
        read = decode_batch(with_crc(bytes(batch)))
    except CorruptBatch:
        return
    assert len(read) == count  # by chance it was a batch


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("10 00 00 00 01 02 76 00", "does not fill its length"),  # a record of 7 bytes that says 8
        ("0c 00 00 00 01 02 76 00", "does not fill its length"),
        ("ff ff 01 00 00 00 01 02 76 00", "does not fill its length"),  # and one that says -16384
        ("0e 00 00 00 01 02 76 00 00", "ends within a record"),
        ("0e 00 00 00 01 7e 76 00", "ends within a record"),
        ("0e 00 00 0a 01 02 76 00", "outside its offsets"),
        ("0e 00 00 01 01 02 76 00", "outside its offsets"),
        ("0c 00 00 00 01 01 01 00", "headers"),
        ("10 00 00 00 01 01 02 02 ff 01", "not UTF-8"),
        ("10 00 00 00 01 01 02 01 ff 01", "header name"),
        ("10 00 00 00 01 01 02 02 61 03", "header value"),
        ("", "says 1 records and holds 0"),
    ],
)
def test_what_is_wrong_in_a_record(body: str, why: str) -> None:
    with pytest.raises(CorruptBatch, match=why):
        decode_batch(with_body(bytes.fromhex(body), 1))


def test_header_fields_that_cannot_be() -> None:
    batch = encode_batch([(NOW, None, b"v", ())])
    for at, number in [(0, pack(">q", -1)), (8, pack(">i", 10)), (8, pack(">i", -1)), (23, pack(">i", -1))]:
        with pytest.raises(CorruptBatch, match="cannot be"):
            read_header(batch[:at] + number + batch[at + len(number) :])
    with pytest.raises(CorruptBatch, match="version 1"):
        check_batch(batch[:16] + b"\x01" + batch[17:])
    with pytest.raises(CorruptBatch, match="codec 5"):
        decode_batch(with_crc(batch[:22] + b"\x05" + batch[23:]))


def test_what_kafka_puts_into_attributes() -> None:
    batch = bytearray(encode_batch([(NOW, None, b"v", ()), (NOW + 7, None, b"w", ())]))
    batch[22] = 0x08  # the broker's time, which is the largest timestamp, for all records
    times = [(record.timestamp, record.timestamp_type) for record in decode_batch(with_crc(bytes(batch)))]
    assert times == [(NOW + 7, TimestampType.LOG_APPEND_TIME)] * 2
    batch[22] = 0x30  # a transaction's marker
    assert decode_batch(with_crc(bytes(batch))) == []


# ---------------------------------------------------------------- compression


def test_snappy_is_read_framed_and_raw() -> None:
    data = bytes(range(256)) * 500  # several of xerial's blocks of 32 KiB
    framed = compress(Codec.SNAPPY, data)
    assert framed[:16] == b"\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"
    (first,) = unpack_from(">i", framed, 16)
    assert decompress(Codec.SNAPPY, framed) == data
    raw = framed[20 : 20 + first]
    assert decompress(Codec.SNAPPY, raw) == data[: 32 * 1024]


@pytest.mark.parametrize("size", [17, 19, 21, 40])
def test_a_snappy_stream_that_is_cut(size: int) -> None:
    with pytest.raises(CorruptBatch):
        decompress(Codec.SNAPPY, compress(Codec.SNAPPY, b"abc" * 100)[:size])
