"""The lab on pre-training: judges, examples of three tasks, and a model that learns to answer."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from engine.core.errors import DataError, UsageError
from engine.core.lab import Results
from engine.data.text import Characters
from engine.families.gpt.learner import build_gpt
from engine.families.gpt.model import GPT
from engine.families.gpt.spec import GPTSpec
from engine.labs.pre_training.compute import examples, parted
from engine.labs.pre_training.lab import LAB, LEADS, Budget, few, lead_class, shrinks, sizes_of
from engine.labs.pre_training.learn import IGNORED, accuracy, encode, learn, mean_loss
from engine.labs.pre_training.pairs import ANSWER, GIVEN, Pairs, own_table, questions, shuffled, spelling

CHARACTERS = Characters("abcdefghijklmnopqrstuvwxyz \n:QA")


def results(start: float, end: float, noise: float = 0.01, *, accurate: bool = False) -> Results:
    figures: dict[tuple[str, int], dict[str, float]] = {}
    for seed in range(3):
        shift = noise * (seed - 1)
        found = {"pretrained/loss/4": 1.5, "scratch/loss/4": 1.5 + start + shift}
        found |= {"pretrained/loss/64": 1.4, "scratch/loss/64": 1.4 + end - shift}
        if accurate:
            found |= {"pretrained/accuracy/4": 0.6, "scratch/accuracy/4": 0.5}
            found |= {"pretrained/accuracy/64": 0.9, "scratch/accuracy/64": 0.6 + shift}
        figures["labels", seed] = found
    return Results(figures, (0, 1, 2), Budget(sizes="4, 64, 5000"))


def test_the_judges_hold_do_not_hold_and_do_not_know() -> None:
    assert sizes_of(results(1, 1)) == [4, 64]
    assert few(results(1.4, 1.0)).holds is True
    assert few(results(-0.2, 1.0)).holds is False
    assert few(results(0.001, 1.0)).holds is None
    assert shrinks(results(1.4, 1.0)).holds is True
    assert shrinks(results(1.0, 1.4)).holds is False
    assert shrinks(results(1.0, 1.0)).holds is None


def test_where_there_are_classes_the_share_of_right_answers_decides() -> None:
    found = results(1.4, 1.0, accurate=True)
    assert few(found).holds is True
    assert shrinks(found).holds is False
    assert shrinks(found).measured[1].value == pytest.approx(30, abs=0.1)
    assert lead_class(found) == LEADS[3]
    assert lead_class(results(1.4, 1.0)) == LEADS[2]
    assert lead_class(results(1.4, 0.01)) == LEADS[0]


@pytest.mark.parametrize("sizes", ["", "4", "four, 8", "1, 2", "2 3 4 5 6 7 8 9 10"])
def test_sizes_that_make_no_curve_are_refused(sizes: str) -> None:
    with pytest.raises(UsageError, match="sizes"):
        Budget(sizes=sizes)


def test_the_base_is_kept_and_is_the_plain_quick_gpt() -> None:
    base, labels = LAB.arms(Budget())
    assert base.kept
    assert base.target == "gpt/quick"
    assert labels.reads == ("base",)


def test_questions_are_examples_that_fit_the_context() -> None:
    pairs = examples("answers", 0)
    assert len(pairs) > 200
    assert not pairs.classes
    assert all(len(given) <= GIVEN + 2 for given in pairs.given)
    assert all(0 < len(answer) <= ANSWER for answer in pairs.answers)
    assert questions("Question: Why?\nAnswer: So.\n\n" * 8, 0).take(0, 1).given == ("Why?\nAnswer: ",)


def test_every_second_word_has_its_letters_shuffled_and_none_is_there_twice() -> None:
    text = "the table shows many different letters which would never make another proper sentence alone again"
    pairs = spelling(text, 3)
    right = [given.strip() for given, answer in zip(pairs.given, pairs.answers, strict=True) if answer == "right"]
    wrong = [given.strip() for given, answer in zip(pairs.given, pairs.answers, strict=True) if answer == "wrong"]
    assert abs(len(right) - len(wrong)) <= 1
    assert set(right) <= set(text.split())
    letters = {"".join(sorted(word)) for word in text.split()}
    assert all(word not in text.split() and "".join(sorted(word)) in letters for word in wrong)
    assert not {"".join(sorted(word)) for word in right} & {"".join(sorted(word)) for word in wrong}
    assert spelling(text, 3) == pairs != spelling(text, 4)


def test_a_table_of_ones_own_gives_text_and_label(tmp_path: Path) -> None:
    rows = [f"{place},a good film number {place},pos" if place % 2 else f"{place},dull,neg" for place in range(60)]
    (tmp_path / "films.csv").write_text("id,text,label\n" + "\n".join(rows))
    pairs = own_table(tmp_path / "films.csv", 0)
    assert pairs.classes == ("neg", "pos")
    assert "dull\n" in pairs.given
    parts = parted(pairs, 30)
    assert [len(part) for part in parts] == [15, 7, 38]
    assert sum((part.given for part in parts), ()) == pairs.given


@pytest.mark.parametrize(("content", "message"), [
    ("text,label\n" + "one,a\ntwo,b\n", "too few"),
    ("text,label\n" + "".join(f"word{place},a\n" for place in range(60)), "the same label"),
    ("\x00\x01", "mine.csv"),
    ("", "mine.csv"),
])  # fmt: skip
def test_a_table_that_cannot_be_measured_on_is_told(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "mine.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        own_table(tmp_path / "mine.csv", 0)
    with pytest.raises(DataError):
        own_table(tmp_path / "none.csv", 0)


def model() -> GPT:
    torch.manual_seed(0)
    return build_gpt(GPTSpec(layers=1, heads=2, width=16, context=12), CHARACTERS).eval()


def toy() -> Pairs:
    return shuffled([("aab ", "yes"), ("xyz ", "no"), ("aba ", "yes"), ("zyx ", "no")] * 4, 0)


def test_only_the_characters_of_the_answer_count() -> None:
    x_BT, y_BT = encode(toy().take(0, 2), CHARACTERS, 12)
    for row in range(2):
        answer = [number for number in y_BT[row].tolist() if number != IGNORED]
        assert CHARACTERS.decode(answer) == toy().answers[row]
        assert CHARACTERS.decode(x_BT[row, 4 : 4 + len(answer) - 1]) == toy().answers[row][:-1]
    singly = sum(mean_loss(model(), (x_BT[[row]], y_BT[[row]])) * len(toy().answers[row]) for row in range(2))
    letters = sum(map(len, toy().answers[:2]))
    assert mean_loss(model(), (x_BT, y_BT)) == pytest.approx(singly / letters, abs=1e-5)


def test_the_start_has_every_character_equally_likely_and_learning_leaves_it_alone() -> None:
    start, pairs = model(), toy()
    before = {name: tensor.clone() for name, tensor in start.state_dict().items()}
    coded = encode(pairs, CHARACTERS, 12)
    assert mean_loss(start, coded) == pytest.approx(math.log(len(CHARACTERS)), abs=1e-4)
    trained = learn(start, coded, coded, 60, 0.01, 0)
    assert mean_loss(trained, coded) < 0.3
    assert accuracy(trained, pairs, CHARACTERS) == 1.0
    assert all(torch.equal(tensor, before[name]) for name, tensor in start.state_dict().items())
    again = learn(start, coded, coded, 60, 0.01, 0)
    assert mean_loss(again, coded) == mean_loss(trained, coded)


def test_it_stops_where_it_does_best_on_what_is_watched() -> None:
    start, pairs = model(), toy()
    other = encode(
        Pairs(pairs.given, tuple("no" if each == "yes" else "yes" for each in pairs.answers)), CHARACTERS, 12
    )
    coded = encode(pairs, CHARACTERS, 12)
    assert mean_loss(learn(start, coded, other, 80, 0.02, 0), other) < mean_loss(start, other)
    assert mean_loss(learn(start, coded, other, 80, 0.02, 0), coded) > mean_loss(
        learn(start, coded, coded, 80, 0.02, 0), coded
    )


def test_without_classes_no_share_of_right_answers_is_told() -> None:
    free = Pairs(("a ", "b "), ("yes", "no"))
    assert math.isnan(accuracy(model(), free, CHARACTERS))


def test_taking_goes_round() -> None:
    pairs = Pairs(("a", "b", "c"), ("x", "y", "z"))
    assert pairs.take(2, 2).given == ("c", "a")
