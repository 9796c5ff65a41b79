"""The registry over HTTP, as Confluent's clients know it. `create_app` is the way in."""

from registry.http.app import create_app

__all__ = ["create_app"]
