"""The parts of the site: its pages, the reference, the tables of formats and figures, and the check of its links."""

from __future__ import annotations

import array
import ast
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import mapwave.numpy
import markdown
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "python" / "mapwave"
sys.path.insert(0, str(REPOSITORY / "tools" / "site"))

import figures  # noqa: E402
import formats  # noqa: E402
import links  # noqa: E402
import pages  # noqa: E402
import reference  # noqa: E402

DOCUMENTS = sorted((REPOSITORY / "docs").rglob("*.md"))


def _navigation() -> list[str]:
    return re.findall(r'= "([\w/-]+\.md)"', (REPOSITORY / "zensical.toml").read_text())


def test_the_navigation_lists_every_page_once() -> None:
    there = {path.relative_to(REPOSITORY / "docs").as_posix() for path in DOCUMENTS}
    made = {f"reference/{name}" for name in [*reference.pages(PACKAGE), "formats.md"]}
    assert sorted(_navigation()) == sorted(there | made), "list the page in nav of zensical.toml"


# Pages


def test_links_out_of_the_documents_lead_to_the_repository(tmp_path: Path) -> None:
    (tmp_path / "docs" / "deep").mkdir(parents=True)
    (tmp_path / "tools").mkdir()
    (tmp_path / "docs" / "deep" / "a.md").write_text(
        "[x](../../README.md#top) [y](../../tools) [z](b.md#c) [w](#d) [v](https://example.org/../x)\n\n"
        "```text\n[x](../../README.md)\n```\n"
    )
    assert pages.page(tmp_path, "docs/deep/a.md") == (
        f"[x]({pages.BLOB}README.md#top) [y]({pages.TREE}tools) [z](b.md#c) [w](#d) [v](https://example.org/../x)\n\n"
        "```text\n[x](../../README.md)\n```\n"
    )


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("- a\n  b\n\n  c\n\nd\n", "- a\n    b\n\n    c\n\nd\n"),
        ("1. a\n\n   ```sh\n   x\n     y\n   ```\n", "1. a\n\n    ```sh\n    x\n      y\n    ```\n"),
        ("a\n\n    code\n", "a\n\n    code\n"),
    ],
)
def test_what_belongs_to_an_item_is_indented_by_four_spaces(written: str, shown: str) -> None:
    assert "\n".join(pages._indented(written.splitlines())) + "\n" == shown


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_a_page_begins_with_its_only_title(document: Path) -> None:
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert text.startswith("# ")
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1


# The reference


def test_the_reference_has_all_that_is_exported() -> None:
    shown = reference.pages(PACKAGE)
    for name in mapwave.numpy.__all__:
        if name in ("aio", "errors"):
            continue
        places = [page for page in ("functions.md", "classes.md", "errors.md") if f"\n### {name}\n" in shown[page]]
        assert len(places) == 1, f"{name} is in {places}"
        assert f"[`{name}`]({places[0]}#{name.lower()})" in shown["index.md"]


def test_the_reference_says_of_every_argument_what_it_means() -> None:
    functions = reference.pages(PACKAGE)["functions.md"]
    load = functions.partition("\n### load\n")[2].partition("\n### ")[0]
    signature, _, rest = load.partition("\n```\n")
    arguments = re.findall(r"^    (\w+): ", signature, re.MULTILINE)
    assert len(arguments) > 20
    explained = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", rest, re.MULTILINE)))
    assert explained == arguments


def test_overloads_become_one_signature() -> None:
    functions = reference.pages(PACKAGE)["functions.md"]
    batch = functions.partition("\n### batch_load\n")[2].partition("\n```\n")[0]
    assert batch.count("def batch_load(") == 1
    assert "    stack: Literal[False] | Literal[True] = False," in batch
    assert "    pad: float = 0.0," in batch


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("__init__.pyi", '    "load",\n', '    "load",\n    "unheard_of",\n', "unheard_of"),
        (
            "_core.pyi",
            '    """Resamples audio.',
            '    """Resamples audio.\n\n    Args:\n        no colon\n',
            "no colon",
        ),
        ("types.py", "#: The order of an array's axes.\n", "", "Layout"),
    ],
)
def test_what_has_no_documentation_stops_the_build(tmp_path: Path, file: str, old: str, new: str, message: str) -> None:
    package = tmp_path / "mapwave"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("*.so", "plugins", "__pycache__"))
    source = package / file
    if file == "_core.pyi":
        source = package / "__init__.pyi"
    text = source.read_text()
    assert old in text
    source.write_text(text.replace(old, new, 1))
    with pytest.raises(reference.Undocumented, match=message):
        reference.pages(package)


def test_docstrings_become_markdown() -> None:
    text = (
        "Reads ``x_y`` of :func:`~mapwave.load`, n * 2, an_argument::\n\n    a = b * c\n\n"
        "Args:\n    a, b: One | two\n        <three>.\n"
    )
    assert list(reference._text(text)) == [
        "Reads `x_y` of `mapwave.load`, n \\* 2, `an_argument`:",
        "",
        "```python",
        "a = b * c",
        "```",
        "",
        "",
        "| argument | meaning |",
        "|---|---|",
        "| `a`, `b` | One \\| two \\<three>. |",
        "",
    ]


def test_code_of_the_reference_is_python() -> None:
    for page, text in reference.pages(PACKAGE).items():
        for code in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            if re.match(r"(async )?def |class ", code):
                # A class is shown with the arguments that make one.
                as_function = re.sub("^class ", "def ", code.rstrip()) if ": " in code else code.rstrip()
                code = f"{as_function}: ..."
            ast.parse(code, page)


# Formats

ONE = array.array("f", [0.0])


def test_the_tables_of_formats_have_every_container_and_encoding() -> None:
    with pytest.raises(mapwave.numpy.InvalidArgument) as wrong:
        mapwave.numpy.save("x.wav", ONE, 48000, encoding="none")
    listed = re.findall(r"'([\w-]+)'", str(wrong.value).partition("for a wav file")[0])
    assert sorted(listed) == sorted(formats.ENCODINGS)
    with pytest.raises(mapwave.numpy.UnsupportedFormat) as unknown:
        mapwave.numpy.save("x.none", ONE, 48000)
    listed = re.findall(r"'([\w-]+)'", str(unknown.value).partition("must be one of")[2])
    compressed = {
        container for plugin in formats._plugins() for each in plugin["encoders"] for container in each["containers"]
    }
    assert set(listed) == set(formats.CONTAINERS) | compressed


def test_the_page_of_formats_is_made() -> None:
    page = formats.page(REPOSITORY)
    row = next(line for line in page.splitlines() if line.startswith("| WAV (`wav`)"))
    assert row == (
        "| WAV (`wav`) | `pcm_u8` | `pcm_s16le` | `pcm_s24le` | `pcm_s32le` | `pcm_f32le` | `pcm_f64le` "
        "| `pcm_alaw` | `pcm_mulaw` |"
    )
    assert "| `.flac` | `flac` | `builtin`" in page
    assert "| `builtin` | matroska | `mka`, `mkv`, `webm` |" in page
    assert "| `ogg` |  | `opus` | builtin |" in page
    # Every file of the fixtures was read.
    files = [path for name in formats.FIXTURES for path in (REPOSITORY / "fixtures" / name).iterdir()]
    counts = re.findall(r"\| (\d+) \|$", page.partition("## The files of the tests")[2], re.MULTILINE)
    assert sum(map(int, counts)) == len([path for path in files if path.suffix != ".tsv"])


#: The codecs of the built-in plugin in the words of docs/formats.md.
WORDS = {
    "mp1": "layers I", "mp2": "II", "mp3": "MP3", "aac": "AAC", "alac": "ALAC", "flac": "FLAC", "opus": "Opus",
    "vorbis": "Vorbis", "adpcm_ima_wav": "IMA", "adpcm_ima_qt": "IMA", "adpcm_ms": "Microsoft ADPCM", "pcm": "PCM",
}  # fmt: skip


def test_the_document_of_formats_names_what_the_built_in_plugin_has() -> None:
    text = (REPOSITORY / "docs" / "formats.md").read_text()
    reads = text.partition("## What it reads")[2].partition("## What it writes")[0]
    writes = text.partition("## What it writes")[2].partition("\n## ")[0]
    builtin = next(plugin for plugin in formats._plugins() if plugin["id"] == "builtin")
    for kind, part in (("decoders", reads), ("encoders", writes)):
        for each in builtin[kind]:
            for codec in each["codecs"]:
                word = WORDS["pcm" if codec.startswith("pcm_") else codec]
                assert word in part, f"docs/formats.md does not name {codec} among {kind}"


# Figures


def _run(path: Path, *, quick: bool = False, problem: str = "") -> Path:
    def row(task: str, rival: str, median: float, unit: str = "ms", over: float | None = None, wrong: str = "") -> Any:
        times = {"median": median, "p90": median, "iterations": 5, "problem": wrong, "series": []}
        peer = rival.partition(" ")[0]
        return {"task": task, "rival": rival, "peer": peer, "unit": unit, "times": times, "over_floor": over}

    rows = [
        row("whole | a", "mapwave", 7.304, over=1.152, wrong=problem),
        row("whole | a", "mapwave, 1 thread".replace(",", ""), 9.0),
        row("whole | a", "soundfile + mx.array", 42.5),
        row("whole | a", "soundfile (NumPy)", 40.0),
        row("whole | a", "librosa", 5.0, wrong="differs"),
        row("whole | a", "floor", 6.3),
        row("save", "mapwave", 2560.0),
        row("save", "soundfile + mx.array", 606.0),
        row("1 s", "mapwave", 0.0274),
        row("peak memory", "mapwave", 1.49, "MB"),
        row("peak memory", "soundfile + mx.array", 0.0, "MB"),
    ]
    document = {"schema": 1, "created": "2026-01-02T03:04:05+00:00", "is_quick": quick, "rows": rows}
    document |= {
        "machine": {"cpu": "A", "cores": "2", "load average": "0"},
        "versions": {"mlx": "1", "av": "absent"},
        "mapwave": {},
        "notes": [],
    }
    path.write_text(json.dumps(document))
    return path


def test_a_table_is_made_of_a_run(tmp_path: Path) -> None:
    assert figures.table(_run(tmp_path / "a.json"), []).splitlines() == [
        "Measured on 2026-01-02: cpu A, cores 2; mlx 1.",
        "",
        "| task | mapwave | soundfile | times the floor |",
        "|---|---:|---:|---:|",
        "| whole / a | **7.30 ms** | 42.5 ms (5.82x) | 1.15x |",
        "| save | **2.56 s** | 606 ms (0.24x) |  |",
        "| 1 s | **27.4 us** |  |  |",
        "| peak memory | **1.49 MB** | 0.00 MB |  |",
    ]


@pytest.mark.parametrize("options", [{"quick": True}, {"problem": "differs"}])
def test_a_run_that_says_little_is_rejected(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(figures.Unusable, match=r"a\.json"):
        figures.table(_run(tmp_path / "a.json", **options), [])


def test_marked_tables_are_made_again(tmp_path: Path) -> None:
    _run(tmp_path / "a.json")
    document = tmp_path / "page.md"
    document.write_text("a\n<!-- figures a.json soundfile -->\nold\n<!-- end of figures -->\nb\n")
    document.write_text(figures.written(document))
    assert "**7.30 ms** | 42.5 ms" in document.read_text()
    assert "old" not in document.read_text()
    assert figures.written(document) == document.read_text()
    assert document.read_text().endswith("<!-- end of figures -->\nb\n")


def test_the_tables_of_the_document_are_those_of_the_runs() -> None:
    document = REPOSITORY / "docs" / "performance.md"
    assert figures.written(document) == document.read_text(), "run python tools/site figures --write"


def test_figures_of_the_readme_are_those_of_the_page() -> None:
    def rows(path: Path) -> dict[str, str]:
        found = re.findall(r"^\| ([^|]+) \| (\*\*[^|]+\|[^|]*\|[^|]*)\|", path.read_text(), re.MULTILINE)
        return {task: " ".join(cells.split()) for task, cells in found}

    readme, page = rows(REPOSITORY / "README.md"), rows(REPOSITORY / "docs" / "performance.md")
    assert len(readme) > 4
    assert readme.items() <= page.items()


# Links of the built site


def test_broken_links_of_a_site_are_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "rustdoc").mkdir()
    (tmp_path / "rustdoc" / "x.html").write_text('<a href="y.html"><a href="x.html#1-2"><script src="t.js">')
    (tmp_path / "b.png").touch()
    (tmp_path / "index.html").write_text(
        '<h1 id="top"><a href="a/"><a href="#top"><a href="https://other.org/x"><a href="mailto:x"><img src="b.png">\n'
        '<a href="c/">\n<a href="a/#none">\n<img src="c.png">\n'
        '<a href="https://x.org/m/d/"><a href="/m/a/">\n<a href="#no">'
    )
    (tmp_path / "a" / "index.html").write_text('<h1 id="there"><a href="../#top"><a href="..">\n<a href="../../e">')
    assert list(links.broken(tmp_path, "https://x.org/m/")) == [
        "a/index.html:2: ../../e leads to no file",
        "index.html:2: c/ leads to no file",
        "index.html:3: a/#none leads to no place of a/index.html",
        "index.html:4: c.png leads to no file",
        "index.html:5: https://x.org/m/d/ leads to no file",
        "index.html:6: #no leads to no place of index.html",
        "rustdoc/x.html:1: y.html leads to no file",
    ]


def test_anchors_of_the_documents_are_those_of_the_generator() -> None:
    """GitHub and the generator name headings alike, so that one link serves both."""
    for document in DOCUMENTS:
        for heading in markdown.anchors(document):
            assert "--" not in heading, f"{document.name}: the generator makes one dash of the two in #{heading}"
