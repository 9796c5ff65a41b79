"""The client of a Confluent-compatible schema registry, for asyncio."""

from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx2

from serde.calls import Calls
from serde.face import Face, as_method_of
from serde.steps import Steps
from serde.tasks import TaskDriver

P = ParamSpec("P")
T = TypeVar("T")


def _asks(
    call: Callable[Concatenate[Calls, P], Steps[T]],
) -> Callable[Concatenate["AsyncRegistryClient", P], Coroutine[Any, Any, T]]:
    async def ask(client: "AsyncRegistryClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await client._driver.run(call(client._calls, *args, **kwargs))

    return as_method_of("AsyncRegistryClient", call, ask)


class AsyncRegistryClient(Face[httpx2.AsyncBaseTransport]):
    """RegistryClient for asyncio: the same options, the same calls, to be awaited.

        async with AsyncRegistryClient("http://localhost:8081") as client:
            registered = await client.register("orders-value", '{"type": "record", ...}')

    One client serves any number of tasks of one event loop; of several that miss the same thing, one
    request is made, and who is cancelled takes nothing from the others. A BearerToken may have a
    coroutine function. Close it with `aclose`, or use it in an `async with` statement.
    """

    def _start(self) -> None:
        self._driver = TaskDriver(
            lambda: self._connections.asynchronous(self._transport),
            after_fork=self._calls.after_fork,
            fresh=self._calls.forget_latest,
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

    async def aclose(self) -> None:
        """Close the connections; calls after this raise RuntimeError."""
        await self._driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
