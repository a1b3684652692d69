"""The code behind what one sees: the very file that trains."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

import engine
from engine.catalog import known
from engine.core.errors import RunError, UsageError
from engine.core.files import open_inside, read_inside
from engine.core.kept_code import FOLDER
from engine.core.own import kept_at
from tui.render.code import highlight
from tui.render.safe import one_line, safe
from tui.screens.page import Page
from tui.widgets.topbar import TopBar

if TYPE_CHECKING:
    from engine.core.view import RunView

PACKAGES = ("engine", "glossary", "tui")
"""Whose files can be named; any other name would be imported to be found, and an entry may hold any name."""


class CodeScreen(Page):
    """One file or several, highlighted; ``tab`` goes to the next."""

    CSS_PATH = "code.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll(1)", "Down", id="code.down", show=False),
        Binding("k", "scroll(-1)", "Up", id="code.up", show=False),
        Binding("g", "end(0)", "Top", id="code.top", show=False),
        Binding("G", "end(1)", "End", id="code.end", show=False),
        Binding("tab,n", "turn(1)", "Next file", id="code.next", tooltip="The next file of this family", priority=True),
        Binding("shift+tab,N", "turn(-1)", "Previous file", id="code.previous", show=False, priority=True),
        Binding("y", "copy", "Copy", id="code.copy", tooltip="Copy the file"),
    ]

    def __init__(self, paths: list[Path], line: int = 1, folder: Path | None = None) -> None:
        """Show `paths`, the first at `line` (counted from 1); no link is followed in them below `folder`."""
        super().__init__()
        self._paths = paths
        self._folder = folder
        self._at = 0
        self._line = line

    @classmethod
    def of_target(cls, target: str) -> CodeScreen:
        """Show what ``package.module:Name.member`` names, at its definition.

        Raises:
            UsageError: it names no file of Lexigrad.
        """
        module, _, name = target.partition(":")
        package, *inside = module.split(".")
        if package in PACKAGES and inside and all(part.isidentifier() for part in inside):
            path = Path(str(files(package).joinpath(*inside[:-1], f"{inside[-1]}.py")))
            if path.is_file():
                return cls([path], definition_line(path, name))
        raise UsageError(f"There is no code called {one_line(target, 80)}.", "It is named package.module:Name.")

    def body(self) -> Iterator[Widget]:
        """The file, scrolled."""
        yield VerticalScroll(Static(id="text"), id="scroll")

    def on_mount(self) -> None:
        """Show the first file."""
        self._show()
        self.query_one("#scroll").focus()

    def _show(self) -> None:
        path = self._paths[self._at]
        text = text_of(path, self._folder)
        self.query_one("#text", Static).update(highlight(text, path.suffix.lstrip(".") or "text", numbers=True))
        which = f"   {self._at + 1} of {len(self._paths)}" if len(self._paths) > 1 else ""
        self.query_one(TopBar).set_crumbs(safe(f" ‹ Code   {short(path)}{which}"))
        scroll = self.query_one("#scroll", VerticalScroll)
        self.call_after_refresh(scroll.scroll_to, y=max(0, self._line - 3), animate=False)

    def applies(self, action: str) -> bool:
        """There is a next file only where there are several."""
        return super().applies(action) and (not action.startswith("turn") or len(self._paths) > 1)

    def action_turn(self, by: int) -> None:
        """Show another of the files."""
        self._at = (self._at + by) % len(self._paths)
        self._line = 1
        self._show()

    def action_scroll(self, by: int) -> None:
        """Scroll by a line."""
        self.query_one("#scroll").scroll_relative(y=by, animate=False)

    def action_end(self, last: int) -> None:
        """Go to the first or the last line."""
        scroll = self.query_one("#scroll")
        scroll.scroll_end(animate=False) if last else scroll.scroll_home(animate=False)

    def action_copy(self) -> None:
        """Put the file on the clipboard."""
        self.app.copy_to_clipboard(text_of(self._paths[self._at], self._folder))
        self.notify("The file is on the clipboard.", markup=False)


def code_of(view: RunView) -> tuple[Path, list[str]]:
    """Return a folder and the addresses in it of the files that train a run: kept ones, else those of the engine."""
    own, of = view.recipe.own, known(view.recipe)
    try:
        kept = [kept_at(own)] if own is not None else [f"{FOLDER}/{path}" for path in (of.code if of else ())]
    except RunError:
        return view.folder, []
    found = [address for address in kept if is_inside(view.folder, address)]
    if found or own is not None or of is None:
        return view.folder, found
    root = Path(engine.__path__[0])
    return root, [path for path in of.code if is_inside(root, path)]


def is_inside(folder: Path, address: str) -> bool:
    """Whether a plain file lies at an address below a folder, with no link on the way."""
    try:
        os.close(open_inside(folder, address))
    except (OSError, RunError):
        return False
    return True


def text_of(path: Path, folder: Path | None = None) -> str:
    """Return the text of a file, which may come from elsewhere: no link or pipe is opened, nothing huge read."""
    folder = folder or path.parent
    try:
        return read_inside(folder, path.relative_to(folder).as_posix()).decode("utf-8", "replace")
    except (OSError, RunError) as error:
        return f"# {path.name} cannot be read: {error}"


def short(path: Path) -> str:
    """Return the path from its package on: ``engine/families/mlp/model.py``."""
    for index, part in enumerate(path.parts):
        if part in {"engine", "tui", "glossary", "code"}:
            return "/".join(path.parts[index:])
    return path.name


def definition_line(path: Path, name: str) -> int:
    """Return the line on which ``Name`` or ``Name.member`` is defined; 1 where it is not found."""
    try:
        body = ast.parse(path.read_text(encoding="utf-8")).body
    except (OSError, SyntaxError, ValueError):
        return 1
    line = 1
    for part in name.split(".") if name else []:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == part:
                line, body = node.lineno, node.body
                break
        else:
            break
    return line
