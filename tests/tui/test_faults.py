"""What can be wrong around the app: folders, records, homes, other apps, deaths. It opens, says so, goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from engine.core import events, paths
from engine.core.store import RunStore
from tests.hostile import complaints
from tests.tui.screens.screens_help import opened, stub_recipe, text_of, until
from tests.tui.terminal import Terminal
from tests.tui.test_guard import left_on
from tui.screens.home import HomeScreen
from tui.screens.run import RunScreen

SOUND = "260101-000000-mlp-quick-0000"
BROKEN = "260102-000000-mlp-quick-0000"
LONG = """
import msgspec
from engine.core.launcher import Launcher
plain_start = Launcher.start_group
def start_group(self, recipes, files=None):
    longer = [msgspec.structs.replace(r, knobs={**r.knobs, "steps": 100000}) for r in recipes]
    return plain_start(self, longer, files)
Launcher.start_group = start_group
"""
SHOWN_WITHIN = 2.0
"""Seconds from the death of a trainer to its cause on the screen, on a machine that is not overloaded."""


def finished(name: str) -> Path:
    """Write a run that came to its end."""
    from engine.core.recipe import write_recipe

    folder = paths.runs_folder() / name
    folder.mkdir(parents=True)
    write_recipe(stub_recipe(), folder)
    every = [
        events.Started(total_steps=2, device="cpu"),
        events.Scalars(s=1, t=1, n=1, v={"train/loss": 1.0}),
        events.Note(s=1, text="a note"),
        events.Scalars(s=2, t=2, n=2, v={"train/loss": 0.5}),
        events.Finished(s=2, headline={"valid/accuracy": 0.9}),
    ]
    (folder / "events.jsonl").write_bytes(b"".join(map(events.encode, every)))
    (folder / "exit.json").write_text('{"code": 0}')
    return folder


def no_recipe(folder: Path) -> None:
    (folder / "recipe.json").write_text('{"family": "mlp", "pres')


def newer_recipe(folder: Path) -> None:
    recipe = json.loads((folder / "recipe.json").read_text())
    (folder / "recipe.json").write_text(json.dumps({**recipe, "format": 99}))


def recipe_of_lists(folder: Path) -> None:
    (folder / "recipe.json").write_text("[" * 5000)


def pipe(name: str) -> Callable[[Path], None]:
    def replace(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    replace.__name__ = f"pipe_named_{name}"
    return replace


def link(name: str) -> Callable[[Path], None]:
    def replace(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to("/etc/passwd")

    replace.__name__ = f"link_named_{name}"
    return replace


def linked_folder(folder: Path) -> None:
    shutil.move(folder, folder.parent.parent / "elsewhere")
    folder.symlink_to(folder.parent.parent / "elsewhere")


def newer_log(folder: Path) -> None:
    (folder / "events.jsonl").write_bytes(events.encode(events.Started(format=99)))


def newer_exit(folder: Path) -> None:
    (folder / "exit.json").write_text('{"format": 99}')


def newer_status(folder: Path) -> None:
    (folder / "status.json").write_text('{"format": 99}')


def rubbish_everywhere(folder: Path) -> None:
    for name in ("events.jsonl", "exit.json", "status.json", "label.json", "hardware.jsonl", "proc.json", "log.txt"):
        (folder / name).write_bytes(bytes(range(256)) * 64)


def damaged_lines(folder: Path) -> None:
    log = (folder / "events.jsonl").read_bytes()
    (folder / "events.jsonl").write_bytes(log.replace(b"a note", b"a n\x00te") + b"\x00" * 4096 + b'\n{"k":"torn')


def impossible_numbers(folder: Path) -> None:
    big = [
        events.Started(total_steps=-5, samples_per_step=-(2**62)),
        events.Scalars(s=2**61, t=1e308, n=2**61, v={"train/loss": 1e308, "valid/loss": "-Infinity"}),
        events.Scalars(s=-3, t=-1e308, n=-1, v={"train/loss": "NaN", "valid/loss": 1e-308}),
        events.Pictures(name="mistakes", count=10**9, height=10**9, width=10**9, pixels=b"x"),
        events.Pictures(name="first-layer filters", count=-1, height=-1, width=-1, channels=-1, pixels=b"x"),
        events.HeatMap(name="confusion matrix", values=[[1.0], [], [1.0, 2.0, 3.0]], rows=["a"], columns=["b"] * 99),
        events.HeatMap(name="decision surface", values=[[]], extent=[1.0]),
        events.Points(name="data", x=[1e308, -1e308], y=[0.0], group=[-5, 10**6], words=["w"] * 9),
        events.Table(name="by class", columns=[], rows=[[], ["a"] * 500]),
        events.Histogram(name="weights", edges=[3.0, 2.0], counts=[-1.0]),
        events.KnobChanged(name="learning_rate", before="NaN", after="Infinity"),
        events.Baseline(metric="train/loss", name="b", value="Infinity"),
    ]
    (folder / "events.jsonl").write_bytes(b"".join(map(events.encode, big)))


FAULTS = (
    no_recipe, newer_recipe, recipe_of_lists, pipe("recipe.json"), pipe("events.jsonl"), pipe("exit.json"),
    pipe("log.txt"), pipe("hardware.jsonl"), link("recipe.json"), link("events.jsonl"), link("log.txt"), linked_folder,
    newer_log, newer_exit, newer_status, rubbish_everywhere, damaged_lines, impossible_numbers,
)  # fmt: skip


@pytest.mark.parametrize("damage", FAULTS, ids=lambda each: each.__name__)
async def test_a_damaged_run_hides_no_other_and_ends_nothing(damage: Callable[[Path], None]) -> None:
    finished(SOUND)
    damage(finished(BROKEN))
    async with opened() as (app, pilot):
        await until(pilot, lambda: "90.0 %" in text_of(app) or "0.9" in text_of(app), "the sound one at home")
        app.open_place(f"run/{BROKEN}")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "a screen")
        for _ in range(3):
            app._tick()
            await pilot.pause()
        shown = text_of(app)
        assert "root:" not in shown, "no link was followed"
        app.pop_screen()
        app.open_place(f"run/{BROKEN},{SOUND}")
        await pilot.pause()
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "Finished" in text_of(app), "the sound one beside it")
        app.pop_screen()
        app.open_place("runs")
        await until(pilot, lambda: app.screen.query("DataTable") and "Accuracy 90.0 %" in text_of(app), "the list")
        app.open_place("walk/your-first-neural-network")
        await pilot.pause()
        app.open_place("read/multilayer-perceptron")
        await until(pilot, lambda: "90.0 %" in text_of(app) or "0.9" in text_of(app), "the figures on the page")


async def test_damaged_lines_are_counted_where_the_run_is_shown() -> None:
    damaged_lines(finished(BROKEN))
    async with opened(f"run/{BROKEN}") as (app, pilot):
        await until(pilot, lambda: "Finished" in text_of(app), "the run")
        assert "damaged" in text_of(app)


async def test_a_run_that_is_deleted_while_it_is_shown() -> None:
    finished(SOUND)
    folder = finished(BROKEN)
    async with opened(f"run/{BROKEN}") as (app, pilot):
        await until(pilot, lambda: "Finished" in text_of(app), "the run")
        shutil.rmtree(folder)
        await until(pilot, lambda: BROKEN not in [run.id for run in app.services.watch.runs()], "it is gone")
        await pilot.press("r", "space", "s", "e", "c", "z", "z")
        app.open_place(f"run/{BROKEN}")
        await pilot.pause()
        app.open_place("runs")
        await until(pilot, lambda: SOUND in text_of(app) and BROKEN not in text_of(app), "the list without it")


async def test_a_run_that_is_renamed_while_it_lives() -> None:
    async with opened() as (app, pilot):
        run = app.services.launcher.start(stub_recipe(100_000))
        app.services.watch.rescan()
        app.open_place(f"run/{run.id}")
        await until(pilot, lambda: run.state() == "running" and "live" in text_of(app), "running")
        trainer = run.processes().trainer.pid  # type: ignore[union-attr]
        moved = run.folder.rename(run.folder.with_name("renamed"))
        await until(pilot, lambda: run.id not in [each.id for each in app.services.watch.runs()], "it is gone")
        await pilot.press("space", "s", "r")
        await pilot.pause()
        app.open_place("run/renamed")
        await until(pilot, lambda: "mlp / quick" in text_of(app), "it is shown under its new name")
        os.kill(trainer, signal.SIGKILL)
        assert moved.is_dir()


# The record of the learner


async def test_a_locked_record_is_not_taken_for_a_damaged_one() -> None:
    async with opened("read/softmax") as (app, _):
        app.services.record.mark_read("softmax")
    holder = sqlite3.connect(paths.database(), isolation_level=None)
    holder.execute("PRAGMA journal_mode=DELETE")
    holder.execute("BEGIN EXCLUSIVE")
    async with opened(notifications=True) as (app, pilot):
        await until(pilot, lambda: "cannot be kept" in text_of(app) or "locked" in text_of(app), "the sentence")
        app.open_place("read/softmax")
        await pilot.press("b")
        await pilot.pause()
    holder.execute("ROLLBACK")
    holder.close()
    assert not list(paths.home().glob("*damaged*"))
    async with opened() as (app, _):
        assert "softmax" in app.services.record.read(), "nothing was lost"


async def test_a_record_of_a_newer_lexigrad_is_left_alone() -> None:
    async with opened() as (app, _):
        app.services.record.mark_read("softmax")
    with sqlite3.connect(paths.database()) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    async with opened(notifications=True) as (app, pilot):
        await until(pilot, lambda: "newer" in text_of(app), "the sentence")
        app.services.record.mark_read("token")
    with sqlite3.connect(paths.database()) as newer:
        assert newer.execute("PRAGMA user_version").fetchone() == (99,)
        assert newer.execute("SELECT slug FROM read").fetchall() == [("softmax",)]
    newer.close()


async def test_a_record_that_is_damaged_under_the_app_costs_only_itself() -> None:
    async with opened(notifications=True) as (app, pilot):
        app.services.record.mark_read("softmax")
        tables = ["read", "bookmark", "place", "answer", "prediction", "done", "opened"]
        app.services.record._database.executescript("".join(f"DROP TABLE {table};" for table in tables))
        for place in ("read/softmax", "runs", "learn", "walk/your-first-neural-network"):
            app.open_place(place)
            await pilot.pause()
            await pilot.press("n", "b", "G", "1", "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen), "home")
        app.screen.refresh_content()
        await until(pilot, lambda: "record" in text_of(app), "the sentence")


# Homes


@pytest.mark.parametrize("place", ["file", "null", "unset", "readonly"])
def test_without_a_home_that_can_be_written_the_glossary_is_read(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environment = {
        "file": {"LEXIGRAD_HOME": str(tmp_path / "file" / "home")},
        "null": {"LEXIGRAD_HOME": "", "HOME": "/dev/null", "XDG_DATA_HOME": "", "TMPDIR": str(tmp_path)},
        "unset": {
            "LEXIGRAD_HOME": "",
            "XDG_DATA_HOME": str(tmp_path / "file" / "x"),
            "TMPDIR": str(tmp_path),
        },
        "readonly": {"LEXIGRAD_HOME": "/proc/lexigrad"},
    }[place]
    lacking = ["HOME"] if place == "unset" else []
    with Terminal("--open", "read/softmax", lacking=lacking, **environment) as terminal:
        terminal.until(b"Softmax", "the page")
        terminal.until(b"record" if place in {"file", "readonly"} else b"No home folder", "the sentence")
        terminal.type("\x11")
        assert terminal.end() == 0
    assert left_on(terminal.output) == set()


def test_a_temporary_home_of_somebody_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.delenv("LEXIGRAD_HOME")
    monkeypatch.setenv("HOME", "/dev/null")
    monkeypatch.setenv("XDG_DATA_HOME", "/dev/null")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spare = tmp_path / f"lexigrad-{os.getuid()}"
    spare.symlink_to("/etc")
    assert not str(paths.home().resolve()).startswith("/etc")
    spare.unlink()
    assert paths.home() == spare and paths.home_is_temporary()


async def test_a_cache_that_cannot_be_written_costs_only_time() -> None:
    paths.cache_folder().write_text("a file where the folder should be")
    async with opened("read/softmax") as (app, pilot):
        app.action_search()
        await pilot.press(*"token")
        await until(pilot, lambda: "Token" in text_of(app), "a hit")


# Deaths


def interface(terminal: Terminal) -> psutil.Process:
    """Return the process of the app itself, under its guard."""
    return psutil.Process(terminal.child.pid).children()[0]


def test_the_app_is_killed_and_its_run_goes_on() -> None:
    store = RunStore(paths.runs_folder())
    with Terminal("--open", "train/mlp/quick", patch=LONG) as terminal:
        terminal.until(b"learning", "the form")
        terminal.type("\x12")
        terminal.until(lambda: [run for run in store.runs() if run.state() == "running"], "a run")
        (run,) = store.runs()
        interface(terminal).kill()
        assert terminal.end() == 128 + signal.SIGKILL
    assert left_on(terminal.output) == set()
    status = run.status()
    assert status is not None
    with Terminal() as again, Terminal("--open", f"run/{run.id}") as other:
        again.until(b"1 live", "the next start shows it")
        other.until(b"live", "a second app shows it too")
        again.until(lambda: run.status().step > status.step, "it goes on")  # type: ignore[union-attr]
        os.kill(run.processes().trainer.pid, signal.SIGKILL)  # type: ignore[union-attr]
        again.until(b"SIGKILL", "the first app says so") if b"SIGKILL" in again.output else None
        other.until(b"SIGKILL", "the cause")
        for each in (again, other):
            each.type("\x11")
            assert each.end() == 0
    assert run.state() == "failed"


def test_a_closed_window_ends_the_app_and_not_the_run() -> None:
    from engine.core.launcher import Launcher
    from tests.tui.terminal import STUB

    launcher = Launcher(RunStore(paths.runs_folder()), trainer=STUB, sampler=[])
    run = launcher.start(stub_recipe(100_000))
    with Terminal("--open", f"run/{run.id}") as terminal:
        terminal.until(b"live", "the run")
        os.kill(interface(terminal).pid, signal.SIGHUP)
        assert terminal.end(20) == 128 + signal.SIGHUP
    assert run.state() == "running"
    launcher.kill(run)
    launcher.close()


async def test_a_killed_trainer_is_shown_with_its_cause_in_two_seconds() -> None:
    async with opened() as (app, pilot):
        run = app.services.launcher.start(stub_recipe(100_000))
        app.services.watch.rescan()
        app.open_place(f"run/{run.id}")
        await until(pilot, lambda: run.state() == "running" and "live" in text_of(app), "running")
        began = time.monotonic()
        os.kill(run.processes().trainer.pid, signal.SIGKILL)  # type: ignore[union-attr]
        await until(pilot, lambda: "SIGKILL" in text_of(app), "the cause")
        took = time.monotonic() - began
        overload = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        assert took < SHOWN_WITHIN * overload, f"{took:.2f} s"


def test_an_error_inside_the_app_is_one_sentence_and_its_traceback_is_in_the_log(home: Path) -> None:
    broken = "from tui.app import Lexigrad\ndef broken(self):\n    raise RuntimeError('boom \\x1b]0;title\\x07 [/b]')\n"
    with Terminal(patch=f"{broken}Lexigrad.action_help = broken") as terminal:
        terminal.until(b"Read next", "home")
        terminal.type("\x1bOP")
        assert terminal.end() == 1
    said = terminal.output.partition(b"\x1b[?1049l")[2]
    assert b"\x1b[?1049l" not in said, "leaving the other screen twice would write the prompt over the sentence"
    assert b"ended in an error" in said and b"app.log" in said
    assert b"Traceback" not in terminal.output and b"boom" not in said
    assert left_on(terminal.output) == set()
    log = (home / "app.log").read_text()
    assert "Traceback" in log and "boom" in log


async def test_screens_hold_nothing_that_drives_while_all_that_is_wrong() -> None:
    for number, damage in enumerate(FAULTS[:4]):
        damage(finished(f"26010{number + 1}-000000-mlp-quick-0000"))
    async with opened("runs") as (app, pilot):
        await pilot.pause()
        assert complaints(segment for strip in app.screen._compositor.render_strips() for segment in strip) == []


# Long pages


BOMBS = {
    "brackets": "[" * 60_000,
    "quotes": ">" * 60_000,
    "stars": "*a_ " * 20_000,
    "backticks": "".join(f"e{'`' * n}" for n in range(500)),
    "links": "[a](" * 20_000,
    "wiki": "[[a|" * 20_000,
    "table": "|a" * 5000 + "\n" + "|-" * 5000 + "\n" + "|b" * 5000,
    "lists": "\n".join("  " * (n % 200) + "- x" for n in range(4000)),
    "formula": "$" + "{" * 3000 + "}" * 3000 + "$",
    "fractions": "$$" + "\\frac{1}{" * 500 + "x" + "}" * 500 + "$$",
    "entities": "&amp;" * 30_000,
    "words": "word " * 50_000,
    "rows": "a\n\n" * 60_000,
}
LONGEST = 4.0
"""Seconds of work for the worst page; far more only where something grows faster than the text."""


async def test_the_longest_and_the_worst_pages_open() -> None:
    for name, text in BOMBS.items():
        (paths.entries_folder()).mkdir(exist_ok=True)
        (paths.entries_folder() / f"bomb-{name}.md").write_text(f"# {name}\n\n{text}"[: 255 * 1024])
    async with opened("read/softmax") as (app, pilot):
        screen = app.screen
        took = {}
        for name in BOMBS:
            began = time.process_time()
            screen.go(f"bomb-{name}")  # type: ignore[attr-defined]
            await pilot.pause()
            took[name] = time.process_time() - began
            assert name in text_of(app)
        print(took)
        assert max(took.values()) < LONGEST, took
