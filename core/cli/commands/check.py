"""`check`: what is wrong with flows, and which dialect they speak; nothing run."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from core.cli.command import Call, Command, home_options, json_option
from core.cli.exit_codes import OK, USAGE
from core.cli.opening import opened
from core.cli.problems import is_error, problem_object, problem_text, unsupported
from core.errors import NotFound
from core.loading.differences import differences, spoken
from core.loading.problems import Problem


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("paths", type=Path, nargs="+", metavar="FLOW.yaml|DIR", help="flows, or folders of them")
    json_option(parser)
    home_options(parser)


def _execute(call: Call) -> int:
    args, out = call.args, call.out
    files = list(dict.fromkeys(file for path in args.paths for file in _flow_files(path)))
    problems: list[Problem] = []
    dialects: dict[str, str] = {}
    with opened(call) as app:
        for file in files:
            flow, found = app.flows.load(file)
            if flow is not None:
                dialects[str(file)] = spoken(flow)
                found = (*found, *differences(flow, str(file)))
            problems.extend(sorted(found, key=lambda problem: (problem.line, problem.column)))
    wrong = {problem.file for problem in problems if is_error(problem)}
    if args.json:
        out.data(
            {
                "flows": len(files),
                "valid": len(files) - len(wrong),
                "problems": [problem_object(problem) for problem in problems],
                "dialects": dialects,
                "unsupported": [{"what": what, "flows": flows} for what, flows in unsupported(problems)],
            }
        )
    else:
        _show(call, files, problems, len(wrong), dialects)
    return USAGE if wrong else OK


def _flow_files(path: Path) -> Iterator[Path]:
    """The file itself, or every YAML file below a folder. Raises NotFound."""
    if os.path.isdir(path):  # unlike those of Path, both take any text
        yield from sorted(file for suffix in ("*.yaml", "*.yml") for file in path.rglob(suffix) if file.is_file())
    elif os.path.isfile(path):
        yield path
    else:
        raise NotFound("there is no such file or folder", where=str(path), expected="a flow's YAML file, or a folder")


def _show(
    call: Call, files: Sequence[Path], problems: Sequence[Problem], wrong: int, dialects: Mapping[str, str]
) -> None:
    out = call.out
    for problem in problems:
        out.result(problem_text(problem))
    if any(path.is_dir() for path in call.args.paths):
        missing = unsupported(problems)
        if missing:
            out.result("\nnot supported here:")
            out.table(("FLOWS", "WHAT"), [(flows, what) for what, flows in missing], indent="  ")
            out.result()
    valid = len(files) - wrong
    spoken = _spoken(dialects)
    if len(files) != 1:
        out.note(f"{valid} of {len(files)} flows are valid" + (f" ({spoken})" if spoken else ""))
    else:
        out.note(("valid" + (f" ({spoken})" if spoken else "")) if valid else "not valid")


def _spoken(dialects: Mapping[str, str]) -> str:
    """`3 of the 1.x dialect, 1 of the 2.x dialect`; flows of both are not counted."""
    counts = {name: list(dialects.values()).count(name) for name in ("1.x", "2.x")}
    if len(dialects) == 1:
        return next((f"of the {name} dialect" for name, count in counts.items() if count), "")
    return ", ".join(f"{count} of the {name} dialect" for name, count in counts.items() if count)


COMMANDS = (Command("check", "Say what is wrong with flows; nothing is run.", _configure, _execute),)
