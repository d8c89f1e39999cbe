"""Rules of the flow language: what is skipped, tried again, waited for, called, and how an execution ends."""

from __future__ import annotations

from tests.examples.language_rules import Rule

CHILD = """
id: child
namespace: io.rules
inputs: [{id: n, type: INT, defaults: 1}]
tasks:
- {id: f, type: execution.Fail, condition: "{{ inputs.n > 1 }}"}
outputs: [{id: twice, type: INT, value: "{{ inputs.n * 2 }}"}]
"""

ENDS = {
    "runIf skips a group with all that is in it": Rule(
        """
        tasks:
        - {id: p, type: flow.Sequential, runIf: "{{ false }}", tasks: [{id: a, type: execution.Fail}]}
        - {id: b, type: debug.Return, format: "{{ tasks.p.state }}"}
        """,
        "SUCCESS",
        """
        p SKIPPED
        b SUCCESS = SKIPPED
        """,
    ),
    "a runIf that can't be rendered fails the task, which may be allowed": Rule(
        """
        tasks:
        - {id: a, type: debug.Return, runIf: "{{ nope }}", allowFailure: true}
        - {id: b, type: debug.Return, format: "{{ tasks.a.state }}"}
        """,
        "WARNING",
        """
        a WARNING
        b SUCCESS = WARNING
        """,
    ),
    "a group of which everything is disabled succeeds": Rule(
        """
        tasks:
        - {id: p, type: flow.Sequential, tasks: [{id: a, type: execution.Fail, disabled: true}]}
        """,
        "SUCCESS",
        "p SUCCESS",
    ),
    "a retry with a warning counts from the third attempt on": Rule(
        """
        tasks:
        - id: a
          type: execution.Fail
          condition: "{{ taskrun.attemptsCount < 1 }}"
          retry: {type: constant, interval: PT0.02S, maxAttempts: 3, warningOnRetry: true}
        - id: b
          type: execution.Fail
          condition: "{{ taskrun.attemptsCount < 2 }}"
          retry: {type: constant, interval: PT0.02S, maxAttempts: 3, warningOnRetry: true}
        """,
        "WARNING",
        """
        a SUCCESS
        b WARNING
        """,
    ),
    "an allowed failure does not wait for the retry of a group around it": Rule(
        """
        tasks:
        - id: s
          type: flow.Sequential
          retry: {type: constant, interval: PT0.02S, maxAttempt: 3}
          tasks:
          - {id: a, type: execution.Fail, allowFailure: true}
          - {id: b, type: execution.Fail, condition: "{{ taskrun.attemptsCount < 2 }}"}
        - {id: r, type: debug.Return, format: "{{ tasks.a.state }}"}
        """,
        "WARNING",
        """
        s WARNING
        a WARNING
        b SUCCESS
        r SUCCESS = WARNING
        """,
    ),
    "a loop until something holds counts its rounds": Rule(
        """
        tasks:
        - id: w
          type: flow.LoopUntil
          condition: "{{ outputs.r.value == '2' }}"
          checkFrequency: {interval: PT0.02S}
          tasks: [{id: r, type: debug.Return, format: "{{ outputs.w.iterationCount }}"}]
        - {id: z, type: debug.Return, format: "{{ outputs.w.iterationCount }}"}
        """,
        "SUCCESS",
        """
        w SUCCESS
        r SUCCESS = 1
        r SUCCESS = 2
        z SUCCESS = 2
        """,
    ),
    "a pause that nobody ends in time fails": Rule(
        """
        tasks:
        - {id: p, type: flow.Pause, timeout: PT0.05S}
        - {id: never, type: debug.Return}
        """,
        "FAILED",
        "p FAILED",
    ),
    "a pause ends by itself, as its behavior says": Rule(
        """
        tasks:
        - {id: p, type: flow.Pause, delay: PT0.05S, tasks: [{id: x, type: debug.Return, format: x}]}
        - {id: w, type: flow.Pause, pauseDuration: PT0.05S, behavior: WARN}
        - {id: c, type: flow.Pause, pauseDuration: PT0.05S, behavior: CANCEL}
        - {id: never, type: debug.Return}
        """,
        "CANCELLED",
        """
        p SUCCESS
        x SUCCESS = x
        w WARNING
        c CANCELLED
        """,
    ),
    "a Subflow ends as its execution does, unless that is not transmitted": Rule(
        """
        tasks:
        - {id: a, type: flow.Subflow, namespace: io.rules, flowId: child, inputs: {n: 2}, transmitFailed: false}
        - {id: b, type: flow.Subflow, namespace: io.rules, flowId: child, inputs: {n: 2}, allowFailure: true}
        - {id: c, type: flow.Subflow, namespace: io.rules, flowId: child}
        - {id: r, type: debug.Return, format: "{{ outputs.c.outputs.twice }} {{ outputs.a.state }}"}
        """,
        "WARNING",
        """
        a SUCCESS
        b WARNING
        c SUCCESS
        r SUCCESS = 2 FAILED
        """,
        (CHILD,),
    ),
    "a Subflow fails whose flow is missing or whose inputs are wrong": Rule(
        """
        tasks:
        - {id: a, type: flow.Subflow, namespace: io.rules, flowId: nope, allowFailure: true}
        - {id: b, type: flow.Subflow, namespace: io.rules, flowId: child, inputs: {n: x}}
        """,
        "FAILED",
        """
        a WARNING
        b FAILED
        """,
        (CHILD,),
    ),
    "a failed child keeps the others of a ForEachItem not back, and its outputs from being put together": Rule(
        """
        tasks:
        - {id: w, type: storage.Write, content: "a\\nb\\nc\\n"}
        - id: e
          type: flow.ForEachItem
          items: "{{ outputs.w.uri }}"
          namespace: io.rules
          flowId: child
          inputs: {n: "{{ taskrun.iteration }}"}
          errors: [{id: er, type: debug.Return, format: "{{ outputs.e_items.iterations }}"}]
        """,
        "FAILED",
        """
        w SUCCESS
        e FAILED
        e_split SUCCESS
        e_items FAILED
        er SUCCESS = {"SUCCESS":2,"FAILED":1}
        """,
        (CHILD,),
    ),
    "an Exit closes the groups around it and leaves finally out": Rule(
        """
        tasks:
        - id: s
          type: flow.Sequential
          tasks: [{id: x, type: execution.Exit, state: WARNING}, {id: never, type: debug.Return}]
        finally: [{id: fin, type: debug.Return}]
        afterExecution: [{id: aft, type: debug.Return, format: "{{ execution.state }}"}]
        """,
        "WARNING",
        """
        s WARNING
        x WARNING
        aft SUCCESS = WARNING
        """,
    ),
    "the flow's outputs are typed, after a failure too": Rule(
        """
        tasks: [{id: a, type: debug.Return, format: hi}, {id: b, type: execution.Fail}]
        outputs:
        - {id: text, type: STRING, value: "{{ outputs.a }}"}
        - {id: number, type: INT, value: "{{ 4 }}"}
        - {id: none, type: STRING, value: "{{ null }}", required: false}
        - {id: list, type: ARRAY, itemType: INT, value: "[1, 2]"}
        """,
        "FAILED",
        """
        a SUCCESS = hi
        b FAILED
        """,
        (),
        {"text": '{"value":"hi"}', "number": 4, "none": None, "list": [1, 2]},
    ),
    "defaults of plugins give way to the task, forced ones do not": Rule(
        """
        pluginDefaults:
        - {type: debug.Return, values: {format: default}}
        - {type: execution.Fail, forced: true, values: {condition: "false"}}
        tasks:
        - {id: a, type: debug.Return}
        - {id: b, type: debug.Return, format: own}
        - {id: c, type: execution.Fail, condition: "true"}
        """,
        "SUCCESS",
        """
        a SUCCESS = default
        b SUCCESS = own
        c SUCCESS
        """,
    ),
    "a check that is not passed can end the execution before its first task": Rule(
        """
        inputs: [{id: n, type: INT, defaults: 2}]
        checks: [{condition: "{{ inputs.n > 3 }}", message: too small, behavior: FAIL_EXECUTION}]
        tasks: [{id: never, type: debug.Return}]
        """,
        "FAILED",
        "",
    ),
}
