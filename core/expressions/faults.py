"""What goes wrong inside a template, and how it is told: the line of the template with a caret under the place."""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import ExpressionError, TooLarge
from core.model.near import did_you_mean, near_misses

MAX_TEXT = 16 * 1024 * 1024
"""Characters that one evaluation may produce."""
MAX_ITEMS = 1_000_000
"""Elements that one list made by an expression may have, and rounds that the loops of one template may make."""
MAX_NESTED_PRINTS = 100_000
"""Expressions in the templates that `render()` may work through in one evaluation, all rounds together."""
MAX_NESTING = 60
"""Levels of brackets, and of statements, in one template."""
MAX_DEPTH = 150
"""Levels of the syntax tree of one template: a row of operators (`a + b + c …`) has as many as it has operands."""

_SHOWN_NAMES = 8
_LONGEST_MESSAGE = 2000
_LONGEST_NAME = 100
"""Characters; longer names are looked at no closer when similar ones are sought."""
_SHOWN_WIDTH = 110


MAX_CODE = 200_000
"""Characters between the braces of one template."""
MAX_SLOW = 2_000_000
"""Characters of a text that an expression works through one by one."""


class Fault(Exception):
    """An evaluation failed. at: offset in the template, filled in by the innermost expression that knows it."""

    def __init__(self, what: str, *, expected: str = "", hint: str = "", at: int = -1) -> None:
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.hint = hint
        self.at = at


class Undefined(Fault):
    """A name is not there. `??`, `???`, `default` and `is defined` catch it, unless it is `final`.

    path: as the template wrote it. owner: the map that lacks the name; its names are looked at only for the message.
    Arithmetic and comparisons make it final (the reference wraps it there).
    """

    def __init__(self, path: str, at: int, *, owner: object = None, prefix: str = "") -> None:
        super().__init__(f"`{path}` is undefined", at=at)
        self.path = path
        self.owner = owner
        self.prefix = prefix
        self.final = False

    def explain(self) -> None:
        """Fill in what exists there and what to do."""
        self.hint = f"correct the name, or give a fallback: {{{{ {self.path} ?? '…' }}}}"
        if isinstance(self.owner, Mapping):
            name = self.path[len(self.prefix) :].strip(".[]'\"")
            names = nearest(name, [str(key) for key in self.owner])
            if near := near_misses(name[:_LONGEST_NAME], names, 1):
                meant = did_you_mean(tuple(member(self.prefix, each) for each in near))
                self.hint = f"{meant} Or give a fallback: {{{{ {self.path} ?? '…' }}}}"
            if dashed := next((each for each in names if each.startswith(f"{name}-")), None):
                self.hint = f"a name with a dash is written {member(self.prefix, dashed)}"
            self.expected = _one_of([member(self.prefix, name) for name in names], len(self.owner))
        elif self.owner is not None:
            self.expected = str(self.owner)


def member(prefix: str, name: str) -> str:
    """`inputs` and `my-name` → `inputs['my-name']`."""
    if not prefix:
        return name
    return f"{prefix}.{name}" if name.isidentifier() else f"{prefix}['{name}']"


def nearest(name: str, names: list[str], limit: int = _SHOWN_NAMES) -> list[str]:
    """Up to `limit` of the names, those that resemble `name` first."""
    from difflib import get_close_matches  # noqa: PLC0415 (slow to load, and only errors need it)

    short = [each for each in names[:1000] if len(each) <= _LONGEST_NAME]
    alike = get_close_matches(name[:_LONGEST_NAME], short, n=limit, cutoff=0.5)
    return (alike + [other for other in names if other not in alike])[:limit]


def _one_of(names: list[str], total: int) -> str:
    if not names:
        return "nothing is defined there"
    more = f", … ({total} in all)" if total > len(names) else ""
    return ("one of " if len(names) > 1 else "") + ", ".join(names) + more


def as_error(fault: Fault, template: str) -> ExpressionError:
    """The error that the user sees."""
    undefined = ""
    if isinstance(fault, Undefined):
        fault.explain()
        undefined = fault.path
    picture = picture_of(template, fault.at)
    told = _cut(fault.what)
    what = f"{told}\n{picture}" if picture else told
    return ExpressionError(what, expected=_cut(fault.expected), hint=_cut(fault.hint), undefined=_cut(undefined))


def _cut(text: str) -> str:
    """Messages quote names, and names may be of any length."""
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 200]}…{text[-200:]}"


def picture_of(template: str, at: int) -> str:
    """The line around an offset and a caret below it; long lines are cut, lines of longer templates are numbered."""
    if at < 0:
        return ""
    start = template.rfind("\n", 0, at) + 1
    end = template.find("\n", at)
    line = template[start : len(template) if end < 0 else end].replace("\t", " ").rstrip("\r")
    column = at - start
    gutter = "    "
    if "\n" in template.rstrip("\n"):
        gutter = f"{template.count(chr(10), 0, at) + 1:>4} | "
    if len(line) > _SHOWN_WIDTH:
        first = max(0, min(column - 50, len(line) - _SHOWN_WIDTH))
        line = line[first : first + _SHOWN_WIDTH]
        if first:
            gutter += "…"
        column -= first
    return f"{gutter}{line}\n{' ' * (len(gutter) + column)}^"


def within_limit(size: int, what: str = "text") -> None:
    """Refuse what would be too large, before it is built. size: characters."""
    if size > MAX_TEXT:
        raise TooLarge(
            f"an expression would produce {size:,} characters of {what}",
            expected=f"at most {MAX_TEXT:,}",
            hint="work on a file in a task instead",
        )


def within_items(count: int) -> None:
    """Refuse a list that would be too long, before it is built."""
    if count > MAX_ITEMS:
        raise TooLarge(
            f"an expression would make a list of {count:,} elements",
            expected=f"at most {MAX_ITEMS:,}",
            hint="work on a file in a task instead",
        )


def within_slow(size: int) -> None:
    """Refuse a text that a filter would work through character by character for too long."""
    if size > MAX_SLOW:
        raise TooLarge(
            f"a filter would work through a text of {size:,} characters one by one",
            expected=f"at most {MAX_SLOW:,}",
            hint="work on a file in a task instead",
        )


def within_code(size: int) -> None:
    """Refuse a template with so much between its braces that reading it would take too long."""
    if size > MAX_CODE:
        raise TooLarge(
            f"a template has more than {MAX_CODE:,} characters inside of its braces",
            expected=f"at most {MAX_CODE:,}",
            hint="keep the data in a file, and the template short",
        )


def too_many(what: str) -> TooLarge:
    """The error for a document of more values than an expression may hold."""
    return TooLarge(
        f"{what} holds more than {MAX_ITEMS:,} values", expected=f"at most {MAX_ITEMS:,}",
        hint="work on a file in a task instead",
    )  # fmt: skip


def too_deep() -> TooLarge:
    return TooLarge(
        "an expression, or a value it uses, is nested too deeply",
        expected=f"at most {MAX_NESTING} levels of brackets, {MAX_DEPTH} operands in a row, a few hundred in a value",
        hint="compute parts of it in variables or tasks of their own",
    )
