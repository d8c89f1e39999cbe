"""The reference page of a type."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Optional

import pytest

from core.errors import NotFound
from core.model.nodes import Step
from core.registry import load_registry
from core.registry.docs import type_page
from core.registry.words import words
from core.sdk import TaskRunner
from tests.registry.sample_types import Filter

PAGE = """\
# sample.Export

Write rows to a file.

One file for
each call.

From the file `sample` of the plugins folder.

Also known as `com.acme.Export`.

## Properties

| name | type | default | what it is |
| --- | --- | --- | --- |
| `table` | a text | **required** | Table to read. Also `source`. Example: `products` |
| `rows` | a whole number | `100` | Rows at most. |
| `ratio` | a number |  | Share of the rows. |
| `format` | one of CSV, JSON | `CSV` | Format of the file. |
| `header` | true or false | `true` | Whether names come first. Not rendered. |
| `pause` | a duration | `PT5S` | Time to wait. Deprecated: use timeout. |
| `columns` | a list of texts or a text |  | Columns a \\| b. |
| `options` | a map |  | Options of the driver. |
| `filter` | a map (filter) |  | Rows to keep. |
| `runner` | a task runner (a map with a `type`) |  | Where. |
| `then` | a list of tasks |  | Tasks to run afterwards. |
| `password` | a text |  | Password. Never shown. |

### filter

Which rows.

| name | type | default | what it is |
| --- | --- | --- | --- |
| `column` | a text | **required** | Name of a column. |
| `anyOf` | a list of maps (filter) |  | Filters of which one is enough. |

## Outputs

| name | type | what it is |
| --- | --- | --- |
| `uri` | a text | The file. |
| `rowCount` | a whole number | Rows written. |

## Example

```yaml
type: sample.Export
table: "products"
```
"""


def test_a_page_says_everything_a_class_declares(tmp_path: Path) -> None:
    source = (
        "from core.sdk import TypeRef, hookimpl\n"
        "@hookimpl\n"
        "def task_types():\n"
        "    return [TypeRef('tests.registry.sample_types:Export', 'sample.Export', ('com.acme.Export',))]\n"
    )
    (tmp_path / "sample.py").write_text(source, encoding="utf-8")
    registry = load_registry(None, tmp_path)
    assert type_page(registry, "com.acme.Export") == type_page(registry, "sample.Export") == PAGE


def test_every_installed_type_has_a_page() -> None:
    registry = load_registry(None)
    for entry in registry.entries():
        assert type_page(registry, entry.name).startswith(f"# {entry.name}\n")


def test_a_page_of_an_unknown_type_says_what_was_meant() -> None:
    with pytest.raises(NotFound) as caught:
        type_page(load_registry(None), "log.Logg")
    assert str(caught.value) == "there is no type `log.Logg`\n  to do: did you mean `log.Log`?"


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Optional[int], "a whole number"),  # noqa: UP045
        (str | list[str] | None, "a text or a list of texts"),
        (list[bool], "a list of booleans"),
        (dict[str, list[int]], "a map of lists of whole numbers"),
        (list[str | int], "a list of texts or whole numbers"),
        (list[Literal["a", "b"]], "a list of values (one of a, b)"),
        (list[Filter], "a list of maps (filter)"),
        (list[Step], "a list of tasks"),
        (list[Any], "a list"),
        (dict[str, object], "a map"),
        (Literal["a"], "a"),
        (TaskRunner, "a task runner (a map with a `type`)"),
        (None, "null"),
        (object, "any value"),
        (Any, "any value"),
    ],
)
def test_an_annotation_in_words(annotation: Any, expected: str) -> None:
    assert words(annotation) == expected
