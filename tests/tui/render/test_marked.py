"""The table of a step: which row is at work, which cells have changed, what is in sight."""

from __future__ import annotations

from engine.core.events import Table
from tui.render.ink import plain
from tui.render.marked import changes, draw_marked, first_row


def table(*rows: list[str]) -> Table:
    return Table(name="graph", columns=["", "node", "value"], rows=list(rows))


BEFORE = table(["▸", "a", "1"], ["", "b", ""], ["", "c", ""])
NOW = table(["•", "a", "1"], ["▸", "b", "2"], ["", "c", ""])


def inks(line: list[tuple[str, object]]) -> dict[str, str]:
    return {text.strip(): ink.front for text, ink in line if text.strip()}  # type: ignore[attr-defined]


def test_changed_cells_the_row_at_work_and_its_parents_stand_out() -> None:
    lines = draw_marked(NOW, BEFORE, 30, 5)
    assert inks(lines[1])["a"] == "series-1"
    assert inks(lines[2]) == {"▸": "strong", "b": "strong", "2": "warning"}
    assert inks(lines[3])["c"] == ""


def test_marks_that_move_are_no_change_and_another_shape_is_not_compared() -> None:
    assert changes(NOW, BEFORE) == {(1, 2)}
    assert changes(NOW, None) == set()
    assert changes(NOW, table(["", "a", "1"])) == set()


def test_a_table_about_something_else_has_no_changes() -> None:
    assert changes(table(["", "x", "1"], ["", "y", "2"]), table(["", "a", "3"], ["", "b", "4"])) == set()


def test_the_row_at_work_stays_in_sight() -> None:
    rows = [["▸" if number == 40 else "", f"n{number}", "1"] for number in range(60)]
    first = first_row(table(*rows), 12)
    assert "n40" in plain(draw_marked(table(*rows), None, 30, 12, first=first))
    assert first_row(NOW, 12) == 0


def test_the_last_line_tells_what_is_below_and_is_not_inked_as_a_row() -> None:
    rows = [["▸" if number == 4 else "", f"n{number}", "1"] for number in range(20)]
    lines = draw_marked(table(*rows), None, 30, 6)
    assert plain(lines[-1:]).strip() == "+16 more"
    assert inks(lines[-1])["+16 more"] == "label"
    assert all(len(plain([line])) == 30 for line in lines)
