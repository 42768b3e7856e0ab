"""Writes the package's stubs from the module that is installed: ``python python/stubs``, after ``make .venv/test``.

Names, defaults and docstrings come from the built module, so that an editor shows what ``help`` does; ``overlay.py``
adds the types. ``--check`` writes nothing and exits with 1 when a stub differs from what would be written.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import overlay
from mapwave._libraries import LIBRARIES, Library

PACKAGE = Path(__file__).parents[1] / "mapwave"

Overload = tuple[str, set[str], dict[str, str]]


def core_stub(core: ModuleType) -> str:
    """The stub of the extension module."""
    names = sorted(name for name in core.__all__ if name != "__doc__")
    classes = [name for name in names if isinstance(getattr(core, name), type)]
    check("classes", classes, overlay.CLASSES)
    parts = [docstring(core, ""), overlay.HEAD.strip(), exported(names)]
    parts += [class_stub(name, getattr(core, name)) for name in overlay.CLASSES]
    functions = [name for name in names if name not in classes]
    returns = [name for name in overlay.RETURNS if "." not in name]
    check("functions", functions, returns)
    parts += [function_stub(name, getattr(core, name), "") for name in returns]
    return "\n\n".join(parts) + "\n"


def class_stub(name: str, class_: type) -> str:
    """The stub of a class: its properties, then its methods, then what the overlay has for it."""
    members = vars(class_)
    base = "(Generic[Array])" if name in overlay.GENERIC else ""
    lines = ["@final", f"class {name}{base}:", docstring(class_, "    "), ""]
    annotations = members.get("__annotations__", {})
    if annotations:
        lines += ["    def __new__(", "        cls,"]
        arguments = overlay.DEFAULTS.get(name, annotations)
        lines += [f"        {field}: {kind}," for field, kind in arguments.items()]
        lines += ["    ) -> Self: ..."]
    kinds = annotations or of_class(overlay.PROPERTIES, name)
    if name == "Picture":
        kinds = {**kinds, "data": "bytes"}
    properties = [field for field, value in members.items() if inspect.isgetsetdescriptor(value)]
    check(f"properties of {name}", [field for field in properties if not field.startswith("__")], kinds)
    for field, kind in kinds.items():
        lines += ["    @property", f"    def {field}(self) -> {kind}:", docstring(members[field], "        ")]
    methods = [
        method for method, value in members.items() if inspect.ismethoddescriptor(value) and is_listed(method, value)
    ]
    returns = of_class(overlay.RETURNS, name)
    check(f"methods of {name}", methods, returns)
    lines += [function_stub(f"{name}.{method}", members[method], "    ") for method in returns]
    lines += [textwrap.indent(textwrap.dedent(overlay.CLASSES[name]).strip("\n"), "    ")]
    return "\n".join(lines).rstrip()


def is_listed(name: str, method: Any) -> bool:
    """Whether a method stands in the stubs by its text signature."""
    is_protocol = name.startswith("__") and not name.startswith("__dlpack")
    return not is_protocol and method.__text_signature__ is not None


def function_stub(name: str, function: Any, indent: str, array: str = "Array") -> str:
    """The stub of a function or method, once for each of its overloads."""
    overloads: list[Overload] = overlay.OVERLOADS.get(name, [])
    if not overloads:
        return one_stub(name, function, indent, array, (overlay.RETURNS[name], set(), {}))
    return "\n".join(f"{indent}@overload\n{one_stub(name, function, indent, array, each)}" for each in overloads)


def one_stub(name: str, function: Any, indent: str, array: str, overload: Overload) -> str:
    returns, without, others = overload
    owner, _, short = name.rpartition(".")
    shown = ["self"] if owner and array == "Array" else []
    was_keyword = False
    for parameter in inspect.signature(function).parameters.values():
        argument = parameter.name
        if argument == "self" or argument in without:
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not was_keyword:
            was_keyword = True
            shown.append("*")
        shown.append(others.get(argument) or argument_stub(name, parameter))
    one_line = f"{indent}def {short}({', '.join(shown)}) -> {of_array(returns, array)}:"
    if len(one_line) > 100:
        inner = "".join(f"{indent}    {each},\n" for each in shown)
        one_line = f"{indent}def {short}(\n{inner}{indent}) -> {of_array(returns, array)}:"
    return f"{one_line}\n{docstring(function, indent + '    ')}"


def argument_stub(function: str, parameter: inspect.Parameter) -> str:
    kind = overlay.ARGUMENTS.get(f"{function}.{parameter.name}") or overlay.ARGUMENTS.get(parameter.name)
    if kind is None:
        raise SystemExit(f"{function}: give '{parameter.name}' its type, in ARGUMENTS of python/stubs/overlay.py")
    if parameter.default is parameter.empty:
        return f"{parameter.name}: {kind}"
    default = f'"{parameter.default}"' if isinstance(parameter.default, str) else repr(parameter.default)
    return f"{parameter.name}: {kind} = {default}"


def module_stub(name: str, library: Library, core: ModuleType) -> str:
    """The stub of a module with the functions for one array library."""
    tree = parsed(name)
    imports, array = library.imported, library.array
    exports = exports_of(tree)
    own = {node.name: node for node in parsed("_shared").body if isinstance(node, ast.FunctionDef)}
    body, names = [], []
    for export in exports:
        if hasattr(core.Api, export):
            body.append(function_stub(f"Api.{export}", getattr(core.Api, export), "", array))
        elif export in own:
            node = own[export]
            header = ast.unparse(ast.FunctionDef(node.name, node.args, [ast.Pass()], [], node.returns, lineno=0))
            text = ast.get_docstring(node) or ""
            body.append(f"{header.rpartition(chr(10))[0]}\n{quoted(text, '    ')}")
        elif export == "Loader":
            body.append(f"class Loader(_Loader[{array}]): ...")
        elif export == "aio" and name != "__init__":
            body.append("aio: _AsyncLibrary")
        else:
            names.append(export)
    used = {*re.findall(r"\w+", array + "\n".join(body)), "Api"}

    def wanted(words: Iterable[str]) -> str:
        return ", ".join(word for word in words if word in used and word not in names)

    lines = [docstring_of(tree), ""]
    lines += [f"from collections.abc import {wanted(('Callable', 'Iterable', 'Sequence'))}"]
    lines += ["from os import PathLike"]
    lines += [f"from typing import {wanted(('Any', 'Literal', 'overload'))}", "", imports, ""]
    modules = [each for each in names if each in ("aio", "errors")]
    lines += [f"from . import {each} as {each}" for each in modules]
    lines += [f"from ._core import {wanted(overlay.CLASSES)}"]
    lines += [f"from ._core import {each} as {each}" for each in names if hasattr(core, each)]
    lines += [f"from ._index import {wanted(('Paths',))}"]
    lines += [f"from .{overlay.IN_PYTHON[each]} import {each} as {each}" for each in names if each in overlay.IN_PYTHON]
    lines += ["from ._loader import Loader as _Loader"]
    lines += ["from .aio import Library as _AsyncLibrary"] if "aio" in exports and "aio" not in names else []
    elsewhere = {*dir(core), *overlay.IN_PYTHON, *modules}
    lines += [f"from .errors import {each} as {each}" for each in names if each not in elsewhere]
    lines += [f"from .errors import {wanted(('AudioError',))}"] if wanted(("AudioError",)) else []
    lines += [f"from .types import {wanted(public_types())}", "", exported(exports), ""]
    lines += ["__version__: str", ""] if name == "__init__" else []
    lines += [f"_api: Api[{array}]", "", *body]
    return "\n".join(lines).rstrip() + "\n"


def parsed(name: str) -> ast.Module:
    """The source of a module of the package."""
    return ast.parse((PACKAGE / f"{name}.py").read_text())


def exports_of(tree: ast.Module) -> list[str]:
    """The names in a module's ``__all__``."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            elements = node.value.elts if isinstance(node.value, ast.List) else []
            own = [ast.literal_eval(element) for element in elements if not isinstance(element, ast.Starred)]
            shared = [element.value.attr for element in elements if isinstance(element, ast.Starred)]
            return sorted([*own, *(name for of in shared for name in list_of(parsed("_shared"), of))])
    raise SystemExit("a module without __all__")


def list_of(tree: ast.Module, name: str) -> list[str]:
    """The strings in a list of a module."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return [str(word) for word in ast.literal_eval(node.value)]
    raise SystemExit(f"a module without {name}")


def public_types() -> list[str]:
    tree = ast.parse((PACKAGE / "types.py").read_text())
    aliases = (node.target for node in tree.body if isinstance(node, ast.AnnAssign))
    return sorted(alias.id for alias in aliases if isinstance(alias, ast.Name))


def exported(names: list[str]) -> str:
    return "__all__ = [\n" + "".join(f'    "{name}",\n' for name in names) + "]"


def of_class(table: dict[str, str], name: str) -> dict[str, str]:
    return {key.partition(".")[2]: value for key, value in table.items() if key.startswith(f"{name}.")}


def of_array(kind: str, array: str) -> str:
    return kind.replace("Array", array)


def docstring(thing: Any, indent: str) -> str:
    return quoted(inspect.getdoc(thing) or "", indent)


def docstring_of(tree: ast.Module) -> str:
    return quoted(ast.get_docstring(tree) or "", "")


def quoted(text: str, indent: str) -> str:
    """A text as a docstring."""
    text = text.replace("\\", "\\\\").replace('"""', '\\"""')
    if text.endswith('"'):
        text += " "
    lines = text.split("\n")
    closing = "" if len(lines) == 1 else f"\n{indent}"
    return "\n".join(f"{indent}{line}".rstrip() for line in [f'"""{lines[0]}', *lines[1:]]) + f'{closing}"""'


def check(what: str, found: list[str], known: Any) -> None:
    """Stops when the overlay and the module do not have the same names."""
    differ = sorted(set(found) ^ set(known))
    if differ:
        raise SystemExit(f"{what}: python/stubs/overlay.py and the module differ in {', '.join(differ)}")


def stubs(core: ModuleType) -> Iterator[tuple[Path, str]]:
    """Every generated file with its text."""
    yield PACKAGE / "_core.pyi", core_stub(core)
    for module, library in LIBRARIES.items():
        name = "__init__" if module == "mlx" else module
        yield PACKAGE / f"{name}.pyi", module_stub(name, library, core)


def main(core: ModuleType, arguments: list[str], say: Callable[[str], object] = print) -> int:
    """Writes the stubs, or checks them, and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python python/stubs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a stub is out of date")
    is_check = parser.parse_args(arguments).check
    stale = [(path, text) for path, text in stubs(core) if not path.exists() or path.read_text() != text]
    for path, text in stale:
        if is_check:
            say(f"{path.relative_to(PACKAGE.parents[1])} is out of date: run .venv/bin/python python/stubs")
        else:
            path.write_text(text)
    return int(is_check and bool(stale))


if __name__ == "__main__":
    from mapwave import _core

    sys.exit(main(_core, sys.argv[1:]))
