"""A Kafka that lets in only whom it knows: by password, over TLS, and by certificate."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from broker_adapter import connect
from broker_adapter.errors import AccessDenied, BrokerUnavailable
from tests.broker_adapter.conftest import new_name
from tests.broker_adapter.reading import take
from tests.support.certificates import Pair, root, signed
from tests.support.jvm import class_path
from tests.support.kafka import SecuredKafka

WRONG = "n0t+th1s"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secured")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Pair:
    """Who signed the certificates of the server and of the clients that it takes."""
    return root(folder)


@pytest.fixture(scope="module")
def server(folder: Path, authority: Pair) -> Iterator[SecuredKafka]:
    class_path("kafka")
    kafka = SecuredKafka(folder, authority, signed(folder, "server", authority))
    kafka.start()
    yield kafka
    kafka.kill()


@pytest.fixture(scope="module")
def ways(server: SecuredKafka, folder: Path, authority: Pair) -> Mapping[str, tuple[str, dict[str, object]]]:
    """By what a client is let in: the URL and the settings of each way."""
    ada: dict[str, object] = {"sasl.username": "ada", "sasl.password": server.PASSWORD}
    client = signed(folder, "client", authority)
    return {
        "plain": (
            f"{server.url_of(server.sasl_port)}?security.protocol=SASL_PLAINTEXT&sasl.mechanism=PLAIN",
            ada,
        ),
        "scram": (
            f"{server.url_of(server.scram_port)}?security.protocol=SASL_SSL&sasl.mechanism=SCRAM-SHA-512",
            {**ada, "ssl.ca.location": authority.certificate},
        ),
        "certificate": (
            f"{server.url_of(server.tls_port)}?security.protocol=SSL",
            {
                "ssl.ca.location": authority.certificate,
                "ssl.certificate.location": client.certificate,
                "ssl.key.location": client.key,
            },
        ),
    }


@pytest.mark.parametrize("way", ["plain", "scram", "certificate"])
def test_who_is_known_is_let_in(ways: Mapping[str, tuple[str, dict[str, object]]], way: str) -> None:
    url, settings = ways[way]
    topic = new_name()
    with connect(url, settings) as broker:
        broker.admin.create_topic(topic, 2)
        with broker.producer() as producer:
            assert producer.send(topic, b"v", key=b"k").result(30).offset == 0
        with broker.consumer(topic, group=f"g-{topic}") as consumer:
            assert [each.value for each in take(consumer, 1)] == [b"v"]
            consumer.commit()
        assert sum(broker.admin.describe_group(f"g-{topic}").offsets.values()) == 1


@pytest.mark.parametrize("way", ["plain", "scram", "certificate"])
def test_who_is_not_known_is_told_and_no_secret_is(
    ways: Mapping[str, tuple[str, dict[str, object]]], way: str, folder: Path
) -> None:
    url, settings = ways[way]
    if way == "certificate":
        stranger = signed(folder, "stranger", root(folder, "other"))
        settings = {
            **settings,
            "ssl.certificate.location": stranger.certificate,
            "ssl.key.location": stranger.key,
        }
    else:
        settings = {**settings, "sasl.password": WRONG}
    with connect(f"{url}&socket.timeout.ms=1000", settings) as broker:
        # Who refuses a certificate hangs up, and librdkafka cannot always tell why.
        with pytest.raises((AccessDenied, BrokerUnavailable)) as caught:
            broker.admin.topics()
        assert WRONG not in str(caught.value) + repr(broker)
        if way != "certificate":
            assert isinstance(caught.value, AccessDenied)


def test_a_server_that_nobody_vouches_for_is_not_trusted(
    ways: Mapping[str, tuple[str, dict[str, object]]], folder: Path
) -> None:
    url, settings = ways["scram"]
    other = {**settings, "ssl.ca.location": root(folder, "another").certificate}
    with (
        connect(f"{url}&socket.timeout.ms=1000", other) as broker,
        pytest.raises(AccessDenied, match=r"\(_SSL\)"),
    ):
        broker.admin.topics()
