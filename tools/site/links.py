"""The links of a built site: each must lead to a file of it, and to a place that the file has."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.targets: list[tuple[int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        for name in ("id", "name"):
            if value := facts.get(name):
                self.places.add(value)
        for name in ("href", "src"):
            if value := facts.get(name):
                self.targets.append((self.getpos()[0], value))


def broken(site: Path, address: str) -> Iterator[str]:
    """The links that lead nowhere. ``address`` is that of the site; other hosts are not asked. In the pages of rustdoc,
    programs find the places, such as ranges of lines.
    """
    pages = {path.relative_to(site).as_posix(): _parsed(path) for path in sorted(site.rglob("*.html"))}
    for name, page in pages.items():
        if not _is_checked(name):
            continue
        is_rustdoc = name.startswith("rustdoc/")
        for line, target in page.targets:
            # rustdoc names a program for each trait, and writes those of traits that somebody implements.
            if is_rustdoc and target.endswith(".js"):
                continue
            file, place = _file(site, name, target, address)
            if file is None:
                continue
            if not (site / file).is_file():
                yield f"{name}:{line}: {target} leads to no file"
            elif place and file in pages and not is_rustdoc and not {place, unquote(place)} & pages[file].places:
                yield f"{name}:{line}: {target} leads to no place of {file}"


def _file(site: Path, page: str, target: str, address: str) -> tuple[str | None, str]:
    """The file of the site that a link of a page leads to, or None for another host, and the place in it."""
    parts, base = urlsplit(target), urlsplit(address)
    if parts.scheme in ("data", "mailto") or (parts.netloc and parts.netloc != base.netloc):
        return None, ""
    path = unquote(parts.path)
    if path.startswith(base.path):
        path = path.removeprefix(base.path)
    elif path:
        path = posixpath.join(posixpath.dirname(page), path)
    else:
        path = page
    path = posixpath.normpath(path or ".")
    if not (site / path).is_file():
        path = posixpath.normpath(posixpath.join(path, "index.html"))
    return path, parts.fragment


def count(site: Path) -> int:
    """How many links are checked."""
    names = {path: path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    return sum(len(_parsed(path).targets) for path, name in names.items() if _is_checked(name))


def _is_checked(page: str) -> bool:
    # The page for wrong addresses stands at any of them, and programs fill two pages of rustdoc.
    return page not in ("404.html", "rustdoc/help.html", "rustdoc/settings.html")


def _parsed(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text())
    return page
