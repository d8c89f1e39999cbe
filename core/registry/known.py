"""What no installed plugin brings, types of the reference language above all: which distribution does."""

from __future__ import annotations

from core.model.data import data


@data
class Origin:
    """Where something would come from. distribution: "" when none is known. advice: what to tell the user, or ""."""

    distribution: str = ""
    advice: str = ""


RELEASED: dict[str, str] = {
    "core.http.Request": "tailrace-http",
    "core.http.Download": "tailrace-http",
    "core.http.Trigger": "tailrace-http",
    "fs.http.": "tailrace-http",
    **dict.fromkeys((
        "core.execution.Assert", "core.execution.Count", "core.execution.Counts", "core.execution.Exit",
        "core.execution.Labels", "core.execution.PurgeExecutions", "core.execution.Resume",
        "core.execution.SetVariables", "core.execution.UnsetVariables", "core.flow.Sleep", "core.kv.",
        "core.log.Fetch", "core.log.PurgeLogs", "core.metric.", "core.namespace.", "core.state.", "core.storage.",
        "core.templating.", "core.trigger.Toggle",
    ), "tailrace-essentials"),
    "scripts.python.": "tailrace-scripts-python",
    "scripts.shell.": "tailrace-scripts-shell",
    "jdbc.duckdb.": "tailrace-jdbc-duckdb",
    "runner.Docker": "tailrace-runner-docker",
    "scripts.runner.docker.": "tailrace-runner-docker",
}  # fmt: skip
"""Type names → the distribution that can be installed; a beginning up to a dot where all types below it are there."""

RECORD_STORES = dict.fromkeys(("postgresql", "postgres"), "tailrace-records-postgres")
"""Schemes of URLs → the distribution of the record store."""

STORAGES = {"local": "tailrace-storage-local"}
"""Names of storage backends → the distribution. The setting `storage` names one of them when it says nothing else."""

COMMANDS = {
    **dict.fromkeys(("server", "engine", "api-keys"), "tailrace-server"),
    "records": "tailrace-records-postgres",
}
"""First words of commands that plugins bring → the distribution."""

OWN_COMMANDS = frozenset({
    "run", "check", "outputs", "executions", "eval", "files", "kv", "flows", "plugins", "schema", "doctor", "demo",
    "help",
})  # fmt: skip
"""First words that no plugin's command may have: those of the command line itself."""

PLANNED: dict[str, tuple[str, ...]] = {"core.http.": ("SseRequest",)}
"""What a distribution is going to bring; the advice says so."""

_ENGINE = ("core.flow.", "core.trigger.", "core.condition.")
_UNKNOWN = "no installed plugin brings it, and no distribution is known that does"
_OLD_CORE = "io.kestra.core.tasks."
_OLD_PACKAGES = {
    "debugs": "debug", "executions": "execution", "flows": "flow", "states": "state", "storages": "storage",
}  # fmt: skip


def origin_of(type_name: str) -> Origin:
    """Where a type of the reference language comes from, under its full, its older or our short name."""
    name = _canonical(type_name)
    for known, distribution in RELEASED.items():
        short = known.removeprefix("core.")
        if name in (known, short) or (known.endswith(".") and name.startswith((known, short))):
            return _released(distribution)
    package, dot, last = name.rpartition(".")
    planned = PLANNED.get(package + dot) or PLANNED.get(f"core.{package}{dot}")
    if planned is not None and last in planned:
        return Origin("", "it is planned, and not there yet")
    if type_name.startswith("io.kestra."):
        engine = name.startswith(_ENGINE)
        return Origin("", "the engine does not support it yet" if engine else _UNKNOWN)
    return Origin()


def package_of(type_name: str) -> tuple[str, ...]:
    """The segments of a type's name before its last, those left out that our short names do without."""
    return tuple(_canonical(type_name).removeprefix("core.").lower().split(".")[:-1])


def record_store_origin(scheme: str) -> Origin:
    """Where the record store of a URL's scheme comes from."""
    return _released(RECORD_STORES.get(scheme, ""))


def storage_origin(name: str) -> Origin:
    """Where a storage backend comes from, by its name."""
    return _released(STORAGES.get(name, ""))


def command_origin(word: str) -> Origin:
    """Where a command comes from, by its first word."""
    return _released(COMMANDS.get(word, ""))


def _released(distribution: str) -> Origin:
    return Origin(distribution, f"`{distribution}` brings it: pip install {distribution}") if distribution else Origin()


def _canonical(type_name: str) -> str:
    """The name without the reference's prefix, older package names brought up to date."""
    if type_name.startswith(_OLD_CORE):
        package, _, rest = type_name.removeprefix(_OLD_CORE).partition(".")
        return f"core.{_OLD_PACKAGES.get(package, package)}.{rest}"
    return type_name.removeprefix("io.kestra.plugin.")
