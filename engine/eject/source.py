"""A module's source as definitions and imports, so that parts of it can be followed and copied. Torch-free."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

Statement = ast.stmt
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Import:
    """Where a name of a module comes from: ``from module import attribute``, or the module itself."""

    module: str
    attribute: str = ""
    only_types: bool = False
    """Whether it stands below ``if TYPE_CHECKING``."""


@dataclass(frozen=True)
class Source:
    """One module of the engine, parsed."""

    name: str
    text: str
    tree: ast.Module
    definitions: dict[str, Statement] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.splitlines()

    @property
    def docstring(self) -> str:
        """What the module says of itself, as it is written; empty where it says nothing."""
        first = self.tree.body[0] if self.tree.body else None
        return ast.get_source_segment(self.text, first) or "" if first is not None and is_text(first) else ""

    def classes(self) -> Iterator[ast.ClassDef]:
        """Yield the classes at the top."""
        for node in self.definitions.values():
            if isinstance(node, ast.ClassDef):
                yield node


def read_source(name: str) -> Source:
    """Return the source of a module by its dotted name; the module itself is not imported."""
    found = find_spec(name)
    assert found is not None and found.origin is not None, name
    return parse_source(name, Path(found.origin).read_text(encoding="utf-8"))


def parse_source(name: str, text: str) -> Source:
    """Return a text as a module."""
    source = Source(name, text, ast.parse(text))
    for node in source.tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for inner in node.body:
                _note_import(source, inner, only_types=True)
        else:
            _note_import(source, node, only_types=False)
        for defined in defined_by(node):
            source.definitions[defined] = node
    return source


def _note_import(source: Source, node: Statement, *, only_types: bool) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            source.imports[alias.asname or alias.name] = Import(alias.name, only_types=only_types)
    elif isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            source.imports[alias.asname or alias.name] = Import(node.module, alias.name, only_types)


def defined_by(node: Statement) -> list[str]:
    """Return the names that a statement defines."""
    if isinstance(node, ast.ClassDef | Function):
        return [node.name]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    if isinstance(node, ast.Assign):
        return [each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    return []


def is_text(node: Statement) -> bool:
    """Whether a statement is a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def with_text_after(body: list[Statement]) -> Iterator[tuple[Statement, Statement]]:
    """Yield every statement with the last line that belongs to it: a docstring after an assignment does."""
    for place, node in enumerate(body):
        after = body[place + 1] if place + 1 < len(body) else node
        owns = isinstance(node, ast.Assign | ast.AnnAssign) and is_text(after)
        yield node, after if owns else node


def first_line(node: ast.AST) -> int:
    """Return the line on which a statement begins, its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    line: int = min([node.lineno, *(each.lineno for each in decorators)])  # type: ignore[attr-defined]
    return line
