"""The parts of the flow language that belong to no type, as JSON Schema: the flow, its inputs and outputs, every task.

They describe what this version runs; what it refuses is left out, so that an editor marks it as `check` would.
"""

from __future__ import annotations

from typing import Any

from core.model.inputs import INPUT_TYPES
from core.sdk.context import LEVELS

Schema = dict[str, Any]

_TEXT: Schema = {"type": ["string", "number", "boolean"]}
_BOOLEAN: Schema = {"type": "boolean"}
_TASKS: Schema = {"type": "array", "items": {"$ref": "#/$defs/task"}}
_IDENTIFIER = r"^[a-zA-Z0-9][a-zA-Z0-9_-]*$"


def _said(description: str, schema: Schema) -> Schema:
    return {"description": description, **schema}


TASK: dict[str, Schema] = {
    "id": _said("Name of the task, unique in the flow.", {"type": "string", "pattern": _IDENTIFIER}),
    "description": _said("For people.", _TEXT),
    "timeout": _said("The task fails when an attempt takes longer.", {"$ref": "#/$defs/duration"}),
    "disabled": _said("Left out, together with what is inside.", {**_BOOLEAN, "default": False}),
    "runIf": _said("Skipped when this renders to nothing, `0` or `false`.", _TEXT),
    "when": _said("Another word for `runIf`.", _TEXT),
    "allowFailure": _said("A failure counts as a warning.", {**_BOOLEAN, "default": False}),
    "allowWarning": _said("A warning counts as a success.", {**_BOOLEAN, "default": False}),
    "logLevel": _said("Lines below this level are not kept.", {"enum": list(LEVELS), "default": LEVELS[0]}),
    "logToFile": _said(
        "Its log goes to a file of the execution; `executions logs` shows it too.", {**_BOOLEAN, "default": False}
    ),
    "retry": _said("Whether and when it runs again after a failure.", {"$ref": "#/$defs/retry"}),
    "taskCache": _said(
        "Its outputs are used again instead of running it with the same properties.", {"$ref": "#/$defs/taskCache"}
    ),
}
"""What every task has beside `type`."""

_NAMED: dict[str, Schema] = {
    "type": _said("Type of the value.", {"enum": list(INPUT_TYPES)}),
    "description": _said("For people.", _TEXT),
    "displayName": _said("Shown instead of the id.", {**_TEXT, "maxLength": 64}),
    "required": _said("Whether there must be a value.", {**_BOOLEAN, "default": True}),
    "itemType": _said("Type of the elements of a list.", {"enum": [name for name in INPUT_TYPES if name != "ARRAY"]}),
}

INPUT: Schema = {
    "type": "object",
    "properties": {
        "id": _said("Read as `{{ inputs.id }}`.", {"type": "string", "pattern": r"^[a-zA-Z0-9][.a-zA-Z0-9_-]*$"}),
        "name": _said("Older word for `id`.", {"type": "string", "deprecated": True}),
        **_NAMED,
        "defaults": _said("The value when none is given.", {}),
        "prefill": _said("The value a form begins with.", {}),
        "dependsOn": _said(
            "Inputs it needs, and a condition on them; it is left out when they are, or when it does not hold.",
            {
                "type": "object",
                "properties": {
                    "inputs": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                    "condition": _TEXT,
                },
                "required": ["inputs"],
                "additionalProperties": False,
            },
        ),
        "validator": _said("STRING, SECRET: a pattern the whole text must match.", {"type": "string"}),
        "min": _said("INT, FLOAT, DURATION: the least value.", {"type": ["number", "string"]}),
        "max": _said("INT, FLOAT, DURATION: the greatest value.", {"type": ["number", "string"]}),
        "after": _said("DATETIME, DATE, TIME: the earliest value.", {"type": "string"}),
        "before": _said("DATETIME, DATE, TIME: the latest value.", {"type": "string"}),
        "values": _said("ENUM, SELECT, MULTISELECT: what can be chosen.", {"type": "array"}),
        "options": _said("MULTISELECT: older word for `values`.", {"type": "array", "deprecated": True}),
        "expression": _said("SELECT, MULTISELECT: gives the values that can be chosen.", {"type": "string"}),
        "allowCustomValue": _said("SELECT, MULTISELECT: other values are fine too.", {**_BOOLEAN, "default": False}),
        "isRadio": _said("SELECT: how a form shows it.", {**_BOOLEAN, "default": False}),
        "autoSelectFirst": _said("SELECT, MULTISELECT: the first value is the default.", _BOOLEAN),
        "extension": _said("FILE: no effect; a file keeps its name.", {"type": "string", "deprecated": True}),
        "allowedFileExtensions": _said("FILE: endings a file may have.", {"type": "array", "items": _TEXT}),
        "acceptedExtensions": _said("FILE: older word for `allowedFileExtensions`.", {"type": "array", "items": _TEXT}),
        "accept": _said("FILE: older word for `allowedFileExtensions`; a text with commas will do.", {}),
    },
    "required": ["type"],
    "anyOf": [{"required": ["id"]}, {"required": ["name"]}],
    "additionalProperties": False,
}

OUTPUT: Schema = {
    "type": "object",
    "properties": {
        "id": _said("Name of the output.", {"type": "string"}),
        **_NAMED,
        "value": _said("The value; usually an expression.", {}),
    },
    "required": ["id", "type", "value"],
    "additionalProperties": False,
}

FLOW: dict[str, Schema] = {
    "id": _said(
        "Name of the flow in its namespace.",
        {"type": "string", "pattern": r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$", "maxLength": 100},
    ),
    "namespace": _said(
        "Where it belongs, such as company.team.",
        {"type": "string", "pattern": r"^[a-z0-9][a-z0-9._-]*$", "maxLength": 150},
    ),
    "revision": _said("Counted when the flow is stored.", {"type": "integer", "minimum": 1}),
    "description": _said("For people.", _TEXT),
    "labels": _said(
        "Facts to find executions by.",
        {
            "anyOf": [
                {"type": "object", "additionalProperties": _TEXT},
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"key": _TEXT, "value": _TEXT},
                        "required": ["key", "value"],
                        "additionalProperties": False,
                    },
                },
            ]
        },
    ),
    "inputs": _said("What an execution is given.", {"type": "array", "items": {"$ref": "#/$defs/input"}}),
    "variables": _said("Values read as `{{ vars.name }}`.", {"type": "object"}),
    "tasks": _said("Run one after another.", {"type": "array", "items": {"$ref": "#/$defs/task"}, "minItems": 1}),
    "outputs": _said("What an execution gives.", {"type": "array", "items": {"$ref": "#/$defs/output"}}),
    "errors": _said("Run one after another when a task has failed.", _TASKS),
    "finally": _said("Run one after another at the end, after success and after failure.", _TASKS),
    "afterExecution": _said("Run one after another when the execution has ended, however it has.", _TASKS),
    "listeners": _said(
        "Older word for `afterExecution`, with conditions.",
        {"type": "array", "items": {"$ref": "#/$defs/listener"}, "deprecated": True},
    ),
    "triggers": _said("What starts it by itself.", {"type": "array", "items": {"$ref": "#/$defs/trigger"}}),
    "retry": _said("Whether and when a failed task runs again that says nothing itself.", {"$ref": "#/$defs/retry"}),
    "concurrency": _said("How many of its executions run at once.", {"$ref": "#/$defs/concurrency"}),
    "sla": _said("Promises about its executions.", {"type": "array", "items": {"$ref": "#/$defs/sla"}}),
    "checks": _said("What has to be true of the inputs.", {"type": "array", "items": {"$ref": "#/$defs/check"}}),
    "pluginDefaults": _said(
        "Values that properties of a type have where a task says nothing else.",
        {"type": "array", "items": {"$ref": "#/$defs/pluginDefault"}},
    ),
    "taskDefaults": _said(
        "Older word for `pluginDefaults`.",
        {"type": "array", "items": {"$ref": "#/$defs/pluginDefault"}, "deprecated": True},
    ),
    "disabled": _said("It can't be run.", {**_BOOLEAN, "default": False}),
}

TRIGGER: dict[str, Schema] = {
    "id": _said("Name of the trigger, unique in the flow.", {"type": "string", "pattern": _IDENTIFIER}),
}
"""What every trigger has beside `type` and its own properties."""

PLUGIN_DEFAULT: Schema = {
    "type": "object",
    "properties": {
        "type": _said("A type, or how types begin.", {"type": "string"}),
        "values": _said("Values by property.", {"type": "object"}),
        "forced": _said("They win over what a task says.", {**_BOOLEAN, "default": False}),
    },
    "required": ["type", "values"],
    "additionalProperties": False,
}
