"""The lab on embeddings: pairs of held-out text, the same words at random, analogies, judges."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
import torch
from fake_bench import FakeBench

from engine.core.errors import DataError
from engine.core.events import Table
from engine.core.lab import Results
from engine.data.words import Words
from engine.labs.embeddings import compute
from engine.labs.embeddings.analogies import answer, plurals, published
from engine.labs.embeddings.lab import LAB, Company
from engine.labs.embeddings.pairs import alike_pairs, company, meeting_pairs, met, paired_anew, wins

EVERY = torch.ones(6, dtype=torch.bool)


def results(**figures: tuple[float, ...]) -> Results:
    seeds = range(len(next(iter(figures.values()))))
    by_seed = {("judge", seed): {name: values[seed] for name, values in figures.items()} for seed in seeds}
    return Results(by_seed, tuple(seeds), Company())


def shares(name: str, *values: float) -> dict[str, tuple[float, ...]]:
    same = tuple(values)
    return {name: same, f"{name}/low": same, f"{name}/high": same, f"{name}/pairs": tuple(80.0 for _ in values)}


def judged(id_: str, found: Results) -> bool | None:
    statement = LAB.statement(id_)
    assert statement is not None
    return statement.judge(found).holds


def test_pairs_above_random_bear_the_sentences_out() -> None:
    assert judged("company", results(**shares("company", 0.7, 0.72, 0.69))) is True
    assert judged("company", results(**shares("company", 0.4, 0.41, 0.42))) is False
    assert judged("unseen", results(**shares("unseen", 0.45, 0.52, 0.55))) is None


def test_a_text_without_plurals_decides_nothing_about_analogies() -> None:
    found = results(**shares("company", 0.7, 0.7))
    assert judged("analogies", found) is None
    assert LAB.forecasts[1].outcome(found) == ""


def test_analogies_are_judged_by_what_leaving_the_inputs_out_brings() -> None:
    asked = {"plurals/asked": (100.0, 100.0, 100.0)}
    found = results(**asked, **{"plurals/without": (0.2, 0.22, 0.21), "plurals/among": (0.0, 0.01, 0.0)})
    assert judged("analogies", found) is True
    assert LAB.forecasts[1].outcome(found) == "Up to half"


def test_words_meet_within_the_window_on_one_line_in_either_order() -> None:
    tokens, lines = torch.tensor([0, 1, 2, 3, 4]), torch.tensor([0, 0, 0, 1, 1])
    counts = met(tokens, lines, 6, 1)
    assert torch.equal(counts, counts.T)
    assert meeting_pairs(counts, EVERY).tolist() == [[0, 1], [1, 2], [3, 4]]
    wide = met(tokens, lines, 6, 2)
    assert wide[0, 2] == 1 and wide[2, 3] == 0


def test_rare_words_beyond_the_table_are_passed_over_and_keep_their_place() -> None:
    counts = met(torch.tensor([0, 9, 1]), torch.tensor([0, 0, 0]), 3, 1)
    assert counts.sum() == 0
    assert met(torch.tensor([0, 9, 1]), torch.tensor([0, 0, 0]), 3, 2)[0, 1] == 1


def test_company_is_alike_where_the_same_words_stand_near() -> None:
    # 0 and 1 stand beside 4 and 5, never beside each other; 2 and 3 stand beside each other.
    tokens = torch.tensor([0, 4, 1, 4, 0, 5, 1, 5, 2, 3] * 5)
    lines = torch.arange(len(tokens)) // 2
    counts = met(tokens, lines, 6, 1)
    likeness = company(counts)
    assert likeness[0, 1] == pytest.approx(1.0)
    assert likeness[0, 2] == 0.0
    usable = torch.tensor([True, True, True, True, False, False])
    assert alike_pairs(counts, tokens, usable)[0].tolist() == [0, 1]


def test_random_pairs_are_made_of_the_very_same_words() -> None:
    pairs = torch.tensor(list(combinations(range(6), 2)))
    forbidden = torch.zeros(6, 6, dtype=torch.bool)
    forbidden[0, 3] = True
    second, stands = paired_anew(pairs, forbidden, torch.Generator().manual_seed(0))
    assert sorted(second.tolist()) == sorted(pairs[:, 1].tolist())
    for first, other, may in zip(pairs[:, 0].tolist(), second.tolist(), stands.tolist(), strict=True):
        assert may == (first != other and (first, other) != (0, 3))


def test_wins_are_counted_as_by_hand() -> None:
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    pairs = torch.tensor([[0, 1], [2, 3]])
    found = wins(vectors, pairs, torch.zeros(4, 4, dtype=torch.bool), seed=0)
    # Anew, the pairs are either the same again (a draw) or 0-3 and 2-1, which are at right angles.
    assert found.real.tolist() == [1.0, 1.0]
    assert set(found.random.tolist()) == {0.0, 1.0}
    expected = (found.random == 0).float().mean() + 0.5 * (found.random == 1).float().mean()
    assert found.share == pytest.approx(float(expected))


def test_vectors_that_know_nothing_win_half_of_the_time() -> None:
    generator = torch.Generator().manual_seed(0)
    pairs = torch.randint(300, (2000, 2), generator=generator)
    vectors = torch.randn(300, 16, generator=generator)
    assert wins(vectors, pairs, torch.zeros(300, 300, dtype=torch.bool), 0).share == pytest.approx(0.5, abs=0.03)


def test_an_analogy_that_holds_exactly_is_found_only_without_its_inputs() -> None:
    words = ["step", "steps", "word", "words", "is"]
    numbers = {word: number for number, word in enumerate(words)}
    assert plurals(words, numbers) == [(0, 1, 2, 3), (2, 3, 0, 1)]
    # Singular and plural differ little, so the sum stays nearest to the singular that it began with.
    vectors = torch.tensor([[1.0, 0, 0.05], [1.0, 0, 0.15], [0, 1.0, 0.0], [0, 1.0, 0.5], [-1.0, -1.0, 0]])
    found = answer(vectors, plurals(words, numbers))
    assert found.asked == 2
    assert found.without == 1.0
    assert found.among < 1.0
    assert len(found.examples) == 2


def test_published_questions_are_asked_where_they_lie_and_their_words_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXIGRAD_DATA", str(tmp_path))
    assert published({"a": 0}) == []
    (tmp_path / "wordsim").mkdir()
    (tmp_path / "wordsim" / "questions-words.txt").write_text(": capitals\nA b C d\na b c nowhere\n")
    assert published({"a": 0, "b": 1, "c": 2, "d": 3}) == [(0, 1, 2, 3)]


def judged_words(pairs: int) -> compute.Judged:
    """Return words of which each even one and the next stand side by side, and lie on one spot."""
    names = [f"w{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(2 * pairs)]
    lines = "\n".join(f"{names[at]} {names[at + 1]}" for at in range(0, 2 * pairs, 2))
    words = Words([lines])
    tokens, at_line = words.encode("\n".join([lines] * 6))
    spots = torch.randn(pairs, 8, generator=torch.Generator().manual_seed(0))
    vectors = torch.stack([spots[(ord(word[1]) - 97) * 13 + (ord(word[2]) - 97) // 2] for word in words.words])
    held = met(tokens, at_line, len(words), 2)
    return compute.Judged(words, vectors, torch.zeros_like(held), held, tokens)


def test_words_on_one_spot_with_those_they_meet_win_every_time() -> None:
    bench = FakeBench(Company(common=0))
    compute.judge_pairs(bench, judged_words(200), torch.ones(400, dtype=torch.bool))  # type: ignore[arg-type]
    assert bench.figures["unseen"] == bench.figures["meeting"] == 1.0
    assert bench.figures["unseen/pairs"] == 200
    (table,) = bench.named("pairs")
    assert isinstance(table, Table) and [row[2] for row in table.rows][1:] == ["100.0", "100.0"]


def test_a_text_with_too_few_pairs_is_refused_in_words() -> None:
    with pytest.raises(DataError, match="20 pairs of known words"):
        compute.judge_pairs(FakeBench(Company()), judged_words(20), torch.ones(40, dtype=torch.bool))  # type: ignore[arg-type]


def test_words_without_a_vector_are_named() -> None:
    bench = FakeBench(Company())
    compute.show_neighbors(bench, judged_words(40), "waa, nonsense")  # type: ignore[arg-type]
    assert bench.notes == ["Too rare in this text to have a vector: nonsense."]
    (table,) = bench.named("neighbors")
    assert isinstance(table, Table) and table.rows[0][:2] == ["waa", "wab 1.00"]
