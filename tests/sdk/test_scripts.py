"""The base of script types, with real processes."""

from __future__ import annotations

import json
import os
import re
import shlex
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.builtin.process import Process
from core.errors import Forbidden, Interrupted, Invalid, NotFound, TaskFailed
from core.sdk.namespace_files import NamespaceFiles
from core.sdk.properties import prop, to_plain
from core.sdk.script_workspace import Workspace
from core.sdk.scripts import Launch, ScriptTask
from core.testing.plain_context import PlainContext


class Sh(ScriptTask):
    """Commands of a shell."""

    commands: list[str] = prop("The commands.")

    def launch(self, space: Workspace) -> Launch:
        return Launch(self.shell(space, self.commands), {"FROM_TYPE": "type"})


@pytest.fixture
def ctx(tmp_path: Path) -> PlainContext:
    return PlainContext(tmp_path, environment={"PATH": os.environ["PATH"], "FROM_ENGINE": "engine"}, runner=Process())


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(ctx: PlainContext) -> Run:
    """Run commands with properties; the output under its names in expressions."""

    def run_commands(*commands: str, **properties: Any) -> dict[str, Any]:
        plain: dict[str, Any] = to_plain(Sh(commands=list(commands), **properties).run(ctx))
        return plain

    return run_commands


def stored(ctx: PlainContext, uri: str) -> str:
    with ctx.storage.open(uri) as source:
        return source.read().decode()


def put(ctx: PlainContext, name: str, text: str) -> str:
    path = ctx.root / "given"
    path.write_text(text)
    return ctx.storage.put(path, name).uri


def failure(run: Run, *commands: str, **properties: Any) -> TaskFailed:
    with pytest.raises(TaskFailed) as caught:
        run(*commands, **properties)
    return caught.value


# -- running


def test_commands_run_in_one_shell_in_the_working_directory(ctx: PlainContext, run: Run) -> None:
    output = run("cd /", "pwd", "echo $WORKING_DIR", before_commands=["pwd"])
    assert output == {"vars": {}, "exitCode": 0, "outputFiles": {}, "taskRunner": None}
    assert ctx.log.lines == [("INFO", str(ctx.working_dir)), ("INFO", "/"), ("INFO", str(ctx.working_dir))]


def test_env_is_added_to_the_engines_and_the_type_has_the_last_word(ctx: PlainContext, run: Run) -> None:
    run("echo $FROM_ENGINE $MINE $FROM_TYPE", env={"MINE": "a b", "FROM_TYPE": "flow"})
    assert ctx.log.lines == [("INFO", "engine a b type")]


def test_the_first_failing_command_ends_the_script(ctx: PlainContext, run: Run) -> None:
    assert str(failure(run, "false", "echo not reached")) == "Command failed with exit code 1"
    assert ctx.log.lines == []


def test_without_fail_fast_the_last_command_decides(ctx: PlainContext, run: Run) -> None:
    assert run("false", "echo reached", fail_fast=False)["exitCode"] == 0
    assert ctx.log.lines == [("INFO", "reached")]


def test_the_interpreter_takes_the_commands_as_one_argument(ctx: PlainContext, run: Run) -> None:
    run("echo $0", interpreter=["/bin/sh", "-c"])
    run("two", "words", interpreter=["/bin/echo", "-n"], fail_fast=False)
    assert ctx.log.lines == [("INFO", "/bin/sh"), ("INFO", "two"), ("INFO", "words")]


def test_commands_longer_than_an_argument_may_be_are_run_all_the_same(ctx: PlainContext, run: Run) -> None:
    text = "x" * 300_000
    run(f"text={text}", "echo ${#text}", 'echo "$0"')
    assert ctx.log.lines == [("INFO", "300000"), ("INFO", "/bin/sh")]


def test_a_hundred_thousand_lines_arrive_in_order(ctx: PlainContext, run: Run) -> None:
    run('i=0; while [ $i -lt 100000 ]; do echo "line $i"; i=$((i+1)); done')
    assert ctx.log.lines == [("INFO", f"line {i}") for i in range(100_000)]


def test_lines_arrive_while_the_script_runs(ctx: PlainContext, run: Run) -> None:
    # The script waits for a file that is made when its first line has been seen.
    class Answering(type(ctx.log)):  # type: ignore[misc]
        def log(self, level: str, message: str) -> None:
            super().log(level, message)
            (ctx.working_dir / "answer").touch()

    ctx.log = Answering()
    run("echo first", "until [ -e answer ]; do sleep 0.01; done", "echo second")
    assert ctx.log.lines == [("INFO", "first"), ("INFO", "second")]


def test_a_stop_ends_the_script_and_leaves_nothing_behind(ctx: PlainContext, run: Run) -> None:
    uri = put(ctx, "in.csv", "stored")

    class Stopping(type(ctx.log)):  # type: ignore[misc]
        def log(self, level: str, message: str) -> None:
            super().log(level, message)
            threading.Thread(target=ctx.stop).start()

    ctx.log = Stopping()
    with pytest.raises(Interrupted):
        run(f"cat {uri}", "echo", "sleep 60")
    assert ctx.log.lines == [("INFO", "stored")]
    assert os.listdir(ctx.working_dir) == []


# -- how it ends


def test_a_failure_says_the_exit_code_and_keeps_outputs_and_files(ctx: PlainContext, run: Run) -> None:
    error = failure(
        run, 'echo \'::{"outputs": {"a": 1}}::\'', "echo x > a.txt", "exit 3", output_files=["*.txt", "missing.csv"]
    )
    assert str(error) == "Command failed with exit code 3"
    output = to_plain(error.output)
    assert (output["vars"], output["exitCode"], list(output["outputFiles"])) == ({"a": 1}, 3, ["a.txt"])
    assert stored(ctx, output["outputFiles"]["a.txt"]) == "x\n"


def test_a_script_that_is_killed_says_by_which_signal(run: Run) -> None:
    error = failure(run, "kill -KILL $$")
    assert str(error) == (
        "Command failed with exit code 137: it was ended by SIGKILL\n"
        "  to do: a machine or a container that runs out of memory ends processes with SIGKILL: "
        "give it more, or use less"
    )
    assert to_plain(error.output)["exitCode"] == 137
    error = failure(run, "kill -TERM $$")
    assert str(error) == "Command failed with exit code 143: it was ended by SIGTERM"


def test_a_signal_inside_the_script_is_named_as_well(run: Run) -> None:
    error = failure(run, "sh -c 'kill -SEGV $$'", "true")
    assert str(error) == "Command failed with exit code 139, which stands for SIGSEGV"
    assert str(failure(run, "exit 255")) == "Command failed with exit code 255"


def test_standard_error_is_a_warning_only_where_the_flow_says_so(ctx: PlainContext, run: Run) -> None:
    run("echo oh >&2")
    assert ctx.warnings == []
    run("echo fine", warning_on_std_err=True)
    assert ctx.warnings == []
    run("echo oh >&2", warning_on_std_err=True)
    assert ctx.warnings == ["The script wrote to standard error"]
    assert ctx.log.lines == [("ERROR", "oh"), ("INFO", "fine"), ("ERROR", "oh")]


def test_the_summary_shows_exit_code_number_of_files_and_small_vars(run: Run) -> None:
    values = {"rows": 3, "name": "a", "list": [1], "long": "x" * 201, "exit_code": 9}
    output = run(f"echo {shlex.quote('::' + json.dumps({'outputs': values}) + '::')}", "touch a", output_files=["a"])
    assert Sh.summary(output) == {"rows": 3, "name": "a", "exit_code": 0, "output_files": 1}


# -- files in


def test_input_files_are_texts_and_stored_files(ctx: PlainContext, run: Run) -> None:
    uri = put(ctx, "in.csv", "stored")
    files = {"a.txt": "text", "sub/b.csv": uri, "c.csv": uri.replace("storage:", "kestra:"), "none": None}
    run("cat a.txt sub/b.csv c.csv; ls", input_files=files)
    assert ctx.log.lines == [("INFO", "textstoredstoreda.txt"), ("INFO", "c.csv"), ("INFO", "sub")]


def test_input_files_may_be_given_as_json(ctx: PlainContext, run: Run) -> None:
    run("cat a.txt", input_files='{"a.txt": "text"}')
    assert ctx.log.lines == [("INFO", "text")]


@pytest.mark.parametrize("name", ["../a", "/tmp/a", "sub/../../a", "link/a", "dangling"])
def test_no_input_file_leaves_the_directory(ctx: PlainContext, run: Run, name: str) -> None:
    (ctx.working_dir / "link").symlink_to(ctx.root)
    (ctx.working_dir / "dangling").symlink_to(ctx.root / "new")
    with pytest.raises(Forbidden):
        run("true", input_files={name: "x"})
    assert not (ctx.root / "a").exists()
    assert not (ctx.root / "new").exists()


def test_storage_uris_in_commands_become_local_paths_and_are_gone_afterwards(ctx: PlainContext, run: Run) -> None:
    uri = put(ctx, "in.csv", "stored")
    output = run(f"cat {uri}; echo", f"echo {uri} '{uri}' {uri.replace('storage:', 'kestra:')}", output_files=["**"])
    content, paths = (line for _, line in ctx.log.lines)
    assert content == "stored"
    first, again, other = paths.split()
    assert re.fullmatch(rf"{re.escape(str(ctx.working_dir))}/\.script-\w+/0/in\.csv", first)
    assert (again, other) == (first, first.replace("/0/", "/1/"))
    assert output["outputFiles"] == {}
    assert os.listdir(ctx.working_dir) == []


@pytest.mark.parametrize("name", ["sales 2024 (1).csv", "ü?#%20.csv", "it's.csv"])
def test_files_are_found_whatever_signs_are_in_their_names(ctx: PlainContext, run: Run, name: str) -> None:
    uri = put(ctx, name, "stored")
    run(f"cat {uri}; echo", f"cat '{uri}'; echo")
    assert ctx.log.lines == [("INFO", "stored"), ("INFO", "stored")]


def test_a_storage_uri_that_names_nothing_fails_the_task(run: Run) -> None:
    with pytest.raises(NotFound, match="There is no file `storage:///files/none`"):
        run("cat storage:///files/none")


def namespace_files(ctx: PlainContext, **files: str) -> Mapping[str, Path]:
    folder = ctx.root / "namespace"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return {name.replace("__", "/"): folder / name for name in files}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (True, ["./a.py", "./lib/b.py", "./lib/c.txt"]),
        (False, []),
        (NamespaceFiles(enabled=False), []),
        (NamespaceFiles(include=["**/*.py"], exclude=["a.*"]), ["./lib/b.py"]),
        (NamespaceFiles(include=["/lib/**"], folder_per_namespace=True), ["./tests/lib/b.py", "./tests/lib/c.txt"]),
        (NamespaceFiles(namespaces=["elsewhere"]), []),
    ],
)
def test_namespace_files_are_put_into_the_directory(
    ctx: PlainContext, run: Run, wanted: NamespaceFiles | bool, found: list[str]
) -> None:
    ctx.files = namespace_files(ctx, **{"a.py": "one", "lib__b.py": "two", "lib__c.txt": "three"})
    run("find . -type f | sort", namespace_files=wanted)
    assert ctx.log.lines == [("INFO", name) for name in found]


@pytest.mark.parametrize("name", ["../a", "link/a"])
def test_no_namespace_file_leaves_the_directory(ctx: PlainContext, run: Run, name: str) -> None:
    (ctx.working_dir / "link").symlink_to(ctx.root)
    ctx.files = {name: next(iter(namespace_files(ctx, a="x").values()))}
    with pytest.raises(Forbidden):
        run("true", namespace_files=True)
    assert not (ctx.root / "a").exists()


def test_a_namespace_file_that_is_there_already(ctx: PlainContext, run: Run) -> None:
    ctx.files = namespace_files(ctx, a="new")
    present = ctx.working_dir / "a"

    def after(if_exists: str) -> str:
        present.write_text("old")
        run("true", namespace_files=NamespaceFiles(if_exists=if_exists))  # type: ignore[arg-type]
        return present.read_text()

    assert [after("OVERWRITE"), after("IGNORE")] == ["new", "old"]
    assert ctx.log.lines == []
    assert after("WARN") == "old"
    assert ctx.log.lines == [
        ("WARN", "The namespace file `a` is in the task's directory already; it was left as it is")
    ]
    for word in ("FAIL", "ERROR"):
        with pytest.raises(Invalid, match=r"^the namespace file `a` is in the task's directory already$"):
            after(word)


# -- files out


def test_output_files_are_stored_under_their_relative_names(ctx: PlainContext, run: Run) -> None:
    output = run(
        "mkdir -p out/deep",
        "echo 1 > a.csv; echo 2 > out/b.csv; echo 3 > out/deep/c.json; echo 4 > other",
        output_files=["*.csv", "out/", "nothing-*"],
    )
    assert {name: stored(ctx, uri) for name, uri in output["outputFiles"].items()} == {
        "a.csv": "1\n",
        "out/b.csv": "2\n",
        "out/deep/c.json": "3\n",
    }


def test_a_name_stands_for_a_file_that_must_be_there(ctx: PlainContext, run: Run) -> None:
    error = failure(run, "touch a", output_files=["a", "b.csv", f"{ctx.working_dir}/c.csv"])
    assert str(error) == (
        "The script did not produce `b.csv` and `c.csv`\n"
        "  expected: every file that `outputFiles` names without a pattern\n"
        "  to do: write it into the directory where the script starts (`{{ workingDir }}`); "
        "a pattern such as `*.csv` may match nothing"
    )
    assert list(to_plain(error.output)["outputFiles"]) == ["a"]


def test_the_name_of_a_directory_gets_a_hint(run: Run) -> None:
    assert str(failure(run, "mkdir out", output_files=["out"])) == (
        "The script did not produce `out`\n"
        "  expected: every file that `outputFiles` names without a pattern\n"
        "  to do: write `out/**` for the files of a directory"
    )


def test_a_pattern_that_leads_out_is_refused_before_anything_runs(ctx: PlainContext, run: Run) -> None:
    with pytest.raises(Forbidden, match="leads out of the task's directory"):
        run("echo ran", output_files=["../*"])
    assert ctx.log.lines == []


def test_a_link_that_leads_out_is_refused(ctx: PlainContext, run: Run) -> None:
    (ctx.root / "secret").write_text("x")
    with pytest.raises(Forbidden, match="leads out of the task's directory through a symbolic link"):
        run("ln -s ../secret a", output_files=["a"])
    error = failure(run, "exit 2", output_files=["*"])
    assert str(error) == "Command failed with exit code 2"
    assert ctx.log.lines[-1] == (
        "WARN",
        "The output files could not be kept: `a` leads out of the task's directory through a symbolic link",
    )


def test_everything_in_the_output_directory_is_kept(ctx: PlainContext, run: Run) -> None:
    output = run("mkdir $OUTPUT_DIR/sub; echo x > $OUTPUT_DIR/sub/a", output_directory=True)
    assert list(output["outputFiles"]) == ["sub/a"]
    assert run(f"echo y > {ctx.output_dir}/b")["outputFiles"].keys() == {"b"}


def test_there_is_no_output_directory_where_nothing_asks_for_one(ctx: PlainContext, run: Run) -> None:
    run("echo [$OUTPUT_DIR]")
    run("test -d $OUTPUT_DIR", runner="PROCESS")
    assert ctx.log.lines == [("INFO", "[]")]
