"""From what is kept to the text of files: definitions as they are written, less what was cut. Torch-free."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Mapping
from textwrap import wrap

from engine.core.spec import Settings
from engine.eject.cuts import ERRORS, Cuts, parts, refusal_of
from engine.eject.modules import ERRORS_MODULE, Key
from engine.eject.shake import Shaken
from engine.eject.source import Function, Source, first_line, is_text, with_text_after

WIDTH = 120
TAKEN = frozenset({"data", "train", "torch"})
"""Names of files that the folder has anyway, or must not hide."""
SPEC = '"""The knobs of this run, as plain values."""'
_ENGINE = re.compile(r"\bengine(?:\.\w+)*\.(\w+)")
_ENDING = re.compile(r'"(?="")|"\Z')
_ERROR = re.compile(rf"\b({'|'.join(ERRORS)})\b")

Edit = tuple[tuple[int, int], tuple[int, int], str]
"""From line and byte, to line and byte, and what comes there instead."""


def file_names(modules: Iterable[str], spec: str) -> dict[str, str]:
    """Return what the file of each module is called; the family's own keep their names."""
    home = spec.rpartition(".")[0]
    names: dict[str, str] = {}
    for module in sorted(modules, key=lambda each: (not each.startswith(f"{home}."), each)):
        parts = module.split(".")
        name = parts[-1]
        if name in TAKEN or name in sys.stdlib_module_names or name in names.values():
            name = f"{parts[-2]}_{name}"
        names[module] = name
    return names


class Emitter:
    """Writes the kept parts of modules as files that import one another.

    Args:
        shaken: what is kept.
        files: module -> the name of its file, without ending.
        values: the spec whose values become the defaults.
        of: the run that has these values, in words.
    """

    def __init__(self, shaken: Shaken, files: Mapping[str, str], values: Settings, of: str) -> None:
        self.shaken = shaken
        self.files = files
        self.values = values
        self.of = of

    def text(self, module: str) -> str:
        """Return the file of a module."""
        source = self.shaken.source(module)
        pieces: list[str] = []
        names: set[str] = set()
        functions = False
        done: set[int] = set()
        for node, last in with_text_after(source.tree.body):
            kept = [name for name in source.definitions if source.definitions[name] is node]
            if id(node) in done or not any((module, name) in self.shaken.kept for name in kept):
                continue
            done.add(id(node))
            large = isinstance(node, ast.ClassDef | Function)
            piece = self._definition(source, node, last, names)
            pieces.append(
                ("\n\n" if pieces and (large or functions) else "\n" if self._apart(source, node) else "") + piece
            )
            functions = large
        body = "".join(pieces).lstrip("\n")
        head = [self.docstring(module), "from __future__ import annotations", *self._imports(source, names)]
        gap = "\n\n\n" if body.startswith(("class ", "def ", "@")) else "\n\n"
        return self._plain("\n\n".join(part for part in head if part) + gap + body)

    @staticmethod
    def _apart(source: Source, node: ast.stmt) -> bool:
        """Whether an empty line stands before a statement."""
        line = first_line(node) - 1
        while line > 0 and source.lines[line - 1].startswith("#"):
            line -= 1
        return line > 0 and not source.lines[line - 1].strip()

    def docstring(self, module: str) -> str:
        """Return what a file says of itself."""
        return SPEC if module == self.shaken.spec[0] else self.shaken.source(module).docstring

    def _plain(self, text: str) -> str:
        """Return a text in which nothing names the engine."""
        for module in sorted(self.files, key=len, reverse=True):
            text = re.sub(rf"\b{re.escape(module)}\b", self.files[module], text)
        return _ERROR.sub("ValueError", _ENGINE.sub(r"\1", text))

    # One definition

    def _definition(self, source: Source, node: ast.stmt, last: ast.stmt, names: set[str]) -> str:
        """Return the text of a definition, with its comment, and add the names that it uses."""
        key = (source.name, getattr(node, "name", ""))
        if key == self.shaken.spec:
            return self._spec(source, node, names)
        start = first_line(node)
        while start > 1 and source.lines[start - 2].startswith("#"):
            start -= 1
        if isinstance(node, ast.ClassDef):
            edits = self._class_edits(source, node, key, names)
        elif isinstance(node, Function):
            cuts = self.shaken.cuts(source.name, node)
            edits = self._function_edits(source, node, cuts, names)
        else:
            edits = []
            names |= used(ast.walk(node))
        return edited(source, start, last.end_lineno or last.lineno, edits)

    def _class_edits(self, source: Source, node: ast.ClassDef, key: Key, names: set[str]) -> list[Edit]:
        edits: list[Edit] = []
        for part in [*node.decorator_list, *node.bases, *(each.value for each in node.keywords)]:
            names |= used(ast.walk(part))
        left = 0
        for member, last in with_text_after(node.body):
            if is_text(member):
                left += member is node.body[0]
                continue
            if isinstance(member, Function):
                if self.shaken.keeps_method(key, member):
                    cuts = self.shaken.cuts(source.name, member, key)
                    edits += self._function_edits(source, member, cuts, names)
                    left += 1
                    continue
            elif self.shaken.keeps_statement(key, member):
                names |= used(ast.walk(member))
                left += 1
                continue
            edits.append(self._without(source, member, last))
        head = node.body[0]
        following = next((each for each, _ in with_text_after(node.body[1:]) if not self._is_out(each, edits)), None)
        if is_text(head) and following is not None and source.lines[first_line(following) - 2].strip():
            after = ((head.end_lineno or head.lineno) + 1, 0)
            edits.append((after, after, "\n"))
        if not left:
            end = node.end_lineno or node.lineno
            edits = [((node.body[0].lineno, 0), (end + 1, 0), " " * node.body[0].col_offset + "pass\n")]
        return edits

    @staticmethod
    def _is_out(node: ast.stmt, edits: list[Edit]) -> bool:
        """Whether an edit takes a member out."""
        return is_text(node) or any(begins[0] <= node.lineno < ends[0] for begins, ends, _ in edits)

    @staticmethod
    def _without(source: Source, node: ast.stmt, last: ast.stmt) -> Edit:
        """Return the edit that takes a member out, with its comment and the empty lines before it."""
        start = first_line(node)
        while source.lines[start - 2].strip().startswith("#") or not source.lines[start - 2].strip():
            start -= 1
        return ((start, 0), ((last.end_lineno or last.lineno) + 1, 0), "")

    def _function_edits(self, source: Source, node: Function, cuts: Cuts, names: set[str]) -> list[Edit]:
        names |= used(cuts.walk(node))
        if cuts.closed:
            start = next(each for each in node.body if not is_text(each)).lineno
            line = f'{" " * node.body[0].col_offset}raise ValueError("{node.name} is not part of this folder.")\n'
            return [((start, 0), ((node.end_lineno or start) + 1, 0), line)]
        edits: list[Edit] = []
        for each in ast.walk(node):
            if id(each) in cuts.gone and isinstance(each, ast.stmt):
                edits.append(((each.lineno, 0), ((each.end_lineno or each.lineno) + 1, 0), ""))
            elif id(each) in cuts.fewer and isinstance(each, ast.Assign):
                left, right = (
                    ", ".join(segment(source, parts(side)[place]) for place in cuts.fewer[id(each)])
                    for side in (each.targets[0], each.value)
                )
                edits.append((begin(each), end(each), f"{left} = {right}"))
            elif id(each) in cuts.chosen and isinstance(each, ast.expr):
                edits.append((begin(each), end(each), segment(source, cuts.chosen[id(each)])))
            elif isinstance(each, ast.Raise) and (what := refusal_of(each)) is not None:
                edits.append((begin(each), end(each), refused(segment(source, what), each.col_offset)))
            elif isinstance(each, ast.ImportFrom) and each.module and each.module in self.files:
                edits.append((begin(each), end(each), ast.unparse(each).replace(each.module, self.files[each.module])))
        return edits

    # The spec

    def _spec(self, source: Source, node: ast.stmt, names: set[str]) -> str:
        """Return the spec as one plain dataclass with the values of the run."""
        assert isinstance(node, ast.ClassDef)
        names.add("dataclass")
        told = escaped((ast.get_docstring(node) or f"Knobs of {self.of}.").split("\n\n")[0]).replace("\n", "\n    ")
        text = f'@dataclass(frozen=True, kw_only=True)\nclass {node.name}:\n    """{told}\n\n'
        text += f'    {filled(f"The values are those of {self.of}.", 4)}\n    """\n'
        for knob in self.values.knobs():
            if knob.name in self.shaken.loads:
                kind = type(knob.default).__name__
                text += f"\n    {knob.name}: {kind} = {literal(getattr(self.values, knob.name))}\n"
                text += wrapped(knob.help + (f" One of {', '.join(knob.choices)}." if knob.choices else ""))
        for home, method in self.shaken.methods(self.shaken.spec):
            other = self.shaken.source(home)
            cuts = self.shaken.cuts(home, method, self.shaken.spec)
            edits = self._function_edits(other, method, cuts, names)
            text += "\n" + edited(other, first_line(method), method.end_lineno or method.lineno, edits)
            if home != source.name:
                self._borrow(other, method, names)
        return text

    def _borrow(self, other: Source, method: Function, names: set[str]) -> None:
        """Make the imports of a module above the family's spec its own."""
        own = self.shaken.source(self.shaken.spec[0])
        for name in used(ast.walk(method)) & other.imports.keys():
            own.imports.setdefault(name, other.imports[name])

    # Imports

    def _imports(self, source: Source, names: set[str]) -> list[str]:
        """Return the blocks of imports that the names of a file need."""
        standard: list[tuple[str, str, str]] = []
        other: list[tuple[str, str, str]] = []
        own: list[tuple[str, str, str]] = []
        typed: list[tuple[str, str, str]] = []
        if self.shaken.spec[0] == source.name and "dataclass" in names:
            standard.append(("dataclasses", "dataclass", "dataclass"))
        for name in sorted(names):
            found = source.imports.get(name)
            if found is None or name in source.definitions or found.module == ERRORS_MODULE:
                continue
            inner = self.shaken.module_named(source.name, name)
            if inner:
                if inner in self.files:
                    own.append((self.files[inner], "", name))
            elif found.module.startswith("engine."):
                key = self.shaken.resolve(source.name, name)
                if key is None:
                    continue
                row = (self.files[key[0]], key[1], name)
                if key[0] != source.name:
                    (typed if found.only_types else own).append(row)
            else:
                row = (found.module, found.attribute, name)
                (standard if found.module.partition(".")[0] in sys.stdlib_module_names else other).append(row)
        if typed:
            standard.append(("typing", "TYPE_CHECKING", "TYPE_CHECKING"))
        blocks = [import_block(rows) for rows in (standard, other, own)]
        if typed:
            inner = import_block(typed).replace("\n", "\n    ")
            blocks.append(f"if TYPE_CHECKING:\n    {inner}")
        return [block for block in blocks if block]


def import_block(rows: Iterable[tuple[str, str, str]]) -> str:
    """Return import statements, sorted as ruff does: plain ones first, constants before classes before functions."""
    plain: set[str] = set()
    named: dict[str, set[tuple[str, str]]] = {}
    for module, attribute, name in rows:
        if attribute:
            named.setdefault(module, set()).add((attribute, name))
        else:
            plain.add(f"import {module}" if name == module else f"import {module} as {name}")
    lines = sorted(plain)
    for module in sorted(named):
        parts = [
            attribute if attribute == name else f"{attribute} as {name}"
            for attribute, name in sorted(named[module], key=lambda each: (_kind(each[0]), each[0]))
        ]
        line = f"from {module} import {', '.join(parts)}"
        if len(line) > WIDTH:
            line = f"from {module} import (\n" + "".join(f"    {part},\n" for part in parts) + ")"
        lines.append(line)
    return "\n".join(lines)


def _kind(name: str) -> int:
    if name.isupper() and len(name) > 1:
        return 0
    return 1 if name[:1].isupper() else 2


def used(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that nodes use."""
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def begin(node: ast.expr | ast.stmt) -> tuple[int, int]:
    """Return line and byte where a node begins."""
    return node.lineno, node.col_offset


def end(node: ast.expr | ast.stmt) -> tuple[int, int]:
    """Return line and byte where a node ends."""
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def segment(source: Source, node: ast.expr) -> str:
    """Return the text of an expression."""
    return ast.get_source_segment(source.text, node) or ast.unparse(node)


def edited(source: Source, start: int, last: int, edits: list[Edit]) -> str:
    """Return the lines of a module from `start` to `last` with edits made; one inside another is made with it."""
    lines = [line.encode() + b"\n" for line in source.lines]
    below: tuple[int, int] = (last + 1, 0)
    outer: list[Edit] = []
    for edit in sorted(edits, key=lambda each: (each[0], each[1] != each[0], (-each[1][0], -each[1][1]))):
        if not outer or edit[0] >= outer[-1][1]:
            outer.append(edit)
    text = b""
    place = (start, 0)
    for begins, ends, instead in [*outer, (below, below, "")]:
        text += between(lines, place, begins) + instead.encode()
        place = ends
    return text.decode()


def between(lines: list[bytes], begins: tuple[int, int], ends: tuple[int, int]) -> bytes:
    """Return the text from one place to another."""
    if begins[0] == ends[0]:
        return lines[begins[0] - 1][begins[1] : ends[1]] if begins[0] <= len(lines) else b""
    first = lines[begins[0] - 1][begins[1] :]
    middle = b"".join(lines[begins[0] : ends[0] - 1])
    tail = lines[ends[0] - 1][: ends[1]] if ends[0] <= len(lines) else b""
    return first + middle + tail


def refused(what: str, indent: int) -> str:
    """Return how an error of ours is raised as a plain one."""
    line = f"raise ValueError({what})"
    if "\n" not in what and indent + len(line) <= WIDTH:
        return line
    blank = " " * indent
    if "\n" in what and not what.lstrip().startswith(('"', "f'", 'f"', "'")):
        return line
    return f"raise ValueError(\n{blank}    {what}\n{blank})"


def literal(value: object) -> str:
    """Return a plain value as Python source, texts in double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def escaped(text: str) -> str:
    """Return a text as it has to stand in a docstring: nothing in it ends the docstring or is read as an escape."""
    return _ENDING.sub(r"\\\g<0>", text.replace("\\", r"\\"))


def filled(text: str, indent: int) -> str:
    """Return a text for a docstring in lines that fit, each but the first indented."""
    lines = wrap(escaped(text), WIDTH - indent - 4, break_long_words=False, break_on_hyphens=False)
    return f"\n{' ' * indent}".join(lines)


def wrapped(text: str) -> str:
    """Return a docstring of a field, in lines that fit."""
    line = f'    """{escaped(text)}"""\n'
    return line if len(line) <= WIDTH else f'    """{filled(text, 4)}\n    """\n'
