"""The form by keys: what it shows is what it starts, and a file of one's own has a place in it."""

from __future__ import annotations

from pathlib import Path

from screens_help import opened, text_of, until

from tui.screens.launch import LaunchScreen
from tui.widgets.knob_row import OWN_FILE, Cycle, KnobRow


async def test_a_text_knob_keeps_its_blanks_and_new_lines_until_somebody_types() -> None:
    async with opened("train/gpt/standard") as (app, pilot):
        await pilot.pause()
        row = app.screen.query_one("#knob-prompt", KnobRow)
        assert row.value == "ROMEO:\n"
        assert "ROMEO:\\n" in text_of(app)
        assert "preset:" not in text_of(app)
        row.query_one("#field").focus()
        await pilot.press("end", *"What", "\\", "n")
        assert row.value == "ROMEO:\nWhat\n"


async def test_a_value_of_the_preset_is_named_where_another_was_typed() -> None:
    async with opened("train/mlp/quick") as (app, pilot):
        app.screen.query_one("#knob-depth #field").focus()
        await pilot.press("5")
        await until(pilot, lambda: "preset: 3" in text_of(app), "what it was")


async def test_a_file_of_ones_own_is_typed_as_a_path(tmp_path: Path) -> None:
    async with opened("train/mlp/quick") as (app, pilot):
        row = app.screen.query_one("#knob-data", KnobRow)
        cycle = row.query_one(Cycle)
        assert cycle.values[-1] == OWN_FILE
        cycle.focus()
        await pilot.press("left")
        await until(pilot, lambda: not row.query(Cycle), "a field instead of the choices")
        assert row.value is None
        await pilot.press("ctrl+r")
        assert isinstance(app.screen, LaunchScreen)
        await pilot.press(*"mine.csv")
        assert row.value == "mine.csv"


async def test_a_family_that_takes_no_data_of_ones_own_offers_no_file() -> None:
    async with opened("train/gan/quick") as (app, _):
        assert OWN_FILE not in app.screen.query_one("#knob-data", KnobRow).query_one(Cycle).values
