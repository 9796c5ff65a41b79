"""Which member of a group gets which partition: evenly, and moving as little as can be.

Pure: no I/O, no clock. Whoever changes a group calls it with the group's lock.
"""

from collections.abc import Collection, Mapping

from broker_adapter.nouns import TopicPartition


def assign_stickily(
    wanted: Mapping[str, Collection[TopicPartition]], had: Mapping[str, Collection[TopicPartition]]
) -> dict[str, list[TopicPartition]]:
    """Give each partition that some member wants to one that wants it; sorted lists by member.

    `wanted` has, by member, the partitions of the topics that it subscribed
    to, and `had` what it had before. A member keeps what it had, but for what
    must move so that no member has two more than another that wants one of
    them. As Kafka's StickyAssignor, for topics that members have in common or
    not.
    """
    eligible = {member: set(partitions) for member, partitions in wanted.items()}
    given: dict[str, set[TopicPartition]] = {}
    free = set().union(*eligible.values())
    for member in sorted(eligible):
        given[member] = free & eligible[member] & set(had.get(member, ()))
        free -= given[member]
    members = sorted(eligible)
    for partition in sorted(free):
        takers = [member for member in members if partition in eligible[member]]
        given[min(takers, key=lambda member: len(given[member]))].add(partition)
    while _move_one(given, eligible):
        pass
    return {member: sorted(partitions) for member, partitions in given.items()}


def _move_one(given: dict[str, set[TopicPartition]], eligible: dict[str, set[TopicPartition]]) -> bool:
    """Move a partition from the member with the most to one with two less or fewer; whether there was one."""
    fewest_first = sorted(given, key=lambda member: (len(given[member]), member))
    for giver in reversed(fewest_first):
        for taker in fewest_first:
            if len(given[giver]) - len(given[taker]) < 2:
                break
            movable = given[giver] & eligible[taker]
            if movable:
                partition = max(movable)
                given[giver].remove(partition)
                given[taker].add(partition)
                return True
    return False
