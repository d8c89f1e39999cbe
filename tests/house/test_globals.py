"""Nothing that lives stands at module level: two Apps can share a process and never meet."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.app import open_app
from core.host.views import ExecutionFilter, OutputFilter
from core.settings import Settings
from tests.house.sources import shipped_files, shown, tree

LIVING = frozenset({
    "App", "Registry", "load_registry", "PluginManager", "Settings", "load_settings", "SqliteRecords", "Engine",
    "ThreadExecutor", "ProcessExecutor", "ServingEngine", "Litestar", "ConnectionPool", "Secrets", "Tools", "Renderer", "Environment", "SandboxedEnvironment", "Console", "connect",
    "Client", "AsyncClient", "DockerClient", "from_env", "ThreadPoolExecutor", "ProcessPoolExecutor", "Thread", "Timer",
    "Queue", "SimpleQueue", "Lock", "RLock", "Event", "Condition", "Semaphore", "local", "ContextVar", "open",
    "getLogger", "WeakKeyDictionary", "WeakValueDictionary",
})  # fmt: skip
"""Classes and functions whose results are managers, registries, settings, connections, threads or what guards them."""


def living_at_module_level(module: ast.Module) -> Iterator[str]:
    """Calls of what makes something that lives, wherever they run while the module is imported."""
    waiting: list[ast.AST] = list(module.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting += [*node.decorator_list, *node.args.defaults, *(each for each in node.args.kw_defaults if each)]
            continue
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in LIVING:
                yield name
        waiting += ast.iter_child_nodes(node)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("registry = Registry()", ["Registry"]),
        ("db = sqlite3.connect('x')", ["connect"]),
        ("class C:\n    pm = pluggy.PluginManager('x')", ["PluginManager"]),
        ("def f(lock=threading.Lock()): ...", ["Lock"]),
        ("def f():\n    return Registry()", []),
        ("make = lambda: Registry()", []),
        ("pattern = re.compile('x')", []),
    ],
)
def test_what_lives_at_module_level_is_found(source: str, found: list[str]) -> None:
    assert list(living_at_module_level(ast.parse(source))) == found


def test_no_module_holds_what_lives() -> None:
    found = {shown(path): sorted(living_at_module_level(tree(path))) for path in shipped_files()}
    assert {path: names for path, names in found.items() if names} == {}


def test_no_function_changes_a_module() -> None:
    changing = [
        f"{shown(path)}:{node.lineno}"
        for path in shipped_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Global)
    ]
    assert changing == []


def test_two_apps_in_one_process_do_not_see_each_other(tmp_path: Path) -> None:
    source = "id: one\nnamespace: house\ntasks:\n  - {id: a, type: debug.Return, format: '{{ kv(\"who\") }}'}\n"
    (tmp_path / "flow.yaml").write_text(source, "utf-8")
    with open_app(Settings(home=tmp_path / "ada")) as ada, open_app(Settings(home=tmp_path / "bo")) as bo:
        ada.kv.set("house", "who", "Ada")
        bo.kv.set("house", "who", "Bo")
        ids = []
        for app in (ada, bo):
            flow, _ = app.flows.load(tmp_path / "flow.yaml")
            assert flow is not None
            created, _ = app.executions.create(flow, {})
            assert app.executions.run(created.id).state == "SUCCESS"
            ids.append(created.id)

        assert [app.outputs.value("last/a") for app in (ada, bo)] == [{"value": "Ada"}, {"value": "Bo"}]
        seen = [[view.id for view in app.executions.list(ExecutionFilter()).data] for app in (ada, bo)]
        assert seen == [[ids[0]], [ids[1]]]
        assert [len(app.outputs.list(OutputFilter()).data) for app in (ada, bo)] == [1, 1]
        assert ada.registry is not bo.registry
