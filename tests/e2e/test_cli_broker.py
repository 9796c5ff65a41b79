"""``fivebyte topic``, ``group`` and ``log``: on a file log and on Kafka, as they are called."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker_adapter import Broker, TopicPartition, connect
from fivebyte.cli import run
from tests.broker_adapter.conftest import new_name
from tests.broker_adapter.reading import take
from tests.support.kafka import shared_kafka

Call = Callable[..., str]


@pytest.fixture(params=["file", "kafka"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A broker of each kind."""
    return shared_kafka().url if request.param == "kafka" else f"file:{tmp_path / 'data'}"


@pytest.fixture
def broker(url: str) -> Iterator[Broker]:
    with connect(url) as broker:
        yield broker


@pytest.fixture
def call(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a command on the broker; what it printed, on both outputs. It must end with `code`."""
    monkeypatch.setenv("FIVEBYTE_BROKER", url)

    def called(*arguments: object, code: int = 0) -> str:
        ended = run([str(each) for each in arguments])
        printed = capsys.readouterr()
        assert ended == code, printed
        return printed.out + printed.err

    return called


@pytest.fixture
def topic(broker: Broker) -> str:
    """Two partitions with ten records each, a second apart, from 2026-01-01 on."""
    name = new_name()
    broker.admin.create_topic(name, 2)
    with broker.producer() as producer:
        for n in range(20):
            producer.send(name, b"%d" % n, partition=n % 2, timestamp=1_767_225_600_000 + n * 1000)
    return name


def test_a_topics_life(call: Call, broker: Broker) -> None:
    name = new_name()
    assert call("topic", "create", name, "--partitions", 2, "--config", "segment.bytes=2097152") == (
        f"created {name} with 2 partitions\n"
    )
    assert f"{name} partitions 2\n" in call("topic", "list")
    described = call("topic", "describe", name)
    assert f"{name} id {broker.admin.describe_topic(name).topic_id} partitions 2\n" in described
    assert "  partition 1 start 0 end 0\n" in described
    assert "  segment.bytes=2097152\n" in described
    assert call("topic", "alter", name, "--partitions", 3, "--config", "segment.ms=1000000") == (
        f"altered {name}: 3 partitions segment.ms=1000000\n"
    )
    told = json.loads(call("topic", "describe", name, "--json"))
    assert (len(told["partitions"]), told["config"]["segment.ms"]) == (3, 1_000_000)
    assert call("topic", "delete", name) == f"deleted {name}\n"
    assert name not in call("topic", "list")


def test_topics_that_cannot_be(call: Call, topic: str) -> None:
    assert "already exists" in call("topic", "create", topic, code=1)
    assert "segment.byte" in call("topic", "create", "x", "--config", "segment.byte=1", code=1)
    assert "'segment.bytes' is not KEY=VALUE" in call(
        "topic", "create", "x", "--config", "segment.bytes", code=2
    )
    assert "say what to alter" in call("topic", "alter", topic, code=2)
    assert "has 2 partitions" in call("topic", "alter", topic, "--partitions", 1, code=1)
    for command in ("describe", "delete", "truncate"):
        assert "'nope'" in call("topic", command, "nope", code=1)


def test_topics_are_truncated(call: Call, topic: str, broker: Broker) -> None:
    assert call("topic", "truncate", topic, "--before", 3, "--partition", 1) == (
        f"{topic}-1 starts at 3 (deleted 3)\n"
    )
    assert call("topic", "truncate", topic, "--before", "2026-01-01T00:00:10Z") == (
        f"{topic}-0 starts at 5 (deleted 5)\n{topic}-1 starts at 5 (deleted 2)\n"
    )
    assert "'soon' is no time" in call("topic", "truncate", topic, "--before", "soon", code=2)
    assert "has no partition 2" in call("topic", "truncate", topic, "--partition", 2, code=1)
    assert call("topic", "truncate", topic) == (
        f"{topic}-0 starts at 10 (deleted 5)\n{topic}-1 starts at 10 (deleted 5)\n"
    )
    with broker.producer() as producer:
        assert producer.send(topic, b"v", partition=0).result().offset == 10


def test_groups(call: Call, broker: Broker, topic: str) -> None:
    group = f"g-{topic}"
    with broker.consumer(topic, group=group, group_instance_id="one") as consumer:
        take(consumer, 20)
        consumer.commit({TopicPartition(topic, 0): 4})
        shown = call("group", "describe", group)
        assert shown.startswith(f"{group}: stable, 1 member\n")
        assert ", instance one, member " in shown
        assert re.search(f"^  {topic}-0 committed 4 end 10 lag 6 member (?!-)", shown, re.MULTILINE)
        assert re.search(f"^  {topic}-1 committed - end - lag - member (?!-)", shown, re.MULTILINE)
        told = json.loads(call("group", "describe", group, "--json"))
        assert [each["lag"] for each in told["offsets"]] == [6, None]
        assert f"{group} stable members 1\n" in call("group", "list")
    with broker.consumer(topic, group=f"{group}-2") as consumer:
        take(consumer, 20)
        consumer.commit({TopicPartition(topic, 0): 4})
        assert "close" in call("group", "reset", f"{group}-2", "--to", "latest", code=1)
    group = f"{group}-2"
    assert call("group", "reset", group, "--to", "latest", "--dry-run") == (
        f"{topic}-0 would be 10\n{topic}-1 would be 10\n"
    )
    assert broker.admin.describe_group(group).offsets == {TopicPartition(topic, 0): 4}
    assert (
        call("group", "reset", group, topic, "--to", "2026-01-01T00:00:03Z") == f"{topic}-0 2\n{topic}-1 1\n"
    )
    assert call("group", "reset", group, "--to", 99, "--partition", 1) == f"{topic}-1 10\n"
    offsets = {TopicPartition(topic, 0): 2, TopicPartition(topic, 1): 10}
    assert broker.admin.describe_group(group).offsets == offsets
    assert call("group", "reset", group, "--to", "earliest") == f"{topic}-0 0\n{topic}-1 0\n"
    assert "'soon' is no time" in call("group", "reset", group, "--to", "soon", code=2)
    assert "no partition 7" in call("group", "reset", group, "--to", "latest", "--partition", 7, code=1)
    assert call("group", "delete", group) == f"deleted {group}\n"
    for command in ("describe", "delete"):
        assert group in call("group", command, group, code=1)


@pytest.mark.parametrize("url", ["file"], indirect=True)
def test_what_is_in_a_log(call: Call, broker: Broker, topic: str, tmp_path: Path) -> None:
    with broker.producer(compression="zstd") as producer:
        producer.send(topic, "größe\n".encode(), key=b"\xff", headers=[("h", None)], partition=0)
    with broker.consumer(topic, group="readers") as consumer:
        take(consumer, 21)
        consumer.commit({TopicPartition(topic, 1): 10})
    partition = tmp_path / "data" / f"{topic}-0"
    shown = call("log", "dump", "--deep", partition)
    assert f"{partition / f'{0:020d}.log'}\n" in shown
    assert "codec zstd" in shown
    assert (
        '    record 3, timestamp 1767225606000 (2026-01-01T00:00:06.000+00:00), key null, value "6"\n'
        in shown
    )
    assert '"\\\\xff", value "größe\\\\x0a", headers [["h", null]]\n' in shown
    lines = [json.loads(line) for line in call("log", "dump", "--json", partition).splitlines()]
    assert sum(line.get("records", 0) for line in lines) == 11
    assert {line["codec"] for line in lines if "codec" in line} == {"none", "zstd"}
    (offsets,) = (tmp_path / "data").glob("__consumer_offsets-*")
    assert f"group readers, topic {topic}, partition 1, committed 10\n" in call(
        "log", "dump", "--deep", offsets
    )
    broker.close()
    assert '"last_sequence": 0' in call("log", "dump", "--json", *partition.glob("*.snapshot"))

    verified = call("log", "verify", "--deep", tmp_path / "data")
    assert f"{partition}: 2 segments, 11 records, offsets 0 to 10, " in verified
    assert verified.count(": sound\n") == 3
    log = partition / f"{10:020d}.log"  # it is much later than the others, and so in a segment of its own
    data = bytearray(log.read_bytes())
    data[-1] ^= 1
    log.write_bytes(data)
    verified = call("log", "verify", partition, code=1)
    assert "offset 10: the batch of offset 10 is damaged" in verified
    assert verified.endswith(": not sound\n")
    assert json.loads(call("log", "verify", "--json", log, code=1))["findings"][0]["problem"] is True
    assert "damage the batch of offset 10 is damaged" in call("log", "dump", log, code=1)
    (tmp_path / "empty").mkdir()
    assert "no partition's folder" in call("log", "verify", tmp_path / "empty", code=1)
