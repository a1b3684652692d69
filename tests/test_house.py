"""The rules of the house that a machine can see: sizes, pairings, annotations, words."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles

import pytest

from engine.catalog import FAMILIES
from engine.catalog import family as named
from tests import source

FILE_LINES = 400
FUNCTION_LINES = 60
LOOP_LINES = 80
CLASS_METHODS = 20
SCREEN_METHODS = 30
POSITIONAL = 6
PANEL_TITLE = 34
"""Cells of the upper edge of one of three panels side by side in 120 columns."""

LOOP = source.ROOT / "engine" / "train" / "loop.py"
SCREENS = source.ROOT / "tui" / "screens"
SHARED_SHEETS = {"overlay.tcss"}
"""Sheets that several small screens share."""
NO_SHEET = {"page", "places", "marks"}
"""Files beside the screens that show nothing themselves."""

# Put together here, so that this file does not hold what it looks for.
REGISTRIES = tuple(
    ".".join(words)
    for words in (
        ("pypi", "org"), ("files", "pythonhosted", "org"), ("download", "pytorch", "org"), ("anaconda", "org"),
        ("conda", "anaconda"), ("registry", "npmjs", "org"), ("test", "pypi"),
    )
)  # fmt: skip


def place(path: Path, line: int = 0) -> str:
    return f"{path.relative_to(source.ROOT)}{f':{line}' if line else ''}"


def report(what: str, sizes: Sequence[int]) -> None:
    tenths = quantiles(sizes, n=10)
    print(f"{what}: median {median(sizes):.0f}, p90 {tenths[-1]:.0f}, largest {max(sizes)}")


def test_no_file_is_longer_than_its_budget() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in source.modules()}
    report("lines a file", list(lines.values()))
    assert [place(path, size) for path, size in lines.items() if size > FILE_LINES] == []


def test_no_function_is_longer_than_its_budget() -> None:
    sizes = {
        (path, node.name, node.lineno): (node.end_lineno or node.lineno) - node.lineno + 1
        for path in source.modules()
        for node in source.functions(path)
    }
    report("lines a function", list(sizes.values()))
    long = [
        f"{place(path, line)} {name}: {size}"
        for (path, name, line), size in sizes.items()
        if size > (LOOP_LINES if path == LOOP else FUNCTION_LINES)
    ]
    assert long == []


def is_screen(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).split("[")[0].endswith(("Screen", "Page", "App")) for base in node.bases)


def test_no_class_has_more_methods_than_its_budget() -> None:
    many = []
    for path in source.modules():
        for node in source.classes(path):
            methods = sum(isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) for each in node.body)
            if methods > (SCREEN_METHODS if is_screen(node) else CLASS_METHODS):
                many.append(f"{place(path, node.lineno)} {node.name}: {methods}")
    assert many == []


def test_no_function_takes_more_positional_parameters_than_its_budget() -> None:
    wide = []
    for path in source.modules():
        for node in source.functions(path):
            names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
            count = len(names) - (names[:1] in (["self"], ["cls"]))
            if count > POSITIONAL:
                wide.append(f"{place(path, node.lineno)} {node.name}: {count}")
    assert wide == []


def test_every_function_is_annotated() -> None:
    bare = []
    for path in source.modules():
        for node in source.functions(path):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            arguments += [each for each in (node.args.vararg, node.args.kwarg) if each]
            missing = [each.arg for each in arguments if each.annotation is None and each.arg not in {"self", "cls"}]
            if missing or node.returns is None:
                bare.append(f"{place(path, node.lineno)} {node.name}")
    assert bare == []


def test_every_package_says_what_it_is_and_does_nothing_else() -> None:
    for path in (path for path in source.modules() if path.name == "__init__.py"):
        body = source.tree(path).body
        assert len(body) == 1 and ast.get_docstring(source.tree(path)), f"{place(path)} is not one docstring"


def test_every_module_says_what_it_is() -> None:
    assert [place(path) for path in source.modules() if not ast.get_docstring(source.tree(path))] == []


def test_every_screen_has_its_sheet() -> None:
    for path in sorted(SCREENS.glob("*.py")):
        shown = [node for node in source.classes(path) if is_screen(node)]
        if path.stem in NO_SHEET or not shown:
            continue
        sheets = {
            ast.literal_eval(each.value)
            for node in shown
            for each in node.body
            if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "CSS_PATH"
        }
        assert sheets <= {f"{path.stem}.tcss", *SHARED_SHEETS} and sheets, f"{place(path)} has no sheet of its name"
        assert all((SCREENS / sheet).is_file() for sheet in sheets), f"{place(path)}: {sheets} is missing"


def test_every_sheet_has_its_screen() -> None:
    sheets = {path.name for path in SCREENS.glob("*.tcss")} - SHARED_SHEETS
    assert sheets <= {f"{path.stem}.tcss" for path in SCREENS.glob("*.py")}


def test_every_family_has_its_parts() -> None:
    folders = [path for path in (source.ROOT / "engine" / "families").iterdir() if (path / "__init__.py").is_file()]
    assert folders
    for folder in folders:
        for name in ("spec.py", "model.py"):
            assert (folder / name).is_file(), f"{place(folder)} has no {name}"


def test_the_catalog_lists_every_family() -> None:
    from engine.catalog import FAMILIES

    folders = {path.parent.name for path in (source.ROOT / "engine" / "families").glob("*/spec.py")}
    assert folders == {name.replace("-", "_") for name in FAMILIES}


@pytest.mark.parametrize("verb", sorted((source.ROOT / "tui" / "verbs").glob("[!_]*.py")), ids=lambda path: path.stem)
def test_every_verb_takes_arguments_and_acts(verb: Path) -> None:
    assert {"arguments", "act"} <= {node.name for node in source.functions(verb)}


def test_no_text_holds_a_long_dash() -> None:
    dash = chr(0x2014)
    found = [
        place(path, number)
        for path in source.texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if dash in line
    ]
    assert found == []


def test_no_file_names_a_package_registry() -> None:
    found = [
        place(path) for path in source.texts() if any(host in path.read_text(encoding="utf-8") for host in REGISTRIES)
    ]
    assert found == []


def test_titles_of_panels_fit_on_a_small_panel() -> None:
    long = [
        f"{family.name}: {panel.title}" for family in map(named, FAMILIES) for panel in family.panels
        if len(panel.title) > PANEL_TITLE
    ]  # fmt: skip
    assert long == []
