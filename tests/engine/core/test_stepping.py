"""Stepping through a run: its steps, what each shows, what was there before."""

from __future__ import annotations

from pathlib import Path

from engine.core.events import HeatMap, Table, Text
from engine.core.recipe import Recipe
from engine.core.stepping import steps_of
from engine.core.view import Drawn, RunView


def view(*events: Drawn) -> RunView:
    history: dict[str, tuple[Drawn, ...]] = {}
    for each in events:
        history[each.name] = (*history.get(each.name, ()), each)
    recipe = Recipe(family="attention", preset="quick", knobs={})
    return RunView(id="a", folder=Path("/nowhere"), recipe=recipe, state="finished", history=history)


def table(step: int, cell: str) -> Table:
    return Table(s=step, name="graph", columns=["a"], rows=[[cell]])


def test_sentences_make_the_steps_and_each_knows_what_was_before() -> None:
    steps = steps_of(
        view(
            Text(s=0, name="step", prompt="forward", text="One."),
            table(0, "1"),
            Text(s=1, name="step", prompt="forward", text="Two."),
            table(1, "2"),
            HeatMap(s=1, name="map", values=[[1.0]]),
            Text(s=2, name="step", prompt="backward", text="Three."),
            table(2, "3"),
            table(9, "long after"),
        )
    )
    assert [(each.number, each.part, each.says) for each in steps] == [
        (0, "forward", "One."),
        (1, "forward", "Two."),
        (2, "backward", "Three."),
    ]
    assert [each.name for each in steps[1].shows] == ["graph", "map"]
    assert steps[0].before == {} and set(steps[1].before) == {"graph"}
    assert steps[2].before["graph"] == table(1, "2")


def test_a_run_without_sentences_is_stepped_from_drawing_to_drawing() -> None:
    steps = steps_of(view(table(0, "1"), table(100, "2"), HeatMap(s=100, name="map", values=[[1.0]])))
    assert [(each.number, each.says, len(each.shows)) for each in steps] == [(0, "", 1), (100, "", 2)]


def test_of_two_drawings_in_one_step_the_later_counts_and_no_drawing_is_no_step() -> None:
    assert steps_of(view(table(3, "1"), table(3, "2")))[0].shows == (table(3, "2"),)
    assert steps_of(view()) == ()
