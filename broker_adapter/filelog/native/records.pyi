from collections.abc import Sequence
from typing import Any

def encode_records(records: Sequence[tuple[Any, ...]], base_timestamp: int) -> bytes: ...
def decode_records(
    body: bytes,
    record: type,
    topic: str,
    partition: int,
    base_offset: int,
    base_timestamp: int,
    append_time: int | None,
    timestamp_type: object,
    count: int,
) -> list[Any]: ...
