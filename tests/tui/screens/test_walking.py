"""A walkthrough by keys: steps may be left out and done later, and each is met by what really happened."""

from __future__ import annotations

from screens_help import opened, text_of, until
from textual.pilot import Pilot

from tui.app import Lexigrad

WALK = "your-first-neural-network"
STEPS = 13


def done(app: Lexigrad) -> frozenset[str]:
    return app.services.record.finished_steps(WALK)


async def to_step(pilot: Pilot[None], number: int) -> None:
    await pilot.press(*["n"] * (number - 1))


async def test_a_step_is_done_though_one_before_it_was_left_out() -> None:
    async with opened(f"walk/{WALK}") as (app, pilot):
        app.services.record.note_opened("panel:Decision surface")
        await to_step(pilot, 4)
        await until(pilot, lambda: "look-closely" in done(app), "the panel was opened")
        assert "read-the-page" not in done(app)
        await until(pilot, lambda: "Done. n goes on" in text_of(app), "the step says so")


async def test_what_was_done_does_not_tick_off_a_step_that_nobody_looked_at() -> None:
    async with opened(f"walk/{WALK}") as (app, pilot):
        app.services.record.note_opened("panel:Decision surface")
        await to_step(pilot, 3)
        await until(pilot, lambda: f"Step 3 of {STEPS}" in text_of(app), "the third step")
        assert done(app) == frozenset()


async def test_a_wrong_answer_is_explained_and_may_be_mended_so_that_the_course_ends() -> None:
    async with opened(f"walk/{WALK}") as (app, pilot):
        await to_step(pilot, STEPS)
        await pilot.press("enter")
        await until(pilot, lambda: "Check yourself" in text_of(app) and "○ 1" in text_of(app), "the questions")
        await pilot.press("tab", "2")
        await until(pilot, lambda: "✗ 2" in text_of(app), "the wrong answer")
        await pilot.press("1")
        await until(pilot, lambda: "✓ 1" in text_of(app), "the right answer")
        await pilot.press("escape")
        await until(pilot, lambda: "answer" in done(app), "the last step")
        assert "That was the last step" in text_of(app)


async def test_escape_from_a_run_leads_back_to_the_step_that_it_was_started_for() -> None:
    async with opened(f"walk/{WALK}") as (app, pilot):
        await to_step(pilot, 3)
        await pilot.press("enter")
        await until(pilot, lambda: type(app.screen).__name__ == "LaunchScreen", "the form")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: type(app.screen).__name__ == "RunScreen", "the run")
        await pilot.press("escape")
        await until(pilot, lambda: type(app.screen).__name__ == "WalkScreen", "the walkthrough")
        assert f"Step 3 of {STEPS}" in text_of(app)
