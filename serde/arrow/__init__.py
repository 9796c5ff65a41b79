"""Columns as Arrow arrays, and Arrow's types for Avro's. Needs pyarrow: the extra ``fivebyte[arrow]``.

| Avro | Arrow |
|---|---|
| null, boolean, int, long, float, double | null, bool, int32, int64, float32, float64 |
| bytes, string, fixed(n) | binary, string, fixed_size_binary(n) |
| enum | dictionary of int32 to string, of the reader's symbols in their order |
| array, map, record | list, map of string, struct |
| a union of null and one other | that other, nullable |
| another union | dense union, a field for each branch, by its name |
| decimal(p, s) | decimal128(p, s), from 39 digits decimal256(p, s) |
| big-decimal | binary, as it is stored |
| uuid | arrow.uuid |
| date, time-millis, time-micros | date32, time32[ms], time64[us] |
| timestamp-millis, -micros, -nanos | timestamp[ms, us, ns] in UTC |
| local-timestamp-millis, ... | timestamp[ms, us, ns] without a zone |
| duration | month_day_nano_interval |
"""

from serde.arrow.types import arrow_schema

__all__ = ["arrow_schema"]
