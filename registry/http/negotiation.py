"""Which media types may come in and go out (reference, section 1.0)."""

from functools import lru_cache

from werkzeug.http import parse_options_header

MEDIA_TYPES = (
    "application/vnd.schemaregistry.v1+json",
    "application/vnd.schemaregistry+json",
    "application/json",
)
"""What answers may be, the most liked first."""

_REQUEST_TYPES = {*MEDIA_TYPES, "application/octet-stream"}

MEMORABLE = 200
"""Characters of an ``Accept`` that is worth remembering."""


def negotiate(accept: str | None) -> str | None:
    """The media type for the answer to a request with this ``Accept``; None if none will do.

    The client's weights decide, and where they are equal our liking.
    """
    if accept is None or not accept.strip():
        return MEDIA_TYPES[0]
    return _remembered(accept) if len(accept) < MEMORABLE else _choose(accept)


def is_readable(content_type: str | None) -> bool:
    """Whether a body of this ``Content-Type`` is taken as JSON; none at all counts as octets."""
    if content_type is None or not content_type.strip() or content_type in _REQUEST_TYPES:
        return True
    return parse_options_header(content_type)[0].lower() in _REQUEST_TYPES


def _choose(accept: str) -> str | None:
    ranges = [_parse_range(part) for part in accept.split(",") if part.strip()]
    if not ranges:
        return MEDIA_TYPES[0]
    best, best_weight = None, 0.0
    for media_type in MEDIA_TYPES:
        weight = _weight(media_type, ranges)
        if weight > best_weight:
            best, best_weight = media_type, weight
    return best


_remembered = lru_cache(maxsize=256)(_choose)


def _parse_range(text: str) -> tuple[str, float]:
    media_range, options = parse_options_header(text.strip())
    try:
        weight = float(options.get("q", "1"))
    except ValueError:
        weight = 0.0
    # Java's own HTTP client says "*", and JAX-RS takes it.
    return "*/*" if media_range == "*" else media_range.lower(), weight


def _weight(media_type: str, ranges: list[tuple[str, float]]) -> float:
    """The weight of the most exact range that covers `media_type`."""
    family = media_type.partition("/")[0] + "/*"
    for exact in (media_type, family, "*/*"):
        weights = [weight for media_range, weight in ranges if media_range == exact]
        if weights:
            return max(weights)
    return 0.0
