"""What the doors offer is a promise to others: a name is added with a thought, and never lost."""

from __future__ import annotations

import core.app
import core.host
import core.sdk
import core.testing

SDK = """
API_VERSION Call Choice Command CommandResult Conflict Dag Described Each ExecutionCount ExecutionState Executions
FlowTask Forbidden Group Interrupted Invalid IterationOutput KeyEntry KeyValues LEVELS Level Log NamespaceFileStore
Node NotFound OwnExecution Parallel Policy Prop Repeat Requirement RunContext RunnableTask RunnerChoice Sequence Step
StorageBackend StorageRef StoredFile TailraceError Task TaskFailed TaskOutput TaskRunner TaskStorage TooLarge TypeRef
Unreachable Wait WaitRequest Weight Work checked_path copy_stream format_duration hookimpl is_storage_uri
parse_duration prop properties storage_path storage_uri to_plain truthy
"""
HOST = """
Answer DeleteKv DeleteNamespaceFile Down EvaluationJob EvaluationResult Executor Exit ForgetFiles Happening KeepResult LogLine
LogSpan Metric OutputReference Place Progress PurgeExecutions PurgeLogs PutNamespaceFile Question Read RecordStore
Request Resume Services SetKv SetLabels SetVariables Stop SwitchTrigger TaskJob TaskResult UnsetVariables Up
"""
APP = "App Installation load_settings open_app open_deployment"
TESTING = """
ExecutorContract FlowRun RecordStoreContract RunnerContract StorageContract TaskContract TaskExecution TaskRun run_flow
run_task temporary_app
"""


def test_the_first_door_is_pinned() -> None:
    assert sorted(core.sdk.__all__) == SDK.split()


def test_the_second_door_is_pinned() -> None:
    assert sorted(core.host.__all__) == HOST.split()


def test_the_door_for_programs_is_pinned() -> None:
    assert sorted(core.app.__all__) == APP.split()


def test_the_door_of_tests_is_pinned() -> None:
    assert sorted(core.testing.__all__) == TESTING.split()


def test_everything_a_door_names_is_behind_it() -> None:
    missing = [
        f"{door.__name__}.{name}"
        for door in (core.sdk, core.host, core.app, core.testing)
        for name in door.__all__
        if not hasattr(door, name)
    ]
    assert missing == []
