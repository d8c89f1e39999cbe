"""The first page of the reference."""

from __future__ import annotations

from docs._generator.markdown import joined, table

_PAGES = (
    ("flows.md", "Flows", "what may stand in a flow, and what is not supported yet"),
    ("types/README.md", "Types", "task types and task runners, a page for each"),
    ("expressions.md", "Expressions", "filters, functions and tests of `{{ … }}`"),
    ("conversion.md", "How values are converted", "what a rendered value becomes"),
    ("cli.md", "The command line", "every command with its options"),
    ("api.md", "The API", "what a server answers, beside the endpoint that it replaces"),
    ("settings.md", "Settings", "settings and environment variables"),
    ("errors.md", "Errors and exit codes", "and the states of executions"),
    ("records.md", "Records", "the tables in which everything is kept"),
    ("app.md", "core.app", "for Python programs that run flows: an app and what it offers"),
    ("sdk.md", "core.sdk", "the first door: for authors of tasks, runners and storage"),
    ("hooks.md", "Hooks", "how a plugin tells what it brings"),
    ("testing.md", "core.testing", "for the tests of plugins and flows"),
    ("host.md", "core.host", "the second door: for those who extend the engine"),
)


def page() -> str:
    return joined(
        "# Reference",
        "Made from the code, so it is what the code does. `python -m docs.generate` writes these pages, "
        "a test compares them; only the one about the API is written by hand.",
        table(["page", "what is in it"], ((f"[{title}]({path})", said) for path, title, said in _PAGES)),
    )
