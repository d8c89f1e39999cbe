"""Pages as a browser without scripts reads them: texts, links, and what a form would send."""

from __future__ import annotations

from html.parser import HTMLParser

Sent = dict[str, list[str]]


class Page(HTMLParser):
    """One page. links: addresses by text. texts: of elements with an id. hidden: ids of elements that are not shown."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.links: list[tuple[str, str]] = []
        self.hidden: set[str] = set()
        self.forms: list[tuple[str, Sent]] = []
        self.options: dict[str, list[str]] = {}
        self._open: list[tuple[str, str]] = []
        self._select = ""
        self._option: tuple[str | None, bool] | None = None
        self._said = ""
        self._link = ""
        self.feed(text)

    def form(self, action: str) -> Sent:
        """What the form with this address would send as it stands, without its buttons."""
        return next(sent for found, sent in self.forms if found == action)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attributes}
        if tag not in ("input", "meta", "link", "br", "img", "path", "rect", "line", "circle"):
            self._open.append((tag, known.get("id", "")))
        if "id" in known:
            self.texts[known["id"]] = ""
            if "hidden" in known:
                self.hidden.add(known["id"])
        if tag == "form":
            self.forms.append((known.get("action", ""), {}))
        elif tag == "a":
            self._link, self._said = known.get("href", ""), ""
        elif tag == "select":
            self._select = known.get("name", "")
            self._send(self._select, None)
            self.options[self._select] = []
        elif tag == "textarea":
            self._select, self._said = known.get("name", ""), ""
        elif tag == "option":
            self._option, self._said = (known.get("value"), "selected" in known), ""
        elif tag == "input" and (known.get("type") not in ("checkbox", "radio") or "checked" in known):
            self._send(known.get("name", ""), known.get("value", ""))

    def _send(self, name: str, value: str | None) -> None:
        if self.forms and name:
            self.forms[-1][1].setdefault(name, []).extend([] if value is None else [value])

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass
        if tag == "a":
            self.links.append((self._said.strip(), self._link))
        elif tag == "textarea":
            self._send(self._select, self._said.removeprefix("\n"))
        elif tag == "option" and self._select and self._option:
            value, selected = self._option
            value = self._said if value is None else value
            self.options[self._select].append(value)
            if selected or len(self.options[self._select]) == 1:
                self.forms[-1][1][self._select] = [value]

    def handle_data(self, data: str) -> None:
        self._said += data
        for _, id in self._open:
            if id:
                self.texts[id] += data
