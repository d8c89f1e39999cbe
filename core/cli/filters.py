"""Options that choose among records, shared by everything that lists."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, _ArgumentGroup
from datetime import UTC, datetime, tzinfo

from core.cli.command import UsageError, positive
from core.model.state import STATES, STATUSES


def flow_filters(parser: ArgumentParser) -> _ArgumentGroup:
    """Options that every list of executions or outputs has; the group, for those that only one of them has."""
    group = parser.add_argument_group("filters", "A filter that is given more than once takes any of its values.")
    group.add_argument("--flow", action="append", default=[], metavar="ID", help="the flow's id")
    group.add_argument("--namespace", action="append", default=[], metavar="NAME", help="the flow's namespace")
    group.add_argument("--status", action="append", default=[], choices=STATUSES, help="the computed status")
    group.add_argument("--state", action="append", default=[], choices=STATES, metavar="STATE", help="the exact state")
    group.add_argument("--created-after", metavar="TIME", help="ISO 8601 date or time")
    group.add_argument("--created-before", metavar="TIME", help="ISO 8601 date or time")
    return group


def page_options(parser: ArgumentParser, limit: int = 100) -> None:
    """Options of a list that is read page by page, newest first."""
    parser.add_argument("--limit", type=positive, default=limit, metavar="N", help=f"rows of a page (default {limit})")
    parser.add_argument("--starting-after", metavar="NEXT", help="go on after the page that gave this `next`")


def flow_ids(args: Namespace) -> tuple[str, ...]:
    """--flow, which is the id alone: a namespace is a filter of its own."""
    for text in args.flow:
        namespace, separator, flow_id = text.partition("/")
        if separator:
            raise UsageError(f"`{text}` is not a flow's id", hint=f"--namespace {namespace} --flow {flow_id}")
    return tuple(args.flow)


def created_between(args: Namespace, zone: str) -> tuple[int | None, int | None]:
    """--created-after and --created-before in microseconds since 1970 UTC; `zone` counts where a time names none."""
    return (
        _moment(args.created_after, "--created-after", zone),
        _moment(args.created_before, "--created-before", zone),
    )


def _moment(text: str | None, option: str, zone: str) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"`{text}` is not a time", where=option, expected="ISO 8601, such as 2025-05-01 or 2025-05-01T10:00:00Z"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_zone(zone))
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - reads files; most homes are set to UTC

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(f"there is no time zone `{name}`", where="setting zone", expected="such as UTC") from error
