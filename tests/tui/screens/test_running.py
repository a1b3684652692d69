"""Running: one key starts it, its panels follow it, its figures come back to the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from screens_help import NARROW, WIDE, opened, stub_recipe, text_of, until

from engine.catalog import parse_run
from engine.core.own import Own, OwnKnob, OwnPreset, digest_of
from engine.core.recipe import Recipe
from engine.core.records import Exit, write_record
from engine.core.store import Run
from tui.app import Lexigrad
from tui.recipes import recipe_of
from tui.screens.code import CodeScreen
from tui.screens.home import HomeScreen
from tui.screens.launch import LaunchScreen
from tui.screens.read import ReadScreen
from tui.screens.run import RunScreen
from tui.screens.runs import RunsScreen


async def test_one_key_on_a_page_starts_its_run_and_the_figures_come_back() -> None:
    async with opened("read/multilayer-perceptron") as (app, pilot):
        assert "Nothing yet" in text_of(app)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run screen")
        await until(pilot, lambda: "Finished" in text_of(app), "the end")
        assert "on the page multilayer perceptron" in text_of(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ReadScreen), "the page again")
        await until(pilot, lambda: "n = 1" in text_of(app), "the figures on the page")


async def test_a_page_that_is_still_to_be_written_is_not_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as (app, pilot):
        run = app.services.launcher.start(stub_recipe())
        app.services.watch.rescan()
        library = app.services.library
        written = {slug: entry for slug, entry in library.entries.items() if slug != "multilayer-perceptron"}
        monkeypatch.setattr(library, "entries", written)
        app.open_place(f"run/{run.id}")
        await until(pilot, lambda: "Finished" in text_of(app), "its end")
        assert "on the page" not in text_of(app) and "Its page" not in text_of(app)
        said: list[str] = []
        app.notify = lambda message, **_: said.append(message)  # type: ignore[method-assign, assignment]
        app.open_place("read/multilayer-perceptron")
        assert said == ["The page on multilayer perceptron is still to be written."]


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_run_is_shown_with_its_panels(size: tuple[int, int]) -> None:
    async with opened("", size) as (app, pilot):
        run = app.services.launcher.start(stub_recipe())
        app.services.watch.rescan()
        app.open_place(f"run/{run.id}")
        await until(pilot, lambda: "mlp / quick" in text_of(app), "its name")
        await until(pilot, lambda: "Loss" in text_of(app), "its first panel")
        await until(pilot, lambda: "Finished" in text_of(app), "its end")


async def test_a_live_run_is_paused_goes_on_and_is_stopped_by_keys() -> None:
    async with opened() as (app, pilot):
        run = app.services.launcher.start(stub_recipe(100_000))
        app.services.watch.rescan()
        app.open_place(f"run/{run.id}")
        await until(pilot, lambda: run.state() == "running", "running")
        await pilot.press("space")
        await until(pilot, lambda: run.state() == "paused" and "paused" in text_of(app), "paused")
        await pilot.press("space")
        await until(pilot, lambda: run.state() == "running" and "live" in text_of(app), "running again")
        await pilot.press("s")
        await until(pilot, lambda: run.state() == "stopped", "stopped")
        await until(pilot, lambda: "Stopped." in text_of(app), "the banner")


async def test_a_stopped_run_is_resumed_by_a_key() -> None:
    async with opened() as (app, pilot):
        run = app.services.launcher.start(stub_recipe(400, save_every=1))
        app.services.watch.rescan()
        app.open_place(f"run/{run.id}")
        await until(pilot, lambda: run.state() == "running", "running")
        await pilot.press("s")
        await until(pilot, lambda: run.state() == "stopped" and "Stopped." in text_of(app), "stopped")
        await pilot.press("r")
        await until(pilot, lambda: run.state() == "finished", "finished after all")


async def test_a_killed_trainer_is_shown_with_its_cause() -> None:
    async with opened() as (app, pilot):
        run = app.services.launcher.start(stub_recipe(100_000, kill_at=5))
        app.services.watch.rescan()
        app.open_place(f"run/{run.id}")
        await until(pilot, lambda: "SIGKILL" in text_of(app), "the cause")
        assert run.state() == "failed"


async def test_leaving_the_app_leaves_the_run_going(home: Path) -> None:
    async with opened() as (app, pilot):
        run = app.services.launcher.start(stub_recipe(100_000))
        await until(pilot, lambda: run.state() == "running", "running")
        kept = app.services
        step = run.status().step  # type: ignore[union-attr]
        app.exit()
        await until(pilot, lambda: run.status().step > step + 3, "more steps")  # type: ignore[union-attr]
        assert run.state() == "running"
        kept.launcher.kill(run)


async def test_a_group_runs_one_after_another_on_one_screen() -> None:
    async with opened("read/deep-learning") as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run screen")
        await until(pilot, lambda: [run.state() for run in app.services.store.runs()] == ["finished"] * 3, "all three")
        depths = {run.recipe.knobs["depth"] for run in app.services.store.runs()}
        assert depths == {1, 2, 4}


async def test_the_form_shows_every_knob_and_refuses_a_value_out_of_range() -> None:
    async with opened("train/mlp/quick width=8") as (app, pilot):
        screen = app.screen
        assert isinstance(screen, LaunchScreen)
        names = {row.id for row in screen.query("KnobRow")}
        spec = parse_run("mlp/quick").family.spec
        assert {f"knob-{each.name}" for each in spec.knobs()} <= names
        field = screen.query_one("#knob-width #field")
        assert field.value == "8"  # type: ignore[attr-defined]
        field.value = "-3"  # type: ignore[attr-defined]
        await until(pilot, lambda: "needs" in text_of(app), "what is wrong")
        await pilot.press("ctrl+r")
        assert app.services.store.runs() == []
        field.value = "16"  # type: ignore[attr-defined]
        await pilot.pause()
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run")
        assert app.services.store.runs()[0].recipe.knobs["width"] == 16


async def test_runs_are_listed_deleted_and_taken_back() -> None:
    async with opened() as (app, pilot):
        run = app.services.launcher.start(stub_recipe())
        await until(pilot, lambda: run.state() == "finished", "finished")
        app.services.watch.rescan()
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and "finished" in text_of(app), "the list")
        await pilot.press("d")
        await until(pilot, lambda: "Nothing has been trained yet" in text_of(app), "the empty list")
        await pilot.press("u")
        await until(pilot, lambda: "mlp / quick" in text_of(app), "it is back")


async def test_home_shows_what_runs_and_what_was_measured() -> None:
    async with opened() as (app, pilot):
        done = app.services.launcher.start(recipe_of(parse_run("mlp/quick")))
        await until(pilot, lambda: done.state() == "finished", "finished")
        live = app.services.launcher.start(stub_recipe(100_000))
        await until(pilot, lambda: "1 live" in text_of(app) and "just now" in text_of(app), "both on the home screen")
        assert isinstance(app.screen, HomeScreen)
        app.services.launcher.kill(live)


async def test_the_line_of_keys_says_what_space_does_now() -> None:
    async with opened() as (app, pilot):
        run = app.services.launcher.start(stub_recipe(100_000))
        app.services.watch.rescan()
        app.open_place(f"run/{run.id}")
        await until(pilot, lambda: "space Pause" in text_of(app), "it trains")
        await pilot.press("space")
        await until(pilot, lambda: "space Go on" in text_of(app), "it is paused")


def foreign(app: Lexigrad, stem: str, content: bytes = b"class Mine: pass\n", **names: object) -> Run:
    """Put a run into the store that came from elsewhere and says that it is of a person's own file."""
    knobs = tuple(OwnKnob(name=name, default=1) for name in names)
    own = Own(stem=stem, digest=digest_of(content), title="Mine", knobs=knobs, presets=(OwnPreset(name="quick"),))
    recipe = Recipe(family="file:mine", preset="quick", knobs={"depth": 3}, seed=7, own=own)
    run = app.services.store.create(recipe, {"code/mine.py": content})
    write_record(run.folder, Exit(stopped=True))
    app.services.watch.rescan()
    return run


async def test_the_code_of_a_run_of_ones_own_file_is_shown() -> None:
    async with opened() as (app, pilot):
        app.open_place(f"run/{foreign(app, 'mine').id}")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, CodeScreen) and "class Mine" in text_of(app), "the file")


@pytest.mark.parametrize("stem", ["../../secret", "/etc/passwd", "families/mlp/model", "linked", "mine/../mine"])
async def test_a_recipe_from_elsewhere_shows_no_file_that_is_not_its_own(stem: str, tmp_path: Path) -> None:
    async with opened(notifications=True) as (app, pilot):
        run = foreign(app, stem)
        (run.folder.parent / "secret.py").write_text("# secret")
        (run.folder / "code" / "linked.py").symlink_to(run.folder.parent / "secret.py")
        app.open_place(f"run/{run.id}")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run")
        await pilot.press("c")
        await until(pilot, lambda: "This run kept no code." in text_of(app), "the answer")
        assert isinstance(app.screen, RunScreen)


async def test_a_folder_of_code_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    async with opened(notifications=True) as (app, pilot):
        run = foreign(app, "mine")
        (run.folder / "code").rename(tmp_path / "elsewhere")
        (run.folder / "code").symlink_to(tmp_path / "elsewhere")
        app.open_place(f"run/{run.id}")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run")
        await pilot.press("c")
        await until(pilot, lambda: "This run kept no code." in text_of(app), "the answer")


async def test_again_says_what_to_type_for_a_file_of_ones_own() -> None:
    async with opened(size=(240, 40), notifications=True) as (app, pilot):
        run = foreign(app, "mine", depth=1)
        said: list[str] = []
        app.open_place(f"run/{run.id}")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run")
        app.screen.notify = lambda message, **_: said.append(message)  # type: ignore[method-assign, assignment]
        await pilot.press("a")
        await until(pilot, lambda: said, "what to type")
        path = run.folder / "code" / "mine.py"
        assert said == [f"Type: lexigrad run {path}/quick --set depth=3 --seed 7"]


async def test_a_damaged_recipe_hides_no_other_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(run: Run) -> dict[str, float]:
        return {} if run.recipe.own is None else {"x": 1 / 0}

    async with opened() as (app, pilot):
        sound = app.services.launcher.start(stub_recipe())
        await until(pilot, lambda: sound.state() == "finished", "finished")
        other = foreign(app, "mine", knobs=1)
        monkeypatch.setattr(Run, "headline", lambda run: broken(run))
        monkeypatch.setattr("tui.screens.runs.first_figure", lambda run, longest: str(broken(run) or ""))
        monkeypatch.setattr(Run, "state", lambda run: "finished")
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen), "the list")
        await until(pilot, lambda: "mlp / quick" in text_of(app) and "unreadable" in text_of(app), "both runs")
        assert other.id[-20:] in text_of(app)
