"""Exit codes, errors and states."""

from __future__ import annotations

from collections.abc import Iterator

import core.errors
from core.cli import exit_codes
from core.errors import TailraceError
from core.model.state import STATES, status_of
from docs._generator.markdown import code, docstring, joined, table

_CODES = {
    exit_codes.OK: "success; also when the execution ended as WARNING",
    exit_codes.FAILED: "the flow execution failed",
    exit_codes.USAGE: "wrong usage, an invalid flow or input, or something asked for that does not exist",
    exit_codes.MISSING: "something needed is missing, found before the run (Docker, a directory that can be written)",
    exit_codes.WAITING: "paused, or waiting for a person",
    exit_codes.INTERNAL: "a mistake of this program itself; a file says where it happened",
    exit_codes.INTERRUPTED: "interrupted: Ctrl-C and SIGTERM end the execution, a second one leaves it as it is",
    exit_codes.READER_GONE: "whoever read the output went away (`| head`)",
}


def page() -> str:
    return joined(
        "# Errors and exit codes",
        docstring(TailraceError),
        "With `--json` an error is an object: `error` with `kind`, `message`, `where`, `expected`, `hint`; for a flow "
        "that is not valid also `problems`, as `check --json` shows them.",
        "## Exit codes",
        table(["code", "what it means"], ((code(number), said) for number, said in _CODES.items())),
        "## Errors",
        "In `core.errors`; those that plugins raise are in `core.sdk` too.",
        table(["error", "is a", "kind", "exit code", "what it says"], _rows()),
        "## States",
        "The states of the reference. The status is computed from the state, never stored; a deleted output has the "
        "status `deleted`, one whose sources changed since has `stale`.",
        table(["state", "status"], ((code(state), code(status_of(state))) for state in STATES)),
    )


def _rows() -> Iterator[tuple[str, str, str, str, str]]:
    for name, thing in vars(core.errors).items():
        if isinstance(thing, type) and issubclass(thing, TailraceError) and thing is not TailraceError:
            number = exit_codes.code_of_error(thing.kind)
            yield code(name), code(thing.__bases__[0].__name__), thing.kind, code(number), docstring(thing)
