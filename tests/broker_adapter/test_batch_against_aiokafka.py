"""Batches of ours read by aiokafka, and aiokafka's read by us, with every codec."""

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from broker_adapter.filelog.batch import NewRecord, decode_batch, encode_batch
from broker_adapter.filelog.compression import Codec

records = st.lists(
    st.tuples(
        st.integers(1, 2**50),
        st.none() | st.binary(max_size=100),
        st.none() | st.binary(max_size=2000),
        st.lists(st.tuples(st.text(max_size=10), st.none() | st.binary(max_size=50)), max_size=3),
    ),
    min_size=1,
    max_size=20,
)


def built_by_aiokafka(records: list[NewRecord], codec: Codec) -> bytes:
    """The records as aiokafka's producer writes them."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=codec,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 30,
    )
    for offset, (timestamp, key, value, headers) in enumerate(records):
        builder.append(offset, timestamp=timestamp, key=key, value=value, headers=list(headers))
    return bytes(builder.build())


@pytest.mark.parametrize("codec", Codec)
@given(written=records)
def test_aiokafka_reads_ours(codec: Codec, written: list[NewRecord]) -> None:
    reader = MemoryRecords(encode_batch(written, codec))
    assert reader.has_next()
    batch = reader.next_batch()
    assert batch is not None
    assert batch.validate_crc()
    assert batch.compression_type == codec
    read = [(each.timestamp, each.key, each.value, each.headers) for each in batch]
    assert read == written
    assert not reader.has_next()


@pytest.mark.parametrize("codec", Codec)
@given(written=records)
def test_we_read_aiokafkas(codec: Codec, written: list[NewRecord]) -> None:
    read = decode_batch(built_by_aiokafka(written, codec))
    assert [(each.timestamp, each.key, each.value, list(each.headers)) for each in read] == written
    assert [each.offset for each in read] == list(range(len(written)))


@given(written=records)
def test_the_bytes_are_the_same(written: list[NewRecord]) -> None:
    ours, theirs = encode_batch(written), built_by_aiokafka(written, Codec.NONE)
    # aiokafka leaves the leader epoch at -1; it is the broker's to write.
    assert ours[:12] + b"\xff\xff\xff\xff" + ours[16:] == theirs
