"""What a page of the report has in it, read with Python's own parser of HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "input", "hr", "img"}


@dataclass
class Element:
    """An element with what is in it."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, blanks folded."""
        return " ".join(self.raw.split())

    @property
    def raw(self) -> str:
        """All text in it, as it stands."""
        return "".join(
            child if isinstance(child, str) else child.raw
            for child in self.children
            if isinstance(child, str) or child.tag not in ("desc", "title")
        )

    def all(self, tag: str | None = None, **attributes: str | None) -> list[Element]:
        """Elements in it, in the order of the page.

        Args:
            tag: of which kind; None: any.
            attributes: what they have, `_` for `-`; None: whatever the value is.
        """
        found: list[Element] = []
        for child in self.children:
            if isinstance(child, str):
                continue
            if (tag is None or child.tag == tag) and all(
                name.replace("_", "-") in child.attributes
                and value in (None, child.attributes[name.replace("_", "-")])
                for name, value in attributes.items()
            ):
                found.append(child)
            found += child.all(tag, **attributes)
        return found


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open)
        self._open.children.append(element)
        if tag not in VOID:
            self._open = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open)
        self._open.children.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.tag == tag, f"</{tag}> closes <{self._open.tag}>"
        assert self._open.parent is not None
        self._open = self._open.parent

    def handle_data(self, data: str) -> None:
        self._open.children.append(data)


def parsed(page: str) -> Element:
    """A page as a tree; an error where its tags do not close each other.

    Args:
        page: all of it.
    """
    parser = _Parser()
    parser.feed(page)
    parser.close()
    assert parser.root is parser._open, f"<{parser._open.tag}> is not closed"
    return parser.root
