"""What a consumer reads as Arrow record batches. Needs pyarrow: the extra ``fivebyte[arrow]``."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from broker_adapter.broker import Consumer, Header, RawRecord
from broker_adapter.errors import MissingExtra
from broker_adapter.serializing import FailureHandler, by_topic, failed, give_back, headers_of

if TYPE_CHECKING:
    import pyarrow as pa


PLACES: Final = ("_topic", "_partition", "_offset", "_timestamp", "_key")
"""The columns of a record's place: dictionary of strings, int32, int64, timestamp[ms, UTC], binary."""


class ArrowDeserializer(Protocol):
    """What `ArrowConsumer` needs of a deserializer: ``serde.AvroDeserializer`` has it."""

    def to_arrow(
        self,
        values: Sequence[bytes | None],
        topic: str,
        headers: Sequence[Sequence[Header]] | None,
        /,
        *,
        nulls: Literal["refuse", "keep", "drop"],
        on_error: Callable[[int, Any], Any],
    ) -> "pa.RecordBatch":
        """The rows of messages; a message that cannot be read goes to `on_error`, with its number."""


class ArrowConsumer:
    """Reads the values of a consumer's records into record batches, one a poll.

        consumer = ArrowConsumer(broker.consumer("orders"), AvroDeserializer(registry, schema))
        for batch in consumer.batches(): ...

    The consumer must be a plain one, of bytes, and stays the caller's: commit and close it as before.
    """

    def __init__(
        self,
        consumer: Consumer[bytes | None, bytes | None],
        value_deserializer: ArrowDeserializer,
        *,
        places: bool = True,
        nulls: Literal["refuse", "keep", "drop"] = "keep",
        on_error: FailureHandler | None = None,
    ) -> None:
        """places: whether each row also says where its record was, in the columns `PLACES`.

        nulls: what a record with a null value is: a row of nulls, an error, or no row.
        on_error: takes a record that cannot be deserialized, and why; when it returns, the record is left
        out. None: `SerdeFailed` is raised, and the positions stay before the poll's records.

        Raises `MissingExtra` without pyarrow.
        """
        try:
            import pyarrow  # noqa: F401, ICN001
        except ImportError as error:
            raise MissingExtra(
                "record batches need pyarrow, which is not installed: pip install 'fivebyte[arrow]'"
            ) from error
        self._consumer = consumer
        self._deserializer = value_deserializer
        self._places = places
        self._nulls = nulls
        self._on_error = on_error

    def poll(self, timeout: float = 0.0, max_records: int = 10_000) -> "pa.RecordBatch | None":
        """The next records as a batch; None if none came within `timeout` seconds.

        Raises what the consumer's `poll` raises, and `SerdeFailed`.
        """
        deadline = time.monotonic() + timeout
        while True:
            raw = self._consumer.poll(max(deadline - time.monotonic(), 0), max_records)
            batch = self._batch(raw) if raw else None
            if batch is None or batch.num_rows or time.monotonic() >= deadline:
                return batch

    def batches(self, max_records: int = 10_000) -> Iterator["pa.RecordBatch"]:
        """Batches of up to `max_records` rows, for as long as the consumer's iteration goes on."""
        for raw in self._consumer.batches(max_records):
            batch = self._batch(raw)
            if batch.num_rows:
                yield batch

    def _batch(self, raw: Sequence[RawRecord]) -> "pa.RecordBatch":
        import pyarrow as pa

        try:
            found = [
                self._of_topic(topic, [raw[place] for place in places])
                for topic, places in by_topic(raw).items()
            ]
        except BaseException:
            give_back(self._consumer, raw)
            raise
        return found[0] if len(found) == 1 else pa.concat_batches(found)

    def _of_topic(self, topic: str, records: Sequence[RawRecord]) -> "pa.RecordBatch":
        left_out: set[int] = set()
        if self._nulls == "drop":
            left_out.update(index for index, record in enumerate(records) if record.value is None)

        def fail(index: int, error: Exception) -> None:
            error_of_record = failed(records[index], "value", error)
            error_of_record.__cause__ = error
            if self._on_error is None:
                raise error_of_record
            self._on_error(records[index], error_of_record)
            left_out.add(index)

        values = [record.value for record in records]
        batch = self._deserializer.to_arrow(
            values, topic, headers_of(records), nulls=self._nulls, on_error=fail
        )
        if not self._places:
            return batch
        return _with_places(batch, [r for index, r in enumerate(records) if index not in left_out])


def _with_places(batch: "pa.RecordBatch", records: Sequence[RawRecord]) -> "pa.RecordBatch":
    import pyarrow as pa

    count = len(records)
    columns = [
        pa.DictionaryArray.from_arrays(
            pa.array([0] * count, pa.int32()), pa.array([records[0].topic] if records else [], pa.string())
        ),
        pa.array([record.partition for record in records], pa.int32()),
        pa.array([record.offset for record in records], pa.int64()),
        pa.array([record.timestamp for record in records], pa.timestamp("ms", "UTC")),
        pa.array([record.key for record in records], pa.binary()),
    ]
    fields = [
        pa.field(name, array.type, nullable=name == "_key")
        for name, array in zip(PLACES, columns, strict=True)
    ]
    taken = set(PLACES) & set(batch.schema.names)
    if taken:
        raise ValueError(f"the records have a field {min(taken)!r} of their own: give places=False")
    return pa.RecordBatch.from_arrays([*columns, *batch.columns], schema=pa.schema([*fields, *batch.schema]))
