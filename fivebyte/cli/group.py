"""``fivebyte group``: the consumer groups of a broker."""

import json

import click

from broker_adapter import Broker, TopicPartition, connect
from broker_adapter.errors import TopicError
from fivebyte.cli.moments import moment
from fivebyte.cli.options import broker_option, counted


@click.group(epilog="Example: fivebyte group describe billing")
def group() -> None:
    """List, describe, reset and delete consumer groups."""


@group.command("list", epilog="Example: fivebyte group list --broker file:./data")
@broker_option
def list_(broker: str) -> None:
    """List the groups with their states and members."""
    with connect(broker) as opened:
        for name in opened.admin.groups():
            found = opened.admin.describe_group(name)
            click.echo(f"{name} {found.state} members {len(found.members)}")


@group.command(epilog="Example: fivebyte group describe billing")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@broker_option
def describe(name: str, as_json: bool, broker: str) -> None:
    """Show the members of the group NAME, what it has committed, and how far that is behind."""
    with connect(broker) as opened:
        found = opened.admin.describe_group(name)
        ends = _ends(opened, sorted(found.offsets))
    owners = {partition: member for member in found.members for partition in member.partitions}
    places = [
        {
            "topic": partition.topic,
            "partition": partition.partition,
            "committed": found.offsets.get(partition),
            "end": ends.get(partition),
            "lag": _lag(found.offsets.get(partition), ends.get(partition)),
            "member": owners[partition].client_id if partition in owners else None,
        }
        for partition in sorted({*found.offsets, *owners})
    ]
    members = [
        {
            "id": each.member_id,
            "client": each.client_id,
            "host": each.host,
            "instance": each.group_instance_id,
            "partitions": [str(partition) for partition in each.partitions],
        }
        for each in found.members
    ]
    if as_json:
        click.echo(json.dumps({"group": name, "state": found.state, "members": members, "offsets": places}))
        return
    click.echo(f"{name}: {found.state}, {counted(len(members), 'member')}")
    for each in members:
        instance = f", instance {each['instance']}" if each["instance"] else ""
        click.echo(f"  {each['client']} at {each['host']}{instance}, member {each['id']}")
    for place in places:
        shown = {key: "-" if value is None else value for key, value in place.items()}
        click.echo(
            "  {topic}-{partition} committed {committed} end {end} lag {lag} member {member}".format(**shown)
        )


@group.command(epilog="Example: fivebyte group reset billing orders --to 36h --dry-run")
@click.argument("name")
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option(
    "--to",
    "where",
    required=True,
    metavar="WHERE",
    help="earliest, latest, an offset, or a time: 2026-05-31T12:00Z, or 90m, 36h, 7d ago.",
)
@click.option("--partition", "numbers", type=int, multiple=True, help="Only this partition; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Say what would be committed, and do nothing.")
@broker_option
def reset(
    name: str, topics: tuple[str, ...], where: str, numbers: tuple[int, ...], dry_run: bool, broker: str
) -> None:
    """Set the place of the group NAME in its topics, or in TOPIC, which it need not have read before.

    The group must have no live member. An offset outside a partition's log becomes the nearest in it.
    """
    with connect(broker) as opened:
        admin = opened.admin
        chosen = topics or sorted({each.topic for each in admin.describe_group(name).offsets})
        partitions = [
            TopicPartition(topic, number)
            for topic in chosen
            for number in range(admin.describe_topic(topic).partitions)
            if not numbers or number in numbers
        ]
        if not partitions:
            raise click.ClickException(
                f"there is no partition {', '.join(map(str, numbers))} in {', '.join(chosen)}"
            )
        offsets = _places(opened, partitions, where)
        if not dry_run:
            admin.reset_group(name, offsets)
    for partition, offset in offsets.items():
        click.echo(f"{partition} {'would be ' if dry_run else ''}{offset}")


@group.command(epilog="Example: fivebyte group delete billing")
@click.argument("name")
@broker_option
def delete(name: str, broker: str) -> None:
    """Forget what the group NAME has committed. It must have no live member."""
    with connect(broker) as opened:
        opened.admin.delete_group(name)
    click.echo(f"deleted {name}")


def _ends(broker: Broker, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    """The logs' ends, of those partitions that are still there."""
    ends = {}
    with broker.consumer() as consumer:
        for partition in partitions:
            try:
                consumer.assign([partition])
            except TopicError:
                continue
            ends[partition] = consumer.watermarks(partition)[1]
    return ends


def _lag(committed: int | None, end: int | None) -> int | None:
    return None if committed is None or end is None else max(end - committed, 0)


def _places(broker: Broker, partitions: list[TopicPartition], where: str) -> dict[TopicPartition, int]:
    """The offset in each partition that `where` means."""
    time = None if where in {"earliest", "latest"} or where.isdecimal() else moment(where, "--to")
    found = {}
    with broker.consumer() as consumer:
        consumer.assign(partitions)
        for partition in partitions:
            start, end = consumer.watermarks(partition)
            if time is not None:
                offset = consumer.offset_for_timestamp(partition, time)
                found[partition] = end if offset is None else offset
            else:
                wanted = {"earliest": start, "latest": end}.get(where)
                found[partition] = min(max(int(where), start), end) if wanted is None else wanted
    return found
