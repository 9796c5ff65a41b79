"""A real Kafka as a subprocess: broker and controller in one process, on free ports of this machine."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Final

from tests.support.certificates import Pair
from tests.support.jvm import class_path
from tests.support.server import free_port

_START_SECONDS: Final = 120.0
_JVM: Final = (
    "-Xmx256m",
    "-Xshare:auto",
    "-XX:TieredStopAtLevel=1",  # it starts in half the time
    "-XX:+UseSerialGC",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


class RunningKafka:
    """A Kafka with its files in `folder`. It can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._class_path = class_path("kafka")
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self._settings = folder / "server.properties"
        self._settings.write_text(self._properties(free_port()))
        cluster = ("-t", "4L6g3nShT-eMCtK--X86sw")
        self._run("kafka.tools.StorageTool", "format", *cluster, "-c", self._settings, *self._users())

    @property
    def address(self) -> str:
        """What clients are given as bootstrap.servers."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """What `connect` takes."""
        return f"kafka://{self.address}"

    @property
    def data(self) -> Path:
        """Where the folders of partitions are."""
        return self._folder / "data"

    def _users(self) -> list[str]:
        """Who is known from the start, as StorageTool takes it."""
        return []

    def start(self) -> None:
        """Start it and wait until it takes connections. Raises RuntimeError, with its output, if it ends."""
        log = self._folder / "kafka.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command("kafka.Kafka", self._settings), cwd=self._folder, stdout=output, stderr=output
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"Kafka did not start:\n{log.read_text()[-5000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it as its operator would, and wait until it has ended."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it with SIGKILL. May be called again."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """From here on it is silent, but its connections stay."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on, with what it was sent meanwhile."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5):
                return True
        except OSError:
            return False

    def _command(self, main: str, *arguments: object) -> list[str]:
        return ["java", *_JVM, "-cp", self._class_path, main, *map(str, arguments)]

    def _run(self, main: str, *arguments: object) -> None:
        done = subprocess.run(
            self._command(main, *arguments),
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{main} failed:\n{done.stdout}")

    def _properties(self, controller_port: int) -> str:
        return f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={self.data}
log.cleaner.backoff.ms=300
auto.create.topics.enable=false
broker.heartbeat.interval.ms=300
broker.session.timeout.ms=3000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=100
group.consumer.min.heartbeat.interval.ms=100
group.consumer.heartbeat.interval.ms=100
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
"""


class SecuredKafka(RunningKafka):
    """A Kafka with a listener more for each of PLAIN, SCRAM over TLS, and TLS with client certificates.

    The user ada has the password `PASSWORD`. `sasl_url`, `scram_url` and `tls_url` are the listeners.
    """

    PASSWORD = "s3cr+t/=="

    def __init__(self, folder: Path, root: Pair, server: Pair) -> None:
        """`server` is the certificate it shows; it takes those of clients that `root` signed."""
        self.sasl_port, self.scram_port, self.tls_port = free_port(), free_port(), free_port()
        keystore = folder / "server.pem"
        keystore.write_text(Path(server.key).read_text() + Path(server.certificate).read_text())
        self._tls = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": keystore,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": root.certificate,
        }
        super().__init__(folder)

    def url_of(self, port: int) -> str:
        """What `connect` takes, for one of the listeners."""
        return f"kafka://127.0.0.1:{port}"

    def _users(self) -> list[str]:
        return ["--add-scram", f"SCRAM-SHA-512=[name=ada,password={self.PASSWORD}]"]

    def _properties(self, controller_port: int) -> str:
        ports = {"SASL": self.sasl_port, "SCRAM": self.scram_port, "TLS": self.tls_port}
        listeners = "".join(f",{name}://127.0.0.1:{port}" for name, port in ports.items())
        modules = "org.apache.kafka.common.security"
        plain = f'{modules}.plain.PlainLoginModule required user_ada="{self.PASSWORD}";'
        scram = f"{modules}.scram.ScramLoginModule required;"
        protocols = "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,SCRAM:SASL_SSL,TLS:SSL"
        lines = [
            line
            for line in super()._properties(controller_port).splitlines()
            if not line.startswith(("listeners=", "listener.security.protocol.map="))
        ]
        lines += [
            f"listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller_port}{listeners}",
            "inter.broker.listener.name=PLAINTEXT",
            f"listener.security.protocol.map={protocols}",
            "listener.name.sasl.sasl.enabled.mechanisms=PLAIN",
            f"listener.name.sasl.plain.sasl.jaas.config={plain}",
            "listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512",
            f"listener.name.scram.scram-sha-512.sasl.jaas.config={scram}",
            "listener.name.tls.ssl.client.auth=required",
            *(f"{name}={value}" for name, value in self._tls.items()),
        ]
        return "\n".join(lines)


def shared_kafka() -> RunningKafka:
    """The one Kafka of this run of the tests, started by the first that needs it and killed at the end.

    Skips (or, in CI, fails) the test where there is no JDK or no Maven.
    Raises RuntimeError if it did not start.
    """
    class_path("kafka")
    server = _started()
    if isinstance(server, RuntimeError):
        raise server
    return server


@cache
def _started() -> RunningKafka | RuntimeError:
    """What came of starting it: once, since a start that fails takes its time."""
    folder = Path(tempfile.mkdtemp(prefix="fivebyte-kafka-"))
    owner = os.getpid()
    servers: list[RunningKafka] = []

    def end() -> None:
        if os.getpid() == owner:
            for server in servers:
                server.kill()
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    try:
        servers.append(RunningKafka(folder))
        servers[0].start()
    except RuntimeError as error:
        return error
    return servers[0]
