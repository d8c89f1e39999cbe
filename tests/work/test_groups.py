"""The job of a group: files in and out, the cache, variables of its members, scripts in one directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from attrs import define

from core.app import App
from core.host.requests import Exit, SetKv
from core.host.seam import Answer, LogLine, LoopOutputs, Member, OutputText, Question, TaskResult
from core.model.data import evolve
from core.sdk import RunContext, RunnableTask, prop
from core.testing.apps import read_file, temporary_app
from core.testing.executor_members import broken, say
from core.testing.executor_tasks import TASKS
from core.testing.near_side import PLACE, NearSide
from core.work import ThreadExecutor, Tools

SHELL = "scripts.shell.Commands"
FILES = f"storage:///{PLACE.storage_prefix}"
CACHE = "company/team/flow/task/cache/cache.zip"


class Asks(RunnableTask, type="test.Asks"):
    """Ask for what the engine is to write, or end its execution."""

    exit: str = prop("The state to end in.", default="")

    def run(self, ctx: RunContext) -> None:
        ctx.kv.set("key", ctx.attempt_id)
        if self.exit:
            ctx.execution.exit(self.exit)


class Keep(RunnableTask, type="test.Keep"):
    """Store a file of the working directory under its name."""

    name: str = prop("Its name.")

    def run(self, ctx: RunContext) -> dict[str, str]:
        return {"uri": ctx.storage.put(ctx.working_dir / self.name, self.name).uri}


class OutputDir(RunnableTask, type="test.OutputDir"):
    """Tell what lies in the output directory, and leave a file there."""

    def run(self, ctx: RunContext) -> dict[str, object]:
        found = [path.name for path in ctx.output_dir.iterdir()]
        (ctx.output_dir / "left").touch()
        return {"found": found}


@define(kw_only=True)
class Side(NearSide):
    """The near side, with the app whose machine it uses."""

    app: App
    tools: Tools

    def log(self, level: str) -> list[tuple[str, str]]:
        return [(one.task_name, one.message) for one in self.heard if isinstance(one, LogLine) and one.level == level]

    def again(self) -> None:
        """Forget what was heard, so that the next job can bear the same name."""
        self.heard.clear()


@pytest.fixture
def near(tmp_path: Path) -> Iterator[Side]:
    with temporary_app(*TASKS, Asks, Keep, OutputDir) as app:
        side = Side(app=app, tools=evolve(app.tools(), scratch=tmp_path / "scratch"))
        side.executor = ThreadExecutor(side.tell, side.tools, workers=2, grace=0.3)
        yield side
        side.executor.close()


def leave(name: str, file: str, text: str = "") -> Member:
    return Member(name, "testing.Leave", {"name": file, "text": text})


def plain(result: TaskResult) -> tuple[str, str | None, str]:
    return result.state, result.output, result.error


# -- what the directory begins with


def test_input_files_are_there_before_the_first_member(near: Side) -> None:
    near.run_group(leave("first", "x"), inputFiles={"a.txt": "{{ taskrun.id }}", "b.json": {"n": 1}, "none": None})
    assert near.member("first").output == '{"found":{"a.txt":"task-execution","b.json":"{\\"n\\": 1}"}}'


def test_input_files_may_be_the_json_text_of_a_map(near: Side) -> None:
    near.run_group(leave("first", "x"), inputFiles='{"a.txt": "one"}')
    assert near.member("first").output == '{"found":{"a.txt":"one"}}'


def test_namespace_files_come_before_input_files(near: Side, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "c.md"):
        (tmp_path / name).write_text("of the namespace")
    files = {name: str(tmp_path / name) for name in ("a.txt", "b.txt", "c.md")}
    near.answer = lambda asked: Answer(asked.question_id, files)
    near.run_group(leave("first", "x"), namespaceFiles={"include": ["*.txt"]}, inputFiles={"b.txt": "of the flow"})
    assert near.member("first").output == '{"found":{"a.txt":"of the namespace","b.txt":"of the flow"}}'
    asked = [(one.what, one.place.task_name) for one in near.heard if isinstance(one, Question)]
    assert asked == [("namespace_files", "task")]


def test_namespace_files_may_be_just_wanted(near: Side, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    near.answer = lambda asked: Answer(asked.question_id, {"a.txt": str(tmp_path / "a.txt")})
    near.run_group(leave("first", "x"), namespaceFiles="{{ true }}")
    assert near.member("first").output == '{"found":{"a.txt":"one"}}'


@pytest.mark.parametrize(
    ("properties", "error"),
    [
        (
            {"outputFiles": ["../*"]},
            "the pattern `../*` leads out of the task's directory\n  expected: a relative pattern without `..`",
        ),
        (
            {"cache": {"patterns": ["/etc/*"]}},
            "the pattern `/etc/*` leads out of the task's directory\n  expected: a relative pattern without `..`",
        ),
        (
            {"inputFiles": {"../a": "x"}},
            "`../a` is not the name of a file inside the task's directory\n  expected: a relative path without `..`",
        ),
        (
            {"cache": {"patterns": ["*"], "ttl": "{{ 'soon' }}"}},
            "$.cache.ttl: `soon` is not a duration\n  expected: a duration, such as PT30S, PT1H30M or P1D",
        ),
        ({"inputFiles": "soon"}, "`inputFiles` is a text that is not JSON\n  expected: a map of file names"),
    ],
)
def test_what_can_not_be_fails_before_the_first_member(near: Side, properties: dict[str, object], error: str) -> None:
    result = near.run_group(say("first"), **properties)
    assert plain(result) == ("FAILED", None, error)
    assert near.told_of_members() == []


# -- what is kept of it


def test_output_files_are_stored_under_their_names(near: Side) -> None:
    result = near.run_group(
        leave("first", "a.txt", "one"), leave("second", "b.md", "two"), outputFiles=["*.txt", "missing", "*.none"]
    )
    uri = f"{FILES}/a.txt"
    assert plain(result) == ("SUCCESS", f'{{"outputFiles":{{"a.txt":"{uri}"}}}}', "")
    assert [name for name, _, _ in result.files] == [uri]
    assert read_file(near.app, uri) == b"one"


def test_output_files_are_stored_after_a_failure_too(near: Side) -> None:
    result = near.run_group(leave("first", "a.txt", "one"), broken("second"), outputFiles=["{{ 'a.txt' }}"])
    output = f'{{"outputFiles":{{"a.txt":"{FILES}/a.txt"}}}}'
    assert plain(result) == ("FAILED", output, "the task `second` failed")


def test_a_member_stores_its_files_in_a_folder_of_its_own(near: Side) -> None:
    keep = {"name": "a.txt"}
    result = near.run_group(
        leave("first", "a.txt", "one"), Member("second", "test.Keep", keep), leave("third", "a.txt", "two"),
        Member("fourth", "test.Keep", keep), leave("fifth", "a.txt", "three"), outputFiles=["a.txt"],
    )  # fmt: skip
    uris = [f"{FILES}/{name}" for name in (".members/second/a.txt", ".members/fourth/a.txt", "a.txt")]
    assert [read_file(near.app, uri) for uri in uris] == [b"one", b"two", b"three"]
    files = [near.member("second").files, near.member("fourth").files, result.files]
    assert [[uri for uri, _, _ in one] for one in files] == [[uri] for uri in uris]


def test_the_directory_is_gone_afterwards(near: Side, tmp_path: Path) -> None:
    near.run_group(leave("first", "a.txt"), Member("second", "test.OutputDir", {}))
    near.wait(lambda heard: not any((tmp_path / "scratch").iterdir()))


def test_the_output_directory_is_the_members_own(near: Side) -> None:
    result = near.run_group(
        Member("first", "test.OutputDir", {}), Member("second", "test.OutputDir", {}), outputFiles=["**"]
    )
    assert (near.member("first").output, near.member("second").output) == ('{"found":[]}', '{"found":[]}')
    assert plain(result) == ("SUCCESS", '{"outputFiles":{}}', "")


def test_what_an_engine_that_died_left_is_not_found(near: Side, tmp_path: Path) -> None:
    for name in ("one", "one.2"):
        (tmp_path / "scratch" / name).mkdir(parents=True)
        (tmp_path / "scratch" / name / "old.txt").touch()
    near.run_group(leave("first", "a.txt"))
    assert near.member("first").output == '{"found":{}}'
    assert not any((tmp_path / "scratch").iterdir())


# -- variables


def test_a_member_knows_its_group_and_the_loops_around_it(near: Side) -> None:
    group = {"id": "task-execution", "value": "v", "iteration": 2, "attemptsCount": 1}
    shown = "{{ task.id }} {{ taskrun.id }} {{ taskrun.parentId }} {{ taskrun.value }} {{ taskrun.iteration }} "
    shown += "{{ taskrun.attemptsCount }} {{ workerTaskrun.id }} {{ parent.taskrun.value }}"
    parents = [{"taskrun": {"value": "w"}}]
    near.run_group(
        say("first", shown, task_execution_id="own"), variables={"taskrun": group, "parents": parents}, path=("w", "v")
    )
    assert near.member("first").output == '{"value":"first own task-execution v 2 0 task-execution w"}'


def test_below_loops_outputs_are_found_by_their_values(near: Side) -> None:
    known: dict[tuple[str, ...], OutputText] = {("w", "u"): OutputText('{"value":"earlier"}')}
    near.run_group(
        say("first", "now"), say("second", "{{ outputs.first.w.u.value }} {{ outputs.first.w.v.value }}"),
        variables={"outputs": {"first": LoopOutputs("first", known)}}, path=("w", "v"),
    )  # fmt: skip
    assert near.member("second").output == '{"value":"earlier now"}'


def test_a_large_output_is_read_by_those_behind(near: Side) -> None:
    near.run_group(say("first", "x" * 100_000), say("second", "{{ outputs.first.value | length }}"))
    assert near.member("first").output_uri == f"{FILES}/.members/first/output.json"
    assert near.member("second").output == '{"value":"100000"}'


def test_every_member_finds_the_shared_directory(near: Side, tmp_path: Path) -> None:
    near.run_group(say("first", "{{ workingDir }}"), say("second", "{{ workingDir }}"))
    shown = f'{{"value":"{tmp_path}/scratch/one"}}'
    assert (near.member("first").output, near.member("second").output) == (shown, shown)


def test_requests_come_with_the_member_that_made_them(near: Side) -> None:
    result = near.run_group(Member("first", "test.Asks", {}), say("second"))
    assert near.member("first").requests == (SetKv("company.team", "key", '"one-first"'),)
    assert (near.member("second").requests, result.requests) == ((), ())


def test_a_member_that_ends_the_execution_is_the_last_one(near: Side) -> None:
    result = near.run_group(Member("first", "test.Asks", {"exit": "WARNING"}), say("second"))
    assert near.told_of_members() == [("first", "began"), ("first", "SUCCESS")]
    assert (result.state, result.requests, result.exit) == ("SUCCESS", (Exit("WARNING"),), "WARNING")


# -- the cache


def cached(near: Side, *members: Member, **options: object) -> TaskResult:
    near.again()
    return near.run_group(*members, cache={"patterns": ["*.txt"], **options})


def test_the_next_execution_finds_what_is_cached(near: Side) -> None:
    fill = (leave("first", "a.txt", "kept"), leave("second", "b.md", "not kept"))
    assert plain(cached(near, *fill)) == ("SUCCESS", None, "")
    assert near.log("DEBUG") == [("", "There is no cache yet"), ("", "1 files were kept in the cache")]
    with near.tools.storage.open("default", CACHE) as stored, ZipFile(stored) as archive:
        assert archive.namelist() == ["a.txt"]
    cached(near, leave("first", "c.md"))
    assert near.member("first").output == '{"found":{"a.txt":"kept"}}'
    assert near.log("DEBUG") == [("", "1 files were taken from the cache")]


def test_the_cache_is_made_anew_when_a_file_has_changed(near: Side) -> None:
    cached(near, leave("first", "a.txt", "old"))
    cached(near, leave("first", "a.txt", "newer"))
    cached(near, leave("first", "c.md"))
    assert near.member("first").output == '{"found":{"a.txt":"newer"}}'


def test_what_is_cached_is_stored_as_output_as_well(near: Side) -> None:
    near.run_group(leave("first", "a.txt", "kept"), cache={"patterns": ["*.txt"]}, outputFiles=["a.txt"])
    cached(near, leave("first", "c.md"))
    assert near.member("first").output == '{"found":{"a.txt":"kept"}}'


def test_an_expired_cache_is_not_found(near: Side) -> None:
    cached(near, leave("first", "a.txt", "old"))
    now = near.tools.now()
    near.executor.close()
    later = evolve(near.tools, now=lambda: now + 3_600_000_000)
    near.executor = ThreadExecutor(near.tell, later, workers=1)
    cached(near, leave("first", "c.md"), ttl="PT2H")
    assert near.member("first").output == '{"found":{"a.txt":"old"}}'
    cached(near, leave("first", "c.md"), ttl="{{ 'PT1H' }}")
    assert near.member("first").output == '{"found":{}}'


def test_each_value_of_a_loop_has_a_cache_of_its_own(near: Side) -> None:
    for value in ("v", "w"):
        near.again()
        near.run_group(
            leave("first", "a.txt", value), cache={"patterns": ["*"]}, variables={"taskrun": {"value": value}}
        )
        assert near.member("first").output == '{"found":{}}'
    names = [one.uri for one in near.tools.storage.list("default", "company")]
    assert len(names) == 2
    assert all(name.startswith("storage:///company/team/flow/task/cache/") for name in names)


def test_a_broken_cache_is_as_good_as_none(near: Side, tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(b"no archive")
    near.tools.storage.put("default", CACHE, tmp_path / "no.zip")
    assert cached(near, leave("first", "a.txt", "kept")).state == "SUCCESS"
    assert near.log("WARN") == [("", "The cache can't be read and is made anew: File is not a zip file")]
    cached(near, leave("first", "c.md"))
    assert near.member("first").output == '{"found":{"a.txt":"kept"}}'


def test_a_link_out_of_the_directory_is_not_cached(near: Side, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("not yours")
    link = Member("first", SHELL, {"commands": [f"ln -s {tmp_path}/outside link.txt; echo x > a.txt; chmod 700 a.txt"]})
    assert cached(near, link).state == "SUCCESS"
    assert near.log("WARN") == [("", "`link.txt` is not kept in the cache: it leads out of the directory")]
    cached(near, Member("first", SHELL, {"commands": ["test ! -e link.txt && test -x a.txt"]}))
    assert near.member("first").state == "SUCCESS"


# -- scripts


def test_scripts_run_in_the_shared_directory(near: Side) -> None:
    result = near.run_group(
        Member(
            "first", SHELL, {"commands": ["mkdir out", "echo one > out/a.txt", 'echo ::{\\"outputs\\":{\\"n\\":1}}::']}
        ),
        Member("second", SHELL, {"commands": ["cat out/a.txt", "echo {{ outputs.first.vars.n }} > out/b.txt"]}),
        outputFiles=["out/**"],
    )
    assert near.log("INFO") == [("second", "one")]
    assert (result.state, result.output) == (
        "SUCCESS",
        f'{{"outputFiles":{{"out/a.txt":"{FILES}/out/a.txt","out/b.txt":"{FILES}/out/b.txt"}}}}',
    )


def test_what_one_script_keeps_the_next_one_finds(near: Side) -> None:
    first = {"commands": ["echo one > a.txt", "echo two > {{ outputDir }}/b.txt"], "outputFiles": ["a.txt"]}
    near.run_group(Member("first", SHELL, first), Member("second", SHELL, {"commands": ["cat a.txt; ls -A"]}))
    assert near.log("INFO") == [("second", "one"), ("second", "a.txt")]
    kept = [uri for uri, _, _ in near.member("first").files]
    assert [read_file(near.app, uri) for uri in kept] == [b"two\n", b"one\n"]


def test_a_kill_ends_the_process_of_a_member(near: Side, tmp_path: Path) -> None:
    near.send_group(Member("first", SHELL, {"commands": ["echo began", "sleep 60"]}), say("second"))
    near.wait(lambda heard: ("first", "began") in near.log("INFO"))
    near.executor.close()
    assert plain(near.result("one")) == ("KILLED", None, "the execution was killed")
    assert near.told_of_members() == [("first", "began"), ("first", "KILLED")]
