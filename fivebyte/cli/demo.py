"""``fivebyte demo``: the main job, from end to end, on the embedded defaults."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from broker_adapter import TopicPartition, connect
from broker_adapter.broker import Broker
from fivebyte.cli.findings import readable
from fivebyte.cli.options import example_folder
from serde import AvroDeserializer, AvroSerializer, RegistryClient, RegistryUnreachable

RECORDS = 1000
SUBJECT = "orders-value"
TOPIC = "orders"
_CUSTOMERS = ("ada", "grace", "edsger", "niklaus", "barbara", "leslie", "margaret", "alan")
_START_SECONDS = 30
_STOP_SECONDS = 15


@click.command(epilog="Example: fivebyte demo")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Work in this new folder and keep it, for the commands shown at the end.",
)
def demo(keep: Path | None) -> None:
    """Run the main job from end to end: a registry, three schema versions, 1,000 records in a file log.

    Uses a temporary folder and a free port, and leaves nothing behind.
    """
    if keep is not None:
        if keep.exists():
            raise click.ClickException(f"{keep} is there already; --keep makes a new folder")
        keep.mkdir(parents=True)
        _run(keep.resolve(), keep)
        return
    with tempfile.TemporaryDirectory(prefix="fivebyte-demo-") as folder:
        _run(Path(folder), None)


def _run(folder: Path, keep: Path | None) -> None:
    examples = example_folder() / "orders"
    schemas = {version: (examples / f"v{version}.avsc").read_text() for version in (1, 2, 3)}
    breaking = (examples / "v4-breaking.avsc").read_text()
    with (
        _registry(folder) as url,
        RegistryClient(url) as client,
        connect(f"file:{folder / 'data'}") as broker,
    ):
        _say(f"1. A registry is running on {url}, its schemas in SQLite.")
        _register(client, schemas)
        _show_refusal(client, breaking)
        broker.admin.create_topic(TOPIC, partitions=4)
        _produce(client, broker, schemas)
        _consume(client, broker, schemas[3])
    _say("")
    _say("Nothing of this is running any more. To go on from here:")
    _say("")
    for line in _next_steps(keep):
        _say(f"    {line}")


def _register(client: RegistryClient, schemas: dict[int, str]) -> None:
    registered = [client.register(SUBJECT, schemas[version]) for version in sorted(schemas)]
    ids = ", ".join(f"version {found.version} has id {found.id}" for found in registered)
    _say(f"2. Three versions of the example schema are registered under {SUBJECT}:\n   {ids}.")


def _show_refusal(client: RegistryClient, breaking: str) -> None:
    verdict = client.check_compatibility(SUBJECT, breaking)
    if verdict.is_compatible:
        raise click.ClickException("the breaking version was called compatible: this is a fault of fivebyte")
    _say("3. A fourth version would break readers, and is refused:")
    for line in readable(verdict.messages):
        _say(f"   - {line}")


def _produce(client: RegistryClient, broker: Broker, schemas: dict[int, str]) -> None:
    """Half of the orders as version 1 has them, half as version 3, as when a fleet is updated bit by bit."""
    with (
        broker.producer(value_serializer=AvroSerializer(client, schemas[1])) as old,
        broker.producer(value_serializer=AvroSerializer(client, schemas[3])) as new,
    ):
        for number in range(RECORDS):
            customer = _CUSTOMERS[number % len(_CUSTOMERS)]
            order = {"id": f"order-{number}", "customer": customer, "total_cents": 100 * number}
            if number % 2 == 0:
                old.send(TOPIC, order, key=customer.encode())
            else:
                lines = [{"sku": f"sku-{number % 10}", "quantity": 1}]
                order |= {"currency": "USD", "placed_at": datetime.now(UTC), "lines": lines}
                new.send(TOPIC, order, key=customer.encode())
    _say(
        f"4. {RECORDS:,} orders are in the file log, half written with version 1, half with version 3;\n"
        "   each message begins with five bytes that say which."
    )


def _consume(client: RegistryClient, broker: Broker, reader_schema: str) -> None:
    currencies: Counter[str] = Counter()
    partitions: Counter[TopicPartition] = Counter()
    deserializer = AvroDeserializer(client, reader_schema)
    with broker.consumer(TOPIC, group="demo", value_deserializer=deserializer) as consumer:
        while records := consumer.poll():
            for record in records:
                currencies[record.value["currency"]] += 1
                partitions[TopicPartition(record.topic, record.partition)] += 1
            consumer.commit()
        committed = sum(consumer.committed(partition) or 0 for partition in consumer.assignment())
    if sum(currencies.values()) != RECORDS or committed != RECORDS:
        raise click.ClickException(
            f"{RECORDS} records were written, {sum(currencies.values())} read, {committed} committed: "
            "this is a fault of fivebyte"
        )
    spread = ", ".join(str(count) for _, count in sorted(partitions.items()))
    _say(
        f"5. A consumer group read all {RECORDS:,} of them under version 3 ({spread} from its partitions):\n"
        f"   {currencies['USD']} say USD themselves, {currencies['EUR']} are older than the field "
        "and got its default, EUR.\n   Its offsets are committed."
    )


@contextmanager
def _registry(folder: Path) -> Iterator[str]:
    """A registry in a process of its own, with its store in `folder`; gone when the block is left."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / "registry.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "fivebyte",
                "serve",
                "--port",
                str(port),
                "--store",
                "sqlite:///schemas.db",
            ],
            cwd=folder,  # and without what the user has set for other servers, in a file or the environment
            env={name: value for name, value in os.environ.items() if not name.startswith("FIVEBYTE_")},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_it_answers(process, url, log)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with RegistryClient(url, retries=0, timeout=1) as client:
        while True:
            try:
                client.subjects()
            except RegistryUnreachable:
                ended = process.poll() is not None
                if ended or time.monotonic() > deadline:
                    why = "ended" if ended else f"did not answer within {_START_SECONDS} s"
                    raise click.ClickException(f"the registry {why}: {log.read_text()}") from None
                time.sleep(0.05)
            else:
                return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _next_steps(keep: Path | None) -> list[str]:
    """Commands to type after this, in the folder where the demo was run."""
    fivebyte = "fivebyte" if shutil.which("fivebyte") else _shown(Path(sys.prefix) / "bin" / "fivebyte")
    orders = _shown((example_folder() / "orders").resolve())
    if keep is None:
        return [
            f"{fivebyte} serve &",
            f"{fivebyte} schema register {SUBJECT} {orders}/v1.avsc",
            f"{fivebyte} schema check {SUBJECT} {orders}/v4-breaking.avsc",
            f"{fivebyte} topic create {TOPIC}",
            f"""echo '{{"id": "1", "customer": "ada", "total_cents": 5}}' | {fivebyte} produce {TOPIC}""",
            f"{fivebyte} consume {TOPIC}",
            f"{fivebyte} demo --keep demo",
        ]
    return [
        f"{fivebyte} serve --store sqlite:///{keep}/schemas.db &",
        f"{fivebyte} schema list {SUBJECT}",
        f"{fivebyte} consume {TOPIC} --broker file:{keep}/data --max-records 3 --with-metadata",
        f"{fivebyte} schema check {SUBJECT} {orders}/v4-breaking.avsc",
    ]


def _shown(path: Path) -> str:
    """The path from here, if it is below, else the whole of it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _say(line: str) -> None:
    click.echo(line)
