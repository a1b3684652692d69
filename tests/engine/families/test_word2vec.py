"""word2vec: its loss, its chances, its measure, and what the products tend to."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.core.errors import DataError
from engine.core.events import Points, Table
from engine.data.examples import Corpus
from engine.data.vocabulary import unpack
from engine.data.words import Words, split_words
from engine.families.word2vec.learner import Word2VecLearner
from engine.families.word2vec.measure import count_company, plane, spearman
from engine.families.word2vec.model import CBOW, NegativeSampling, SkipGram
from engine.families.word2vec.neighborhoods import Neighborhoods, Sampling
from engine.families.word2vec.spec import Word2VecSpec
from engine.train.evaluate import evaluate, looking_at
from engine.train.learner import Setting
from engine.train.rules import SGD, Group

COUNTS = torch.tensor([1000, 400, 200, 100, 50, 20, 10, 5])


def sampling(**changes: object) -> Sampling:
    usual = {"word_counts": COUNTS, "window": 2, "negatives": 3, "shared": False, "subsample": 0.0, "power": 0.75}
    return Sampling(**{**usual, **changes})  # type: ignore[arg-type]


def batch() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    words = torch.tensor([0, 2, 4])
    around = torch.tensor([[1, 2], [3, 1], [0, 0]])
    there = torch.tensor([[True, True], [True, False], [False, False]])
    return words, around, there, torch.tensor([[1, 3, 3], [0, 2, 4], [4, 4, 4]])


def stirred(model: NegativeSampling) -> NegativeSampling:
    torch.manual_seed(1)
    for table in (model.v, model.u):
        torch.nn.init.normal_(table.weight)
    return model.double()


@pytest.mark.parametrize("kind", [SkipGram, CBOW])
@pytest.mark.parametrize("negatives", [1, 5, 12])
def test_the_loss_starts_at_k_plus_one_times_ln_2(kind: type[NegativeSampling], negatives: int) -> None:
    total, pairs = kind(5, 8, negatives)(*batch())
    assert (total / pairs).item() == pytest.approx((negatives + 1) * math.log(2))


def test_gradients_are_those_of_the_formula() -> None:
    model = stirred(SkipGram(5, 4, negatives=3))
    v, u = model.v.weight, model.u.weight
    words, around, there, negatives = batch()
    model(words, around, there, negatives)[0].backward()
    expected_v, expected_u = torch.zeros_like(v), torch.zeros_like(u)
    with torch.no_grad():
        for b, c in there.nonzero().tolist():
            w, neighbor = words[b], around[b, c]
            pull = torch.sigmoid(u[neighbor] @ v[w]) - 1
            expected_v[w] += pull * u[neighbor]
            expected_u[neighbor] += pull * v[w]
            for n in negatives[b]:
                push = torch.sigmoid(u[n] @ v[w])
                expected_v[w] += push * u[n]
                expected_u[n] += push * v[w]
    torch.testing.assert_close(v.grad, expected_v)
    torch.testing.assert_close(u.grad, expected_u)


def test_cbow_guesses_from_the_mean_of_what_is_there() -> None:
    model = stirred(CBOW(5, 4, negatives=2))
    words, around, there, negatives = batch()
    total, count = model(words, around, there, negatives)
    v, u = model.v.weight, model.u.weight
    expected = torch.zeros((), dtype=torch.float64)
    for b, mean in ((0, (v[1] + v[2]) / 2), (1, v[3])):
        noise = torch.nn.functional.logsigmoid(-(u[negatives[b]] @ mean)).mean()
        expected -= torch.nn.functional.logsigmoid(u[words[b]] @ mean) + 2 * noise
    assert int(count) == 2
    assert total.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("kind", [SkipGram, CBOW])
def test_shared_random_words_give_the_same_loss_by_one_product(kind: type[NegativeSampling]) -> None:
    model = stirred(kind(5, 4, negatives=2))
    words, around, there, _ = batch()
    row = torch.tensor([[1, 3, 0]])
    shared, _ = model(words, around, there, row.expand(3, 3))
    alone, _ = model(words, around, there, row.expand(3, 3).contiguous())
    torch.testing.assert_close(shared, alone)


def text(length: int = 20_000) -> tuple[Tensor, Tensor]:
    tokens = torch.multinomial(COUNTS.float(), length, replacement=True, generator=torch.Generator().manual_seed(0))
    return tokens, torch.arange(length) // 10


def test_random_words_come_by_frequency_to_three_quarters() -> None:
    hoods = Neighborhoods(*text(), 512, 0, sampling(negatives=20))
    drawn = torch.cat([hoods.at(step)[3].flatten() for step in range(10)])
    observed = torch.bincount(drawn, minlength=8).double().numpy()
    expected = (COUNTS.double() ** 0.75).numpy()
    expected *= observed.sum() / expected.sum()
    chi_square = ((observed - expected) ** 2 / expected).sum()
    assert chi_square < 24.3  # 99.9 % of draws from the right distribution stay below, 7 degrees of freedom
    plain = COUNTS.double().numpy() * observed.sum() / COUNTS.sum().item()
    assert ((observed - plain) ** 2 / plain).sum() > 1000


def test_frequent_words_are_left_out_and_rare_ones_stay() -> None:
    kept = sampling(subsample=0.01).kept()
    frequency = COUNTS / COUNTS.sum()
    torch.testing.assert_close(kept[0], (0.01 / frequency[0].double()).sqrt())
    assert (kept[-2:] == 1).all()
    tokens, lines = text()
    left, _ = Neighborhoods(tokens, lines, 64, 0, sampling(subsample=0.01))._subsampled(3)
    share = torch.bincount(left, minlength=8) / torch.bincount(tokens, minlength=8)
    torch.testing.assert_close(share, kept.float(), rtol=0.2, atol=0.1)


def test_neighbors_are_near_and_on_the_same_line() -> None:
    tokens = torch.arange(60)
    lines = tokens // 6
    hoods = Neighborhoods(tokens, lines, 256, 0, sampling(word_counts=torch.ones(60, dtype=torch.int64), window=3))
    word_B, around_BC, there_BC, _ = hoods.at(0)
    distance = (around_BC - word_B[:, None]).abs()[there_BC]
    assert distance.min() == 1
    assert distance.max() == 3
    same_line = (around_BC // 6 == word_B[:, None] // 6)[there_BC]
    assert same_line.all()
    share = torch.bincount(distance, minlength=4)[1:] / len(distance)
    assert share[0] > share[1] > share[2]  # near ones count more


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    one, other = (Neighborhoods(*text(), 32, 5, sampling(subsample=0.01)) for _ in range(2))
    other.at(900)
    assert all(torch.equal(a, b) for a, b in zip(one.at(7), other.at(7), strict=True))
    assert not torch.equal(one.at(7)[0], one.at(8)[0])
    assert not torch.equal(one.at(7)[0], Neighborhoods(*text(), 32, 6, sampling()).at(7)[0])


def test_company_is_counted_as_by_hand() -> None:
    tokens, lines = torch.tensor([0, 1, 0, 1, 0, 1, 2, 0]), torch.tensor([0, 0, 0, 0, 0, 0, 1, 1])
    company = count_company(tokens, lines, words=3, window=1, seen=2)
    pairs = Counter({(0, 1): 5, (1, 0): 5, (2, 0): 1, (0, 2): 1})
    total, occurrences = 12, {0: 6, 1: 5, 2: 1}
    expected = {
        pair: math.log(n * total / (occurrences[pair[0]] * occurrences[pair[1]])) for pair, n in pairs.items() if n >= 2
    }
    found = zip(company.words.tolist(), company.neighbors.tolist(), company.pmi.tolist(), strict=True)
    assert {(w, c): pmi for w, c, pmi in found} == pytest.approx(expected)


def test_spearman_is_scipys() -> None:
    from scipy.stats import spearmanr

    generator = np.random.default_rng(0)
    first, second = generator.integers(0, 9, 200), generator.normal(size=200)
    second += first / 5
    expected = spearmanr(first, second).statistic
    assert float(spearman(torch.from_numpy(first), torch.from_numpy(second))) == pytest.approx(expected, abs=1e-9)
    assert float(spearman(torch.zeros(5), torch.arange(5.0))) == 0


def test_a_map_keeps_its_sides() -> None:
    vectors = torch.randn(40, 6, generator=torch.Generator().manual_seed(0)).exp()
    torch.testing.assert_close(plane(vectors), plane(vectors + 1e-9 * torch.randn(40, 6)), rtol=1e-5, atol=1e-5)
    assert (plane(vectors).pow(3).sum(0) > 0).all()
    assert plane(vectors).var(0)[0] >= plane(vectors).var(0)[1]


def test_words_are_cut_counted_and_ranked() -> None:
    assert split_words("The cat's fine-tuned (the) x2 cat") == ["the", "cat's", "fine-tuned", "the", "x", "cat"]
    words = Words(["b b a\na a c"], least=2)
    assert words.words == ("a", "b")
    assert [each.tolist() for each in words.encode("a c b\nzzz\nb")] == [[0, 1, 1], [0, 0, 2]]


def toy_text(lines: int = 3000) -> str:
    """Three pairs of words that keep company, mostly: every tenth word is any of the six."""
    generator = np.random.default_rng(0)
    names = np.array(["sun", "moon", "salt", "pepper", "king", "queen"])
    chosen = 2 * generator.choice(3, size=lines, p=[0.5, 0.3, 0.2])[:, None] + generator.integers(0, 2, (lines, 6))
    chosen = np.where(generator.random((lines, 6)) < 0.1, generator.integers(0, 6, (lines, 6)), chosen)
    return "\n".join(" ".join(line) for line in names[chosen])


def test_products_tend_to_pmi_minus_ln_k() -> None:
    words = Words([toy_text()])
    tokens, lines = words.encode(toy_text())
    company = count_company(tokens, lines, len(words), window=1)
    asked = sampling(word_counts=words.counts, window=1, negatives=256, shared=True, power=1.0)
    hoods = Neighborhoods(tokens, lines, 2048, 0, asked)
    torch.manual_seed(0)
    model = SkipGram(len(words), 8, negatives=2)
    for table in (model.v, model.u):
        torch.nn.init.normal_(table.weight, std=0.3)
    rate = torch.tensor(1.0)
    rule = SGD([Group(list(model.parameters()), rate)], momentum=0.9)
    for step in range(300):
        rate.fill_(1 - step / 300)
        total, pairs = model(*hoods.at(step))
        model.zero_grad()
        (total / pairs).backward()
        rule.step(torch.zeros(()))
    products = (model.v.weight[company.words] * model.u.weight[company.neighbors]).sum(-1)
    assert len(products) == 36
    torch.testing.assert_close(products.double(), company.pmi - math.log(2), rtol=0, atol=0.2)


NAMES = ["loss", "network", "gradient", "token"]


def small_text() -> str:
    generator = np.random.default_rng(0)
    letters = [f"word{chr(97 + a)}{chr(97 + b)}" for a in range(8) for b in range(8)] + NAMES
    return "\n".join(" ".join(generator.choice(letters, 12)) for _ in range(300))


def learner(**knobs: object) -> Word2VecLearner:
    torch.manual_seed(0)
    spec = Word2VecSpec.of({"width": 8, "batch_size": 64, "least": 2, **knobs})  # type: ignore[arg-type]
    corpus = Corpus(name="toy", train=small_text(), valid=small_text()[:4000])
    return Word2VecLearner(Setting(spec, corpus, 0, torch.device("cpu")))


@pytest.mark.parametrize("model", ["skip-gram", "cbow"])
@pytest.mark.parametrize("shared", [0, 16])
def test_learns_the_same_from_the_same_seed_and_reaches_every_number(model: str, shared: int) -> None:
    runs = []
    for _ in range(2):
        ours = learner(model=model, shared=shared)
        ours.optimizers.schedule(1.0)
        runs.append([float(ours.train_step(ours.batches().at(step))["loss"]) for step in range(30)])
    assert runs[0] == runs[1]
    assert runs[0][0] == pytest.approx(6 * math.log(2), abs=1e-5)
    assert runs[0][-1] < runs[0][0]
    table = ours.modules["model"]
    assert isinstance(table, NegativeSampling)
    assert (table.u.weight.abs().sum(1) > 0).all()
    assert all(parameter.isfinite().all() for parameter in table.parameters())
    assert sum(parameter.numel() for parameter in table.parameters()) == ours.spec.parameters(0, len(ours.words))


def test_measures_and_draws_before_and_after_the_first_step() -> None:
    ours = learner()
    first = evaluate(ours)
    assert first["valid/loss"] == pytest.approx(6 * math.log(2), abs=1e-5)
    assert first["valid/pmi_spearman"] == 0
    ours.optimizers.schedule(1.0)
    for step in range(5):
        ours.train_step(ours.batches().at(step))
    assert evaluate(ours) == evaluate(ours)
    with looking_at(ours):
        table, points = ours.draw(5)
    assert isinstance(table, Table)
    assert isinstance(points, Points)
    assert {row[0] for row in table.rows} >= set(NAMES)
    assert all(len(row) == len(table.columns) and row[0] not in row[1] for row in table.rows)
    assert len(points.x) == len(points.y) == len(points.words)
    assert unpack(ours.weights()["model.words"]) == ours.words.words


def test_a_text_of_too_few_words_says_so() -> None:
    with pytest.raises(DataError, match=r"toy has 0 words that occur 9999 times"):
        learner(least=9999)
