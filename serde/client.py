"""The client of a Confluent-compatible schema registry."""

from collections.abc import Callable
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

import httpx2

from serde.blocking import ThreadDriver
from serde.calls import Calls
from serde.face import Face, as_method_of
from serde.steps import Steps

P = ParamSpec("P")
T = TypeVar("T")


def _asks(call: Callable[Concatenate[Calls, P], Steps[T]]) -> Callable[Concatenate["RegistryClient", P], T]:
    def ask(client: "RegistryClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client._driver.run(call(client._calls, *args, **kwargs))

    return as_method_of("RegistryClient", call, ask)


class RegistryClient(Face[httpx2.BaseTransport]):
    """Registers schemas and finds them.

        with RegistryClient("http://localhost:8081") as client:
            registered = client.register("orders-value", '{"type": "record", ...}')

    url: one URL, several with commas between, or a sequence. The one that answered last is asked first;
    ``http://user:password@host`` is Basic authentication for that host. ``embedded:`` is the real registry
    in this process, in memory; ``embedded:sqlite:///schemas.db`` keeps its schemas in a file.
    context: the context (``.eu``) that all subjects and ids are of; None: the default one.
    timeout: seconds to wait for a connection, and for each part of the answer.
    deadline: seconds for a whole call, with all that is repeated.
    retries: how often all URLs are asked again after a transport error or a 408, 429, 502, 503 or 504, with
    a random pause before that, and not sooner than the answer wants; deletes are repeated only if they were
    never sent.
    headers: sent with every request.
    auth: user and password, BasicAuth, BearerToken or ClientCredentials.
    tls: which certificates to trust and to show. proxy: the URL of an HTTP proxy; None: what the
    environment says (``HTTPS_PROXY``, ...).
    cache_capacity: entries in each cache.
    latest_ttl: seconds for which a subject's newest version is kept. Then it is renewed in the background:
    a caller gets one that is that old and one refresh older at most, and waits only for the first. While
    the registry is away it gets the last one known, and the log says so. 0: ask each time.
    missing_ttl: seconds for which the registry is not asked again for an id that it does not have.
    transport: an httpx2 transport in place of the network: ``httpx2.WSGITransport(app)`` in tests.

    What cannot change is asked once: a schema by its id, what a text was registered as under a subject.
    One client serves any number of threads; of several that miss the same thing, one asks. After a fork
    the child has connections of its own. Close it, or use it in a `with` statement.

    Every call raises RegistryError (the registry said no; see its subclasses), RegistryUnreachable or
    TokenError.
    """

    def _start(self) -> None:
        self._driver = ThreadDriver(
            lambda: self._connections.blocking(self._transport), after_fork=self._calls.after_fork
        )

    register = _asks(Calls.register)
    look_up = _asks(Calls.look_up)
    schema_by_id = _asks(Calls.schema_by_id)
    schema_by_guid = _asks(Calls.schema_by_guid)
    ids_by_guid = _asks(Calls.ids_by_guid)
    versions_by_id = _asks(Calls.versions_by_id)
    schema = _asks(Calls.schema)
    latest = _asks(Calls.latest)
    latest_with_metadata = _asks(Calls.latest_with_metadata)
    referenced_texts = _asks(Calls.referenced_texts)

    subjects = _asks(Calls.subjects)
    versions = _asks(Calls.versions)
    schemas = _asks(Calls.schemas)
    referenced_by = _asks(Calls.referenced_by)
    contexts = _asks(Calls.contexts)
    schema_types = _asks(Calls.schema_types)

    check_compatibility = _asks(Calls.check_compatibility)
    delete_subject = _asks(Calls.delete_subject)
    delete_version = _asks(Calls.delete_version)
    delete_context = _asks(Calls.delete_context)

    config = _asks(Calls.config)
    set_config = _asks(Calls.set_config)
    delete_config = _asks(Calls.delete_config)
    mode = _asks(Calls.mode)
    set_mode = _asks(Calls.set_mode)
    delete_mode = _asks(Calls.delete_mode)

    def close(self) -> None:
        """Close the connections; calls after this raise RuntimeError."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
