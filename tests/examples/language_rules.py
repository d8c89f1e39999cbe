"""What a rule of the flow language is made of, and the rules of groups, loops and branches."""

from __future__ import annotations

from core.model.data import data, field


@data
class Rule:
    """A flow's body, what became of it, and flows that it calls."""

    text: str
    state: str
    ran: str
    calls: tuple[str, ...] = ()
    outputs: dict[str, object] = field(factory=dict)


GROUPS = {
    "a loop takes equal values once, and the texts of maps": Rule(
        """
        tasks:
        - id: e
          type: flow.ForEach
          values: [a, 1, {k: "{{ flow.id }}"}, a]
          tasks: [{id: x, type: debug.Return, format: "{{ taskrun.value }} {{ taskrun.iteration }}"}]
        """,
        "SUCCESS",
        """
        e SUCCESS
        x[a] SUCCESS = a 0
        x[1] SUCCESS = 1 1
        x[{"k":"rule"}] SUCCESS = {"k":"rule"} 2
        """,
    ),
    "a loop refuses null among its values": Rule(
        """
        tasks:
        - {id: e, type: flow.ForEach, values: '["a", null]', tasks: [{id: x, type: debug.Return}]}
        """,
        "FAILED",
        "e FAILED",
    ),
    "a loop stops at the value that fails, and its errors run once": Rule(
        """
        tasks:
        - id: e
          type: flow.ForEach
          values: [1, 2, 3]
          tasks: [{id: x, type: execution.Fail, condition: "{{ taskrun.value == '2' }}"}]
          errors: [{id: er, type: debug.Return, format: er}]
        - {id: never, type: debug.Return}
        """,
        "FAILED",
        """
        e FAILED
        x[1] SUCCESS
        x[2] FAILED
        er SUCCESS = er
        """,
    ),
    "in a loop within a loop the outputs of a task are found by the values": Rule(
        """
        tasks:
        - id: e
          type: flow.ForEach
          values: [1]
          tasks:
          - id: inner
            type: flow.ForEach
            values: [a, b]
            tasks: [{id: y, type: debug.Return, format: "{{ parent.taskrun.value }}{{ taskrun.value }}"}]
        - {id: z, type: debug.Return, format: "{{ outputs.y['1'].b.value }} {{ outputs.y['1'] | length }}"}
        """,
        "SUCCESS",
        """
        e SUCCESS
        inner[1] SUCCESS
        y[1, a] SUCCESS = 1a
        y[1, b] SUCCESS = 1b
        z SUCCESS = 1b 2
        """,
    ),
    "a Parallel begins nothing more after a failure, and lets what runs go on": Rule(
        """
        tasks:
        - id: p
          type: flow.Parallel
          concurrent: 2
          tasks:
          - {id: a, type: execution.Fail}
          - {id: b, type: flow.Sleep, duration: PT0.2S}
          - {id: c, type: debug.Return}
        """,
        "FAILED",
        """
        p FAILED
        a FAILED
        b SUCCESS
        """,
    ),
    "in a Dag a task waits for those it depends on, skipped ones included": Rule(
        """
        tasks:
        - id: d
          type: flow.Dag
          tasks:
          - {task: {id: c, type: debug.Return, format: c}, dependsOn: [a]}
          - {task: {id: a, type: debug.Return, runIf: "false"}}
        """,
        "SUCCESS",
        """
        d SUCCESS
        a SKIPPED
        c SUCCESS = c
        """,
    ),
    "the failure of a Dag goes to its errors": Rule(
        """
        tasks:
        - id: d
          type: flow.Dag
          tasks:
          - {task: {id: a, type: execution.Fail}}
          - {task: {id: b, type: debug.Return}, dependsOn: [a]}
          errors: [{id: er, type: debug.Return, format: er}]
        """,
        "FAILED",
        """
        d FAILED
        a FAILED
        er SUCCESS = er
        """,
    ),
    "errors run from the inside out, then finally, then what runs after the end": Rule(
        """
        tasks:
        - id: p
          type: flow.Sequential
          tasks: [{id: ko, type: execution.Fail}]
          errors: [{id: e1, type: execution.Fail}, {id: e2, type: debug.Return, format: e2}]
        errors: [{id: e3, type: debug.Return, format: "{{ errorLogs()[0].taskId }}"}]
        finally: [{id: fin, type: debug.Return, format: "{{ execution.state }}"}]
        afterExecution: [{id: aft, type: debug.Return, format: "{{ execution.state }}"}]
        """,
        "FAILED",
        """
        p FAILED
        ko FAILED
        e1 FAILED
        e2 SUCCESS = e2
        e3 SUCCESS = ko
        fin SUCCESS = RUNNING
        aft SUCCESS = FAILED
        """,
    ),
    "neither finally nor what runs after the end changes how it ended": Rule(
        """
        tasks: [{id: a, type: debug.Return, format: a}]
        finally: [{id: f1, type: execution.Fail}, {id: f2, type: debug.Return, format: f2}]
        afterExecution: [{id: g1, type: execution.Fail}, {id: g2, type: debug.Return, format: "{{ execution.state }}"}]
        """,
        "SUCCESS",
        """
        a SUCCESS = a
        f1 FAILED
        f2 SUCCESS = f2
        g1 FAILED
        g2 SUCCESS = SUCCESS
        """,
    ),
    "AllowFailure runs its errors, ends with a warning, and keeps the flow's errors out": Rule(
        """
        tasks:
        - id: af
          type: flow.AllowFailure
          tasks: [{id: ko, type: execution.Fail}, {id: never, type: debug.Return}]
          errors: [{id: er, type: debug.Return, format: er}]
        - {id: after, type: debug.Return, format: "{{ tasks.ko.state }} {{ tasks.af.state }}"}
        errors: [{id: ge, type: debug.Return}]
        """,
        "WARNING",
        """
        af WARNING
        ko FAILED
        er SUCCESS = er
        after SUCCESS = FAILED WARNING
        """,
    ),
    "allowWarning lifts the warning of an allowed failure, and not that of AllowFailure by itself": Rule(
        """
        tasks:
        - {id: a, type: execution.Fail, allowFailure: true, allowWarning: true}
        - {id: b, type: flow.AllowFailure, allowWarning: true, allowFailure: true, tasks: [{id: bx, type: execution.Fail}]}
        - {id: c, type: flow.AllowFailure, allowWarning: true, tasks: [{id: cx, type: execution.Fail}]}
        """,
        "WARNING",
        """
        a SUCCESS
        b SUCCESS
        bx FAILED
        c WARNING
        cx FAILED
        """,
    ),
    "an If takes everything but the four false texts for true": Rule(
        """
        tasks:
        - {id: i, type: flow.If, condition: "{{ 'False' }}", then: [{id: a, type: debug.Return, format: a}]}
        - {id: j, type: flow.If, condition: "{{ 0 }}", then: [{id: b, type: debug.Return}]}
        - {id: r, type: debug.Return, format: "{{ outputs.i.evaluationResult }} {{ outputs.j.evaluationResult }}"}
        """,
        "SUCCESS",
        """
        i SUCCESS
        a SUCCESS = a
        j SUCCESS
        r SUCCESS = true false
        """,
    ),
    "a Switch without a matching case and without defaults fails": Rule(
        """
        tasks:
        - {id: s, type: flow.Switch, value: x, cases: {y: [{id: a, type: debug.Return}]}}
        """,
        "FAILED",
        "s FAILED",
    ),
}
