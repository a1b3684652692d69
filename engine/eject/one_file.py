"""One file with spec, model and learner of a family, which builds on the engine and may be changed. Torch-free."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from engine.core.errors import DataError, UsageError
from engine.core.spec import Family
from engine.eject.emit import escaped, import_block
from engine.eject.folder import require_free
from engine.eject.source import Source, is_text, read_source


def write_learner(family: Family, to: Path) -> None:
    """Write the file.

    Raises:
        UsageError: the place is taken, or the parts of the family do not fit into one file.
        DataError: it cannot be written.
    """
    require_free(to)
    part = to.with_name(f".{to.name}.part")
    try:
        part.write_text(learner_file(family), encoding="utf-8")
        part.rename(to)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DataError(f"{to} cannot be written ({error.strerror}).", "Name another file with --to.") from None


def learner_file(family: Family) -> str:
    """Return the text of the file: the family's own three modules, one after another, importing from the engine.

    Raises:
        UsageError: two of them give one name to different things.
    """
    spec = family.spec.__module__
    learner = family.learner.partition(":")[0]
    sources = [read_source(name) for name in dict.fromkeys([spec, f"{spec.rpartition('.')[0]}.model", learner])]
    mine = {source.name for source in sources}
    _require_apart(family, sources)
    defined = {name for source in sources for name in source.definitions}
    standard: list[tuple[str, str, str]] = []
    other: list[tuple[str, str, str]] = []
    own: list[tuple[str, str, str]] = []
    for source in sources:
        for name, found in source.imports.items():
            if found.module in {*mine, "__future__"} or name in defined:
                continue
            top = found.module.partition(".")[0]
            rows = own if top == "engine" else other if top == "torch" else standard
            rows.append((found.module, found.attribute, name))
    model = ast.literal_eval(sources[1].docstring)
    head = f'''"""A learner of your own, begun from {family.name}. Change it; ``lexigrad run`` trains it.

{escaped(model.strip())}
"""

from __future__ import annotations
'''
    blocks = [import_block(sorted(set(rows))) for rows in (standard, other, own)]
    body = "\n\n\n".join(_body(source).strip("\n") for source in sources)
    body = re.sub(rf'learner="{re.escape(learner)}:(\w+)"', r'learner=":\1"', body)
    gap = "\n\n\n" if body.startswith(("class ", "def ", "@")) else "\n\n"
    return head + "\n" + "\n\n".join(block for block in blocks if block) + gap + body + "\n"


def _body(source: Source) -> str:
    """Return a module without its docstring and its imports, and without the list of the files to show."""
    lines = list(source.lines)
    for node in source.tree.body:
        first = node is source.tree.body[0] and is_text(node)
        typed = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        if first or typed or isinstance(node, ast.Import | ast.ImportFrom):
            for line in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[line] = ""
        for each in ast.walk(node) if isinstance(node, ast.Assign) else ():
            if isinstance(each, ast.keyword) and each.arg == "code":
                start, end = each.value.lineno - 1, each.value.end_lineno or each.value.lineno
                lines[start:end] = [f"{' ' * each.col_offset}code=(),", *[""] * (end - start - 1)]
    text = "\n".join(lines)
    text = re.sub(r"code=\(\),\n(?:\n)*\)", "code=(),\n)", text)
    return re.sub(r"\n{4,}", "\n\n\n", text)


def _require_apart(family: Family, sources: list[Source]) -> None:
    taken: dict[str, tuple[str, str]] = {}
    for source in sources:
        for name, node in source.definitions.items():
            text = ast.unparse(node)
            if taken.setdefault(name, (source.name, text))[1] != text:
                raise UsageError(
                    f"{family.name} has two things called {name}, in {taken[name][0]} and {source.name}.",
                    "They cannot lie in one file; copy its folder instead.",
                )
