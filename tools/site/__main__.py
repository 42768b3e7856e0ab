"""Writes what the site is built of, and checks what was built.

``python tools/site stage`` writes the pages to ``site/pages``: those of ``docs/``, the reference, and the tables of
formats, for which the package must be installed. ``check`` follows the links of ``site/html``. ``figures FILE.json``
prints the table of a run of ``mapwave bench``; ``figures --write`` makes the tables of docs/performance.md again.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tomllib
from pathlib import Path

import figures
import formats
import links
import pages
import reference

ROOT = Path(__file__).resolve().parents[2]
PAGES, HTML = ROOT / "site" / "pages", ROOT / "site" / "html"


def stage(arguments: argparse.Namespace) -> int:
    """Writes all pages."""
    shutil.rmtree(PAGES, ignore_errors=True)
    names = pages.stage(ROOT, PAGES)
    (PAGES / "reference").mkdir()
    for name, text in reference.pages(ROOT / "python" / "mapwave").items():
        (PAGES / "reference" / name).write_text(text)
        names.append(f"reference/{name}")
    (PAGES / "reference" / "formats.md").write_text(formats.page(ROOT))
    names.append("reference/formats.md")
    unlisted = sorted(set(names) - set(navigation()))
    if unlisted:
        print(f"zensical.toml does not list {', '.join(unlisted)} in nav", file=sys.stderr)
        return 1
    print(f"{len(names)} pages in {PAGES.relative_to(ROOT)}")
    return 0


def navigation() -> list[str]:
    """The pages that the navigation of the site lists."""

    def listed(entry: object) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        values = entry.values() if isinstance(entry, dict) else entry
        return [name for value in values for name in listed(value)]

    return listed(tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"])


def check(arguments: argparse.Namespace) -> int:
    """Names every broken link of the built site."""
    address = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["site_url"]
    found = list(links.broken(HTML, address))
    print("\n".join(found) or f"{links.count(HTML)} links, none of them broken")
    return 1 if found else 0


def tables(arguments: argparse.Namespace) -> int:
    """Prints the table of a run, or writes those of the document again."""
    if arguments.write:
        document = ROOT / "docs" / "performance.md"
        document.write_text(figures.written(document))
    for file in arguments.files:
        print(figures.table(file, arguments.peers))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("stage").set_defaults(run=stage)
    commands.add_parser("check").set_defaults(run=check)
    figured = commands.add_parser("figures")
    figured.add_argument("files", type=Path, nargs="*")
    figured.add_argument("--peers", type=lambda names: names.split(","), default=[])
    figured.add_argument("--write", action="store_true")
    figured.set_defaults(run=tables)
    arguments = parser.parse_args()
    try:
        return int(arguments.run(arguments))
    except (figures.Unusable, reference.Undocumented) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
