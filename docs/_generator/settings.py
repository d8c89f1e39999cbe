"""Settings: names, defaults and variables out of the code, with a sentence for each."""

from __future__ import annotations

from pathlib import Path

from core.settings import DURABILITIES, RUNNERS, Product, Settings
from docs._generator.markdown import code, fence, joined, table

SAID = {
    "home": "Where records and files are kept: a directory of a local disk. `--home` on the command line.",
    "organization": "Whose rows are written and seen.",
    "runner": "Where scripts run when the flow does not say: " + ", ".join(map(code, RUNNERS)) + ". `--runner`.",
    "durability": "What a record survives, " + " or ".join(map(code, DURABILITIES)) + ": the end of any process at any "
    "moment, or also that of the machine, at the price of a disk sync for each commit.",
    "records": "Where the records are: the URL of a [record store](hooks.md#record_stores) such as "
    "`postgresql://host/database`, or nothing for the SQLite file in the home. It is not handed on to tasks, and its "
    "user, password and options are never shown.",
    "server": "The URL of a server that `outputs`, `executions` and `eval` ask instead of a home. `--server`.",
    "api_key": "Who asks that server: a key made by `api-keys create`. It is not handed on to tasks. `--api-key`.",
    "storage": "The [storage backend](hooks.md#storage_backends) that keeps files.",
    "zone": "The time zone of dates that name none.",
    "workers": "How many task executions run at once, at most.",
    "inline_limit": "Bytes up to which an output stays in the record; larger ones become files of the execution.",
    "plugins_dir": "A folder of Python files that are plugins. `--plugins-dir`.",
    "encryption_key": "base64 of 16, 24 or 32 bytes: inputs of the type `SECRET` are kept encrypted with it, and "
    "refused without it. Needs `tailrace[encrypt]`.",
    "globals": "Values that expressions read as `globals.NAME`: a table of the file, or the JSON text of a map.",
    "secrets_file": "A file of secrets, one `NAME=VALUE` a line. `--secrets`.",
}
NOT_SET = ("product", "environment")
"""Fields that programs give: the names of a vendor's distribution, and the environment itself."""

VARIABLES = (
    ("SECRET_…", "`SECRET_TOKEN` is the secret `TOKEN`: see [Use secrets](../how-to/use-secrets.md)."),
    (
        "ENV_…, KESTRA_…, TAILRACE_ENV_…",
        "Expressions read `ENV_REGION` as `envs.region`. Of one name under several of these, the last here counts.",
    ),
    ("TAILRACE_DOCKER_VOLUMES", "`allow`: flows may share directories of the engine's machine (`volumes`)."),
    ("TAILRACE_DOCKER_PRIVILEGED", "`allow`: flows may ask for all rights over the machine (`privileged`)."),
    (
        "DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH",
        "Which container engine, as for the `docker` command. Without them the usual sockets of Docker and Podman, "
        "found with HOME and XDG_RUNTIME_DIR.",
    ),
    ("HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY", "Proxies of `http.*`, in capitals or in small letters."),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "Certificates that `http.*` trusts, instead of the system's."),
    (
        "PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS, PIP_NO_INDEX, PIP_TRUSTED_HOST, PIP_CERT, "
        "PIP_DEFAULT_TIMEOUT, PIP_CONFIG_FILE",
        "Where `scripts.python.*` finds packages; handed on to uv, together with what pip's own files say. What is "
        "told to uv (UV_DEFAULT_INDEX and so on) comes first.",
    ),
    ("PATH", "Where `uv`, Pythons and the programs of scripts are found."),
    ("XDG_DATA_HOME, LOCALAPPDATA", "Where the default home lies, on Linux and on Windows."),
)


def page() -> str:
    return joined(
        "# Settings",
        "In order of precedence: the command line, the environment variable, `settings.toml` in the home, the default.",
        table(["setting", "variable", "default", "what it says"], _rows()),
        "`home` itself can't be set in the file that lies in it. An unknown name or a wrong value is refused:",
        fence('# settings.toml\nrunner = "process"\nworkers = 4', "toml"),
        "The default home is `tailrace` in the user's data directory: `~/.local/share` (or `XDG_DATA_HOME`) on Linux, "
        "`~/Library/Application Support` on macOS, `%LOCALAPPDATA%` on Windows.",
        "## Other variables",
        "Plugins read these through `ctx.environment`.",
        table(["variable", "what it does"], ((code_each(names), said) for names, said in VARIABLES)),
    )


def code_each(names: str) -> str:
    return ", ".join(code(name) for name in names.split(", "))


def _rows() -> list[tuple[str, str, str, str]]:
    plain = Settings(home=Path())  # the class is built with its first instance
    rows = []
    for name in vars(plain):
        if name in NOT_SET:
            continue
        default = "see below" if name == "home" else _default(getattr(plain, name))
        rows.append((code(name), code(Product().prefix + name.upper()), default, SAID.get(name, "")))
    return rows


def _default(value: object) -> str:
    return "" if value is None else code(value)
