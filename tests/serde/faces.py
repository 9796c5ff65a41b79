"""Both registry clients behind one way to call them, so that what holds for both is tested once."""

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import pytest

from serde import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AsyncRegistryClient,
    AvroDeserializer,
    AvroSerializer,
    RegistryClient,
)

T = TypeVar("T")

Client = Any
"""RegistryClient or AsyncRegistryClient: what its calls give goes through `of`."""

on_both = pytest.mark.parametrize("kind", [RegistryClient, AsyncRegistryClient], ids=["threads", "tasks"])


async def of(given: Awaitable[T] | T) -> T:
    """What a call gives, awaited if it is to be."""
    return await given if inspect.isawaitable(given) else given


@contextlib.asynccontextmanager
async def opened(kind: type[Client], url: str | Sequence[str], **options: Any) -> AsyncIterator[Client]:
    """A client of the kind, closed at the end."""
    client = kind(url, **options)
    try:
        yield client
    finally:
        await of(client.aclose() if kind is AsyncRegistryClient else client.close())


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """What the coroutine comes to, in an event loop of its own."""
    return asyncio.run(scenario)


async def until(is_so: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that others do."""
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.005)


def serializer(client: Client, *given: Any, **options: Any) -> Any:
    """The serializer of the client's kind; its messages go through `of`."""
    kind = AsyncAvroSerializer if isinstance(client, AsyncRegistryClient) else AvroSerializer
    return kind(client, *given, **options)


def deserializer(client: Client, *given: Any, **options: Any) -> Any:
    """The deserializer of the client's kind; its values go through `of`."""
    kind = AsyncAvroDeserializer if isinstance(client, AsyncRegistryClient) else AvroDeserializer
    return kind(client, *given, **options)
