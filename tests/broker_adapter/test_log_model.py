"""The file log against a model: a list of records. Two openings of it stand for two processes."""

import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from broker_adapter.broker import RawRecord, TopicPartition
from broker_adapter.errors import OffsetOutOfRange
from broker_adapter.filelog.batch import NewRecord, encode_batch
from broker_adapter.filelog.compaction import compact
from broker_adapter.filelog.compression import Codec
from broker_adapter.filelog.config import TopicConfig
from broker_adapter.filelog.offsets import GroupOffsets
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.reader import LogReader
from broker_adapter.filelog.retention import delete_old_segments
from broker_adapter.filelog.segment import segment_bases
from tests.broker_adapter.logs import NAME, NOW, forget_state, read_all

MIB = 1 << 20
RETENTION = 5_000
DELETE_RETENTION = 3_000
PAST = 50_000


class Kept(NamedTuple):
    """A record in the model: what is read, and the batch it came in."""

    record: tuple[int, int, bytes | None, bytes | None]
    batch: int

    @property
    def offset(self) -> int:
        return self.record[0]


def seen(record: RawRecord) -> tuple[int, int, bytes | None, bytes | None]:
    """What is compared of a record."""
    return record.offset, record.timestamp, record.key, record.value


class FileLog(RuleBasedStateMachine):
    """What is done to a log, and to a list."""

    @initialize(policy=st.sampled_from(["delete", "compact", "compact,delete"]), by_size=st.booleans())
    def begin(self, policy: str, by_size: bool) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="fivebyte-model-"))
        self.directory = self.root / "t-0"
        self.directory.mkdir()
        (self.root / "offsets").mkdir()
        self.config = TopicConfig(
            segment_bytes=MIB,
            cleanup_policy=policy,
            retention_ms=-1 if by_size else RETENTION,
            retention_bytes=300_000 if by_size else -1,
            delete_retention_ms=DELETE_RETENTION,
            index_interval_bytes=500,
        )
        self.now = NOW
        self.records: list[Kept] = []
        self.start = self.end = 0
        self.horizons: dict[int, int] = {}
        self.committed: dict[TopicPartition, int] = {}
        self._sequence = 0
        self._open()

    def _open(self) -> None:
        self.both = [Partition(self.directory, NAME, self.config) for _ in range(2)]
        self.offsets = Partition(self.root / "offsets", NAME, TopicConfig())
        self.place = LogReader(self.both[0], self.start)

    def _close(self) -> None:
        for partition in self.both:
            partition.close()
        self.offsets.close()

    @property
    def visible(self) -> list[Kept]:
        return [each for each in self.records if each.offset >= self.start]

    # ------------------------------------------------------------ writing

    @rule(
        who=st.integers(0, 1),
        keys=st.lists(st.sampled_from([b"a", b"b", b"c", b"d", b"e"]), min_size=1, max_size=8),
        size=st.sampled_from([None, 0, 10, 1_000, 30_000]),
        codec=st.sampled_from(list(Codec)),
        late=st.integers(0, 2_000),
        again=st.booleans(),
    )
    def append(
        self, who: int, keys: list[bytes], size: int | None, codec: Codec, late: int, again: bool
    ) -> None:
        self.now += 100
        new: list[NewRecord] = [
            (self.now - late * (n % 2), key, None if size is None else bytes([n]) * size, ())
            for n, key in enumerate(keys)
        ]
        data = encode_batch(new, codec, (7, 0, self._sequence))
        self._sequence += len(new)
        base = self.end
        assert self.both[who].append_batch(data) == (base, None, False)
        if again:
            assert self.both[1 - who].append_batch(data) == (base, None, True)
        self.records += [Kept((base + n, *each[:3]), base) for n, each in enumerate(new)]
        self.end += len(new)

    @rule(who=st.integers(0, 1))
    def roll(self, who: int) -> None:
        self.both[who].roll()
        assert segment_bases(self.directory)[-1] == self.end

    @rule(offset=st.integers(0, 100))
    def commit(self, offset: int) -> None:
        name = TopicPartition("t", offset % 3)
        GroupOffsets(self.offsets, "g").commit({name: offset}, sync=False)
        self.committed[name] = offset

    @rule(milliseconds=st.sampled_from([1, 1_000, 10_000]))
    def time_passes(self, milliseconds: int) -> None:
        self.now += milliseconds

    # ------------------------------------------------------------ cleaning

    @rule(who=st.integers(0, 1), share=st.floats(0, 1))
    def delete_records(self, who: int, share: float) -> None:
        before = self.start + int((self.end - self.start) * share)
        assert self.both[who].delete_records(before) == before
        self.start = before
        self._forget_deleted_segments()

    def _forget_deleted_segments(self) -> None:
        first = segment_bases(self.directory)[0]
        self.records = [each for each in self.records if each.offset >= first]

    @rule(who=st.integers(0, 1))
    def retention(self, who: int) -> None:
        partition = self.both[who]
        sizes = {int(path.stem): path.stat().st_size for path in self.directory.glob("*.log")}
        before = list(self.records)
        gone = delete_old_segments(partition, self.now)
        first = segment_bases(self.directory)[0]
        self.start = max(self.start, first) if gone else self.start
        self._forget_deleted_segments()
        if "delete" not in self.config.cleanup_policy:
            assert gone == 0
        elif self.config.retention_ms >= 0:
            limit = self.now - RETENTION
            assert all(each.record[1] < limit for each in before if each.offset < first)
            bases = [*segment_bases(self.directory), self.end]
            in_first = [each for each in self.records if each.offset < bases[1]]
            assert not in_first or any(each.record[1] >= limit for each in in_first)
        else:
            left = sum(size for base, size in sizes.items() if base >= first)
            oldest = sizes.get(first, 0)
            assert not gone or left >= 300_000
            assert left - oldest < 300_000 or oldest == 0
        self._check_all(1 - who)

    @precondition(lambda self: "compact" in self.config.cleanup_policy)
    @rule(who=st.integers(0, 1), rolls=st.booleans())
    def compaction(self, who: int, rolls: bool) -> None:
        if rolls:
            self.both[who].roll()
        active = segment_bases(self.directory)[-1]
        compact(self.both[who], self.now, force=True)
        closed = [each for each in self.records if each.offset < active]
        last = {each.record[2]: each.offset for each in closed if each.offset >= self.start}
        kept = []
        marked = dict(self.horizons)
        for each in closed:
            is_tombstone = each.record[3] is None
            may_go = self.horizons.get(each.batch, self.now + 1) <= self.now
            if each.offset < last.get(each.record[2], -1) or (is_tombstone and may_go):
                continue
            kept.append(each)
            if is_tombstone:
                marked.setdefault(each.batch, self.now + DELETE_RETENTION)
        self.horizons = marked
        self.records = kept + [each for each in self.records if each.offset >= active]
        self._check_all(1 - who)

    def _check_all(self, who: int) -> None:
        found = [seen(each) for each in read_all(self.both[who], self.start)]
        assert found == [each.record for each in self.visible]

    # ------------------------------------------------------------ reading

    @rule(who=st.integers(0, 1), share=st.floats(-0.1, 1.1), max_bytes=st.sampled_from([1, 3_000, MIB]))
    def read(self, who: int, share: float, max_bytes: int) -> None:
        offset = self.start + round((self.end - self.start) * share)
        if self.start <= offset <= self.end:
            found = [seen(each) for each in read_all(self.both[who], offset, max_bytes)]
            assert found == [each.record for each in self.visible if each.offset >= offset]
        else:
            with pytest.raises(OffsetOutOfRange):
                read_all(self.both[who], offset)

    @rule(who=st.integers(0, 1), ago=st.integers(0, PAST))
    def read_by_time(self, who: int, ago: int) -> None:
        wanted = self.now - ago
        expected = next((each.offset for each in self.visible if each.record[1] >= wanted), None)
        assert self.both[who].offset_for_timestamp(wanted) == expected

    @rule(max_bytes=st.sampled_from([1, 3_000]))
    def read_on(self, max_bytes: int) -> None:
        # A reader that stays open: what it gets was written, and rises; what it is behind of, it is told.
        due = self.place.offset
        try:
            found = self.place.read(max_bytes)
        except OffsetOutOfRange:
            assert due < self.start
            self.place.seek(self.start)
        else:
            assert [each.offset for each in found] == sorted({each.offset for each in found})
            assert all(each.offset >= due for each in found)

    # ------------------------------------------------------------ opening again

    @rule(
        how=st.sampled_from(["closed", "clean", "restarted"]),
        tail=st.sampled_from([b"", b"torn", bytes(100)]),
        index=st.sampled_from(["", "index", "timeindex"]),
    )
    def reopen(self, how: str, tail: bytes, index: str) -> None:
        if how == "clean":
            self.both[0].mark_clean()
        self._close()
        base = segment_bases(self.directory)[-1]
        with (self.directory / f"{base:020d}.log").open("ab") as log:
            log.write(tail)
        if index:
            (self.directory / f"{base:020d}.{index}").unlink()
        if how == "restarted":
            forget_state(self.directory)
        self._open()
        assert dict(GroupOffsets(self.offsets, "g").committed()) == self.committed

    @invariant()
    def ends_agree(self) -> None:
        if hasattr(self, "both"):
            for partition in self.both:
                state = partition.state()
                assert (state.log_start_offset, state.log_end_offset) == (self.start, self.end)

    def teardown(self) -> None:
        if hasattr(self, "both"):
            self._check_all(1)
            self._close()
            shutil.rmtree(self.root)


FileLog.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
test_the_log_does_what_a_list_does = FileLog.TestCase
