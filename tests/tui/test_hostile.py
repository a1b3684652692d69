"""Text from outside, hostile in every way that we know, through every screen: shown as it is, obeyed never."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.segment import Segment
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Input

from engine.core import paths
from tests.hostile import CORPUS, complaints
from tests.tui import hostile_world as world
from tests.tui.screens.screens_help import NARROW, opened, text_of, until
from tui.app import Lexigrad
from tui.screens.read import ReadScreen
from tui.screens.run import RunScreen
from tui.widgets.entry_view import EntryView
from tui.widgets.panel import PanelWidget

MOST_ROWS = 200
"""Rows of a page that are looked at; what a very long text says further down, it said before."""


@pytest.fixture(autouse=True)
def only_the_first_net(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the second line of defense away, so that a sink that forgets the first is seen."""
    import rich.control
    import textual.content

    kept = {7: None, 8: None, 11: None, 12: None, 13: None}
    for module in (textual.content, rich.control):
        table = module._CONTROL_STRIP_TRANSLATE  # type: ignore[attr-defined]
        monkeypatch.setattr(module, "_CONTROL_STRIP_TRANSLATE", table)
        for code in list(table):
            if code not in kept:
                monkeypatch.delitem(table, code)


class Watched:
    """The app, and everything that was wrong with what it painted."""

    def __init__(self, app: Lexigrad, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.found: list[str] = []

    async def look(self, where: str) -> None:
        await self.pilot.pause()
        if self.app._exception is not None:
            raise AssertionError(f"{where} ended the app") from self.app._exception
        strips = self.app.screen._compositor.render_strips()
        self.found += [f"{where}: {each}" for each in complaints(segment for strip in strips for segment in strip)]

    async def press(self, where: str, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.look(f"{where}, {key}")


def painted(view: EntryView) -> Iterator[Segment]:
    """Yield what the rows of a page are painted with, also those that are not in sight."""
    for sheet in view.sheets:
        for y in range(min(MOST_ROWS, len(sheet.page.rows))):
            yield from sheet.render_line(y)


def rows(panel: PanelWidget) -> Iterator[Segment]:
    """Yield what a panel is painted with, its frame too."""
    for y in range(panel.size.height):
        yield from panel.render_line(y)


def numbered() -> Iterator[tuple[int, str]]:
    return enumerate(CORPUS)


async def test_entries_of_ones_own_are_read_and_never_obeyed() -> None:
    for index, evil in numbered():
        world.write(paths.entries_folder() / f"body-{index}.md", world.entry_without_front(evil))
        world.write(paths.entries_folder() / f"front-{index}.md", world.entry_with_front(evil))
    world.write(paths.entries_folder() / "name \x1b[31m [/b] \u202e.md", "# Sound\n")
    world.write(paths.entries_folder() / "bad \x1b[31m [/b] \u202e.md", "---\nnever closed")
    async with opened("read/softmax", NARROW) as (app, pilot):
        watched = Watched(app, pilot)
        await watched.look("the first page")
        screen = app.screen
        assert isinstance(screen, ReadScreen)
        own = [slug for slug, entry in app.services.library.entries.items() if entry.origin == "own"]
        assert len(own) > len(CORPUS), "most of them are entries"
        view = screen.query_one(EntryView)
        for slug in own:
            view.show(app.services.library.entries[slug], app.services.library)
            watched.found += [f"{slug}: {each}" for each in complaints(painted(view))]
        for slug in own[:: len(own) // 9]:
            screen.go(slug)
            await watched.look(slug)
            for keys in (["tab", "space"], ["1"], ["o"], ["r"], ["c"]):
                await watched.press(slug, *keys)
                while app.screen is not screen:
                    app.pop_screen()
        assert watched.found == []


async def test_runs_from_elsewhere_are_shown_and_never_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    world.with_every_panel(monkeypatch)
    for index, evil in numbered():
        world.run_folder(paths.runs_folder() / f"r{index}", evil, ended="finished" if index % 2 else "failed")
    async with opened() as (app, pilot):
        watched = Watched(app, pilot)
        await watched.look("home")
        known = [run.id for run in app.services.watch.runs()]
        assert len(known) > 0.9 * len(CORPUS), app.services.store.troubles
        app.open_place(f"run/{known[0]}")
        await until(pilot, lambda: len(app.screen.query(PanelWidget)) == len(world.KINDS), "the panels")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        for id in known:
            screen._ids = [id]
            screen.refresh_content()
            await watched.look(id)
            watched.found += [
                f"{id}: {each}" for panel in screen.query(PanelWidget) for each in complaints(rows(panel))
            ]
        for first, second in zip(known[::16], known[1::16], strict=False):
            screen._ids = [first, second]
            await watched.press(f"{first} beside {second}", "right_square_bracket")
        app.open_place("runs")
        await watched.look("the list of runs")
        await watched.press("the list of runs", "G")
        assert watched.found == []


async def test_every_key_of_a_hostile_run_does_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    world.with_every_panel(monkeypatch)
    for index, evil in enumerate(("\x1b[31m [/b] \u202e", "[@click=app.quit]x[/]", "漢" * 300)):
        world.run_folder(paths.runs_folder() / f"r{index}", evil)
    async with opened() as (app, pilot):
        watched = Watched(app, pilot)
        for run in app.services.watch.runs():
            app.open_place(f"run/{run.id}")
            await until(pilot, lambda: len(app.screen.query(PanelWidget)) == len(world.KINDS), "the panels")
            screen = app.screen
            for key in ("z", "z", "space", "s", "full_stop", "e", "n", "left", "c", "enter", "f1"):
                await watched.press(run.id, key)
                while app.screen is not screen:
                    app.pop_screen()
            app.pop_screen()
        assert watched.found == []


async def test_a_run_of_an_unknown_family_shows_what_all_runs_have() -> None:
    for index, evil in enumerate(CORPUS[::16]):
        world.run_folder(paths.runs_folder() / f"r{index}", evil, family="")
    async with opened() as (app, pilot):
        watched = Watched(app, pilot)
        for run in app.services.watch.runs():
            app.open_place(f"run/{run.id}")
            await until(pilot, lambda: len(app.screen.query(PanelWidget)) == 2, run.id)
            await watched.press(run.id, "e", "c", "enter", "r")
            app.pop_screen()
        app.open_place("runs")
        await watched.look("the list of runs")
        assert watched.found == []


async def test_walkthroughs_of_ones_own_are_walked_and_never_obeyed() -> None:
    for index, evil in numbered():
        world.write(paths.home() / "walkthroughs" / f"w{index}.md", world.walkthrough(evil))
    async with opened("learn", NARROW) as (app, pilot):
        watched = Watched(app, pilot)
        await watched.look("learn")
        own = [name for name in app.services.walkthroughs if name.startswith("w")]
        assert len(own) > len(CORPUS) / 3, "the rest is refused with its line"
        for name in own[::2]:
            app.open_place(f"walk/{name}")
            app.services.record.predict(name, "one", "no")
            app.services.record.finish_step(name, "one")
            await watched.look(name)
            app.pop_screen()
        for name in own[::8]:
            app.services.record.forget_walk(name)
            app.open_place(f"walk/{name}")
            await watched.press(name, "1", "h", "n", "enter")
            while len(app.screen_stack) > 3:
                app.pop_screen()
        assert watched.found == []


async def test_what_is_pasted_is_only_words() -> None:
    async with opened("read/softmax", NARROW) as (app, pilot):
        watched = Watched(app, pilot)

        async def paste(where: str, texts: list[str]) -> None:
            await pilot.pause()
            for index, evil in enumerate(texts):
                field = app.focused
                assert isinstance(field, Input), where
                field.value = ""
                app.post_message(Paste(evil))
                await watched.look(f"{where} {index}")

        app.action_search()
        await paste("search", CORPUS[::3])
        app.pop_screen()
        await pilot.press("f")
        await paste("filter", CORPUS[::12])
        await pilot.press("ctrl+p")
        await paste("palette", CORPUS[::12])
        await pilot.press("escape")
        app.open_place("train/mlp/quick")
        await until(pilot, lambda: app.screen.query("#knob-width #field"), "the form")
        for name in ("width", "seed"):
            app.screen.query_one(f"#knob-{name} #field").focus()
            await paste(name, CORPUS[::12])
        await watched.press("the form", "ctrl+r")
        assert app.services.store.runs() == []
        assert watched.found == []


async def test_sentences_and_places_with_hostile_words_are_shown_as_they_are() -> None:
    from engine.core.errors import RunError

    doors = ("", "read/", "train/", "train/mlp/quick data=", "train/mlp/quick width=", "run/", "walk/")
    async with opened(size=NARROW) as (app, pilot):
        watched = Watched(app, pilot)
        home = app.screen
        for index, evil in numbered():
            app.services.troubles.append(str(RunError(evil, evil)))
            if index % 8 == 0:
                home.refresh_content()  # type: ignore[attr-defined]
                await watched.look(f"sentences up to {index}")
                app.clear_notifications()
            if index % 4 == 0:
                app.open_place(f"{doors[index // 4 % len(doors)]}{evil}")
                await watched.look(f"place {index}")
            while app.screen is not home:
                app.pop_screen()
        assert watched.found == []


async def test_the_palette_lists_hostile_titles() -> None:
    for index, evil in numbered():
        world.write(paths.entries_folder() / f"body-{index}.md", f"# zzq {evil}\n\n{evil}\n")
    async with opened() as (app, pilot):
        watched = Watched(app, pilot)
        await watched.press("the palette", "ctrl+p", "z", "z", "q")
        await until(pilot, lambda: "zzq" in text_of(app), "hits")
        await watched.press("the palette", *["down"] * 5, "enter")
        assert watched.found == []
