from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from core.sdk import Command, Forbidden, Interrupted, Invalid, TaskRunner, Unreachable
from core.sdk.containers import Cpu, Memory
from core.testing.plain_context import PlainContext
from core.testing.runner_contract import RunnerContract
from tailrace_runner_docker.container import Container
from tailrace_runner_docker.engine import connection
from tailrace_runner_docker.locate import find_engine
from tailrace_runner_docker.ownership import give_back
from tailrace_runner_docker.plan import ATTEMPT
from tailrace_runner_docker.runner import Docker
from tests.waiting import until

IMAGE = "tailrace-test:latest"
ENGINE = find_engine("", os.environ, patience=5)


def docker(*words: str) -> str:
    """What the command `docker` says: the tests look at the engine by another way than the runner."""
    host = {**os.environ, "DOCKER_HOST": ENGINE.url}
    return subprocess.run(("docker", *words), env=host, check=True, capture_output=True, text=True).stdout.strip()


def reason_to_skip() -> str:
    if ENGINE.reason:
        return ENGINE.reason
    if not shutil.which("docker"):
        return "no command `docker` to look at the engine with"
    return "" if docker("images", "-q", IMAGE) else f"no image {IMAGE}: run `.ci/test-image`"


REASON = reason_to_skip()
pytestmark = [pytest.mark.docker, pytest.mark.skipif(bool(REASON), reason=REASON)]


def containers(attempt: str) -> list[str]:
    return docker("ps", "-aq", "--no-trunc", "--filter", f"label={ATTEMPT}={attempt}").split()


class DockerContract(RunnerContract):
    image = IMAGE

    @pytest.fixture
    def environment(self) -> Mapping[str, str]:
        return {"PATH": os.defpath, "DOCKER_HOST": ENGINE.url}

    def leftovers(self, ctx: PlainContext) -> Sequence[str]:
        return containers(ctx.attempt_id)


class TestDockerByCopy(DockerContract):
    @pytest.fixture
    def runner(self) -> TaskRunner:
        return Docker()

    # The container

    def test_a_container_says_whose_it_is_and_is_named_in_the_details(self, ctx: PlainContext) -> None:
        ran = self.shell(Docker(delete=False), ctx, "exit 3")
        identity = ran.result.details["containerId"]
        try:
            assert (ran.result.exit_code, containers(ctx.attempt_id)) == (3, [identity])
            labels = docker("inspect", "-f", "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}", identity)
            assert labels == (
                f"tailrace.attempt={ctx.attempt_id} tailrace.namespace=tests tailrace.task=task"
            )
        finally:
            docker("rm", identity)

    def test_the_engines_environment_stays_outside(self, ctx: PlainContext) -> None:
        assert not any(line.startswith("DOCKER_HOST") for line in self.shell(Docker(), ctx, "env").stdout)

    def test_a_container_out_of_memory_is_named_as_such(self, ctx: PlainContext) -> None:
        runner = Docker(memory=Memory(memory="32MB", memory_swap="32MB"))
        ran = self.run(runner, ctx, "python3", "-c", "x = bytearray(200_000_000)")
        assert ran.result.exit_code == 137
        assert ran.result.details["oomKilled"] is True
        assert ("ERROR", "The container ran out of memory (its limit is 33554432 bytes)") in ctx.log.lines

    def test_limits_user_network_and_hosts_reach_the_container(self, ctx: PlainContext) -> None:
        runner = Docker(
            cpu=Cpu(cpus=0.5),
            memory=Memory(memory="64MB", memory_reservation="32m"),
            shm_size="16MB",
            user="1234:1234",
            network_mode="none",
            delete=False,
        )
        ran = self.shell(runner, ctx, "id -u; id -g; echo mine > file; ls /sys/class/net; df -B1 /dev/shm")
        identity = ran.result.details["containerId"]
        try:
            assert ran.stderr == []
            assert ran.stdout[:3] == ["1234", "1234", "lo"]
            assert f" {16 << 20} " in ran.stdout[-1]
            facts = docker(
                "inspect", "-f", "{{with .HostConfig}}{{.NanoCpus}} {{.Memory}} {{.MemoryReservation}}{{end}}", identity
            )
            assert facts == f"500000000 {64 << 20} {32 << 20}"
            assert (ctx.working_dir / "file").read_text() == "mine\n"
        finally:
            docker("rm", identity)

    def test_another_user_may_write_to_what_was_copied_in(self, ctx: PlainContext) -> None:
        (ctx.working_dir / "sub").mkdir(mode=0o700)
        (ctx.working_dir / "sub" / "data").write_text("a")
        ran = self.shell(Docker(user="nobody"), ctx, "echo b >> sub/data && touch sub/new && cat sub/data")
        assert (ran.stdout, ran.stderr) == (["ab"], [])

    def test_modes_are_kept_for_root(self, ctx: PlainContext) -> None:
        (ctx.working_dir / "key").write_text("secret")
        (ctx.working_dir / "key").chmod(0o600)
        assert self.shell(Docker(), ctx, "stat -c '%a %u' key").stdout == ["600 0"]

    def test_extra_hosts_and_an_entry_point(self, ctx: PlainContext) -> None:
        runner = Docker(extra_hosts=["far.example:10.1.2.3"], entry_point=["sh", "-c", "grep far /etc/hosts; echo $0"])
        assert self.run(runner, ctx, "argument").stdout == ["10.1.2.3\tfar.example", "argument"]

    def test_a_port_is_offered(self, ctx: PlainContext) -> None:
        runner = Docker(port_bindings=["127.0.0.1::8000"], delete=False)
        identity = self.shell(runner, ctx, "true").result.details["containerId"]
        try:
            bound = docker("inspect", "-f", "{{json .HostConfig.PortBindings}}", identity)
            assert bound == '{"8000/tcp":[{"HostIp":"127.0.0.1","HostPort":""}]}'
        finally:
            docker("rm", identity)

    def test_shared_volumes_are_there_once_allowed(self, ctx: PlainContext) -> None:
        shared = ctx.root / "shared"
        shared.mkdir()
        runner = Docker(volumes=[f"{shared}:/shared"])
        with pytest.raises(Forbidden):
            self.shell(runner, ctx, "touch /shared/file")
        ctx.environment = {**ctx.environment, "TAILRACE_DOCKER_VOLUMES": "allow"}
        self.shell(runner, ctx, "touch /shared/file")
        assert [path.name for path in shared.iterdir()] == ["file"]

    def test_a_container_nobody_waits_for_runs_on_and_removes_itself(self, ctx: PlainContext) -> None:
        (ctx.working_dir / "given").write_text("x")
        ran = self.shell(Docker(wait=False), ctx, "cat given && sleep 1")
        assert ran.result.exit_code == 0
        assert containers(ctx.attempt_id) == [ran.result.details["containerId"]]
        deadline = time.monotonic() + 60
        while containers(ctx.attempt_id) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert containers(ctx.attempt_id) == []

    def test_a_stop_gives_the_time_the_flow_allows(self, ctx: PlainContext) -> None:
        script = "trap 'echo bye; exit 0' TERM; echo started; while :; do sleep 0.1; done"
        lines: list[str] = []

        def on_line(stream: str, line: str) -> None:
            lines.append(line)
            if line == "started":
                threading.Thread(target=ctx.stop).start()

        command = Command(("sh", "-c", script), ctx.working_dir, on_line, image=IMAGE)
        with pytest.raises(Interrupted):
            Docker(kill_grace_period=timedelta(seconds=5)).run(ctx, command)
        assert lines == ["started", "bye"]
        assert not self.leftovers(ctx)

    def test_silence_longer_than_any_timeout_of_the_connection(
        self, ctx: PlainContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tailrace_runner_docker.engine.SLOW_ANSWER", 4)
        assert self.shell(Docker(), ctx, "sleep 6; echo late").stdout == ["late"]

    # Files

    def test_what_leads_out_of_the_working_directory_is_left_behind(self, ctx: PlainContext) -> None:
        self.shell(Docker(), ctx, "ln -s /etc/passwd out; ln -s ../.. up; mkfifo pipe; echo x > kept; ln kept same")
        assert sorted(path.name for path in ctx.working_dir.iterdir()) == ["kept", "same"]
        assert (ctx.working_dir / "same").read_text() == "x\n"
        assert ("DEBUG", "Not taken out of the container: pipe, out, up") in ctx.log.lines

    def test_a_linked_input_is_not_written_through(self, ctx: PlainContext) -> None:
        stored = ctx.root / "stored"
        stored.write_text("original")
        os.link(stored, ctx.working_dir / "input")
        self.shell(Docker(), ctx, "echo changed > input")
        assert (stored.read_text(), (ctx.working_dir / "input").read_text()) == ("original", "changed\n")

    def test_a_working_directory_that_was_removed_comes_back_empty(self, ctx: PlainContext) -> None:
        (ctx.working_dir / "given").write_text("x")
        self.shell(Docker(), ctx, 'cd /; rm -rf "$OLDPWD"')
        assert list(ctx.working_dir.iterdir()) == []

    def test_large_files_travel_both_ways(self, ctx: PlainContext) -> None:
        content = os.urandom(5_000_001)
        (ctx.working_dir / "in").write_bytes(content)
        self.shell(Docker(), ctx, "cat in in > out")
        assert (ctx.working_dir / "out").read_bytes() == content + content

    # Images

    def test_an_image_that_may_not_be_pulled_is_named(self, ctx: PlainContext) -> None:
        with pytest.raises(Unreachable) as caught:
            self.with_image(Docker(pull_policy="NEVER"), ctx, "tailrace-none:1")
        assert str(caught.value) == (
            "The image `tailrace-none:1` is not in the container engine and may not be pulled (`pullPolicy: NEVER`)\n"
            "  to do: `docker pull tailrace-none:1`, or `pullPolicy: IF_NOT_PRESENT`"
        )

    @pytest.mark.parametrize("policy", ["IF_NOT_PRESENT", "ALWAYS"])
    def test_an_image_that_can_not_be_pulled_is_named(self, ctx: PlainContext, policy: Any) -> None:
        with pytest.raises(Unreachable, match=r"^The image `127.0.0.1:9/none:1` can't be pulled: ") as caught:
            self.with_image(Docker(pull_policy=policy), ctx, "127.0.0.1:9/none:1")
        assert "`credentials`" in caught.value.hint
        assert ("INFO", "Pulling the image 127.0.0.1:9/none:1") in ctx.log.lines

    def test_a_container_needs_an_image(self, ctx: PlainContext) -> None:
        with pytest.raises(Invalid) as caught:
            self.with_image(Docker(), ctx, "")
        assert str(caught.value) == "containerImage: A container needs an image\n  expected: the name of an image"

    def with_image(self, runner: Docker, ctx: PlainContext, image: str) -> None:
        runner.run(ctx, Command(("true",), ctx.working_dir, lambda stream, line: None, image=image))

    def test_what_the_engine_refuses_is_handed_on(self, ctx: PlainContext) -> None:
        with pytest.raises(Invalid, match=r"^The container engine refuses: Minimum memory limit allowed is 6MB"):
            self.shell(Docker(memory=Memory(memory="1k")), ctx, "true")

    # After a crash

    def start_and_forget(self, ctx: PlainContext, script: str) -> str:
        """A container as an engine leaves it that dies while it runs; its directory does not exist any more."""
        label = f"{ATTEMPT}={ctx.attempt_id}"
        return docker("run", "-d", "--label", label, "-w", "/gone/work", IMAGE, "sh", "-c", script)

    def reattach(self, runner: Docker, ctx: PlainContext) -> tuple[list[str], Any]:
        lines: list[str] = []
        command = Command(("x",), ctx.working_dir, lambda stream, line: lines.append(f"{stream} {line}"), image=IMAGE)
        return lines, runner.reattach(ctx, command)

    @pytest.mark.parametrize("pause", [0, 2])
    def test_a_container_of_the_same_attempt_is_followed_to_its_end(self, ctx: PlainContext, pause: int) -> None:
        identity = self.start_and_forget(ctx, f"echo a; sleep {pause}; echo b >&2; echo c > file; exit 4")
        if not pause:
            docker("wait", identity)
        lines, result = self.reattach(Docker(), ctx)
        assert sorted(lines) == ["stderr b", "stdout a"]
        assert (result.exit_code, result.details) == (4, {"containerId": identity})
        assert (ctx.working_dir / "file").read_text() == "c\n"
        assert not self.leftovers(ctx)

    def test_without_resume_what_was_left_is_removed(self, ctx: PlainContext) -> None:
        self.start_and_forget(ctx, "sleep 60")
        assert self.reattach(Docker(resume=False), ctx) == ([], None)
        assert not self.leftovers(ctx)

    def test_a_container_that_was_never_started_is_removed(self, ctx: PlainContext) -> None:
        docker("create", "--label", f"{ATTEMPT}={ctx.attempt_id}", IMAGE, "true")
        assert self.reattach(Docker(), ctx) == ([], None)
        assert not self.leftovers(ctx)

    def test_what_is_left_has_the_time_that_the_flow_allows_and_its_last_lines_are_kept(
        self, ctx: PlainContext
    ) -> None:
        script = "trap 'echo bye >&2; exit 0' TERM; seq 30; while :; do sleep 0.1; done"
        identity = self.start_and_forget(ctx, script)
        self.wait_for_line(identity, "30")
        Docker(kill_grace_period=timedelta(seconds=20)).stop_left(ctx)
        told = f"Ended the container {identity[:12]}, which was left running; it wrote last:"
        lines = [message for _, message in ctx.log.lines]
        assert (lines[0], lines[1], sorted(lines[1:])[-1], len(lines)) == (told, "12", "bye", 21)
        assert not self.leftovers(ctx)

    def test_what_is_left_stays_for_a_look_when_the_flow_says_so(self, ctx: PlainContext) -> None:
        identity = self.start_and_forget(ctx, "exec sleep 600")
        try:
            Docker(delete=False).stop_left(ctx)
            assert ctx.log.lines == [("INFO", f"Ended the container {identity[:12]}, which was left running")]
            assert docker("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", identity) == "exited 137"
        finally:
            docker("rm", identity)

    @pytest.mark.parametrize("state", ["created", "paused", "exited"])
    def test_what_is_left_is_ended_whatever_it_does(self, ctx: PlainContext, state: str) -> None:
        if state == "created":
            docker("create", "--label", f"{ATTEMPT}={ctx.attempt_id}", IMAGE, "true")
        else:
            identity = self.start_and_forget(ctx, "exec sleep 600" if state == "paused" else "true")
            docker("pause" if state == "paused" else "wait", identity)
        Docker().stop_left(ctx)
        assert not self.leftovers(ctx)

    def test_a_container_that_removes_itself_may_do_so(self, ctx: PlainContext) -> None:
        docker("run", "-d", "--rm", "--label", f"{ATTEMPT}={ctx.attempt_id}", IMAGE, "sleep", "600")
        Docker(wait=False).stop_left(ctx)
        until(lambda: not self.leftovers(ctx))
        assert [level for level, _ in ctx.log.lines] == ["INFO"]

    def test_a_container_that_is_gone_before_its_end_is_awaited_has_ended(
        self, ctx: PlainContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ended = Container.end

        def end(container: Container, grace: float) -> None:
            ended(container, grace)
            until(lambda: not self.leftovers(ctx))

        monkeypatch.setattr(Container, "end", end)
        docker("run", "-d", "--rm", "--label", f"{ATTEMPT}={ctx.attempt_id}", IMAGE, "sleep", "600")
        Docker(wait=False).stop_left(ctx)
        assert [level for level, _ in ctx.log.lines] == ["INFO"]

    def wait_for_line(self, identity: str, line: str) -> None:
        until(lambda: line in docker("logs", identity).splitlines())

    def test_a_stop_ends_a_re_attached_container_too(self, ctx: PlainContext) -> None:
        self.start_and_forget(ctx, "sleep 60")
        threading.Timer(0.5, ctx.stop).start()
        with pytest.raises(Interrupted):
            self.reattach(Docker(), ctx)
        assert not self.leftovers(ctx)


class TestDockerByMount(DockerContract):
    @pytest.fixture
    def runner(self) -> TaskRunner:
        return Docker(file_handling_strategy="MOUNT")

    def test_the_working_directory_is_the_same(self, runner: TaskRunner, ctx: PlainContext) -> None:
        seen: list[bool] = []

        def on_line(stream: str, line: str) -> None:
            seen.append((ctx.working_dir / "early").exists())

        script = "touch early; echo made; sleep 0.5"
        runner.run(ctx, Command(("sh", "-c", script), ctx.working_dir, on_line, image=IMAGE))
        assert seen == [True]

    def test_files_of_root_are_given_to_the_engines_user(self, runner: TaskRunner, ctx: PlainContext) -> None:
        self.shell(runner, ctx, "umask 077; mkdir sub; touch sub/file")
        assert (ctx.working_dir / "sub/file").stat().st_uid == 0
        with connection("", ctx.environment) as client:
            give_back(client, ctx, IMAGE, ctx.working_dir, uid=4321)
        assert (ctx.working_dir / "sub/file").stat().st_uid == 4321
        assert ctx.log.lines == []

    def test_a_container_nobody_waits_for_can_not_share_it(self, ctx: PlainContext) -> None:
        with pytest.raises(Invalid) as caught:
            self.shell(Docker(file_handling_strategy="MOUNT", wait=False), ctx, "true")
        assert str(caught.value) == (
            "fileHandlingStrategy: A container that nobody waits for can't share the working directory, which goes "
            "with the task\n  expected: VOLUME, or `wait: true`"
        )
