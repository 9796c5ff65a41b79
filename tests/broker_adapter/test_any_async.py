"""The faces for asyncio, over every broker."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from broker_adapter import AsyncConsumer, AsyncProducer, Broker, RawRecord, TopicPartition
from broker_adapter.errors import Closed, InvalidConfig, UnknownTopic
from tests.broker_adapter.reading import PATIENCE, read_all


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run `main`, but not for ever."""
    asyncio.run(asyncio.wait_for(main, PATIENCE))


def test_records_go_in_and_come_out(any_broker: Broker, topic: str) -> None:
    async def main() -> None:
        async with AsyncProducer(any_broker.producer()) as producer:
            sent = [await producer.send(topic, b"%d" % n, key=b"k%d" % (n % 7)) for n in range(2000)]
            await producer.flush()
            assert all(each.done() for each in sent)
            places = {(where.partition, where.offset) for where in await asyncio.gather(*sent)}
        seen = []
        async with AsyncConsumer(
            any_broker.consumer(topic, group=f"g-{topic}"), idle_timeout=PATIENCE
        ) as consumer:
            async for record in consumer:
                seen.append(record)
                if len(seen) == 1000:
                    await consumer.commit()  # of those seen
                    break
            position = {each: await consumer.position(each) for each in await consumer.assignment()}
            assert sum(position.values()) == 1000
            assert {each: await consumer.committed(each) for each in position} == position
            assert sum((await consumer.lag()).values()) == 1000
        async with AsyncConsumer(
            any_broker.consumer(topic, group=f"g-{topic}"), idle_timeout=PATIENCE
        ) as consumer:
            async for batch in consumer.batches(300):
                assert len(batch) <= 300
                seen += batch
                if len(seen) >= 2000:
                    break
        assert {(each.partition, each.offset) for each in seen} == places
        assert len(seen) == 2000

    run(main())


def test_the_loop_goes_on_while_a_producer_waits(any_broker: Broker, topic: str) -> None:
    goes_on, may_go = threading.Event(), threading.Event()

    def slow(value: bytes, topic: str) -> bytes:
        goes_on.set()
        may_go.wait(PATIENCE)
        return value

    async def main() -> None:
        async with AsyncProducer(any_broker.producer(value_serializer=slow), max_waiting=5) as producer:
            sends = [asyncio.create_task(producer.send(topic, b"%d" % n, partition=0)) for n in range(20)]
            while not goes_on.is_set():
                await asyncio.sleep(0.001)  # the loop is free
            await asyncio.sleep(0.05)
            assert sum(each.done() for each in sends) == 5  # no more than that are taken
            may_go.set()
            await asyncio.gather(*(await asyncio.gather(*sends)))

    run(main())
    assert [each.value for each in read_all(any_broker, topic)] == [b"%d" % n for n in range(20)]


def test_failures_reach_the_future_and_the_flush(any_broker: Broker, topic: str) -> None:
    async def main() -> None:
        producer = AsyncProducer(any_broker.producer())
        lost = await producer.send("nope", b"v")
        with pytest.raises(UnknownTopic, match="nope"):
            await lost
        with pytest.raises(UnknownTopic, match="nope"):
            await producer.flush()
        await producer.flush()
        forgotten = await producer.send(topic, b"v")
        forgotten.cancel()
        await producer.close()
        await producer.close()
        for refused in (producer.flush(), producer.send(topic, b"v")):
            with pytest.raises(Closed):
                await refused
        with pytest.raises(InvalidConfig, match="max_waiting"):
            AsyncProducer(any_broker.producer(), max_waiting=0)

    run(main())
    assert len(read_all(any_broker, topic)) == 1


def test_a_cancelled_poll_loses_nothing(any_broker: Broker, topic: str) -> None:
    t0 = TopicPartition(topic, 0)

    async def main() -> None:
        async with AsyncConsumer(any_broker.consumer(topic)) as consumer:
            assert await consumer.poll(0.01) == []
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(consumer.poll(PATIENCE), 0.1)
            async with AsyncProducer(any_broker.producer()) as producer:
                for n in range(10):
                    await producer.send(topic, b"%d" % n, partition=0)
            assert await consumer.position(t0) == 0
            seen: list[RawRecord] = []
            while len(seen) < 10:
                polling = asyncio.create_task(consumer.poll(PATIENCE, 3))
                await asyncio.sleep(0.05)
                if not polling.done():
                    polling.cancel()
                    continue
                seen += await polling
            assert [each.value for each in seen] == [b"%d" % n for n in range(10)]
            assert await consumer.position(t0) == 10

    run(main())


def test_a_poll_that_is_cancelled_as_it_ends_loses_nothing(any_broker: Broker, topic: str) -> None:
    async def main() -> None:
        async with AsyncConsumer(any_broker.consumer(topic)) as consumer:
            polling = asyncio.create_task(consumer.poll(PATIENCE))
            while consumer._polling is None:
                await asyncio.sleep(0)
            consumer._polling.add_done_callback(lambda _: polling.cancel())
            async with AsyncProducer(any_broker.producer()) as producer:
                await producer.send(topic, b"v")
            with pytest.raises(asyncio.CancelledError):
                await polling
            assert [each.value for each in await consumer.poll(PATIENCE)] == [b"v"]

    run(main())


def test_another_task_commits_while_one_iterates(any_broker: Broker, topic: str) -> None:
    async def main() -> None:
        seen: list[int] = []
        async with (
            AsyncConsumer(any_broker.consumer(topic, group=f"g-{topic}")) as consumer,
            AsyncProducer(any_broker.producer(linger=0)) as producer,
        ):

            async def commit() -> None:
                while True:
                    await consumer.commit()

            async def send() -> None:
                for n in range(300):
                    await producer.send(topic, b"%d" % n, partition=0)
                    await asyncio.sleep(0.001)

            others = [asyncio.create_task(commit()), asyncio.create_task(send())]
            async for record in consumer:
                seen.append(int(record.value or b""))
                if seen[-1] == 299:
                    break
            for other in others:
                other.cancel()
            await asyncio.wait(others)
        assert seen == list(range(300))

    run(main())


def test_places(any_broker: Broker, topic: str) -> None:
    t0, t1 = TopicPartition(topic, 0), TopicPartition(topic, 1)

    async def main() -> None:
        async with AsyncProducer(any_broker.producer()) as producer:
            for n in range(40):
                await producer.send(topic, b"%d" % n, partition=n % 2)
        consumer = AsyncConsumer(any_broker.consumer())
        async with consumer:
            await consumer.assign([t0, t1])
            first = await anext(aiter(consumer))
            had = TopicPartition(topic, first.partition)
            other = t1 if had == t0 else t0
            await consumer.pause([other])
            assert await consumer.paused() == {other}
            rest: list[RawRecord] = []
            while len(rest) < 19:
                rest += await consumer.poll(1)
            assert {each.partition for each in rest} == {had.partition}
            assert await consumer.lag() == {had: 0, other: 20}
            await consumer.resume([other])
            await consumer.seek(other, 18)
            last: list[RawRecord] = []
            while len(last) < 2:
                last += await consumer.poll(1)
            assert [each.offset for each in last] == [18, 19]
            assert await consumer.watermarks(t0) == (0, 20)
            assert await consumer.offset_for_timestamp(t0, 1) == 0
            assert await consumer.seek_to_timestamp(t0, 2**42) == 20
        with pytest.raises(Closed):
            await consumer.poll()

    run(main())
