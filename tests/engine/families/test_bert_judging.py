"""How a BERT learns to judge sentences, with and without having read before."""

from __future__ import annotations

import math

import pytest
import torch

from engine.core.errors import DataError, UsageError
from engine.core.events import Baseline, HeatMap, Table, Text
from engine.data.sentences import Sentences, split_sentences
from engine.families.bert.baselines import bag_of_words_accuracy
from engine.families.bert.filling import Filler
from engine.families.bert.judging import Judge
from engine.families.bert.learner import learner as learner_of
from engine.families.bert.reading import Reader
from engine.families.bert.spec import BERT_2018, BERTSpec, JudgeSettings
from engine.play.judge import judge
from engine.train.evaluate import evaluate, looking_at
from engine.train.learner import Setting
from tests.engine.families.proofs import learner as shipped
from tests.engine.families.proofs import losses, overfit

SMALL = {
    "objective": "classify",
    "tokens": "words",
    "layers": 2,
    "heads": 2,
    "width": 16,
    "context": 12,
    "batch_size": 8,
}


def data() -> Sentences:
    """Praise and blame share all words: the order alone tells them apart, which no bag of words can see."""
    things = ("film", "plot", "cast", "end", "song", "joke")
    return split_sentences(
        "toy",
        {
            "bad": [f"the {a} is bad , the {b} not good" for a in things for b in things],
            "good": [f"the {a} is good , the {b} not bad" for a in things for b in things],
        },
        seed=0,
    )


def learner(start: Reader | None = None, **knobs: object) -> Reader:
    torch.manual_seed(0)
    spec = BERTSpec.of({**SMALL, **knobs})  # type: ignore[arg-type]
    inputs = {} if start is None else {"model": start.weights()}
    made = learner_of(Setting(spec, data(), 0, torch.device("cpu"), inputs=inputs))  # type: ignore[arg-type]
    made.mode(training=True)
    made.optimizers.schedule(1.0)
    return made


def test_the_loss_starts_at_the_logarithm_of_the_classes() -> None:
    ours = learner()
    assert isinstance(ours, Judge)
    assert evaluate(ours)["valid/loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert losses(ours, 1)[0] == pytest.approx(math.log(2), abs=1e-6)


def test_the_same_seed_gives_the_same_losses_with_dropout_too() -> None:
    assert losses(learner(dropout=0.2), 5) == losses(learner(dropout=0.2), 5)


@pytest.mark.parametrize("pool", ["first", "mean"])
@pytest.mark.parametrize("knobs", [{}, BERT_2018], ids=["modern", "2018"])
def test_gradients_reach_every_parameter_and_are_finite(knobs: dict[str, object], pool: str) -> None:
    ours = learner(**{**knobs, "pool": pool, "context": 11})
    losses(ours, 4)
    ours.optimizers.clear()
    ours.loss(ours.batches().at(5))["loss"].backward()
    for name, parameter in ours.modules["model"].named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), name


def test_learns_eight_examples_by_heart() -> None:
    assert overfit(learner(), steps=60) < 0.05


def test_it_reads_the_order_of_words_which_no_bag_of_words_can() -> None:
    ours = learner()
    losses(ours, 80)
    assert evaluate(ours)["valid/accuracy"] > 0.95
    assert bag_of_words_accuracy(data()) < 0.6


def test_it_starts_with_the_encoder_of_a_run_that_filled_gaps_and_a_head_of_its_own() -> None:
    base = learner(objective="masked")
    assert isinstance(base, Filler)
    losses(base, 5)
    ours = learner(start=base)
    before, after = base.weights(), ours.weights()
    encoder = [name for name in after if name.startswith("model.encoder.")]
    assert encoder and all(torch.equal(before[name], after[name]) for name in encoder)
    assert not after["model.head.weight"].any()
    assert ours.vocabulary.words == base.vocabulary.words
    with pytest.raises(UsageError, match="no head for gaps"):
        ours.fill("the _", 3)


def test_draws_attention_confusion_figures_and_mistakes() -> None:
    ours = learner()
    with looking_at(ours):
        assert all(isinstance(each, HeatMap) for each in ours.draw(0)), "nothing was judged yet"
    evaluate(ours)
    with looking_at(ours):
        attention, _, _, confusion, by_class, mistakes = ours.draw(1)
    assert isinstance(attention, HeatMap) and attention.rows[0] == "[CLS]"
    assert isinstance(confusion, HeatMap) and sum(map(sum, confusion.values)) == len(data().valid_texts)
    assert isinstance(by_class, Table) and isinstance(mistakes, Table)
    assert mistakes.rows and all(row[2] in data().valid_texts for row in mistakes.rows)


def test_baselines_are_measured_on_the_same_split() -> None:
    found = {each.name: each.value for each in learner().baselines() if isinstance(each, Baseline)}
    assert found["majority class"] == 0.5
    assert found["guessing"] == pytest.approx(math.log(2))
    assert "bag of words" in found


def test_a_sentence_is_judged_and_the_words_that_it_owes_to_are_told() -> None:
    ours = learner()
    losses(ours, 80)
    with looking_at(ours):
        sentence, classes, words = judge(ours, JudgeSettings(text="the film is good , the plot not bad"))
        _, example, _ = judge(ours, JudgeSettings(example=3))
    assert isinstance(sentence, Text) and isinstance(classes, Table) and isinstance(words, Table)
    assert classes.name == "taken for good" and float(classes.rows[0][1][:-2]) > 80
    assert len(words.rows) == 9 and float(words.rows[0][1]) == max(map(float, (row[1] for row in words.rows)), key=abs)
    assert isinstance(example, Table) and ", in truth " in example.name
    with looking_at(ours), pytest.raises(UsageError, match="counted from 0"):
        list(judge(ours, JudgeSettings(example=10_000)))
    with looking_at(ours), pytest.raises(UsageError, match="no sentence to judge"):
        list(judge(ours, JudgeSettings(text="  ")))


def test_what_is_said_of_a_word_is_what_the_sentence_without_it_is_taken_for() -> None:
    ours = learner()
    losses(ours, 80)
    said = ["the", "film", "is", "good", ",", "the", "plot", "not", "bad"]
    with looking_at(ours):
        ((name, chance), _), words = ours.judge(" ".join(said))
        assert [word for word, _ in words] == said
        for place, (_, fall) in enumerate(words):
            without, _ = ours.judge(" ".join(said[:place] + said[place + 1 :]))
            assert fall == pytest.approx(chance - dict(without)[name], abs=1e-5)


def test_data_without_classes_are_refused_before_training() -> None:
    with pytest.raises(DataError, match=r"glossary has no labeled sentences.*objective=masked"):
        shipped("bert", objective="classify")
