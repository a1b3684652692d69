from pathlib import Path

import pytest

from tests.bench import document
from tests.bench.figures import Sample
from tests.bench.row import Row

ORDER = ("startup", "search", "tick")


def row(key: str, value: float, how: str = "") -> Row:
    return Row(key=key, what=f"What {key} takes", ours=Sample((value,)), unit="ms", how=how)


def written(text: str, *rows: Row, here: str = "two cores", when: str = "2026-11-20", families=None) -> str:
    return document.write(text, rows, families or {}, when=when, here=here, order=ORDER)


def test_rows_stand_in_the_order_of_the_benchmarks_not_of_measuring() -> None:
    text = written(document.SKELETON, row("tick/drawing", 3.0), row("tick/whole", 4.0))
    text = written(text, row("startup/painted", 1.0))
    assert list(document.lines_of(text, "speed")) == ["startup/painted", "tick/drawing", "tick/whole"]


def test_a_partial_run_keeps_every_other_line_to_the_letter() -> None:
    before = written(document.SKELETON, row("startup/painted", 1.0, "So."), row("tick/drawing", 3.0, "And so."))
    after = written(before, row("startup/painted", 2.0, "Otherwise."), when="2026-12-24")
    old, new = document.lines_of(before, "speed"), document.lines_of(after, "speed")
    assert new["tick/drawing"] == old["tick/drawing"]
    assert "2.00 ms" in new["startup/painted"] and "2026-12-24" in new["startup/painted"]
    assert document.lines_of(after, "how")["startup/painted"].endswith("Otherwise.")
    assert document.lines_of(after, "how")["tick/drawing"].endswith("And so.")


def test_a_benchmark_that_has_fewer_parts_now_leaves_no_old_line() -> None:
    text = written(document.SKELETON, row("tick/drawing", 3.0, "So."), row("tick/whole", 4.0, "So."))
    text = written(text, row("tick/drawing", 3.0))
    assert list(document.lines_of(text, "speed")) == ["tick/drawing"]
    assert document.lines_of(text, "how") == {}


def test_machines_are_named_once_and_forgotten_with_their_last_line() -> None:
    text = written(document.SKELETON, row("startup/painted", 1.0))
    text = written(text, row("tick/drawing", 1.0), here="sixteen cores")
    text = written(text, row("search/all", 1.0), here="two cores")
    assert {key: line.partition(": ")[2] for key, line in document.lines_of(text, "machines").items()} == {
        "A": "two cores",
        "B": "sixteen cores",
    }
    text = written(text, row("startup/painted", 1.0), row("search/all", 1.0), here="sixteen cores")
    assert list(document.lines_of(text, "machines")) == ["B"]
    assert text.count("two cores") == 0


def test_families_keep_their_own_table() -> None:
    text = written(document.SKELETON, row("startup/painted", 1.0))
    text = written(text, families={"mlp/quick": ["mlp/quick"] + [""] * 7})
    text = written(text, families={"cnn/quick": ["cnn/quick"] + [""] * 7})
    assert list(document.lines_of(text, "families")) == ["mlp/quick", "cnn/quick"]
    assert list(document.lines_of(text, "speed")) == ["startup/painted"]


def test_prose_around_the_tables_and_pipes_inside_survive() -> None:
    text = document.SKELETON + "\nA word of somebody's own.\n"
    text = written(text, Row(key="search/all", what="p(a|b)", missing="no | way"))
    assert text.endswith("A word of somebody's own.\n")
    line = document.lines_of(text, "speed")["search/all"]
    assert line.replace("\\|", "").count("|") == len(document.SPEED) + 1


def test_a_document_without_its_markers_is_refused_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="no place for the table 'speed'"):
        written("# Something else\n", row("startup/painted", 1.0))


def test_a_document_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "docs" / "benchmarks.md"
    assert document.read(path) == document.SKELETON
    document.replace(written(document.SKELETON, row("tick/drawing", 1.0)), path)
    assert "What tick/drawing takes" in document.read(path)
    assert [each.name for each in path.parent.iterdir()] == ["benchmarks.md"]
