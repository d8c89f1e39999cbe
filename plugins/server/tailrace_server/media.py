"""Which form of an answer the client wants."""

from __future__ import annotations

from collections.abc import Sequence

from tailrace_server.errors import Refused

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"


def negotiated(accept: str, offered: Sequence[str]) -> str:
    """The media type of `offered` that `Accept` likes best; the first one when it says nothing. Raises Refused."""
    if not accept.strip():
        return offered[0]
    liked = [_range(part) for part in accept.split(",")]
    weighed = [(max((_weight(one, media) for one in liked), default=(0, 0.0)), media) for media in offered]
    best = max(weight for (_, weight), _ in weighed)
    if best <= 0:
        details = [("header.Accept", f"expected: one of {', '.join(offered)}")]
        raise Refused(406, "none of the media types that are asked for can be given", details=details)
    return next(media for (_, weight), media in weighed if weight == best)


def _range(part: str) -> tuple[str, float]:
    media, *options = (piece.strip().lower() for piece in part.split(";"))
    for option in options:
        name, _, value = option.partition("=")
        if name.strip() == "q":
            try:
                return media, min(1.0, max(0.0, float(value)))
            except ValueError:
                return media, 0.0
    return media, 1.0


def _weight(liked: tuple[str, float], media: str) -> tuple[int, float]:
    """How exactly a range means a media type, which decides among several, and how much it is liked."""
    name, weight = liked
    if name == media:
        return 3, weight
    if name == f"{media.partition('/')[0]}/*":
        return 2, weight
    return (1, weight) if name == "*/*" else (0, 0.0)
