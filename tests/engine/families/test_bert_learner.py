"""How a BERT learns to fill gaps: what is hidden, what that costs, what it is measured against."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.core.errors import DataError, RunError, UsageError
from engine.core.events import Baseline, HeatMap, Table, Text
from engine.data.batches import seeded
from engine.data.examples import Corpus
from engine.families.bert.baselines import fill_in_baselines
from engine.families.bert.filling import Filler
from engine.families.bert.masking import Masking, fixed_windows
from engine.families.bert.spec import BERT_2018, FAMILY, BERTSpec, FillSettings
from engine.families.bert.vocabulary import END, FIRST, MASK, SPECIAL, START, Vocabulary
from engine.play.fill import fill
from engine.train.evaluate import evaluate, looking_at
from engine.train.learner import Setting
from tests.engine.families.proofs import learner as shipped
from tests.engine.play.playing import played, trained

LETTERS = "abcdefgh ,.\n"
V = FIRST + len(LETTERS)
SMALL = {"layers": 2, "heads": 2, "width": 16, "context": 16, "batch_size": 4}


def corpus(**parts: str) -> Corpus:
    text = "".join(np.random.default_rng(0).choice(list(LETTERS), 3000))
    return Corpus(name="toy", **{"train": text, "valid": text[:500], **parts})


def learner(data: object = None, start: Filler | None = None, seed: int = 0, **knobs: object) -> Filler:
    torch.manual_seed(seed)
    spec = BERTSpec.of({**SMALL, **knobs})  # type: ignore[arg-type]
    inputs = {} if start is None else {"model": start.weights()}
    return Filler(Setting(spec, data or corpus(), seed, torch.device("cpu"), inputs=inputs))  # type: ignore[arg-type]


def train(ours: Filler, steps: int, first: int = 0) -> list[float]:
    ours.mode(training=True)
    ours.optimizers.schedule(1.0)
    batches = ours.batches()
    return [float(ours.train_step(batches.at(step))["loss"]) for step in range(first, first + steps)]


def hidden(masking: Masking, x_BT: Tensor, seed: int = 0) -> tuple[Tensor, ...]:
    return masking.hide(x_BT, seeded(seed, 0, torch.device("cpu")))


def test_the_loss_starts_at_the_logarithm_of_the_vocabulary() -> None:
    ours = learner()
    assert evaluate(ours)["valid/loss"] == pytest.approx(math.log(V), abs=1e-6)
    assert train(ours, 1)[0] == pytest.approx(math.log(V), abs=1e-6)


def test_the_same_seed_gives_the_same_losses_with_dropout_too() -> None:
    assert train(learner(dropout=0.1), 6) == train(learner(dropout=0.1), 6) != train(learner(dropout=0.1, seed=1), 6)


@pytest.mark.parametrize("knobs", [{}, BERT_2018], ids=["modern", "2018"])
def test_gradients_reach_every_parameter_and_are_finite(knobs: dict[str, object]) -> None:
    ours = learner(**knobs)
    train(ours, 4)  # away from the zeros, through which nothing flows
    ours.optimizers.clear()
    ours.loss(ours.batches().at(9))["loss"].backward()
    for name, parameter in ours.modules["model"].named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.count_nonzero() > 0, name


@pytest.mark.parametrize("knobs", [{}, {**BERT_2018, "learning_rate": 0.01, "dropout": 0.0}], ids=["modern", "2018"])
def test_learns_eight_examples_by_heart(knobs: dict[str, object]) -> None:
    ours = learner(width=32, batch_size=8, **knobs)
    batch = ours.batches().at(0)
    ours.optimizers.schedule(1.0)
    for _ in range(100):
        scalars = ours.train_step(batch)
    assert scalars["loss"] < 0.05
    assert scalars["accuracy"] == 1.0


def test_a_fixed_share_of_every_window_is_hidden_four_fifths_of_it_behind_the_mask() -> None:
    x_BT = torch.randint(FIRST, 100, (400, 200), generator=torch.Generator().manual_seed(1))
    seen_BT, places_BP, targets_BP, kinds_BP = hidden(Masking(100), x_BT)
    assert places_BP.shape == (400, 30)
    assert all(len(set(row)) == 30 for row in places_BP.tolist())
    assert torch.equal(targets_BP, x_BT.gather(1, places_BP))
    assert torch.equal(seen_BT.scatter(1, places_BP, targets_BP), x_BT), "nothing else is touched"
    stands_BP, n = seen_BT.gather(1, places_BP), kinds_BP.numel()
    assert (stands_BP[kinds_BP == 0] == MASK).all()
    assert set(stands_BP[kinds_BP == 1].tolist()) == set(range(FIRST, 100)), "any token may stand there"
    assert (stands_BP[kinds_BP == 2] == targets_BP[kinds_BP == 2]).all()
    for kind, share in enumerate((0.8, 0.1, 0.1)):
        error = 4 * math.sqrt(share * (1 - share) / n)
        assert float((kinds_BP == kind).float().mean()) == pytest.approx(share, abs=error)
    # Every place is as likely as any other.
    counts_T = torch.bincount(places_BP.flatten(), minlength=200).float() / 400
    assert (counts_T - 0.15).abs().max() < 5 * math.sqrt(0.15 * 0.85 / 400)


def test_special_tokens_are_not_hidden() -> None:
    x_BT = torch.full((50, 20), START)
    x_BT[:, 5:12] = FIRST + 3
    _, places_BP, targets_BP, _ = hidden(Masking(20, rate=0.25), x_BT)
    assert ((places_BP >= 5) & (places_BP < 12)).all()
    assert (targets_BP == FIRST + 3).all()


def test_the_loss_is_that_of_the_hidden_places_and_knows_no_other_label() -> None:
    ours = learner()
    train(ours, 5)
    x_BT, places_BP, targets_BP = ours.batches().at(7)
    true_BT = x_BT.scatter(1, places_BP, targets_BP)
    everywhere_BT = torch.arange(16).expand(4, 16)
    scores_BTV = ours.modules["model"](x_BT, everywhere_BT)
    for shift in (0, 1):  # the labels of all other places edited
        labels_BT = FIRST + (true_BT - FIRST + shift) % len(LETTERS)
        labels_BT = labels_BT.scatter(1, places_BP, targets_BP)
        ignored_BT = torch.full_like(labels_BT, -100).scatter(1, places_BP, labels_BT.gather(1, places_BP))
        naive = F.cross_entropy(scores_BTV.flatten(0, 1), ignored_BT.flatten())
        loss = ours.loss((x_BT, places_BP, targets_BP))["loss"]
        assert loss.item() == pytest.approx(naive.item(), abs=1e-6)


def test_what_is_hidden_for_evaluation_is_always_the_same() -> None:
    first = learner()
    for other in (learner(seed=5), learner(mask_rate=0.5, mask_share=1.0, random_share=0.0)):
        for ours, theirs in zip(first.valid_batches(), other.valid_batches(), strict=True):
            assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert not torch.equal(first.batches().at(0)[1], first.batches().at(1)[1]), "training hides anew"


def test_evaluation_reads_the_whole_text_once() -> None:
    tokens = torch.arange(FIRST, FIRST + 83)
    windows = fixed_windows(tokens, 16, 2, Masking(100))
    assert torch.equal(
        torch.cat([x_BT.scatter(1, places, targets).flatten() for x_BT, places, targets, _ in windows]), tokens
    )
    assert [places.shape for _, places, _, _ in windows] == [(2, 2), (2, 2), (1, 2), (1, 1)]
    assert fixed_windows(tokens[:0], 16, 2, Masking(100)) == []


def test_accuracy_is_told_by_what_stood_at_the_place() -> None:
    ours = learner()
    train(ours, 3)
    told = evaluate(ours)
    names = ("loss", "accuracy", "accuracy_mask", "accuracy_random", "accuracy_kept")
    assert told.keys() == {f"valid/{name}" for name in names}
    right = torch.zeros(3)
    asked = torch.zeros(3)
    with looking_at(ours):
        for x_BT, places, targets, kinds in ours.valid_batches():
            guessed = ours.modules["model"](x_BT, places).argmax(-1) == targets
            for kind in range(3):
                right[kind] += guessed[kinds == kind].sum()
                asked[kind] += (kinds == kind).sum()
    assert told["valid/accuracy"] == pytest.approx(float(right.sum() / asked.sum()))
    assert told["valid/accuracy_kept"] == pytest.approx(float(right[2] / asked[2]))


def test_a_run_is_resumed_exactly() -> None:
    through, stopped = learner(dropout=0.0, ema=0.9), learner(ema=0.9)
    train(through, 12)
    train(stopped, 6)
    resumed = learner(ema=0.9)
    with torch.no_grad():
        with looking_at(stopped):
            kept = {name: tensor.clone() for name, tensor in stopped.weights().items()}
        resumed.load_weights(kept)
        resumed.load_state(stopped.state())
    train(resumed, 6, first=6)
    for name, tensor in through.weights().items():
        assert torch.equal(resumed.weights()[name], tensor), name


def test_counting_reaches_what_can_be_counted() -> None:
    ours = learner(corpus(train="abcd" * 300, valid="abcd" * 60 + "aaca" * 5))
    found = {(each.metric, each.name): each.value for each in ours.baselines() if isinstance(each, Baseline)}
    assert found["valid/accuracy", "most frequent"] == pytest.approx(0.25, abs=0.12)
    assert 0.8 < float(found["valid/accuracy", "left neighbor"]) < 1
    assert float(found["valid/accuracy", "both neighbors"]) >= float(found["valid/accuracy", "left neighbor"])
    assert found["valid/loss", "unigram"] == pytest.approx(math.log(4), abs=0.1)


def test_guessing_by_shares_counts_no_ends_of_sentences() -> None:
    train = torch.tensor([START, FIRST, FIRST, FIRST + 1, END] * 30)
    _, name, loss, _ = next(fill_in_baselines(train, fixed_windows(train, 10, 4, Masking(FIRST + 2)), FIRST + 2))
    windows = fixed_windows(train, 10, 4, Masking(FIRST + 2))
    share = torch.cat([(targets == FIRST).float().flatten() for _, _, targets, _ in windows]).mean().item()
    whole = 60 + 30 + FIRST + 2
    assert name == "unigram"
    assert loss == pytest.approx(-share * math.log(61 / whole) - (1 - share) * math.log(31 / whole), abs=1e-6)


def test_it_learns_what_the_other_side_alone_can_tell() -> None:
    # A capital stands before its small letter, and nothing before it tells which one comes.
    generator = np.random.default_rng(1)
    text = "".join(each.upper() + each for each in generator.choice(list("abcd"), 2000))
    ours = learner(corpus(train=text, valid=text[:800]), width=32, context=32)
    train(ours, 100)
    assert evaluate(ours)["valid/accuracy_mask"] > 0.75


def test_draws_gaps_attention_and_how_well_frequent_letters_are_guessed() -> None:
    ours = learner()
    train(ours, 3)
    measured = evaluate(ours)
    with looking_at(ours):
        gaps, attention, *heads, frequency = ours.draw(3)
    assert isinstance(gaps, Table) and len(gaps.rows) == 8
    assert all("_" in row[0] and "_" not in row[1] and " of " in row[2] for row in gaps.rows)
    assert isinstance(attention, HeatMap)
    assert [sum(row) for row in attention.values] == pytest.approx([1.0] * 16, abs=0.02)
    assert len(heads) == 2
    assert isinstance(frequency, Table)
    assert sum(int(row[2]) for row in frequency.rows) == sum(batch[1].numel() for batch in ours.valid)
    guessed = sum(int(row[2]) * float(row[3][:-2]) / 100 for row in frequency.rows)
    assert guessed / sum(int(row[2]) for row in frequency.rows) == pytest.approx(measured["valid/accuracy"], abs=2e-3)


def test_goes_on_from_another_run_with_its_tokens() -> None:
    base = learner()
    train(base, 5)
    tuned = learner(corpus(train="abcZ" * 300, valid="aabb" * 100), start=base)
    assert tuned.vocabulary.words == base.vocabulary.words
    for ours, theirs in zip(tuned.weights().values(), base.weights().values(), strict=True):
        assert torch.equal(ours, theirs)
    with pytest.raises(RunError, match=r"'encoder.embedding.weight'.*Set layers"):
        learner(start=learner(width=32))
    with pytest.raises(RunError, match=r"knows characters.*tokens=characters"):
        learner(start=base, tokens="words")


def test_words_that_occur_once_are_unknown() -> None:
    words = Vocabulary.of(["The cat saw the dog's cat, Sam."], characters=False)
    assert words.words == (*SPECIAL, "cat", "the")
    assert words.show(words.row("the cat ran", 6)) == "[CLS] the cat [UNK] [SEP]"
    assert words.row("the the the the", 4) == words.row("the the", 4)
    assert words.encode_gaps("the [MASK] the _").tolist() == [6, MASK, 6, MASK]
    letters = Vocabulary.of(["abca"], characters=True)
    assert letters.words == (*SPECIAL, "a", "b", "c")
    assert letters.show(letters.encode_gaps("a_[MASK]?").tolist()) == "a__[UNK]"


def test_data_that_are_no_text_are_refused_before_training() -> None:
    with pytest.raises(DataError, match=r"digits is no text.*glossary"):
        shipped("bert", data="digits")
    with pytest.raises(DataError, match=r"toy has no word that occurs twice.*Set tokens=characters"):
        learner(corpus(train="every word stands here once"), tokens="words", context=4)
    with pytest.raises(DataError, match=r"3,000 tokens .* Set context to less"):
        learner(context=4000)


def test_gaps_are_filled_surest_first_and_each_is_told_with_its_chances() -> None:
    ours = learner(corpus(train="abcd" * 300, valid="abcd" * 60), mask_rate=0.3)
    train(ours, 200)
    with looking_at(ours):
        table, text = fill(ours, FillSettings(text="abcdab_dabc[MASK]abcd", count=3))
        again = list(fill(ours, FillSettings(text="abcdab_dabc[MASK]abcd", count=3)))
    assert isinstance(table, Table) and isinstance(text, Text)
    assert [row[:2] for row in table.rows[::3]] == [["1", "c"], ["2", "d"]]
    assert len(table.rows) == 6 and float(table.rows[0][2][:-2]) > 50
    assert text.text == "abcdabcdabcdabcd"
    assert again == [table, text]
    with pytest.raises(UsageError, match="no gap"):
        list(fill(ours, FillSettings(text="abcd")))
    with pytest.raises(UsageError, match="17 tokens; the model sees 16"):
        list(fill(ours, FillSettings(text="_" * 17)))
    with pytest.raises(UsageError, match="bert/classify"):
        ours.judge("abcd")


class Waiting(nn.Module):
    """Sure of a `c` at the last place; at the first of an `a`, a little, and of a `b` once the last is filled."""

    def forward(self, x_BT: Tensor, places_BP: Tensor) -> Tensor:
        """Return scores ``BPV``."""
        scores_BPV = torch.zeros(*places_BP.shape, V)
        for number, place in enumerate(places_BP[0].tolist()):
            letter, score = ("c", 9.0) if place else ("a", 3.0) if x_BT[0, 1] == MASK else ("b", 9.0)
            scores_BPV[0, number, FIRST + sorted(LETTERS[:8]).index(letter)] = score
        return scores_BPV


def test_the_surest_gap_is_filled_before_the_others_are_asked_again() -> None:
    ours = learner()
    ours.vocabulary = Vocabulary((*SPECIAL, *LETTERS), characters=True)
    ours.modules["model"] = Waiting()
    (first, last), text = ours.fill("__", 1)
    assert (first[0][0], last[0][0]) == ("a", "c"), "read all at once"
    assert text == "bc"


def test_a_trained_run_is_played_with(tmp_path: Path) -> None:
    (tmp_path / "some.txt").write_text("the neural network learns\n" * 60)
    folder = trained(tmp_path / "bert", "bert", **SMALL, steps=4, data=str(tmp_path / "some.txt"))  # type: ignore[arg-type]
    table, text = played(folder, text="a n_twork")
    assert isinstance(table, Table) and len(table.rows) == 5
    assert isinstance(text, Text) and len(text.text) == 9 and "_" not in text.text


def test_every_preset_is_complete_and_in_range() -> None:
    for preset in FAMILY.presets:
        spec = FAMILY.configure(preset.name)
        assert spec.data in FAMILY.data
        assert spec.total_samples(0) > 0
    read, judged = FAMILY.configure("sentences"), FAMILY.configure("classify")
    shape = ("data", "tokens", "layers", "heads", "width", "context", "positions", "norm", "norm_place", "bias")
    assert [getattr(read, name) for name in shape] == [getattr(judged, name) for name in shape]
