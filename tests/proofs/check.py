"""Checks the table "To add X, touch these files" of CONTRIBUTING.md against patches that make each change.

    python tests/proofs/check.py              every patch applies, and touches the files that its row names; no build
    python tests/proofs/check.py --build      also compiles the workspace with each patch and runs the patch's tests
    python tests/proofs/check.py --refresh X  merges a patch that no longer applies into the last commit

Names of patches after the options select rows. A row's patch is named after the row's first column. A row that says
"more" builds on the row before it. A row of 0 files names the plugin in tests/plugins/ that does it. Tests, documents
and generated files of a patch do not count.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROOFS = Path("tests/proofs")
HEADING = "## To add X, touch these files"

#: Files that may change beside those of the table.
NOT_PRODUCTION = re.compile(r"(^|/)tests?/|\.pyi$|\.md$|^docs/|^Cargo\.lock$|/include/")


class Broken(Exception):
    """A row or a patch that does not hold, with what to do."""


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    what: str
    num_files: int
    #: The row above, whose change this one needs.
    after: Row | None
    #: Files with NEW for a name, and directories that end in a slash for any file in them.
    files: tuple[str, ...]
    #: The plugins of the tests that do it without touching a file.
    doubles: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of its patch, without the ending."""
        return "-".join(re.findall(r"[a-z0-9]+", re.sub(r"^(an?|the) |'", "", self.what.lower())))

    @property
    def patches(self) -> list[str]:
        """The patches to apply, in order."""
        return [*(self.after.patches if self.after else []), f"{PROOFS}/{self.name}.patch"]


def rows(text: str) -> list[Row]:
    """The rows of the table in the text of CONTRIBUTING.md."""
    section = text.partition(HEADING)[2].partition("\n## ")[0]
    found: list[Row] = []
    for line in section.splitlines():
        if not (cells := re.fullmatch(r"\| *(.+?) *\| *(\d+)( more)? *\| *(.+?) *\|", line)):
            continue
        what, number, more, which = cells.groups()
        paths = re.findall(r"`([\w.-]+/[\w./-]*|pyproject\.toml)`", which)
        doubles = tuple(path for path in paths if path.startswith("tests/"))
        files = tuple(path for path in paths if path not in doubles)
        found.append(Row(what.replace("`", ""), int(number), found[-1] if more else None, files, doubles))
    if not found:
        raise Broken(f'CONTRIBUTING.md has no table under "{HEADING}"')
    return found


def touched(patch: str) -> set[str]:
    """The production files that a patch changes."""
    paths = re.findall(r"^diff --git a/.+ b/(.+)$", patch, re.MULTILINE)
    return {path for path in paths if not NOT_PRODUCTION.search(path)}


def fits(path: str, named: str) -> bool:
    """Whether a file is one that the table names."""
    if named.endswith("/"):
        return path.startswith(named) and "/" not in path.removeprefix(named)
    return re.fullmatch(re.escape(named).replace("NEW", r"(?!mod\b)[a-z0-9_]+"), path) is not None


def check(row: Row, root: Path) -> None:
    """Raises Broken unless the row is proven."""
    if len(row.files) != row.num_files:
        raise Broken(
            f"CONTRIBUTING.md, {row.what}: {row.num_files} files, but it names {', '.join(row.files) or 'none'}"
        )
    if row.num_files == 0:
        if not row.doubles or not all((root / double).is_file() for double in row.doubles):
            raise Broken(f"CONTRIBUTING.md, {row.what}: a row of 0 files names a plugin of tests/plugins that does it")
        return
    for patch in row.patches:
        if not (root / patch).is_file():
            raise Broken(
                f"CONTRIBUTING.md, {row.what}: there is no {patch}; make the change, save it with "
                "git diff -U1 --full-index, and put a line that says what it does above it"
            )
    found = touched((root / row.patches[-1]).read_text())
    if row.after:
        found -= touched((root / row.after.patches[-1]).read_text())
    named = {name: {path for path in found if fits(path, name)} for name in row.files}
    strays = found.difference(*named.values())
    if strays or len(found) != row.num_files or not all(named.values()):
        raise Broken(
            f"{row.patches[-1]} touches {', '.join(sorted(found))}; CONTRIBUTING.md names {', '.join(row.files)}. "
            "Correct the one that is wrong."
        )
    # In one stream: git checks each of several files against the tree as it is, without the others.
    patches = "".join((root / patch).read_text() for patch in row.patches)
    applied = git(root, "apply", "--check", "-", text=patches)
    if applied.returncode != 0:
        raise Broken(
            f"{row.patches[-1]} no longer applies: {applied.stderr.strip()}\n"
            f"To refresh it: commit your change, then python {PROOFS}/check.py --refresh {row.name}"
        )


def git(root: Path, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Runs git on a directory, which need not be a repository, but for no repository around it."""
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(root.parent), "LC_ALL": "C"}
    command = ["git", *arguments]
    return subprocess.run(command, cwd=root, env=environment, input=text, capture_output=True, text=True)


def copy(root: Path, directory: Path) -> None:
    """Copies the files of the checkout, without what is ignored."""
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed.returncode != 0:
        raise Broken(f"a build needs a git checkout: {listed.stderr.strip()}")
    kept = {name for name in listed.stdout.split("\0") if name and (root / name).is_file()}
    for old in [path for path in directory.rglob("*") if path.is_file()]:
        if str(old.relative_to(directory)) not in kept:
            old.unlink()
    for name in sorted(kept):
        source, target = root / name, directory / name
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            shutil.copymode(source, target)


def build(row: Row, root: Path) -> None:
    """Compiles the workspace with a row's change, in a copy, and runs the tests that its patch names."""
    tree = root / "target/proofs/tree"
    copy(root, tree)
    applied = git(tree, "apply", *row.patches)
    if applied.returncode != 0:
        raise Broken(applied.stderr)
    excluded = subprocess.run(["plugins/bundle.sh", "--excluded"], cwd=root, capture_output=True, text=True, check=True)
    head = (root / row.patches[-1]).read_text().partition("\ndiff --git")[0]
    own = [shlex.split(command) for command in re.findall(r"^Check: (.+)$", head, re.MULTILINE)]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(root / "target/proofs/target")}
    for command in [["cargo", "check", "--workspace", "--quiet", *excluded.stdout.split()], *own]:
        if command[0] == "python":
            command[0] = sys.executable
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise Broken(f"{row.patches[-1]}: {shlex.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")


def refresh(row: Row, root: Path) -> None:
    """Merges a row's patch into the last commit and rewrites it; the next call goes on after a conflict."""
    tree = root / "target/proofs" / row.name
    *before, own = [root / patch for patch in row.patches]
    if not tree.exists():
        added = git(root, "worktree", "add", "--quiet", "--detach", str(tree), "HEAD")
        if added.returncode != 0:
            raise Broken(f"a refresh needs a git checkout: {added.stderr.strip()}")
        for patch in before:
            if (applied := git(tree, "apply", "--index", str(patch))).returncode != 0:
                git(root, "worktree", "remove", "--force", str(tree))
                raise Broken(f"refresh {patch.stem} first: {applied.stderr.strip()}")
        author = ["-c", "user.name=mapwave", "-c", "user.email=mapwave@localhost", "-c", "commit.gpgsign=false"]
        git(
            tree, *author, "commit", "--quiet", "--allow-empty", "--no-verify", "--message", "What the patch is made on"
        )
        applied = git(tree, "apply", "--3way", str(own))
        if applied.returncode != 0:
            raise Broken(
                f"{own.name} does not merge: {applied.stderr.strip()}\n"
                f"Resolve the conflicts in {tree}, or make the change there, and run this again"
            )
    left = git(tree, "diff", "--check", "HEAD")
    if left.returncode != 0:
        raise Broken(f"resolve the conflicts in {tree}, and run this again: {left.stdout.strip()}")
    git(tree, "add", "--all")
    head = own.read_text().partition("diff --git")[0]
    own.write_text(head + git(tree, "diff", "-U1", "--full-index", "--cached", "HEAD").stdout)
    git(root, "worktree", "remove", "--force", str(tree))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog=f"python {PROOFS}/check.py", description=__doc__.partition("\n")[0])
    parser.add_argument("--build", action="store_true", help="also compile with each patch and run its tests")
    parser.add_argument("--refresh", action="store_true", help="rewrite patches that no longer apply")
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows, by the names of their patches; none means all")
    chosen = parser.parse_args(arguments)
    table = rows((REPOSITORY / "CONTRIBUTING.md").read_text())
    if unknown := set(chosen.names) - {row.name for row in table}:
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(row.name for row in table)}")
    status = 0
    for row in table:
        if chosen.names and row.name not in chosen.names:
            continue
        try:
            if chosen.refresh and row.num_files:
                refresh(row, REPOSITORY)
            check(row, REPOSITORY)
            if chosen.build and row.num_files:
                build(row, REPOSITORY)
            print(f"ok      {row.name}", flush=True)
        except Broken as broken:
            print(f"BROKEN  {row.name}: {broken}", file=sys.stderr, flush=True)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
