"""mapwave's prose avoids the phrases that `english.PHRASES` lists, and the scanner that says so finds them."""

from __future__ import annotations

import functools
from collections import Counter
from pathlib import Path

import english
import prose
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

USED = {
    "coded": ["How samples are coded.", "the coded depth in bits"],
    "cut off": ["a file that is cut off", "the last packet was cut\n off"],
    "gone back in": ["a file that can be gone back in"],
    "refused with": ["is refused with what it has"],
    "let go of": ["`Sweep` lets go of the pages", "lets pages go"],
    "wall": ["every panic at the wall"],
    "who is asked": ["who is asked next"],
    "what is there": ["loads what is there", "copies what there is"],
    "of no effect": ["closing twice is of no effect"],
    "anew": ["decoding starts anew"],
    "is no X": ["this is no file", "so many bytes are no whole number of frames", "There it is no file."],
    "as its bytes deserve": ["an error as its bytes deserve"],
    "written so": ["cannot be written so"],
    "is told to be": ["the file is told to be empty"],
    "surer of": ["is surer of the formats", "takes the surest"],
    "in vain": ["has waited in vain"],
    "come by": ["how memory is come by"],
    "not as much": ["has not as much memory", "has not that much memory"],
}

PLAIN = [
    "encoded, decoded and transcoded files",
    "the cutoff frequency, and where the filter cuts",
    "there is no such file, and there are no others; there must be no plugin, and there's no way around it",
    "is no longer there, is no more than 5, is no one's",
    "wall clock time, and cc -Wall",
    "it was written so far, and written so that it fits",
    "a setting that has no effect",
    "`coded` and `is no file` are code",
]


@pytest.mark.parametrize("phrase", english.PHRASES)
def test_each_phrase_is_found(phrase: str) -> None:
    for text in USED[phrase]:
        found = set(english.phrases_in(" ".join(text.split())))
        assert found == {phrase}, text


@pytest.mark.parametrize("text", PLAIN)
def test_other_uses_of_the_words_pass(text: str) -> None:
    (paragraph,) = _prose_of("a.md", text)
    assert list(english.phrases_in(paragraph.text)) == []


def test_prose_is_found_in_every_kind_of_file(tmp_path: Path) -> None:
    files = {
        "README.md": "# Head\n\nTwo lines,\none paragraph.\n\n| a | row |\n",
        "src/lib.rs": (
            "//! Head\n//! goes on.\n\n/// Doc of `x`.\n// Why\n// so.\n"
            'const A: &str = "message \\\n    goes on {x}";\nconst B: char = \'"\';\nconst C: &str = r#"raw "text""#;\n'
            '#[cfg(test)]\nmod tests {\n    fn f() { g("test"); }\n}\nfn h() { g("after"); }\n'
        ),
        "src/tests.rs": '/// In a test.\nconst A: &str = "data";\n',
        "c.h": "/* One\n * comment. */\n// Another.\n",
        "m.py": '"""Module."""\n# A\n# comment.\nraise E(f"bad {x} in "\n  "file")\n',
        "t.toml": "# Why.\nname = 'x' # Because.\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    found = [(prose_.path, prose_.kind, prose_.line, prose_.text) for prose_ in prose.prose(tmp_path)]
    assert sorted(found) == sorted(
        [
            ("README.md", "docs", 1, "# Head"),
            ("README.md", "docs", 3, "Two lines, one paragraph."),
            ("README.md", "docs", 6, "| a | row |"),
            ("src/lib.rs", "docstrings", 1, "Head goes on."),
            ("src/lib.rs", "docstrings", 4, "Doc of CODE."),
            ("src/lib.rs", "comments", 5, "Why so."),
            ("src/lib.rs", "messages", 7, "message goes on {x}"),
            ("src/lib.rs", "messages", 10, 'raw "text"'),
            ("src/lib.rs", "messages", 15, "after"),
            ("src/tests.rs", "docstrings", 1, "In a test."),
            ("c.h", "comments", 1, "One comment."),
            ("c.h", "comments", 3, "Another."),
            ("m.py", "docstrings", 1, "Module."),
            ("m.py", "comments", 2, "A comment."),
            ("m.py", "messages", 4, "bad {} in file"),
            ("t.toml", "comments", 1, "Why. Because."),
        ]
    )


def test_there_is_prose_of_every_kind() -> None:
    counts = Counter(paragraph.kind for paragraph in prose.prose(REPOSITORY))
    assert all(counts[kind] > 300 for kind in prose.KINDS), counts


@pytest.mark.parametrize("kind", prose.KINDS)
def test_the_phrases_are_not_used(kind: str) -> None:
    found = [
        f"{paragraph.path}:{paragraph.line}: {phrase!r} in {paragraph.text!r}; write {english.PHRASES[phrase][0]}"
        for phrase, paragraph in _places()
        if paragraph.kind == kind
    ]
    assert not found, "\n".join(found)


@functools.cache
def _places() -> list[tuple[str, prose.Prose]]:
    return list(english.places(REPOSITORY))


def _prose_of(name: str, text: str) -> list[prose.Prose]:
    return [prose.Prose(kind, name, line, words) for kind, line, words in prose._markdown(text)]
