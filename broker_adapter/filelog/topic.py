"""Topics as folders: their names, their ids, and how one is made.

Owns the broker's root folder: the directories ``<topic>-<p>`` with Kafka's
``partition.metadata`` and ``leader-epoch-checkpoint`` in them, the checkpoints
through `Checkpoints`, and the file ``.topics.lock``. Any thread of any process.

A topic exists when its partition 0 does. Making one therefore makes partition
0 last and in one step, so that nobody sees half a topic, and a creator that
died leaves only empty directories, which the next creator takes over.
"""

import base64
import os
import re
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from broker_adapter.admin import TopicDescription
from broker_adapter.errors import InvalidTopic, TopicExists, UnknownPartition, UnknownTopic
from broker_adapter.filelog.checkpoints import Checkpoints
from broker_adapter.filelog.config import FILE_NAME, TopicConfig
from broker_adapter.filelog.files import reporting, sync_directory, write_atomically
from broker_adapter.filelog.locks import FileLock
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.segment import segment_bases
from broker_adapter.filelog.state import StatePage
from broker_adapter.nouns import TopicPartition
from broker_adapter.subscription import expanded, is_pattern

INTERNAL_TOPICS: Final = frozenset({"__consumer_offsets", "__transaction_state", "__share_group_state"})
MAX_PARTITIONS: Final = 10_000

_LEGAL: Final = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_DIRECTORY: Final = re.compile(r"(.+)-(0|[1-9]\d{0,9})")
_METADATA: Final = "partition.metadata"
_LEADER_EPOCHS: Final = "0\n1\n0 0\n"
"""Version 0, one line: epoch 0 began at offset 0. One leader for ever: this machine."""


def is_legal(name: object) -> bool:
    """Whether Kafka would take the characters of `name`."""
    return isinstance(name, str) and _LEGAL.fullmatch(name) is not None


def check_topic_name(name: str) -> None:
    """Raise `InvalidTopic` unless Kafka would take `name`."""
    if not is_legal(name) or name in {".", ".."}:
        raise InvalidTopic(
            f"{name!r} is not a legal topic name: use 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-', "
            "and not '.' or '..'"
        )


class Topics:
    """The topics below a root folder, as they are on the disk now. Raises `LogIOError`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.checkpoints = Checkpoints(root)
        self._lock = FileLock(root / ".topics.lock")

    def directory(self, name: TopicPartition) -> Path:
        """Where a partition is kept."""
        return self.root / str(name)

    def names(self) -> list[str]:
        """All topics but Kafka's internal ones, sorted."""
        with reporting("list", self.root):
            found = (_DIRECTORY.fullmatch(entry) for entry in os.listdir(self.root))  # noqa: PTH208
        return sorted({match[1] for match in found if match and match[2] == "0"} - INTERNAL_TOPICS)

    def partitions(self, name: str) -> int:
        """How many partitions a topic has. Raises `UnknownTopic`."""
        # The name is checked first: it must not lead out of the root folder.
        if is_legal(name):
            count = 0
            while self.directory(TopicPartition(name, count)).is_dir():
                count += 1
            if count:
                return count
        known = ", ".join(self.names()[:10]) or "none"
        raise UnknownTopic(f"there is no topic {name!r} in {self.root} (there are: {known}); create it first")

    def expand(self, wanted: Sequence[str]) -> set[TopicPartition]:
        """All partitions of the topics that `wanted` names, or has patterns of, as far as they are there.

        A pattern begins with ``^``. Raises `InvalidConfig`.
        """
        found: set[TopicPartition] = set()
        known = self.names() if any(map(is_pattern, wanted)) else []
        for name in filter(is_legal, expanded(wanted, known)):
            number = 0
            while self.directory(TopicPartition(name, number)).is_dir():
                found.add(TopicPartition(name, number))
                number += 1
        return found

    def require(self, name: TopicPartition) -> Path:
        """The directory of a partition that must exist. Raises `UnknownTopic` or `UnknownPartition`."""
        count = self.partitions(name.topic)
        if not 0 <= name.partition < count:
            raise UnknownPartition(
                f"topic {name.topic!r} has no partition {name.partition}; it has 0 to {count - 1}"
            )
        return self.directory(name)

    def config(self, name: str) -> TopicConfig:
        """A topic's settings. Raises `CorruptLog`."""
        directory = self.directory(TopicPartition(name, 0))
        with reporting("read the settings in", directory):
            return TopicConfig.load(directory)

    def open(self, name: TopicPartition) -> Partition:
        """Open a partition that is there. Raises `CorruptLog`, or `LogIOError`."""

        def settings() -> TopicConfig:
            if name.topic not in INTERNAL_TOPICS:
                return self.config(name.topic)
            # Of these each partition is made when it is needed, with its own settings. What a group has
            # committed must not go because it is old, whoever made the folder.
            with reporting("read the settings in", self.directory(name)):
                return replace(TopicConfig.load(self.directory(name)), cleanup_policy="compact")

        return Partition(
            self.directory(name), name, settings(), checkpoints=self.checkpoints, reload=settings
        )

    def describe(self, name: str) -> TopicDescription:
        """What is known of a topic. Raises `UnknownTopic`."""
        count = self.partitions(name)
        path = self.directory(TopicPartition(name, 0)) / _METADATA
        topic_id = ""
        with reporting("read", path):
            if path.exists():  # a folder of an old Kafka has none
                fields = dict(line.split(": ", 1) for line in path.read_text().splitlines() if ": " in line)
                topic_id = fields.get("topic_id", "")
        return TopicDescription(name, count, topic_id, self.config(name).as_mapping())

    def create(self, name: str, partitions: int, settings: Mapping[str, int | str]) -> TopicDescription:
        """Make a topic. Raises `InvalidTopic`, `InvalidConfig` or `TopicExists`."""
        check_topic_name(name)
        if type(partitions) is not int or not 1 <= partitions <= MAX_PARTITIONS:
            raise InvalidTopic(
                f"topic {name!r} cannot have {partitions!r} partitions; give 1 to {MAX_PARTITIONS}"
            )
        config = TopicConfig.parse(settings)
        with reporting("create a topic in", self.root), self._lock:
            self._clear_leftovers(name)
            topic_id = _new_topic_id()
            for number in reversed(range(partitions)):
                self._make_partition(TopicPartition(name, number), topic_id, config if number == 0 else None)
            sync_directory(self.root)
        return TopicDescription(name, partitions, topic_id, config.as_mapping())

    def alter(self, name: str, partitions: int | None, settings: Mapping[str, int | str]) -> TopicDescription:
        """Add partitions, change settings. Raises `UnknownTopic`, `InvalidTopic` or `InvalidConfig`."""
        with reporting("alter a topic in", self.root), self._lock:
            described = self.describe(name)
            if partitions is not None and not described.partitions <= partitions <= MAX_PARTITIONS:
                raise InvalidTopic(
                    f"topic {name!r} has {described.partitions} partitions and cannot have {partitions}: "
                    f"they can only be added, up to {MAX_PARTITIONS}"
                )
            if settings:
                config = TopicConfig.parse({**described.config, **settings})
                path = self.directory(TopicPartition(name, 0)) / FILE_NAME
                write_atomically(path, config.as_properties())
                self._tell(name, described.partitions)
            for number in range(described.partitions, partitions or 0):
                self._make_partition(TopicPartition(name, number), described.topic_id, None)
            sync_directory(self.root)
        return self.describe(name)

    def _tell(self, name: str, partitions: int) -> None:
        """Have all who have a topic's partitions open read its settings again."""
        for number in range(partitions):
            path = self.directory(TopicPartition(name, number)) / ".state"
            if path.exists():
                page = StatePage(path)
                page.change_settings()
                page.close()

    def delete(self, name: str) -> None:
        """Delete a topic. Raises `UnknownTopic`.

        Partition 0 goes last, so that one that died here leaves a topic that can be deleted again.
        """
        with reporting("delete a topic in", self.root), self._lock:
            count = self.partitions(name)
            self.checkpoints.forget(TopicPartition(name, number) for number in range(count))
            for number in reversed(range(count)):
                gone = self.root / ".deleted"
                shutil.rmtree(gone, ignore_errors=True)
                self.directory(TopicPartition(name, number)).rename(gone)
                self._unlink(gone)
            sync_directory(self.root)

    @staticmethod
    def _unlink(directory: Path) -> None:
        """Delete a partition's files, after telling those who have them open, while nobody appends."""
        lock = FileLock(directory / ".wlock")
        try:
            with lock:
                page = StatePage(directory / ".state")
                page.retire()
                page.close()
        finally:
            lock.close()
        shutil.rmtree(directory)

    def ensure_partition(self, name: TopicPartition, settings: Mapping[str, int | str]) -> Path:
        """The directory of one partition of an internal topic, made if it is not there."""
        directory = self.directory(name)
        if not directory.is_dir():
            with reporting("create", directory), self._lock:
                if not directory.is_dir():
                    self._make_partition(name, _new_topic_id(), TopicConfig.parse(settings))
                    sync_directory(self.root)
        return directory

    def close(self) -> None:
        """Let go of the lock files."""
        self.checkpoints.close()
        self._lock.close()

    def _clear_leftovers(self, name: str) -> None:
        if self.directory(TopicPartition(name, 0)).exists():
            raise TopicExists(f"topic {name!r} already exists in {self.root}")
        for entry in os.listdir(self.root):  # noqa: PTH208
            match = _DIRECTORY.fullmatch(entry)
            if match and match[1] == name:
                if segment_bases(self.root / entry):
                    raise TopicExists(
                        f"{self.root / entry} holds records of topic {name!r}, though its partition 0 is "
                        "missing; move that folder away or choose another name"
                    )
                shutil.rmtree(self.root / entry)

    def _make_partition(self, name: TopicPartition, topic_id: str, config: TopicConfig | None) -> None:
        # Filled under another name, then renamed: a partition's directory is there with its files, or not.
        # One name for all, since one is made at a time, and a topic's own may be as long as a name can be.
        unfinished = self.root / ".unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        (unfinished / _METADATA).write_text(f"version: 0\ntopic_id: {topic_id}", encoding="ascii")
        (unfinished / "leader-epoch-checkpoint").write_text(_LEADER_EPOCHS, encoding="ascii")
        if config is not None:
            (unfinished / FILE_NAME).write_text(config.as_properties(), encoding="utf-8")
        for path in unfinished.iterdir():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_directory(unfinished)
        unfinished.rename(self.directory(name))


def _new_topic_id() -> str:
    """A random UUID in Kafka's spelling, which avoids a leading dash for the sake of command lines."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        if not text.startswith("-"):
            return text
