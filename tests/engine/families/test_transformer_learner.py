"""How a transformer learns: from chance, all of it, the same every time; and what it answers when asked."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.core.errors import DataError, UsageError
from engine.core.events import Baseline, HeatMap, Table, Text, decode, encode
from engine.data.bleu import bleu
from engine.data.examples import Corpus
from engine.data.load import load
from engine.data.pair_tasks import Pair
from engine.data.pairs import Pairs
from engine.families.transformer.learner import TransformerLearner
from engine.families.transformer.spec import FAMILY, OF_2017, TransformerSpec
from engine.families.transformer.vocabulary import END, PAD, SPECIAL, START, UNKNOWN, Vocabulary
from engine.play.translate import score, translate
from engine.train.evaluate import evaluate, looking_at
from engine.train.learner import Setting
from tests.engine.families.proofs import untouched
from tests.engine.play.playing import played, trained

CPU = torch.device("cpu")
SMALL = {"layers": 1, "heads": 2, "width": 16, "batch_size": 8, "buckets": 2}
WORDS = {"ein": "a", "zwei": "two", "hund": "dog", "mann": "man", "rot": "red", "groß": "big", "läuft": "runs"}


def toy(prose: bool = True, **parts: object) -> Pairs:
    """Sentences of a language in which every word has one translation."""
    draw = torch.Generator().manual_seed(0)
    pairs = []
    for number in range(660):
        german = [list(WORDS)[each] for each in torch.randint(len(WORDS), (3 + number % 4,), generator=draw).tolist()]
        pairs.append(Pair(" ".join(german), " ".join(WORDS[each] for each in german)))
    made = Pairs(
        name="toy", train=tuple(pairs[:600]), valid=tuple(pairs[600:640]), test=tuple(pairs[640:]), prose=prose,
        languages=("German", "English"),
    )  # fmt: skip
    return replace(made, **parts)  # type: ignore[arg-type]


def learner(data: object = None, seed: int = 0, **knobs: object) -> TransformerLearner:
    torch.manual_seed(seed)
    spec = TransformerSpec.of({**SMALL, **knobs})  # type: ignore[arg-type]
    made = TransformerLearner(Setting(spec, toy() if data is None else data, seed, CPU))
    made.mode(training=True)
    made.optimizers.schedule(1.0)
    return made


def train(ours: TransformerLearner, steps: int) -> list[float]:
    batches = ours.batches()
    return [float(ours.train_step(batches.at(step))["loss"]) for step in range(steps)]


@pytest.fixture(scope="module")
def fluent() -> TransformerLearner:
    """A learner that has learned the toy language."""
    made = learner(layers=2, width=32, pieces=60, positions="sinusoidal")
    train(made, 160)
    made.optimizers.schedule(0.1)
    train(made, 40)
    return made


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("pieces", [0, 60])
def test_the_loss_starts_at_the_logarithm_of_the_vocabulary(pieces: int, smoothing: float) -> None:
    ours = learner(pieces=pieces, smoothing=smoothing)
    expected = math.log(len(ours.vocabulary))
    assert evaluate(ours)["valid/loss"] == pytest.approx(expected, abs=1e-5)
    assert train(ours, 1)[0] == pytest.approx(expected, abs=1e-5)


def test_the_same_seed_gives_the_same_losses_with_dropout_too() -> None:
    assert train(learner(dropout=0.1), 6) == train(learner(dropout=0.1), 6) != train(learner(seed=1), 6)


@pytest.mark.parametrize("knobs", [{}, OF_2017, {"positions": "learned"}], ids=["modern", "2017", "learned positions"])
def test_gradients_reach_every_parameter_and_are_finite(knobs: dict[str, object]) -> None:
    ours = learner(**{**knobs, "learning_rate": 0.005})
    train(ours, 4)  # away from the zeros, through which nothing flows
    ours.optimizers.clear()
    assert untouched(ours) == []


@pytest.mark.parametrize(
    "knobs", [{}, {**OF_2017, "dropout": 0.0, "smoothing": 0.0, "learning_rate": 0.005}], ids=["modern", "2017"]
)
def test_learns_eight_examples_by_heart(knobs: dict[str, object]) -> None:
    ours = learner(width=32, **knobs)
    batch = ours.batches().at(0)
    for _ in range(150):
        ours.train_step(batch)
    assert ours.loss(batch)["loss"].item() < 0.02


def test_a_batch_in_pieces_makes_the_same_update() -> None:
    whole, pieces = learner(), learner()
    pieces.micro_batches = 4
    batch = whole.batches().at(3)
    assert float(whole.train_step(batch)["loss"]) == pytest.approx(float(pieces.train_step(batch)["loss"]), abs=1e-6)
    whole, pieces = learner(optimizer="sgd"), learner(optimizer="sgd")
    pieces.micro_batches = 4
    for _ in range(3):
        whole.train_step(batch)
        pieces.train_step(batch)
    for ours, theirs in zip(whole.weights().values(), pieces.weights().values(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_it_is_resumed_exactly() -> None:
    through, stopped, resumed = (learner(dropout=0.0, ema=0.9) for _ in range(3))
    train(through, 8)
    train(stopped, 4)
    with looking_at(stopped):
        weights = {name: tensor.clone() for name, tensor in stopped.weights().items()}
    with torch.no_grad():
        resumed.load_weights(weights)
        resumed.load_state(stopped.state())
    batches = resumed.batches()
    for step in range(4, 8):
        resumed.train_step(batches.at(step))
    for name, tensor in through.weights().items():
        assert torch.equal(resumed.weights()[name], tensor), name


def test_the_loss_of_validation_is_a_mean_over_tokens_however_they_are_batched(fluent: TransformerLearner) -> None:
    with looking_at(fluent):
        total, count = 0.0, 0
        for pair in fluent.pairs.valid:
            source = torch.tensor([fluent.vocabulary.encode(pair.source)])
            target = torch.tensor([[START, *fluent.vocabulary.encode(pair.target)]])
            losses, _ = fluent._losses(source, target)
            total, count = total + float(losses.sum()), count + losses.numel()
    assert evaluate(fluent)["valid/loss"] == pytest.approx(total / count, rel=1e-3, abs=1e-5)


def test_it_learns_a_language_of_words(fluent: TransformerLearner) -> None:
    measured = evaluate(fluent)
    assert measured["valid/accuracy"] > 0.8
    assert measured["valid/token_accuracy"] > 0.95
    assert measured["valid/length_ratio"] == pytest.approx(1, abs=0.1)
    with looking_at(fluent):
        answers = [answer for ((answer, _),) in fluent.answers([pair.source for pair in fluent.pairs.valid])]
    targets = [pair.target for pair in fluent.pairs.valid]
    assert measured["valid/bleu"] == pytest.approx(bleu(answers, targets), abs=1.0)
    right = sum(answer == target for answer, target in zip(answers, targets, strict=True))
    assert measured["valid/accuracy"] == pytest.approx(right / len(targets), abs=0.03)


def test_smoothed_targets_give_every_token_a_share() -> None:
    ours = learner(smoothing=0.2, buckets=1)
    train(ours, 5)
    source, target, predicted = batch = ours.batches().at(6)
    logs = ours._model(source, target[:, :-1]).log_softmax(-1)
    right = logs.gather(2, target[:, 1:, None])[..., 0]
    losses = -(0.8 * right + 0.2 * logs.mean(-1)) * (target[:, 1:] != PAD)
    assert ours.loss(batch)["loss"].item() == pytest.approx((losses.sum(1) / predicted).mean().item(), abs=1e-5)


def test_the_length_ratio_is_one_of_characters() -> None:
    ours = learner(pieces=60)
    train(ours, 12)
    measured = evaluate(ours)["valid/length_ratio"]
    targets = sum(len(pair.target) for pair in ours.pairs.valid)
    assert measured == pytest.approx(sum(map(len, ours._answers.values())) / targets, abs=1e-6)


def test_bleu_is_told_of_sentences_alone() -> None:
    assert "valid/bleu" in evaluate(learner())
    assert "valid/bleu" not in evaluate(learner(toy(prose=False)))


def test_draws_where_it_looks_and_what_it_answers(fluent: TransformerLearner) -> None:
    with looking_at(fluent):
        mean, *heads, answers = fluent.draw(3)
    source, target = fluent.pairs.valid[0]
    assert isinstance(mean, HeatMap) and isinstance(answers, Table)
    assert (mean.rows, mean.columns) == ([*target.split(), "<end>"], [*source.split(), "<end>"])
    assert [sum(row) for row in mean.values] == pytest.approx([1.0] * len(mean.rows), abs=0.02)
    assert len(heads) == 2
    assert answers.columns == ["German", "English", "it says"] and len(answers.rows) == 8
    assert answers.rows[0][:2] == [source, target] and "\N{CHECK MARK}" in [row[2] for row in answers.rows]
    assert decode(encode(answers)) == answers


def test_copying_and_looking_up_are_reference_lines() -> None:
    found = list(learner(toy(valid=toy().train[:20])).baselines())
    figures = {(each.metric, each.name): each.value for each in found if isinstance(each, Baseline)}
    assert figures["valid/accuracy", "copy"] == 0.0 == figures["valid/bleu", "copy"]
    assert figures["valid/accuracy", "memory"] > 0.6, "what is asked stands in the memory, if also in other orders"
    assert figures["valid/bleu", "memory"] > 60


def test_a_vocabulary_gives_back_what_it_was_given_and_knows_the_unknown() -> None:
    for size in (0, 40):
        words = Vocabulary((text for pair in toy().train for text in pair), size)
        assert words.words[: len(SPECIAL)] == SPECIAL and (size == 0 or len(words) <= size)
        numbers = words.encode("zwei hund läuft")
        assert numbers[-1] == END and words.decode([*numbers, PAD, 7]) == "zwei hund läuft"
        assert UNKNOWN in words.encode("hündin")


@pytest.mark.parametrize(
    ("data", "knobs", "error", "says"),
    [
        (Corpus(name="prose", train="abc", valid="abc"), {}, DataError, "prose has no pairs.*data=reverse"),
        (None, {"longest": 8}, DataError, r"text of \d+ tokens.*Set longest="),
        (None, {"pieces": 12}, UsageError, "no room for the characters.*Set pieces"),
    ],
)
def test_what_does_not_go_together_is_refused(
    data: object, knobs: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        learner(data, **knobs)


def test_a_text_of_ones_own_is_translated(fluent: TransformerLearner) -> None:
    settings = FAMILY.play("translate").settings
    with looking_at(fluent):
        answer, race, mean, *_ = translate(fluent, settings.of({"text": "zwei hund läuft", "beams": 3}))
    assert isinstance(answer, Text) and isinstance(race, Table) and isinstance(mean, HeatMap)
    assert answer.text == race.rows[0][0] == "two dog runs"
    assert len(race.rows) == 3
    scores = [float(row[1]) for row in race.rows]
    assert scores == sorted(scores, reverse=True)
    with looking_at(fluent), pytest.raises(UsageError, match="Shorten it"):
        list(translate(fluent, settings.of({"text": "hund " * 80})))


def test_an_example_is_translated_beside_its_target(fluent: TransformerLearner) -> None:
    settings = FAMILY.play("translate").settings
    with looking_at(fluent):
        answer, truth, *_ = translate(fluent, settings.of({"example": 2, "beams": 1}))
    assert isinstance(answer, Text) and isinstance(truth, Text)
    assert answer.prompt.strip() == fluent.pairs.valid[2].source and truth.text == fluent.pairs.valid[2].target
    with pytest.raises(UsageError, match="counted from 0"):
        list(translate(fluent, settings.of({"example": 999})))


def test_the_test_is_taken_greedily_and_with_beams(fluent: TransformerLearner) -> None:
    with looking_at(fluent):
        (table,) = score(fluent, FAMILY.play("score").settings.of({"beams": 2, "examples": 12}))
    assert isinstance(table, Table) and table.name == "test, 12 pairs"
    assert [row[0] for row in table.rows] == ["greedy", "2 beams"]
    assert all(float(row[-1]) > 50 for row in table.rows)
    with looking_at(fluent):
        (table,) = score(fluent, FAMILY.play("score").settings.of({"beams": 1, "examples": 12}))
    assert isinstance(table, Table) and [row[0] for row in table.rows] == ["greedy"]


def test_a_run_is_played_with_from_its_folder(tmp_path: Path) -> None:
    folder = trained(tmp_path / "run", "transformer", steps=3, layers=1, width=16, heads=2, examples=64)
    answer, race, *maps = played(folder, text="abc", beams=2)
    assert isinstance(answer, Text) and isinstance(race, Table) and len(maps) == 3


def test_every_preset_is_complete_and_in_range() -> None:
    for preset in FAMILY.presets:
        spec = FAMILY.configure(preset.name)
        assert spec.data in FAMILY.data
        assert spec.total_samples(0) > 0


def test_the_table_knows_how_many_characters_the_embedded_tasks_have() -> None:
    from engine.data.table import TABLE

    for name in ("reverse", "sort", "dates"):
        spec = TransformerSpec.of({"data": name})
        data = load(name, spec, 0, CPU)
        assert len(Vocabulary(text for pair in data.train for text in pair)) == TABLE[name].outputs
