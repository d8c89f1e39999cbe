"""Records summed up for people: what ran, what depends on what, what differs, what a form asks, which names fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from core.model.data import data, field
from core.model.state import Status


@data
class TaskOutline:
    """All task executions of one task in one flow execution, told together, so that a loop of 100 000 is one of these.

    parent: the task that its groups belong to, None at the top. states: how many are in which. started_at: of the
    first that ran; ended_at: of the last one, None while any is open. id: of the newest of them, of a failed one
    where there is any. output_size: bytes of all their outputs.
    """

    task_name: str
    type: str
    parent: str | None
    count: int
    states: Mapping[str, int]
    created_at: int
    started_at: int | None
    ended_at: int | None
    id: str
    output_size: int = 0


@data
class ReadLink:
    """That one thing read another. what: the path that was read, such as `outputs.fetch.uri`. task_execution_id: of the
    other end, None for what is no task's (inputs, variables). purpose: `properties` of a task, or what else was
    evaluated (`runIf`, `condition`, …)."""

    what: str
    task_execution_id: str | None
    task_name: str = ""
    value: str | None = None
    purpose: str = "properties"


@data
class Lineage:
    """What a task output was made from, and who read it; each at most 200 links, more says that there are others."""

    sources: tuple[ReadLink, ...]
    readers: tuple[ReadLink, ...]
    more: bool = False


@data
class ValueDifference:
    """One place where two values differ. path: from the value on, as an expression would write it, "" for the value
    itself; rows of tables are named by their key: `rows[id=3].price`. before, after: None when there is none. moved: a
    table has the same rows in another order."""

    path: str
    change: Literal["changed", "added", "removed", "moved"]
    before: Any = None
    after: Any = None


@data
class TableDifference:
    """How two lists of maps differ as tables. path: as of `ValueDifference`. before, after: how many rows each has.
    key: the column by which rows were matched, "" where whole rows were. added, removed, changed: how many rows.
    first_rows: only so many rows of each were looked at, since there are very many; 0: all."""

    path: str
    before: int
    after: int
    key: str
    added: int
    removed: int
    changed: int
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    first_rows: int = 0


@data
class OutputDifference:
    """One value of two executions. change: of the second against the first. name: of the value in the task's output,
    "" when it is no map, was not read, or is the same as a whole. first, second: ids of the task outputs, None where
    there is none; before, after: the values, None when they are too large to be read (`large`), missing, or the same.

    parts: where the values differ inside, the first 50 places of a changed one; more: there are others. tables: those
    of them that are lists of maps. Texts that name files in the storage are the same when the files hold the same
    bytes; small files of rows, JSON and text that do not are told by what is in them."""

    task_name: str
    path: tuple[str, ...]
    name: str
    change: Literal["changed", "added", "removed", "same"]
    first: str | None
    second: str | None
    before: Any = None
    after: Any = None
    large: bool = False
    parts: tuple[ValueDifference, ...] = ()
    more: bool = False
    tables: tuple[TableDifference, ...] = ()


@data
class OutputComparison:
    """Changed ones first, then added, removed, same; within these in the order the tasks first ran. counts: of all, by
    change; more: differences beyond the limit are only counted. inputs, outputs: of the executions themselves."""

    first: str
    second: str
    differences: tuple[OutputDifference, ...]
    counts: Mapping[str, int]
    more: bool = False
    inputs: tuple[ValueDifference, ...] = ()
    outputs: tuple[ValueDifference, ...] = ()


@data
class DayCount:
    """How many task outputs of a status there are of one day (UTC, `2026-11-22`)."""

    day: str
    status: Status
    count: int


@data
class TaskDurations:
    """How long the task executions of one task took, in seconds."""

    task_name: str
    count: int
    median: float
    p95: float
    longest: float


@data
class OutputFigures:
    """What a list of task outputs amounts to. summary_paths: numeric fields of `summary`, the most common first, at
    most 32. examined: how many rows, the newest; whole: whether these are all that the filter has."""

    per_day: tuple[DayCount, ...]
    durations: tuple[TaskDurations, ...]
    summary_paths: tuple[str, ...]
    examined: int
    whole: bool


@data
class SummaryPoint:
    """A number of a `summary`: of which output, and when that was made."""

    output_id: str
    task_name: str
    at: int
    value: float


@data
class PastRun:
    """One of the newest executions of a flow, for a small picture. seconds: None while it runs."""

    id: str
    state: str
    created_at: int
    seconds: float | None


@data
class FormField:
    """One input as a form asks for it. default: the rendered default, or what the form begins with; None without.

    choices: of SELECT and MULTISELECT; free: others than these may be given. needed: it must be given, since it is
    required and has no default. shown: what it depends on holds with what was given so far. depends_on: the inputs
    that change it. problem: what is wrong with the value given, "" when nothing is. rules: attributes a form knows:
    `min`, `max`, `pattern`, `accept`, `item_type`, and `radio` where the choices are to be seen at once.
    prefilled: the default is only what the form begins with: what is not given is not it. missing: it is needed and was
    not given; for a form that is new that is no problem yet. secret: the default is hidden, and so is what is given.
    """

    id: str
    type: str
    label: str
    description: str = ""
    default: Any = None
    choices: tuple[str, ...] = ()
    free: bool = False
    needed: bool = False
    shown: bool = True
    depends_on: tuple[str, ...] = ()
    problem: str = ""
    rules: Mapping[str, str] = field(factory=dict)
    prefilled: bool = False
    missing: bool = False
    secret: bool = False


@data
class Completion:
    """A name that fits. detail: the type of what it names, or a function's signature. start: where it begins, when that
    is not where the others do (`a['my-key']` takes the place of the dot in `a.`)."""

    name: str
    detail: str
    start: int | None = None


@data
class Completions:
    """Names for the place of the cursor: each replaces the text from `start` to the cursor."""

    start: int
    names: tuple[Completion, ...]
