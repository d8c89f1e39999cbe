"""`flows`: stored flows and their revisions."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from core.cli.command import Call, Command, UsageError, home_options, json_option, positive
from core.cli.exit_codes import OK
from core.cli.opening import opened
from core.cli.people import iso_time, short_time
from core.cli.running import load_flow
from core.host.views import FlowView


def _object(flow: FlowView) -> dict[str, Any]:
    return {
        "namespace": flow.namespace,
        "id": flow.flow_id,
        "revision": flow.revision,
        "local": flow.local,
        "created_at": iso_time(flow.created_at),
    }


def _configure_list(parser: ArgumentParser) -> None:
    parser.add_argument("--namespace", metavar="NAME", help="of this namespace only")
    json_option(parser)
    home_options(parser)


def _list(call: Call) -> int:
    with opened(call) as app:
        flows = app.flows.list(call.args.namespace)
    if call.args.json:
        call.out.data({"data": [_object(flow) for flow in flows]})
    else:
        rows = [(flow.namespace, flow.flow_id, flow.revision, short_time(flow.created_at)) for flow in flows]
        call.out.table(("NAMESPACE", "ID", "REVISION", "CREATED"), rows)
    return OK


def _configure_show(parser: ArgumentParser) -> None:
    parser.add_argument("flow", metavar="NAMESPACE/ID")
    parser.add_argument("--revision", type=positive, metavar="N", help="an older one (default: the newest)")
    json_option(parser)
    home_options(parser)


def _show(call: Call) -> int:
    namespace, separator, flow_id = call.args.flow.partition("/")
    if not (namespace and separator and flow_id):
        raise UsageError(f"`{call.args.flow}` does not name a flow", expected="NAMESPACE/ID")
    with opened(call) as app:
        flow = app.flows.get(namespace, flow_id, call.args.revision)
    if call.args.json:
        call.out.data({**_object(flow), "source": flow.source})
    else:
        call.out.result(flow.source.removesuffix("\n"))
    return OK


def _configure_push(parser: ArgumentParser) -> None:
    parser.add_argument("files", type=Path, nargs="+", metavar="FLOW.yaml")
    json_option(parser)
    home_options(parser)


def _push(call: Call) -> int:
    with opened(call) as app:
        # All are checked before the first is stored.
        sources = [load_flow(call, app, file).source for file in call.args.files]
        stored = [app.flows.push(source) for source in sources]
    if call.args.json:
        call.out.data({"data": [_object(flow) for flow in stored]})
    else:
        for flow in stored:
            call.out.result(f"{flow.namespace}/{flow.flow_id}, revision {flow.revision}")
    return OK


COMMANDS = (
    Command("flows list", "The newest revision of each stored flow.", _configure_list, _list),
    Command("flows show", "A flow's source, as it was stored.", _configure_show, _show),
    Command("flows push", "Store flows; the same text makes no new revision.", _configure_push, _push),
)
