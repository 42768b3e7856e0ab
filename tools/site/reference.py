"""The pages of the Python reference, from the stubs and sources of the package; nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: The functions of ``mapwave`` by what they are for. A function that is missing here stops the build.
FUNCTIONS = {
    "Reading": ["load", "info", "open", "stream", "Decoder"],
    "Many files": ["batch_load", "iter_load", "index"],
    "Writing": ["save", "prepare_save", "save_prepared", "retag"],
    "Resampling and measuring": ["resample", "supports_soxr", "loudness", "silences", "plot"],
    "Settings and plugins": [
        "limits",
        "defaults",
        "plugins",
        "plugin_directories",
        "register_plugin",
        "show_build_info",
    ],
}

#: The classes of ``mapwave`` by what they are for.
CLASSES = {
    "Open files": ["Reader", "Stream", "Blocks", "Writer", "Frames", "Encoder", "Decoding"],
    "Facts": ["AudioInfo", "Track", "Picture", "Marker", "Loop", "Bext", "Plugin", "PluginDirectory", "Limits"],
    "Data sets": ["Index", "Row", "Windows", "Window", "Loader", "Loading"],
    "Results": ["PreparedAudio", "Loudness", "Plot"],
}

#: Modules with a page section of their own: their name, and the file with their source.
MODULES = {
    "mapwave.aio": "aio.py",
    "mapwave.mlx": "mlx.pyi",
    "mapwave.compat": "compat/__init__.py",
    "mapwave.hf": "hf.py",
    "mapwave.webdataset": "webdataset.py",
    "mapwave.lhotse": "lhotse.py",
    "mapwave.mlx_data": "mlx_data.py",
    "mapwave.ray": "ray/__init__.py",
}

_SECTION = re.compile(r"^(Args|Returns|Raises|Yields|Attributes|Example|Examples|Note):$")
_RAISED = re.compile(r"^((?:[\w.]+(?:, )?)+): ")
_ENTRY = re.compile(r"^(?P<name>\*{0,2}[A-Za-z_][\w, *]*): (?P<text>.*)$", re.DOTALL)


class Undocumented(Exception):
    """Something public that no page would show, or that has no docstring."""


@dataclass
class Item:
    """A function, class, method, property or type."""

    name: str
    signature: str
    text: str
    members: list[Item] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """The first sentence of its docstring."""
        first = " ".join(self.text.strip().split("\n\n")[0].split())
        return re.split(r"(?<=[^.]\.)\s", _inline(first), maxsplit=1)[0].removesuffix(":")


class Package:
    """The sources of ``python/mapwave``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.trees: dict[str, ast.Module] = {}

    def tree(self, name: str) -> ast.Module:
        """A file, parsed once."""
        if name not in self.trees:
            self.trees[name] = ast.parse((self.root / name).read_text())
        return self.trees[name]

    def exported(self, name: str) -> list[str]:
        """What a file lists in ``__all__``."""
        for node in self.tree(name).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                return list(ast.literal_eval(node.value))
        return []

    def item(self, name: str, files: tuple[str, ...]) -> Item:
        """What is called ``name`` in the first of these files that documents it."""
        for file in files:
            nodes = [node for node in self.tree(file).body if getattr(node, "name", None) == name]
            if nodes and (found := _item(nodes)).text:
                return found
        raise Undocumented(f"{name} has no docstring in {', '.join(files)}")


def _item(nodes: list[ast.stmt]) -> Item:
    """A definition, or all its overloads."""
    node = nodes[-1]
    if isinstance(node, ast.ClassDef):
        return _class(node)
    functions = [each for each in nodes if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    text = next((doc for each in functions if (doc := ast.get_docstring(each))), "")
    return Item(functions[0].name, _signature(functions), text)


def _class(node: ast.ClassDef) -> Item:
    bases = [name for base in node.bases if not (name := ast.unparse(base)).startswith(("Generic", "_"))]
    found = Item(
        node.name, f"class {node.name}" + (f"({', '.join(bases)})" if bases else ""), ast.get_docstring(node) or ""
    )
    by_name: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            by_name.setdefault(each.name, []).append(each)
    for name, functions in by_name.items():
        if name in ("__new__", "__init__") and not bases:
            shown = _signature(functions, name=node.name).partition(" -> ")[0]
            found.signature = f"class {shown.partition('def ')[2]}"
        elif not name.startswith("_") and (member := _item(list(functions))).text:
            decorators = {ast.unparse(each) for each in functions[0].decorator_list}
            if decorators & {"property", "cached_property", "functools.cached_property"}:
                returns = functions[0].returns
                member.signature = f"{name}: {_kind(returns)}" if returns else name
            found.members.append(member)
    if not any(name in by_name for name in ("__new__", "__init__")):
        fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
        named = [f"{ast.unparse(each.target)}: {_kind(each.annotation)}" for each in fields]
        if named and "dataclass" in "".join(map(ast.unparse, node.decorator_list)):
            found.signature = _call(f"class {node.name}", named, "")
    return found


def _signature(overloads: list[ast.FunctionDef] | list[ast.FunctionDef | ast.AsyncFunctionDef], name: str = "") -> str:
    """One signature for all overloads: every argument, with every type that one of them takes."""
    kinds: dict[str, list[str]] = {}
    defaults: dict[str, str] = {}
    order: list[str] = []
    for function in overloads:
        place = 0
        for argument, annotation, default in _arguments(function.args):
            if argument not in order:
                order.insert(place, argument)
            place = order.index(argument) + 1
            if annotation and _kind(annotation) not in kinds.setdefault(argument, []):
                kinds[argument].append(_kind(annotation))
            if default:
                defaults[argument] = default
    shown = []
    for argument in order:
        if argument.lstrip("*") in ("self", "cls"):
            continue
        kind = " | ".join(kinds.get(argument, []))
        default = defaults.get(argument, "")
        equals = f" = {default}" if kind else f"={default}"
        shown.append((f"{argument}: {kind}" if kind else argument) + (equals if default else ""))
    returns = list(dict.fromkeys(_kind(each.returns) for each in overloads if each.returns))
    start = "async def " if isinstance(overloads[0], ast.AsyncFunctionDef) else "def "
    return _call(f"{start}{name or overloads[0].name}", shown, " | ".join(returns))


def _call(start: str, shown: list[str], returns: str) -> str:
    end = f" -> {returns}" if returns else ""
    line = f"{start}({', '.join(shown)}){end}"
    if len(line) <= 80:
        return line
    return f"{start}(\n" + "".join(f"    {each},\n" for each in shown) + f"){end}"


def _arguments(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr | None, str]]:
    """Each argument with its annotation and default; ``*`` and ``/`` stand for themselves."""
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    for number, (argument, default) in enumerate(zip(positional, defaults, strict=True), 1):
        yield argument.arg, argument.annotation, _default(default)
        if number == len(arguments.posonlyargs):
            yield "/", None, ""
    if arguments.vararg:
        yield f"*{arguments.vararg.arg}", arguments.vararg.annotation, ""
    elif arguments.kwonlyargs:
        yield "*", None, ""
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield argument.arg, argument.annotation, _default(default)
    if arguments.kwarg:
        yield f"**{arguments.kwarg.arg}", arguments.kwarg.annotation, ""


def _default(value: ast.expr | None) -> str:
    return ast.unparse(value).replace("'", '"') if value else ""


def _kind(annotation: ast.expr | None) -> str:
    """A type as the pages show it. The arrays of every library are called Array."""
    return re.sub(r"\bmx\.array\b", "Array", ast.unparse(annotation)).replace("'", '"') if annotation else ""


def _inline(text: str) -> str:
    """The roles and literals of a docstring as Markdown."""
    text = re.sub(r":[a-z]+:`~?([^`]*)`", r"`\1`", text)
    text = re.sub(r"``([^`]+)``", r"`\1`", text)
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else _marked(part) for part in parts)


def _marked(text: str) -> str:
    """Names with underscores as code and documents as links; no other character stands for emphasis or HTML."""
    text = re.sub(r"\bdocs/([\w/-]+)\.md\b", lambda match: f"[{match[1].replace('-', ' ')}](../{match[1]}.md)", text)
    text = re.sub(r"\b\w+(?:\.\w+)*_\w+(?:\(\))?|\b_\w+", r"`\g<0>`", text)
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([*_<])", r"\\\1", part) for part in parts)


def _text(docstring: str) -> Iterator[str]:
    """The lines of a docstring as Markdown: paragraphs, code after "::", and tables of arguments."""
    lines = docstring.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        section = _SECTION.match(line)
        body = []
        if section or line.endswith("::"):
            while number + 1 < len(lines) and (not lines[number + 1].strip() or lines[number + 1].startswith("    ")):
                number += 1
                body.append(lines[number].removeprefix("    "))
        if section and section[1] in ("Args", "Attributes"):
            yield from ["", f"| {'argument' if section[1] == 'Args' else 'attribute'} | meaning |", "|---|---|"]
            yield from _rows(body)
            yield ""
        elif section:
            yield from ["", *_listed(section[1], body), ""]
        elif line.endswith("::"):
            yield from [_inline(line.removesuffix(":")), "", "```python", *_trimmed(body), "```", ""]
        else:
            yield _inline(line)
        number += 1


def _listed(title: str, lines: list[str]) -> list[str]:
    """What a function returns or raises: a paragraph, or where there are several entries a list."""
    entries: list[str] = []
    for line in lines:
        if entries and (line.startswith("    ") or not _RAISED.match(line)):
            entries[-1] += " " + line.strip()
        elif line.strip():
            entries.append(line.strip())
    shown = [_inline(_RAISED.sub(r"``\1``: ", entry)) for entry in entries]
    return (
        [f"**{title}:** {shown[0]}"] if len(shown) == 1 else [f"**{title}:**", "", *(f"- {entry}" for entry in shown)]
    )


def _trimmed(lines: list[str]) -> list[str]:
    return "\n".join(lines).strip("\n").splitlines()


def _rows(lines: list[str]) -> Iterator[str]:
    """A row for each argument. What is indented below one belongs to it; a list of names may go on in the next line."""
    entries: list[str] = []
    for line in lines:
        if entries and (line.startswith("    ") or entries[-1].endswith(",")):
            entries[-1] += " " + line.strip()
        elif line.strip():
            entries.append(line.strip())
    for entry in entries:
        match = _ENTRY.match(entry)
        if not match:
            raise Undocumented(f"{entry!r} does not say what an argument means")
        names = ", ".join(f"`{name.strip()}`" for name in match["name"].split(","))
        yield f"| {names} | {_inline(match['text']).replace('|', chr(92) + '|')} |"


def _shown(item: Item, level: int, prefix: str = "") -> Iterator[str]:
    """An item with its members."""
    yield from [f"{'#' * level} {prefix}{item.name}", "", "```python", item.signature, "```", ""]
    yield from _text(item.text)
    yield ""
    fields = [each for each in item.members if not re.match(r"(async )?def ", each.signature)]
    methods = [each for each in item.members if each not in fields]
    if fields:
        yield from ["| attribute | type | meaning |", "|---|---|---|"]
        for each in fields:
            kind = each.signature.partition(": ")[2].replace("|", "\\|")
            text = " ".join(" ".join(map(_inline, each.text.splitlines())).split()).replace("|", "\\|")
            yield f"| `{each.name}` | {f'`{kind}`' if kind else ''} | {text} |"
        yield ""
    for each in methods:
        yield from _shown(each, level + 1, f"{item.name}.")


def _page(title: str, head: str, groups: dict[str, list[Item]], *, with_group: bool = False) -> str:
    lines = [f"# {title}", "", head, ""]
    for group, items in groups.items():
        lines += [f"## {group}", ""]
        for item in items:
            lines += _shown(item, 3, f"{group}." if with_group else "")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def _types(package: Package) -> Iterator[str]:
    """The types of arguments, each with the comment above it."""
    yield from ["# Types of arguments", "", "The names of `mapwave.types`, for annotations.", ""]
    source = (package.root / "types.py").read_text()
    lines = source.splitlines()
    for node in package.tree("types.py").body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
            number, comment = node.lineno - 2, []
            while lines[number].startswith("#:"):
                comment.insert(0, lines[number].removeprefix("#:").strip())
                number -= 1
            name = ast.unparse(node.target)
            if not comment:
                raise Undocumented(f"{name} of types.py has no comment")
            code = "\n".join(lines[node.lineno - 1 : node.end_lineno]).replace(": TypeAlias", "")
            yield from [f"## {name}", "", _inline(" ".join(comment)), "", "```python", code, "```", ""]


def pages(root: Path) -> dict[str, str]:
    """The pages of the reference by their names, from the sources below ``root``."""
    package = Package(root)
    front, core = "__init__.pyi", ("_core.pyi", "_index.py", "_loader.py", "_push.py")
    functions = {group: [package.item(name, (front, *core)) for name in names] for group, names in FUNCTIONS.items()}
    classes = {group: [package.item(name, core) for name in names] for group, names in CLASSES.items()}
    errors = {"mapwave.errors": [package.item(name, ("errors.py",)) for name in package.exported("errors.py")]}
    modules = {name: list(_members(package, file)) for name, file in MODULES.items()}

    groups = [*functions.values(), *classes.values(), *errors.values()]
    listed = {item.name for items in groups for item in items}
    if missing := set(package.exported(front)) - listed - {"aio", "errors"}:
        raise Undocumented(f"{sorted(missing)}: list them in FUNCTIONS or CLASSES of tools/site/reference.py")
    return {
        "index.md": _index(functions, classes, errors, modules),
        "functions.md": _page(
            "Functions", "The functions of `mapwave` and of its modules for other arrays.", functions
        ),
        "classes.md": _page("Classes", "What the functions return and take.", classes),
        "errors.md": _page("Error classes", "[Errors](../errors.md) tells when mapwave raises which.", errors),
        "modules.md": _page("Modules", "What stands in modules of its own.", modules, with_group=True),
        "types.md": "\n".join(_types(package)).rstrip() + "\n",
    }


def _members(package: Package, file: str) -> Iterator[Item]:
    """What a module exports and defines, itself or in the modules beside it that it imports from."""
    tree = package.tree(file)
    sources = [file]
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 1 and "/" in file:
            path = f"{Path(file).parent}/{node.module}.py"
            if (package.root / path).exists():
                sources.append(path)
    defined = {getattr(node, "name", None) for source in sources for node in package.tree(source).body}
    for name in package.exported(file):
        if name in defined:
            yield package.item(name, tuple(sources))


INDEX = """\
# Python reference

Everything that `mapwave` exports, from the docstrings that `help` shows too. `Array` is the array of the library in
use: `mlx.core.array` in `mapwave`, `numpy.ndarray` in `mapwave.numpy`, `torch.Tensor` in `mapwave.torch` and
`jax.Array` in `mapwave.jax`. These four modules have the same names.
"""


def _index(*contents: dict[str, list[Item]]) -> str:
    """The list of all names with the first sentence about each."""
    lines = [INDEX]
    for title, groups in zip(("Functions", "Classes", "Errors", "Modules"), contents, strict=True):
        page = f"{title.lower()}.md"
        lines += [f"## {title}", ""]
        for group, items in groups.items():
            lines += [f"### {group}", "", "| name | meaning |", "|---|---|"]
            for item in items:
                anchor = f"{group}.{item.name}".replace(".", "") if title == "Modules" else item.name
                lines.append(f"| [`{item.name}`]({page}#{anchor.lower()}) | {item.summary} |")
            lines.append("")
    lines += ["## Types", "", "[The types of arguments](types.md), for annotations."]
    return "\n".join(lines) + "\n"
