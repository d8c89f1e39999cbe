"""`{% … %}`: a flat row of texts, prints and tags → nested statements."""

from __future__ import annotations

from collections.abc import Callable

from core.expressions import nodes
from core.expressions.faults import MAX_NESTING, Fault, too_deep
from core.expressions.parser import Parser
from core.model.data import data

_MEANT = {
    "elif": "it is written `elseif` here",
}
_TAKEN_AWAY = frozenset({"autoescape", "extends", "embed", "flush", "import", "include", "parallel", "cache", "from"})


@data
class Tag:
    """One `{% name … %}`; `rest` reads what stands behind the name."""

    at: int
    name: str
    rest: Parser


def arrange(pieces: list[nodes.Statement | Tag]) -> nodes.Body:
    """Give every tag its body. Raises Fault for tags that don't fit together."""
    if not any(isinstance(piece, Tag) for piece in pieces):
        return tuple(pieces)  # type: ignore[arg-type]
    reader = _Reader(pieces)
    return reader.body(None, ())[0]


class _Reader:
    def __init__(self, pieces: list[nodes.Statement | Tag]) -> None:
        self._pieces = iter(pieces)
        self._depth = 0
        self._readers: dict[str, Callable[[Tag], nodes.Statement]] = {
            "if": self._if, "for": self._for, "set": self._set, "macro": self._macro,
            "filter": self._filter, "block": self._block,
        }  # fmt: skip

    def body(self, opening: Tag | None, closers: tuple[str, ...]) -> tuple[nodes.Body, Tag]:
        """The statements up to one of the closing tags, and that tag."""
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise too_deep()
        statements: list[nodes.Statement] = []
        for piece in self._pieces:
            if not isinstance(piece, Tag):
                statements.append(piece)
            elif piece.name in closers:
                self._depth -= 1
                return tuple(statements), piece
            else:
                statements.append(self._statement(piece))
        if opening is not None:
            expected = " or ".join(f"`{{% {name} %}}`" for name in closers)
            raise Fault(f"`{opening.name}` is never closed", expected=expected, at=opening.at)
        return tuple(statements), Tag(0, "", Parser([]))

    def _statement(self, tag: Tag) -> nodes.Statement:
        reader = self._readers.get(tag.name)
        if reader is None:
            if tag.name in _TAKEN_AWAY:
                raise Fault(f"the tag `{tag.name}` does not exist in this language", at=tag.at)
            known = ", ".join([*self._readers, "raw", "verbatim"])
            raise Fault(
                f"the tag `{tag.name}` is not expected here", expected=f"one of {known}",
                hint=_MEANT.get(tag.name, ""), at=tag.at,
            )  # fmt: skip
        return reader(tag)

    def _if(self, tag: Tag) -> nodes.Statement:
        branches: list[nodes.Branch] = []
        otherwise: nodes.Body = ()
        current = tag
        while True:
            if current.name == "else":
                current.rest.end()
                otherwise, closing = self.body(tag, ("endif",))
            else:
                condition = current.rest.whole()
                body, closing = self.body(tag, ("elseif", "else", "endif"))
                branches.append(nodes.Branch(current.at, condition, body))
            if closing.name == "endif":
                closing.rest.end()
                return nodes.If(tuple(branches), otherwise)
            current = closing

    def _for(self, tag: Tag) -> nodes.Statement:
        name = tag.rest.name("the name of the loop's variable").value
        word = tag.rest.name("`in`")
        if word.value != "in":
            raise Fault(f"`{word.value}` is not expected here", expected="`in`", at=word.at)
        values = tag.rest.whole()
        body, closing = self.body(tag, ("else", "endfor"))
        otherwise: nodes.Body = ()
        if closing.name == "else":
            closing.rest.end()
            otherwise, closing = self.body(tag, ("endfor",))
        closing.rest.end()
        return nodes.For(tag.at, name, values, body, otherwise)

    def _set(self, tag: Tag) -> nodes.Statement:
        name = tag.rest.name("the name of a variable")
        tag.rest.expect("=")
        return nodes.Set(name.at, name.value, tag.rest.whole())

    def _macro(self, tag: Tag) -> nodes.Statement:
        name = tag.rest.name("the name of the macro")
        parameters: list[tuple[str, nodes.Expression]] = []
        tag.rest.expect("(")
        while not tag.rest.skip(")"):
            if parameters:
                tag.rest.expect(",")
            parameter = tag.rest.name("the name of a parameter")
            default = tag.rest.expression() if tag.rest.skip("=") else nodes.Literal(parameter.at, None)
            parameters.append((parameter.value, default))
        tag.rest.end()
        body = self._closed(tag)
        return nodes.Macro(name.at, name.value, tuple(parameters), body)

    def _filter(self, tag: Tag) -> nodes.Statement:
        value = tag.rest.filters(nodes.Captured(tag.at))
        tag.rest.end()
        return nodes.FilterBlock(tag.at, value, self._closed(tag))

    def _block(self, tag: Tag) -> nodes.Statement:
        token = tag.rest.take()
        if token.kind not in ("name", "text"):
            raise Fault("a block has no name", expected="`{% block name %}`", at=tag.at)
        tag.rest.end()
        return nodes.Block(tag.at, token.value, self._closed(tag))

    def _closed(self, tag: Tag) -> nodes.Body:
        # The reference lets a closing tag repeat the name (`{% endblock title %}`).
        return self.body(tag, (f"end{tag.name}",))[0]
