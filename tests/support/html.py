"""Reads a page: what it shows, loads and leads to; a page whose elements are not closed in order fails."""

from html.parser import HTMLParser

VOID = frozenset({"meta", "link", "input", "br"})


class Reader(HTMLParser):
    """Anchors, what elements load or lead to, and the text; raises AssertionError for elements not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.loads: set[str] = set()
        self.links: set[str] = set()
        self.inline: list[str] = []
        self.shown = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self._open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "src" or (name == "href" and tag == "link"):
                self.loads.add(value or "")
            elif name == "href":
                self.links.add(value or "")
            elif name.startswith("on") or name == "style":
                self.inline.append(f"{tag} {name}")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] in (["script"], ["style"]):
            self.inline.append(data)
        self.shown += data
