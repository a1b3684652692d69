"""Playing with trained models: a text is gone on with, an example is classified, a word has neighbors."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
import torch

from engine.core.errors import DataError, LexigradError, RunError, UsageError
from engine.core.events import Failed, Finished, Pictures, Table, Text, decode
from engine.core.recipe import Asked, Recipe, write_recipe
from engine.core.spec import Value
from engine.play.__main__ import Player, answered
from engine.play.complete import shown
from engine.play.neighbors import parse
from tests.engine.play.playing import played, trained

TINY: dict[str, Value] = {"layers": 1, "heads": 2, "width": 16, "context": 16, "batch_size": 4, "steps": 4}
RECURRENT: dict[str, Value] = {"width": 8, "embedding": 4, "context": 8, "batch_size": 4, "steps": 4}


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("runs") / "gpt", "gpt", **TINY)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("runs") / "cnn", "cnn", epochs=4.0)


def test_a_text_is_gone_on_with_and_what_may_come_next_is_told(writer: Path) -> None:
    table, text = played(writer, "complete", prompt="The ", length=12)
    assert isinstance(table, Table) and isinstance(text, Text)
    assert len(table.rows) == 10 and all(row[1].endswith(" %") for row in table.rows)
    assert text.prompt == "The " and len(text.text) == 12


def test_the_same_chance_writes_the_same_and_none_at_all_takes_the_likeliest(writer: Path) -> None:
    def written(**settings: float) -> str:
        event = played(writer, prompt="The ", length=8, **settings)[-1]
        assert isinstance(event, Text)
        return event.text

    assert written(seed=1) == written(seed=1) != written(seed=2)
    likeliest = played(writer, prompt="The ", length=0)[0]
    assert isinstance(likeliest, Table)
    assert shown(written(temperature=0.0, seed=5)[0]) == likeliest.rows[0][0]


def test_a_prompt_of_unknown_letters_is_no_reason_to_fall_silent(writer: Path) -> None:
    text = played(writer, prompt="\N{SNOWMAN}", length=3)[-1]
    assert isinstance(text, Text) and len(text.text) == 3


def test_an_example_of_the_validation_split_is_classified(reader: Path) -> None:
    picture, table = played(reader, example=3)
    assert isinstance(picture, Pictures) and (picture.count, picture.height) == (1, 8)
    assert max(picture.pixels) == 255, "16 of the digits is white"
    assert isinstance(table, Table) and "in truth" in table.name
    assert len(table.rows) == 10 and sum(float(row[1][:-2]) for row in table.rows) == pytest.approx(100, abs=1)


def test_what_is_played_with_are_the_averaged_weights(tmp_path: Path) -> None:
    from engine.play.opened import open_model
    from engine.train.checkpoint import latest_checkpoint
    from engine.train.evaluate import looking_at

    folder = trained(tmp_path / "mlp", "mlp", data="moons", width=8, depth=1, epochs=2.0, ema=0.9)
    checkpoint, _ = latest_checkpoint(folder)
    learner = open_model(folder)
    assert checkpoint is not None
    with looking_at(learner):
        assert all(torch.equal(own, checkpoint.model[name]) for name, own in learner.weights().items())


@pytest.mark.parametrize(
    ("family", "before", "after"),
    [
        ("cnn", {"channels": 0.5, "epochs": 0.2}, {"channels": 0.5, "epochs": 0.2}),
        ("gpt", TINY, {**TINY, "adapt": "lora", "rank": 2}),
        ("bert", TINY, TINY),
        ("rnn", RECURRENT, RECURRENT),
    ],
)
def test_a_model_that_began_with_another_run_is_whole_without_that_run(
    family: str, before: dict[str, Value], after: dict[str, Value], tmp_path: Path
) -> None:
    base = trained(tmp_path / "base", family, **before)
    tuned = trained(tmp_path / "tuned", family, start=base, **after)
    asked: dict[str, Value] = {"text": "t_e"} if family == "bert" else {}
    expected = played(tuned, **asked)
    shutil.rmtree(base)
    assert played(tuned, **asked) == expected


def test_a_picture_of_ones_own_is_brought_to_the_size_that_the_model_sees(reader: Path, tmp_path: Path) -> None:
    from PIL import Image

    drawn = Image.new("L", (64, 64), 255)
    drawn.paste(0, (24, 8, 40, 56))
    drawn.save(tmp_path / "one.png")
    picture, table = played(reader, file=str(tmp_path / "one.png"), invert=True)
    assert isinstance(picture, Pictures) and isinstance(table, Table)
    rows = torch.frombuffer(bytearray(picture.pixels), dtype=torch.uint8).view(8, 8)
    assert rows[4, 4] > 200 and rows[0, 0] == 0, "a light stroke on a dark ground"
    assert "in truth" not in table.name


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"example": 10_000}, UsageError, "counted from 0"),
        ({"file": "nowhere.png"}, DataError, "no file"),
        ({"file": __file__}, DataError, "no picture"),
        ({"exampel": 3}, UsageError, "example"),
    ],
)
def test_what_cannot_be_classified_is_said(
    reader: Path, settings: dict[str, object], error: type[LexigradError], says: str
) -> None:
    with pytest.raises(error, match=says):
        played(reader, **settings)  # type: ignore[arg-type]


def test_a_play_that_a_family_does_not_have_is_refused_with_those_that_it_has(reader: Path) -> None:
    with pytest.raises(UsageError, match=r"One cannot complete.*classify"):
        played(reader, "complete")


def test_a_run_without_a_checkpoint_has_no_model(tmp_path: Path) -> None:
    from engine.catalog import family

    (tmp_path / "run").mkdir()
    knobs = family("cnn").configure("quick").values()
    write_recipe(Recipe(family="cnn", preset="quick", knobs=knobs, asked=Asked()), tmp_path / "run")
    with pytest.raises(RunError, match="no checkpoint"):
        played(tmp_path / "run")


def test_words_have_neighbors_and_can_be_added_up(tmp_path: Path) -> None:
    folder = trained(tmp_path / "word2vec", "word2vec", width=8, steps=20)
    (nearest,) = played(folder, words="loss", count=4)
    assert isinstance(nearest, Table) and len(nearest.rows) == 4 and "loss" not in [row[0] for row in nearest.rows]
    (summed,) = played(folder, words="loss - training + test")
    assert isinstance(summed, Table) and not {"loss", "training", "test"} & {row[0] for row in summed.rows}
    with pytest.raises(UsageError, match="no word 'zyzzyva'"):
        played(folder, words="zyzzyva")


def test_sums_of_words_are_read_as_they_are_written() -> None:
    assert parse("king - man + woman") == (["king", "woman"], ["man"])
    assert parse("King -man") == (["king"], ["man"])
    assert parse("self-attention - k-means+t-SNE") == (["self-attention", "t-sne"], ["k-means"])
    with pytest.raises(UsageError):
        parse(" - ")


def test_every_request_is_answered_in_lines_that_end(writer: Path) -> None:
    player = Player(writer)

    def ask(line: bytes) -> tuple[bool, list[object]]:
        out = io.BytesIO()
        return answered(player, line, out), [decode(each) for each in out.getvalue().splitlines()]

    good, events = ask(json.dumps({"settings": {"prompt": "A", "length": 2}}).encode())
    assert good and isinstance(events[-1], Finished)
    for line, says in ((b"{", "no request"), (b'{"settings":{"temperature":-1}}', "temperature")):
        good, events = ask(line)
        assert not good and len(events) == 1 and isinstance(events[0], Failed) and says in events[0].what
