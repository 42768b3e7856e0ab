"""CONTRIBUTING.md's table "To add X, touch these files": each row's patch applies and touches those files alone."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PROOFS = REPOSITORY / "tests/proofs"

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git, which applies the patches, is not installed")


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("proofs_check", PROOFS / "check.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


proofs = _load()
TABLE = proofs.rows((REPOSITORY / "CONTRIBUTING.md").read_text())

ROWS = """
## To add X, touch these files

| to add | files | which |
|---|---:|---|
| a thing, to read | 2 | `core/src/NEW.rs`, `core/src/lib.rs` |
| a thing, to write | 1 more | `core/src/sink/` |
| a plugin | 0 | the plugin alone (`tests/plugins/double.c`) |

## Rules
"""
LIBRARY = "one\ntwo\nthree\nfour\nfive\n"
READ = """A thing is read.

diff --git a/core/src/lib.rs b/core/src/lib.rs
--- a/core/src/lib.rs
+++ b/core/src/lib.rs
@@ -2,2 +2,3 @@ one
 two
+thing
 three
diff --git a/core/src/thing.rs b/core/src/thing.rs
new file mode 100644
--- /dev/null
+++ b/core/src/thing.rs
@@ -0,0 +1 @@
+a thing
"""
# On what the patch before it makes of a file.
WRITE = """diff --git a/core/src/lib.rs b/core/src/lib.rs
--- a/core/src/lib.rs
+++ b/core/src/lib.rs
@@ -2,3 +2,3 @@
 two
-thing
+thing that is written
 three
diff --git a/core/src/sink/plan.rs b/core/src/sink/plan.rs
--- a/core/src/sink/plan.rs
+++ b/core/src/sink/plan.rs
@@ -1 +1 @@
-plan
+plan of things
diff --git a/tests/thing.rs b/tests/thing.rs
new file mode 100644
--- /dev/null
+++ b/tests/thing.rs
@@ -0,0 +1 @@
+a test, which does not count
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree in which all three rows hold."""
    for name, text in {
        "core/src/lib.rs": LIBRARY,
        "core/src/sink/plan.rs": "plan\n",
        "tests/plugins/double.c": "",
        "tests/proofs/thing-to-read.patch": READ,
        "tests/proofs/thing-to-write.patch": WRITE,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def broken(root: Path, text: str = ROWS) -> str:
    """What is wrong, of all rows."""
    found = []
    for row in proofs.rows(text):
        try:
            proofs.check(row, root)
        except proofs.Broken as error:
            found.append(str(error))
    return "\n".join(found)


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_a_row_is_proven(row) -> None:
    proofs.check(row, REPOSITORY)


def test_every_patch_proves_a_row() -> None:
    named = {f"{row.name}.patch" for row in TABLE if row.num_files}
    assert {path.name for path in PROOFS.glob("*.patch")} == named
    assert len(named) >= 12


def test_a_tree_in_which_all_is_right_passes(root: Path) -> None:
    assert broken(root) == ""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("| 2 |", "| 3 |", "3 files, but it names core/src/NEW.rs, core/src/lib.rs"),
        ("`core/src/lib.rs`", "`core/src/main.rs`", "Correct the one that is wrong"),
        ("core/src/NEW.rs", "core/src/new/NEW.rs", "Correct the one that is wrong"),
        ("`core/src/sink/`", "`core/src/sink/NEW.rs`, `core/src/lib.rs`", "1 files, but it names"),
        ("a thing, to read", "another thing, to read", "there is no tests/proofs/another-thing-to-read.patch"),
        ("double.c", "missing.c", "names a plugin of tests/plugins"),
        ("| 0 | the plugin alone (`tests/plugins/double.c`) |", "| 0 | nothing |", "names a plugin of tests/plugins"),
    ],
)
def test_a_row_that_is_wrong_fails(root: Path, old: str, new: str, expected: str) -> None:
    assert old in ROWS
    assert expected in broken(root, ROWS.replace(old, new))


def test_a_patch_that_touches_one_more_file_fails(root: Path) -> None:
    patch = root / "tests/proofs/thing-to-read.patch"
    more = WRITE.partition("diff --git a/tests")[2].replace("/thing", "/more").replace(" b/tests", " b/core/src")
    patch.write_text(f"{READ}diff --git a/core/src{more}".replace("+++ b/tests/more", "+++ b/core/src/more"))
    assert "thing-to-read.patch touches core/src/lib.rs, core/src/more.rs, core/src/thing.rs" in broken(root)


def test_a_patch_that_does_not_apply_fails_and_says_how_to_refresh_it(root: Path) -> None:
    (root / "core/src/lib.rs").write_text(LIBRARY.replace("three", "another"))
    message = broken(root)
    assert "thing-to-read.patch no longer applies: error: patch failed: core/src/lib.rs:2" in message
    assert "python tests/proofs/check.py --refresh thing-to-read" in message


def test_a_table_that_is_gone_fails() -> None:
    with pytest.raises(proofs.Broken, match="has no table"):
        proofs.rows(ROWS.replace("To add X", "To add Y"))


def test_a_patch_is_refreshed_by_a_merge(root: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout

    def commit(text: str) -> None:
        (root / "core/src/lib.rs").write_text(text)
        git("add", "--all")
        git("commit", "--quiet", "--message", "a change")

    (root / ".gitignore").write_text("target\n")
    git("init", "--quiet")
    commit(LIBRARY)
    patch, (row, _, _) = root / "tests/proofs/thing-to-read.patch", proofs.rows(ROWS)
    git("apply", "--index", str(patch))
    patch.write_text("A thing is read.\n\n" + git("diff", "-U1", "--full-index", "--cached"))
    git("reset", "--quiet", "--", "core")
    (root / "core/src/thing.rs").unlink()
    commit("zero\n" + LIBRARY)
    proofs.refresh(row, root)
    assert broken(root) == ""
    assert patch.read_text().startswith("A thing is read.\n\ndiff --git")
    assert "@@ -3,2 +3,3 @@" in patch.read_text()

    commit(LIBRARY.replace("three", "another"))
    with pytest.raises(proofs.Broken, match="Resolve the conflicts in .*/target/proofs/thing-to-read,"):
        proofs.refresh(row, root)
    with pytest.raises(proofs.Broken, match=r"resolve the conflicts .* leftover conflict marker"):
        proofs.refresh(row, root)
    (root / "target/proofs/thing-to-read/core/src/lib.rs").write_text("one\ntwo\nthing\nanother\nfour\nfive\n")
    proofs.refresh(row, root)
    proofs.check(row, root)
    assert not (root / "target/proofs/thing-to-read").exists()
    assert len(git("worktree", "list").splitlines()) == 1
