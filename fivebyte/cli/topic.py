"""``fivebyte topic``: the topics of a broker."""

import click

from broker_adapter import connect
from fivebyte.cli.options import broker_option, counted


@click.group(epilog="Example: fivebyte topic list")
def topic() -> None:
    """Create and list topics."""


@topic.command(epilog="Example: fivebyte topic create orders --partitions 4 --config segment.bytes=67108864")
@click.argument("name")
@click.option("--partitions", type=click.IntRange(min=1), default=1, show_default=True, help="How many.")
@click.option(
    "--config",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting by Kafka's name, such as segment.bytes; may be given several times.",
)
@broker_option
def create(name: str, partitions: int, settings: tuple[str, ...], broker: str) -> None:
    """Create the topic NAME."""
    config: dict[str, int | str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not (key and equals):
            raise click.BadParameter(f"{setting!r} is not KEY=VALUE", param_hint="--config")
        config[key] = value
    with connect(broker) as opened:
        made = opened.admin.create_topic(name, partitions, config)
    click.echo(f"created {made.name} with {counted(made.partitions, 'partition')}")


@topic.command("list", epilog="Example: fivebyte topic list --broker file:./data")
@broker_option
def list_(broker: str) -> None:
    """List the topics with their partitions."""
    with connect(broker) as opened:
        for name in opened.admin.topics():
            click.echo(f"{name} partitions {opened.admin.describe_topic(name).partitions}")
