"""Who is given which partition: everything is given once, evenly, and little is moved."""

from hypothesis import given
from hypothesis import strategies as st

from broker_adapter import TopicPartition
from broker_adapter.filelog.assignment import assign_stickily

PARTITIONS = [TopicPartition(topic, number) for topic in "ab" for number in range(6)]
MEMBERS = st.sampled_from(["m1", "m2", "m3", "m4", "m5"])
WISHES = st.dictionaries(MEMBERS, st.sets(st.sampled_from(PARTITIONS)), max_size=5)


@given(WISHES, WISHES)
def test_everything_is_given_once_to_one_who_wants_it_and_evenly(
    wanted: dict[str, set[TopicPartition]], had: dict[str, set[TopicPartition]]
) -> None:
    given_ = assign_stickily(wanted, had)
    assert given_.keys() == wanted.keys()
    everything = [partition for partitions in given_.values() for partition in partitions]
    assert sorted(everything) == sorted(set().union(*wanted.values()))
    for member, partitions in given_.items():
        assert set(partitions) <= wanted[member]
        for other in given_:
            if set(partitions) & wanted[other]:
                assert len(partitions) - len(given_[other]) < 2
    assert assign_stickily(wanted, given_) == given_


@given(st.sets(MEMBERS, min_size=1), st.sets(MEMBERS), st.sets(MEMBERS, min_size=1))
def test_no_more_is_moved_than_must_be(before: set[str], leaving: set[str], joining: set[str]) -> None:
    everything = set(PARTITIONS)
    first = assign_stickily(dict.fromkeys(before, everything), {})
    members = (before - leaving) | joining
    second = assign_stickily(dict.fromkeys(members, everything), first)
    most = -(-len(everything) // len(members))
    for member in members & before:
        kept = set(first[member]) & set(second[member])
        # It keeps all, but for what is above an even share.
        assert len(kept) >= min(len(first[member]), most - 1)
        if len(members) >= len(before):
            assert len(kept) == len(second[member]) or len(second[member]) > len(first[member])
