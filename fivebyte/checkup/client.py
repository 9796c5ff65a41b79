"""What the other commands talk to: the registry and the broker."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx2

from fivebyte.checkup.finding import Finding, ok, problem
from registry.store import without_password

_TIMEOUT = 5.0


def check_registry(urls: str | None, default: str) -> Iterator[Finding]:
    """Each registry of `urls`, which have commas between, as FIVEBYTE_REGISTRY has them."""
    if urls is None:
        yield ok(f"FIVEBYTE_REGISTRY is not set: the commands talk to {default}")
        return
    for url in urls.split(","):
        yield _registry(url.strip())


def _registry(url: str) -> Finding:
    shown = f"FIVEBYTE_REGISTRY {without_password(url)}"
    try:
        with httpx2.Client(timeout=_TIMEOUT) as client:
            answer = client.get(f"{url.rstrip('/')}/v1/metadata/version")
            if answer.status_code == 404:  # older ones do not tell
                answer = client.get(f"{url.rstrip('/')}/schemas/types")
    except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
        return problem(
            f"{shown} cannot be reached: {fault}", "see the URL, and whether a registry runs there"
        )
    if answer.status_code in {401, 403}:
        return problem(f"{shown} wants a user and a password", "write them as https://USER:PASSWORD@HOST")
    try:
        found = answer.json()
    except ValueError:
        found = None
    if answer.status_code != 200 or not isinstance(found, dict | list):
        return problem(f"{shown} answers {answer.status_code}, but is no schema registry", "see the URL")
    version = found.get("version") if isinstance(found, dict) else None
    return ok(f"{shown} is a schema registry{f', version {version}' if version else ''}")


def check_broker(url: str) -> Iterator[Finding]:
    """The folder of a file log; it is not made if it is not there."""
    parts = urlsplit(url)
    if parts.scheme != "file" or not parts.path:
        yield problem(f"FIVEBYTE_BROKER {without_password(url)} names no broker", "use file:./folder")
        return
    folder = Path(unquote(parts.path))
    there = folder
    while not there.exists():
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield problem(
            f"broker {url}: files cannot be written in {there.resolve()}",
            "give its user the right to, or another folder",
        )
    elif there == folder:
        yield ok(f"broker {url}: {folder.resolve()} can be written")
    else:
        yield ok(f"broker {url}: there is no folder yet; the first topic makes it")
