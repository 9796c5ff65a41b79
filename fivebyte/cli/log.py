"""``fivebyte log``: the files of a file log, or of Kafka, shown and checked without a broker."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from broker_adapter import RawRecord
from broker_adapter.errors import CorruptBatch, CorruptLog
from broker_adapter.filelog import inspection
from broker_adapter.filelog.batch import decode_batch
from broker_adapter.filelog.compression import Codec
from broker_adapter.filelog.files import reporting
from broker_adapter.filelog.inspection import FoundBatch, Verdict
from broker_adapter.filelog.offsets import OFFSETS_TOPIC, decode_key, decode_value
from broker_adapter.filelog.producers import ProducerStates
from fivebyte.cli.options import counted

_paths = click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(exists=True, path_type=Path)
)


@click.group(epilog="Example: fivebyte log verify ./data")
def log() -> None:
    """Show and check the files of a log, ours or Kafka's."""


@log.command(epilog="Example: fivebyte log dump --deep data/orders-0/00000000000000000000.log")
@_paths
@click.option("--deep", is_flag=True, help="Print the records, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def dump(paths: tuple[Path, ...], deep: bool, as_json: bool) -> None:
    """Print what is in the files at PATH: files, a partition's folder, or a folder of partitions."""
    damaged = 0
    for path in _files(paths):
        if not as_json:
            click.echo(path)
        for line in _contents(path, deep):
            damaged += "damage" in line
            click.echo(json.dumps({"file": str(path), **line}) if as_json else _as_text(line))
    if damaged:
        raise click.exceptions.Exit(1)


@log.command(epilog="Example: fivebyte log verify --deep data/orders-0")
@_paths
@click.option("--deep", is_flag=True, help="Decompress and read every record, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def verify(paths: tuple[Path, ...], deep: bool, as_json: bool) -> None:
    """Check the files at PATH, and say what a recovery would cut. Exits with 1 if anything is wrong."""
    is_sound = True
    for verdict in _verdicts(paths, deep):
        is_sound = is_sound and verdict.is_sound
        for line in _as_json(verdict) if as_json else _told(verdict):
            click.echo(line)
    if not is_sound:
        raise click.exceptions.Exit(1)


def _verdicts(paths: tuple[Path, ...], deep: bool) -> Iterator[Verdict]:
    for path in paths:
        if path.is_file():
            yield inspection.verify_file(path, deep=deep)
            continue
        for partition in _partitions(path):
            yield inspection.verify(partition, deep=deep)


def _partitions(path: Path) -> list[Path]:
    found = inspection.partitions_in(path)
    if not found:
        raise click.ClickException(f"{path} is no partition's folder and has none in it")
    return found


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if path.is_file():
            yield path
        else:
            for partition in _partitions(path):
                yield from inspection.files_in(partition)


def _told(verdict: Verdict) -> Iterator[str]:
    for finding in verdict.findings:
        yield f"{finding}" if finding.is_problem else f"{finding} (no harm)"
    offsets = (
        "" if verdict.first_offset is None else f", offsets {verdict.first_offset} to {verdict.last_offset}"
    )
    sizes = [
        counted(verdict.segments, "segment"),
        counted(verdict.records, "record") + offsets,
        counted(verdict.bytes, "byte"),
    ]
    yield f"{verdict.path}: {', '.join(sizes)}: {'sound' if verdict.is_sound else 'not sound'}"


def _as_json(verdict: Verdict) -> Iterator[str]:
    yield json.dumps(
        {
            "path": str(verdict.path),
            "sound": verdict.is_sound,
            "segments": verdict.segments,
            "batches": verdict.batches,
            "records": verdict.records,
            "bytes": verdict.bytes,
            "first_offset": verdict.first_offset,
            "last_offset": verdict.last_offset,
            "findings": [
                {"file": str(each.path), "what": each.what, "problem": each.is_problem}
                for each in verdict.findings
            ],
        }
    )


# ---------------------------------------------------------------- what is in a file


def _contents(path: Path, deep: bool) -> Iterator[dict[str, Any]]:
    """The lines of a dump, each a few named values; one with ``damage`` is of something that is wrong."""
    kind = inspection.kind_of(path)
    match kind:
        case (_, "log"):
            yield from _batches(path, deep)
        case (base, "index"):
            for offset, position in inspection.offset_entries(path, base):
                yield {"offset": offset, "position": position}
        case (base, "timeindex"):
            for timestamp, offset in inspection.time_entries(path, base):
                yield {"timestamp": timestamp, "offset": offset}
        case (base, "snapshot"):
            yield from _producers(path, base)
        case _:
            raise click.ClickException(
                f"{path} is no file of a log: their names are 20 digits and .log, .index, .timeindex or "
                ".snapshot"
            )


def _batches(path: Path, deep: bool) -> Iterator[dict[str, Any]]:
    end = 0
    try:
        for batch in inspection.batches(path):
            yield _batch(batch)
            if deep and batch.damage is None:
                yield from _records(batch, is_offsets=path.parent.name.startswith(OFFSETS_TOPIC + "-"))
            end = batch.position + batch.header.size
    except CorruptBatch as error:
        yield {"position": end, "damage": str(error)}


def _batch(batch: FoundBatch) -> dict[str, Any]:
    header = batch.header
    codecs = {codec.value: codec.name.lower() for codec in Codec}
    line = {
        "batch": header.base_offset,
        "last": header.last_offset,
        "records": header.records_count,
        "position": batch.position,
        "bytes": header.size,
        "codec": codecs.get(header.codec, f"unknown ({header.codec})"),
        "timestamp": header.max_timestamp,
        "timestamp_type": header.timestamp_type.name.lower(),
        "crc": f"{header.crc:08x}",
    }
    if header.producer_id >= 0:
        line |= {
            "producer": header.producer_id,
            "epoch": header.producer_epoch,
            "sequence": header.base_sequence,
        }
    if header.is_control or header.is_transactional:
        line["transaction"] = "marker" if header.is_control else "records"
    if batch.damage is not None:
        line["damage"] = batch.damage
    return line


def _records(batch: FoundBatch, *, is_offsets: bool) -> Iterator[dict[str, Any]]:
    try:
        records = decode_batch(batch.data)
    except CorruptBatch as error:
        yield {"position": batch.position, "damage": str(error)}
        return
    for record in records:
        yield _commit(record) if is_offsets else _record(record)


def _record(record: RawRecord) -> dict[str, Any]:
    line: dict[str, Any] = {
        "record": record.offset,
        "timestamp": record.timestamp,
        "key": _text(record.key),
        "value": _text(record.value),
    }
    if record.headers:
        line["headers"] = [[name, _text(value)] for name, value in record.headers]
    return line


def _commit(record: RawRecord) -> dict[str, Any]:
    """A record of ``__consumer_offsets``: what a group committed, or its members."""
    try:
        found = None if record.key is None else decode_key(record.key)
        if found is None:
            return _record(record)
        group, partition = found
        committed = None if record.value is None else decode_value(record.value)
    except CorruptLog as error:
        return {"record": record.offset, "damage": str(error)}
    line = {"record": record.offset, "timestamp": record.timestamp, "group": group}
    return line | {"topic": partition.topic, "partition": partition.partition, "committed": committed}


def _producers(path: Path, offset: int) -> Iterator[dict[str, Any]]:
    try:
        with reporting("read", path):
            states = ProducerStates.from_bytes(path.read_bytes(), offset)
    except CorruptLog as error:
        yield {"damage": str(error)}
        return
    for number, epoch, last in states.last_batches():
        yield {
            "producer": number,
            "epoch": epoch,
            "last_sequence": last.last_sequence,
            "last_offset": last.last_offset,
            "timestamp": last.timestamp,
        }


def _text(data: bytes | None) -> str | None:
    """Bytes as a person reads them: text, with what is no text as ``\\x00``."""
    if data is None:
        return None
    text = data.decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)


def _as_text(line: dict[str, Any]) -> str:
    indent = "    " if "record" in line else "  "
    words = []
    for name, value in line.items():
        shown = json.dumps(value, ensure_ascii=False) if name in {"key", "value", "headers"} else value
        if name == "timestamp" and 0 <= value < 253_402_300_800_000:
            shown = (
                f"{value} ({datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec='milliseconds')})"
            )
        words.append(f"{name} {shown}")
    return indent + ", ".join(words)
