"""Labs in the app: predict, run, see what came true; findings on the lab, on the list and on the pages."""

from __future__ import annotations

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from engine.core import paths
from engine.core.experiments import Experiment, Experiments
from engine.core.lab import Lab
from glossary.library import Library
from glossary.model import Claim
from tests.tiny_lab import install
from tests.tui.screens.screens_help import NARROW, opened, text_of, until
from tui.screens.lab import LabScreen
from tui.screens.run import RunScreen


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> Lab:
    for user in ("engine.catalog", "tui.screens.read", "tui.verbs.lab"):
        __import__(user)
    return install(monkeypatch)


def words(app: object) -> str:
    """Return all words of the lab, also those scrolled out of sight."""
    return "\n".join(str(each.visual) for each in app.screen.query(Static) if each.display)  # type: ignore[attr-defined]


async def measured(pilot: Pilot[None], app: object) -> None:
    await until(pilot, lambda: "this came true" in words(app), "the outcome")


async def test_one_predicts_measures_and_is_told_what_came_true() -> None:
    async with opened("lab/tiny", notifications=True) as (app, pilot):
        assert "Before you look" in words(app) and "Why" not in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: "Predict first" in text_of(app), "the nudge")
        await pilot.press("1", "enter")
        await measured(pilot, app)
        said = words(app)
        assert "Less than a half   you said" in said and "More   this came true" in said
        assert "held on one seed, which gives no interval" in said and "It was 0.90." in said
        assert "It is written so." in said and "Nothing is learned." in said
        kept = app.services.experiments.latest("tiny")
        assert kept is not None and kept.predictions == {"much": "Less than a half"}
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "the runs, all panels")


async def test_what_was_found_is_hidden_until_one_has_asked_oneself(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened("labs") as (app, pilot):
        app.services.shipped = {"tiny": found(holds=False)}
        app.screen.refresh_content()
        await pilot.pause()
        assert "Predict first" in text_of(app) and "did not hold" not in text_of(app)
        app.services.experiments.save(found(holds=True))
        app.screen.refresh_content()
        await until(pilot, lambda: "did not hold" in text_of(app) and "held over 3 seeds" in text_of(app), "both")


async def test_seeds_form_and_knobs_are_asked_for_before_it_begins() -> None:
    async with opened("lab/tiny") as (app, pilot):
        await pilot.press("plus", "f")
        assert "3 seeds" in words(app) and "standard" in words(app)
        await pilot.press("e")
        await pilot.press(*"7", "enter")
        await until(pilot, lambda: "steps 7" in words(app), "the changed knob")
        await pilot.press("2", "enter")
        await measured(pilot, app)
        kept = app.services.experiments.latest("tiny")
        assert kept is not None and (kept.form, kept.seeds, kept.knobs["steps"]) == ("standard", (0, 1, 2), 7)
        await pilot.press("plus", "f")
        assert "an interval over the seeds" not in words(app), "what was asked is settled"


async def test_a_lab_that_is_stopped_goes_on_and_can_be_left_meanwhile() -> None:
    async with opened("lab/tiny") as (app, pilot):
        screen = app.screen
        assert isinstance(screen, LabScreen)
        screen._changes = {"steps": 100_000, "step_seconds": 0.002}
        await pilot.press("2", "enter")

        def runs() -> list[str]:
            return [run.state() for run in app.services.store.runs()]

        await until(pilot, lambda: sorted(runs()) == ["finished", "queued", "running"], "the second run")
        await pilot.press("escape")
        app.open_place("lab/tiny")
        await until(pilot, lambda: "at work" in words(app), "it is found at work")
        await pilot.press("s")
        await until(pilot, lambda: "2 runs of 3 did not come to an end" in words(app), "stopped")
        await pilot.press("enter")
        await until(pilot, lambda: "running" in runs(), "it goes on")
        await pilot.press("s")
        await until(pilot, lambda: "running" not in runs(), "stopped again")


async def test_asking_again_hides_what_was_found() -> None:
    Experiments(paths.findings_folder()).save(found(holds=True))
    async with opened("lab/tiny", NARROW) as (app, pilot):
        await until(pilot, lambda: "asks again" in words(app), "the findings")
        await pilot.press("a")
        await until(pilot, lambda: "Before you look" in words(app), "the question")
        assert not app.screen.query_one("#findings").display


async def test_findings_stand_on_the_page_that_makes_the_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = Claim(says="The stub reaches more than a half.", lab="tiny", id="half")
    load = Library.load

    def loaded(*places: object) -> Library:
        library = load(*places)  # type: ignore[arg-type]
        page = msgspec.structs.replace(library.entries["softmax"], claims=(claim,), lab="tiny")
        return Library([each for each in library.entries.values() if each.slug != "softmax"] + [page])

    monkeypatch.setattr(Library, "load", loaded)
    async with opened("read/softmax") as (app, pilot):
        await pilot.press("G")
        await until(pilot, lambda: "m opens the lab tiny" in page_text(app), "the claim, not measured")
        app.services.shipped = {"tiny": found(holds=None, says="The stub reaches a half.")}
        app.services.experiments.save(found(holds=True))
        app.screen.refresh_content()
        await until(pilot, lambda: "measured by you" in page_text(app), "the learner's own")
        said = page_text(app)
        assert "✓ held over 3 seeds" in said and said.index("measured by you") < said.index("measured by the project")
        assert "not decided over 3 seeds, for an earlier wording" in " ".join(said.split())
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, LabScreen), "the lab")


def page_text(app: object) -> str:
    from tui.widgets.entry_view import EntryView

    sheet = app.screen.query_one(EntryView)._claims  # type: ignore[attr-defined]
    return "\n".join(line.text for line in sheet.page.rows)


def found(*, holds: bool | None, says: str = "The stub reaches more than a half.") -> Experiment:
    from engine.core.experiments import Finding

    return Experiment(
        id="260101-000000-0000",
        lab="tiny",
        form="quick",
        knobs={"steps": 5, "step_seconds": 0.001, "crash_at": -1},
        seeds=(0, 1, 2),
        begun=1e9,
        ended=1e9,
        machine="a machine",
        findings=(Finding(statement="half", says=says, holds=holds, text="It was 0.9."),),
        outcomes={"much": "More"},
    )


async def test_all_findings_stand_together_and_lead_to_their_lab() -> None:
    async with opened("labs") as (app, pilot):
        app.services.shipped = {"tiny": found(holds=False)}
        app.services.experiments.save(found(holds=True))
        await pilot.press("f")
        await until(pilot, lambda: "✓  ✗  The stub reaches" in text_of(app), "the line with both signs")
        assert "held over 3 seeds" in words(app) and "did not hold over 3 seeds" in words(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, LabScreen), "the lab")
