"""A program: produces its share of the corpus's alerts, again and again, or consumes them in a group.

    python -m tests.e2e.alerts produce BROKER REGISTRY SHARE SHARES COUNT
    python -m tests.e2e.alerts consume BROKER REGISTRY RESULT

The alerts are numbered; the one with the number n is the corpus's n modulo
their number, and has n in a header. A key's alerts are all of one share. Who
consumes compares each with the original, and writes partition, offset, key and
number of those that are equal to RESULT, a line each, until RESULT.stop is
there.
"""

import sys
from pathlib import Path
from zlib import crc32

from broker_adapter import connect
from serde import AvroDeserializer, AvroSerializer, RegistryClient
from tests.e2e.test_corpus import Alert, lsst_alerts, same, ztf_alerts

TOPIC = "alerts"


def all_alerts() -> list[Alert]:
    """The corpus's alerts, always in the same order."""
    return [*ztf_alerts(), *lsst_alerts()]


def produce(broker_url: str, registry: str, share: str, shares: str, count: str) -> None:
    """Send this share of `count` alerts."""
    alerts = all_alerts()
    with RegistryClient(registry) as client, connect(broker_url) as broker:
        serializers = {alert.schema: AvroSerializer(client, alert.schema) for alert in alerts}

        def serialize(alert: Alert, topic: str) -> bytes | None:
            return serializers[alert.schema](alert.value, topic)

        with broker.producer(value_serializer=serialize) as producer:
            for number in range(int(count)):
                alert = alerts[number % len(alerts)]
                key = alert.key.encode()
                if crc32(key) % int(shares) == int(share):
                    producer.send(TOPIC, alert, key=key, headers=[("number", b"%d" % number)])


def consume(broker_url: str, registry: str, result: str) -> None:
    """Read in a group, compare, commit, and write down what was equal."""
    alerts = all_alerts()
    with (
        RegistryClient(registry) as client,
        connect(broker_url) as broker,
        broker.consumer(TOPIC, group="astronomers", value_deserializer=AvroDeserializer(client)) as consumer,
        Path(result).open("w", buffering=1) as file,
    ):
        while not Path(f"{result}.stop").exists():
            for record in consumer.poll(0.1, 200):
                number = int(dict(record.headers)["number"] or b"")
                original = alerts[number % len(alerts)]
                # The second is for those with not-a-number in them, and takes its time.
                assert record.value == original.value or same(record.value, original.value), number
                assert record.key == original.key.encode()
                file.write(f"{record.partition} {record.offset} {original.key} {number}\n")
            consumer.commit()


if __name__ == "__main__":
    role, *rest = sys.argv[1:]
    if role == "produce":
        produce(*rest)
    else:
        consume(*rest)
