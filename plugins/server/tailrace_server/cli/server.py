"""`server`."""

from __future__ import annotations

import re
from argparse import ArgumentParser

from core.host.deployment import CommandCall, PluginCommand
from tailrace_server.cli.numbers import port, positive
from tailrace_server.options import KIB, MIB, Options
from tailrace_server.serve import serve

DETAILS = """\
Without any API key the server answers only this machine, as admin of the
default organization. `api-keys create` makes a key; from then on every request
needs one. What is started over HTTP runs in this process's engine, its tasks in
worker processes. SIGTERM and Ctrl-C end it: what runs is left to be taken over
by the next engine."""


def size(text: str) -> int:
    """Bytes, with an optional unit: `500000`, `512K`, `20M`, `2G`."""
    match = re.fullmatch(r"([1-9]\d{0,11})([KMG]?)", text)
    if match is None:
        raise ValueError(text)
    return int(match[1]) * {"": 1, "K": KIB, "M": MIB, "G": 1024 * MIB}[match[2]]


def rate(text: str) -> float:
    """Requests a second: `50` or `50/s`, `0.5/s`."""
    number = float(text.removesuffix("/s"))
    if not 0.001 <= number <= 1_000_000:
        raise ValueError(text)
    return number


size.__name__ = "a size such as 20M"
rate.__name__ = "a rate such as 50/s"


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (default 127.0.0.1)")
    parser.add_argument("--port", type=port, default=8080, metavar="N", help="0 takes a free one (default 8080)")
    parser.add_argument("--workers", type=positive, metavar="N", help="how many tasks run at once")
    parser.add_argument("--threads", action="store_true", help="run tasks in threads, not in worker processes")
    parser.add_argument("--no-engine", action="store_true", help="only answer requests; an `engine` works elsewhere")
    parser.add_argument("--rate", type=rate, metavar="N/s", help="requests a second of each key (default: any)")
    told = "believe X-Forwarded-For and X-Forwarded-Proto: only where a proxy sets them"
    parser.add_argument("--behind-proxy", action="store_true", help=told)
    parser.add_argument("--max-request", type=size, default=10 * MIB, metavar="SIZE", help="of a body (default 10M)")
    told = "of files that are sent, beside that (default 1G)"
    parser.add_argument("--max-upload", type=size, default=1024 * MIB, metavar="SIZE", help=told)


def execute(call: CommandCall) -> int:
    """Serve until a signal comes."""
    args = call.args
    options = Options(
        note=call.out.note,
        host=args.host,
        port=args.port,
        rate=args.rate,
        max_request=args.max_request,
        max_upload=args.max_upload,
        behind_proxy=args.behind_proxy,
    )
    with call.open() as deployment:
        engine = None
        if not args.no_engine:
            engine = deployment.engine(workers=args.workers, processes=not args.threads)

        def started(url: str) -> None:
            if call.out.json:
                call.out.data({"url": url})
            else:
                people = url.removesuffix("/api/v1")
                call.out.result(f"{deployment.title} {deployment.version} answers at {url} (for people: {people})")
            call.out.flush()

        serve(deployment, options, engine, started)
    return 0


COMMANDS = (PluginCommand("server", "serve the API over HTTP, with the engine inside", configure, execute, DETAILS),)
