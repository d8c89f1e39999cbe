"""Tokens → syntax tree of one expression, by precedence climbing over the table of the reference."""

from __future__ import annotations

from core.expressions import nodes
from core.expressions.faults import MAX_NESTING, Fault, too_deep
from core.expressions.lexer import OPERATOR_WORDS, Token

BINDING = {
    "or": 10,
    "and": 15,
    "is": 20, "contains": 20, "isIn": 20, "isNotIn": 20,
    "==": 30, "equals": 30, "!=": 30, "<": 30, ">": 30, "<=": 30, ">=": 30,
    "+": 40, "-": 40,
    "*": 60, "/": 60, "%": 60,
    "|": 100,
    "~": 110,
    "..": 120, "??": 120, "???": 120,
}  # fmt: skip
UNARY_BINDING = 500
CONSTANTS = {
    "true": True, "TRUE": True, "false": False, "FALSE": False,
    "null": None, "NULL": None, "none": None, "NONE": None,
}  # fmt: skip
_SYNONYMS = {"equals": "=="}
_FOREIGN = {
    "in": "`in` is written `isIn`, or the other way round with `contains`",
    "if": "a choice is written `condition ? this : that`",
    "eq": "write `==`", "ne": "write `!=`", "lt": "write `<`", "gt": "write `>`",
}  # fmt: skip


class Parser:
    """Reads expressions from tokens, the last of which is an `end`."""

    __slots__ = ("_depth", "_next", "_tokens")

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    # -- tokens ------------------------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return self._tokens[self._next]

    def take(self) -> Token:
        token = self._tokens[self._next]
        if token.kind != "end":
            self._next += 1
        return token

    def at_operator(self, text: str) -> bool:
        token = self._tokens[self._next]
        return token.kind == "operator" and token.value == text

    def skip(self, text: str) -> bool:
        found = self.at_operator(text)
        if found:
            self._next += 1
        return found

    def expect(self, text: str) -> Token:
        if not self.at_operator(text):
            raise self.unexpected(f"`{text}`")
        return self.take()

    def name(self, what: str = "a name") -> Token:
        if self.token.kind != "name":
            raise self.unexpected(what)
        return self.take()

    def end(self) -> None:
        if self.token.kind != "end":
            raise self.unexpected(f"`{self._tokens[-1].value}` or an operator")

    def unexpected(self, expected: str) -> Fault:
        token = self.token
        if token.kind == "end":
            return Fault("the expression ends too early", expected=expected, at=token.at)
        hint = ""
        if token.kind == "name":
            hint = _FOREIGN.get(token.value, "")
        elif token.kind == "operator" and token.value in OPERATOR_WORDS:
            hint = f"a key that is an operator's name is written ['{token.value}']"
        elif token.value == "|":
            hint = "write `or`"
        shown = token.value if token.kind in ("name", "operator", "number") else "a text"
        return Fault(f"`{shown}` is not expected here", expected=expected, hint=hint, at=token.at)

    # -- expressions -------------------------------------------------------------------------------------------

    def whole(self) -> nodes.Expression:
        """One expression and nothing after it."""
        expression = self.expression()
        self.end()
        return expression

    def expression(self) -> nodes.Expression:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise too_deep()
        result = self._binary(0)
        if self.at_operator("?"):
            result = self._ternary(result)
        self._depth -= 1
        return result

    def _ternary(self, condition: nodes.Expression) -> nodes.Expression:
        at = self.expect("?").at
        yes = self.expression()
        self.expect(":")
        return nodes.Ternary(at, condition, yes, self.expression())

    def _binary(self, weakest: int) -> nodes.Expression:
        left = self._unary()
        while True:
            token = self._tokens[self._next]
            if token.kind != "operator":
                return left
            binding = BINDING.get(token.value, -1)
            if binding < weakest or binding < 0:
                return left
            self._next += 1
            if token.value == "|":
                left = self._filter(left)
            elif token.value == "is":
                left = self._test(left, token.end)
            else:
                operator = _SYNONYMS.get(token.value, token.value)
                left = nodes.Binary(token.at, operator, left, self._binary(binding + 1))

    def _filter(self, target: nodes.Expression) -> nodes.Expression:
        name = self.name("the name of a filter")
        arguments = self._arguments() if self.at_operator("(") else nodes.Arguments()
        return nodes.Filter(name.at, target, name.value, arguments)

    def filters(self, target: nodes.Expression) -> nodes.Expression:
        """`name | name(…)`: the chain of a filter block."""
        result = self._filter(target)
        while self.skip("|"):
            result = self._filter(result)
        return result

    def _test(self, target: nodes.Expression, is_end: int) -> nodes.Expression:
        at = self.token.at
        negated = self.skip("not")
        if negated and at != is_end + 1:
            raise Fault("`is not` is one operator", expected="one blank between its words", at=at)
        name = self.name("the name of a test")
        arguments = self._arguments() if self.at_operator("(") else nodes.Arguments()
        return nodes.Test(name.at, target, name.value, arguments, negated)

    def _unary(self) -> nodes.Expression:
        token = self.token
        if token.kind == "operator" and token.value in ("not", "-", "+"):
            self._depth += 1
            if self._depth > MAX_NESTING:
                raise too_deep()
            self._next += 1
            operand = self._binary(UNARY_BINDING)
            self._depth -= 1
            return nodes.Unary(token.at, token.value, operand)
        return self._postfix()

    def _postfix(self) -> nodes.Expression:
        result = self._primary()
        if isinstance(result, (nodes.ListLiteral, nodes.MapLiteral)) and self._tokens[self._next - 1].value != ")":
            return result
        while True:
            token = self._tokens[self._next]
            if token.kind != "operator":
                return result
            if token.value == ".":
                self._next += 1
                name = self.name("a name (another key is written ['key'], an index [0])")
                if self.at_operator("("):
                    result = self._method(result, name)
                else:
                    result = nodes.Get(name.at, result, nodes.Literal(name.at, name.value))
            elif token.value == "[":
                self._next += 1
                key = self.expression()
                self.expect("]")
                result = nodes.Get(token.at, result, key)
            else:
                return result

    def _method(self, target: nodes.Expression, name: Token) -> nodes.Expression:
        arguments = self._arguments()
        if arguments.named:
            raise Fault(f"`{name.value}` takes no named arguments", at=name.at)
        return nodes.Method(name.at, target, name.value, arguments.positional)

    def _primary(self) -> nodes.Expression:
        token = self.take()
        if token.kind == "name":
            if token.value in CONSTANTS:
                return nodes.Literal(token.at, CONSTANTS[token.value])
            if self.at_operator("("):
                return nodes.Call(token.at, token.value, self._arguments())
            return nodes.Name(token.at, token.value)
        if token.kind in ("number", "text"):
            return nodes.Literal(token.at, token.value)
        if token.kind == "parts":
            return self._interpolated(token)
        if token.value == "(" and token.kind == "operator":
            inside = self.expression()
            self.expect(")")
            return inside
        if token.value == "[" and token.kind == "operator":
            return self._list(token)
        if token.value == "{" and token.kind == "operator":
            return self._map(token)
        if token.kind != "end":
            self._next -= 1
        raise self.unexpected("a value")

    def _interpolated(self, token: Token) -> nodes.Expression:
        parts: list[nodes.Expression] = []
        for part in token.value:
            if isinstance(part, str):
                if part or len(token.value) == 1:
                    parts.append(nodes.Literal(token.at, part))
                continue
            inner = Parser(part)
            inner._depth = self._depth
            parts.append(inner.whole())
        if len(parts) == 1 and isinstance(parts[0], nodes.Literal):
            return parts[0]
        return nodes.Interpolated(token.at, tuple(parts))

    def _list(self, opening: Token) -> nodes.Expression:
        items: list[nodes.Expression] = []
        if not self.skip("]"):
            items.append(self.expression())
            while self.skip(","):
                items.append(self.expression())
            self.expect("]")
        return nodes.ListLiteral(opening.at, tuple(items))

    def _map(self, opening: Token) -> nodes.Expression:
        entries: list[tuple[nodes.Expression, nodes.Expression]] = []
        if not self.skip("}"):
            entries.append(self._entry())
            while self.skip(","):
                entries.append(self._entry())
            self.expect("}")
        return nodes.MapLiteral(opening.at, tuple(entries))

    def _entry(self) -> tuple[nodes.Expression, nodes.Expression]:
        key = self.expression()
        self.expect(":")
        return key, self.expression()

    def _arguments(self) -> nodes.Arguments:
        self.expect("(")
        positional: list[nodes.Expression] = []
        named: list[tuple[str, nodes.Expression]] = []
        while not self.skip(")"):
            if (positional or named) and not self.skip(","):
                raise self.unexpected("`,` or `)`")
            following = self._tokens[min(self._next + 1, len(self._tokens) - 1)]
            if self.token.kind == "name" and following.kind == "operator" and following.value == "=":
                name = self.take().value
                self.expect("=")
                named.append((name, self.expression()))
            elif named:
                raise Fault("an argument without a name can't follow named ones", at=self.token.at)
            else:
                positional.append(self.expression())
        return nodes.Arguments(tuple(positional), tuple(named))
