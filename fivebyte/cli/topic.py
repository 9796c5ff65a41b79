"""``fivebyte topic``: the topics of a broker."""

import json

import click

from broker_adapter import TopicPartition, connect
from fivebyte.cli.moments import moment
from fivebyte.cli.options import broker_option, counted

config_option = click.option(
    "--config",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting by Kafka's name, such as segment.bytes; may be given several times.",
)


@click.group(epilog="Example: fivebyte topic list")
def topic() -> None:
    """Create, list, describe, alter, truncate and delete topics."""


@topic.command(epilog="Example: fivebyte topic create orders --partitions 4 --config segment.bytes=67108864")
@click.argument("name")
@click.option("--partitions", type=click.IntRange(min=1), default=1, show_default=True, help="How many.")
@config_option
@click.option(
    "--replication-factor",
    type=click.IntRange(min=1),
    help="Copies of each partition, on Kafka. [default: its own]",
)
@broker_option
def create(
    name: str, partitions: int, settings: tuple[str, ...], replication_factor: int | None, broker: str
) -> None:
    """Create the topic NAME."""
    config = _config(settings)
    with connect(broker) as opened:
        made = opened.admin.create_topic(name, partitions, config, replication_factor=replication_factor)
    click.echo(f"created {made.name} with {counted(made.partitions, 'partition')}")


@topic.command("list", epilog="Example: fivebyte topic list --broker file:./data")
@broker_option
def list_(broker: str) -> None:
    """List the topics with their partitions."""
    with connect(broker) as opened:
        for name in opened.admin.topics():
            click.echo(f"{name} partitions {opened.admin.describe_topic(name).partitions}")


@topic.command(epilog="Example: fivebyte topic describe orders")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@broker_option
def describe(name: str, as_json: bool, broker: str) -> None:
    """Show the partitions of the topic NAME with their offsets, and its settings."""
    with connect(broker) as opened:
        found = opened.admin.describe_topic(name)
        with opened.consumer(name) as consumer:
            places = [
                (number, *consumer.watermarks(TopicPartition(name, number)))
                for number in range(found.partitions)
            ]
    if as_json:
        partitions = [{"partition": number, "start": start, "end": end} for number, start, end in places]
        description = {
            "topic": name,
            "id": found.topic_id,
            "partitions": partitions,
            "config": dict(found.config),
        }
        click.echo(json.dumps(description))
        return
    click.echo(f"{name} id {found.topic_id or '-'} partitions {found.partitions}")
    for number, start, end in places:
        click.echo(f"  partition {number} start {start} end {end}")
    for key, value in sorted(found.config.items()):
        click.echo(f"  {key}={value}")


@topic.command(epilog="Example: fivebyte topic alter orders --partitions 8 --config retention.ms=86400000")
@click.argument("name")
@click.option(
    "--partitions", type=click.IntRange(min=1), help="How many there shall be; more than there are."
)
@config_option
@broker_option
def alter(name: str, partitions: int | None, settings: tuple[str, ...], broker: str) -> None:
    """Add partitions to the topic NAME, or change its settings."""
    config = _config(settings)
    if partitions is None and not config:
        raise click.UsageError("say what to alter: --partitions N, --config KEY=VALUE, or both")
    with connect(broker) as opened:
        altered = opened.admin.alter_topic(name, partitions=partitions, config=config)
    changed = "".join(f" {key}={altered.config.get(key)}" for key in config)
    click.echo(f"altered {name}: {counted(altered.partitions, 'partition')}{changed}")


@topic.command(epilog="Example: fivebyte topic truncate orders --before 7d")
@click.argument("name")
@click.option(
    "--before",
    metavar="WHERE",
    help="Only before this offset or time: 2026-05-31T12:00Z, or 90m, 36h, 7d ago. [default: all]",
)
@click.option("--partition", "numbers", type=int, multiple=True, help="Only this partition; may be repeated.")
@broker_option
def truncate(name: str, before: str | None, numbers: tuple[int, ...], broker: str) -> None:
    """Delete the records of the topic NAME, or those before a place. The topic stays, and offsets go on."""
    time = None if before is None or before.isdecimal() else moment(before, "--before")
    with connect(broker) as opened, opened.consumer() as consumer:
        count = opened.admin.describe_topic(name).partitions
        partitions = [TopicPartition(name, number) for number in numbers or range(count)]
        consumer.assign(partitions)
        for partition in partitions:
            start, end = consumer.watermarks(partition)
            place = end
            if time is not None:
                found = consumer.offset_for_timestamp(partition, time)
                place = end if found is None else found
            elif before is not None:
                place = min(int(before), end)
            now = opened.admin.delete_records(partition, max(place, start))
            click.echo(f"{partition} starts at {now} (deleted {now - start})")


@topic.command(epilog="Example: fivebyte topic delete orders")
@click.argument("name")
@broker_option
def delete(name: str, broker: str) -> None:
    """Delete the topic NAME and all its records."""
    with connect(broker) as opened:
        opened.admin.delete_topic(name)
    click.echo(f"deleted {name}")


def _config(settings: tuple[str, ...]) -> dict[str, int | str]:
    config: dict[str, int | str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not (key and equals):
            raise click.BadParameter(f"{setting!r} is not KEY=VALUE", param_hint="--config")
        config[key] = value
    return config
