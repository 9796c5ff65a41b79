"""What the server writes to standard error: a line an event, as text or as JSON.

The loggers are ``fivebyte.*`` and granian's. A line has the id of the request
that it is about, where there is one, and never the user and password of a URL.
"""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

current_request: ContextVar[str] = ContextVar("current_request", default="")
"""The id of the request under way; empty outside of one."""

_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]*@")


class LogFormat(StrEnum):
    """What a line looks like."""

    TEXT = "TEXT"
    JSON = "JSON"


class LogLevel(StrEnum):
    """The least that is written. INFO adds a line a request."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def configuration(form: LogFormat, level: LogLevel) -> dict[str, Any]:
    """For `logging.config.dictConfig`."""
    formatter = JsonFormatter if form is LogFormat.JSON else TextFormatter
    to_stderr = {"handlers": ["stderr"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"chosen": {"()": formatter}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "chosen", "stream": "ext://sys.stderr"}
        },
        "loggers": {
            # Its warnings are advice on the number of threads.
            "_granian": {**to_stderr, "level": "ERROR"},
            "fivebyte": {**to_stderr, "level": str(level)},
        },
    }


class TextFormatter(logging.Formatter):
    """``2026-01-02 03:04:05,678 WARNING fivebyte.registry: message [request id]``, and a traceback below."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's
        """The line. What a path or a subject has of line ends is escaped: one event is one line."""
        line = super().formatMessage(record)
        line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
        request = _facts(record).get("request_id")
        return f"{line} [{request}]" if request else line

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        return _CREDENTIALS.sub("***@", super().format(record))


class JsonFormatter(logging.Formatter):
    """An object with time, level, logger, message, and where there is one request_id and exception.

    The line of a request has method, path, route, status and duration_ms, too.
    """

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        event = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return _CREDENTIALS.sub("***@", json.dumps(event, ensure_ascii=False, default=str))


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    facts: dict[str, Any] = getattr(record, "facts", {})
    request = current_request.get()
    return {"request_id": request, **facts} if request else facts
