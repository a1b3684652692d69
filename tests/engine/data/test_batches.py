"""Which examples come when depends on seed and step alone, and every epoch sees each example once."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from engine.data.augment import Augmented
from engine.data.batches import Shuffled, in_order, seeded
from engine.data.text import UNKNOWN, Characters, Windows, cold_windows

NUMBERS = torch.arange(10)


def test_an_epoch_sees_each_example_once_also_across_batches() -> None:
    batches = Shuffled((NUMBERS,), batch_size=4, seed=1)
    stream = torch.cat([batches.at(step)[0] for step in range(15)]).tolist()
    for start in range(0, 60, 10):
        assert sorted(stream[start : start + 10]) == list(range(10))
    assert stream[:10] != stream[10:20]


@pytest.mark.parametrize("batch_size", [1, 4, 10, 25])
def test_a_step_has_the_same_batch_whatever_was_asked_before(batch_size: int) -> None:
    forward = Shuffled((NUMBERS,), batch_size, seed=1)
    expected = [forward.at(step)[0].tolist() for step in range(30)]
    other = Shuffled((NUMBERS,), batch_size, seed=1)
    for step in (29, 3, 17, 0, 28, 4):
        assert other.at(step)[0].tolist() == expected[step]
    assert all(len(each) == batch_size for each in expected)


def test_another_seed_is_another_order() -> None:
    assert Shuffled((NUMBERS,), 10, 1).at(0)[0].tolist() != Shuffled((NUMBERS,), 10, 2).at(0)[0].tolist()


def test_what_belongs_together_stays_together() -> None:
    batches = Shuffled((NUMBERS, NUMBERS * 2), 7, seed=1, prepare=lambda numbers: numbers + 0.5)
    numbers, doubles = batches.at(5)
    assert torch.equal((numbers - 0.5) * 2, doubles.float())


def test_near_seeds_share_nothing() -> None:
    draws = [torch.rand(3, generator=seeded(seed, step, torch.device("cpu"))) for seed in range(3) for step in range(3)]
    assert len({tuple(draw.tolist()) for draw in draws}) == 9


def test_in_order_gives_everything_once() -> None:
    batches = list(in_order((NUMBERS,), 4))
    assert [len(batch[0]) for batch in batches] == [4, 4, 2]
    assert torch.cat([batch[0] for batch in batches]).tolist() == list(range(10))


def pictures() -> torch.Tensor:
    return torch.arange(6 * 25, dtype=torch.uint8).view(6, 1, 5, 5)


def test_a_mirrored_picture_is_itself_in_every_other_epoch() -> None:
    plain = Shuffled((pictures(), torch.arange(6)), 6, seed=2)
    changed = Augmented(plain, torch.Tensor.float, 2, shift=0, mirror=True)
    by_epoch = []
    for epoch in range(4):
        seen, numbers = changed.at(epoch)
        original = pictures()[numbers].float()
        turned = [not torch.equal(each, other) for each, other in zip(seen, original, strict=True)]
        for each, other, is_turned in zip(seen, original, turned, strict=True):
            assert torch.equal(each, other.flip(2) if is_turned else other)
        by_epoch.append(dict(zip(numbers.tolist(), turned, strict=True)))
    assert by_epoch[0] == by_epoch[2] and by_epoch[1] == by_epoch[3]
    assert all(by_epoch[0][number] != by_epoch[1][number] for number in range(6))


def test_a_moved_picture_shows_the_same_pixels_elsewhere_and_repeats_its_edge() -> None:
    plain = Shuffled((pictures(), torch.arange(6)), 6, seed=2)
    changed = Augmented(plain, torch.Tensor.float, 2, shift=1, mirror=False)
    moves = Counter()
    for step in range(40):
        seen, numbers = changed.at(step)
        assert torch.equal(seen, changed.at(step)[0])
        for each, number in zip(seen, numbers, strict=True):
            padded = torch.nn.functional.pad(pictures()[number].float(), (1, 1, 1, 1), mode="replicate")
            fits = [
                (down, right)
                for down in range(3)
                for right in range(3)
                if torch.equal(each, padded[:, down : down + 5, right : right + 5])
            ]
            assert len(fits) == 1
            moves[fits[0]] += 1
    assert len(moves) == 9


# Texts


def test_characters_there_and_back() -> None:
    characters = Characters("abba cab\n", "zebra")
    assert characters.words == ("\n", " ", "a", "b", "c", UNKNOWN)
    numbers = characters.encode("a cab!")
    assert characters.decode(numbers) == f"a cab{UNKNOWN}"
    assert characters.encode("").tolist() == []


def test_unknown_characters_are_left_out_where_nothing_stands_for_them() -> None:
    assert Characters("abc").decode(Characters("abc").encode("aXbYc\N{SNOWMAN}")) == "abc"


def test_windows_are_followed_by_what_comes_next() -> None:
    tokens = torch.arange(1000)
    windows = Windows(tokens, length=16, batch_size=8, seed=3)
    x_BT, y_BT = windows.at(4)
    assert x_BT.shape == y_BT.shape == (8, 16)
    assert torch.equal(x_BT + 1, y_BT)
    assert torch.equal(windows.at(4)[0], Windows(tokens, 16, 8, 3).at(4)[0])
    assert not torch.equal(windows.at(4)[0], windows.at(5)[0])


def test_random_windows_reach_the_first_and_the_last_token() -> None:
    windows = Windows(torch.arange(12), length=8, batch_size=64, seed=3)
    x_BT, y_BT = windows.at(0)
    assert x_BT.min() == 0 and y_BT.max() == 11


@pytest.mark.parametrize("length", [1, 7, 8, 50, 99, 100, 200])
def test_cold_windows_predict_every_token_but_the_first_once(length: int) -> None:
    tokens = torch.arange(100)
    batches = list(cold_windows(tokens, length, batch_size=3))
    predicted = torch.cat([y_BT.flatten() for _, y_BT in batches]).tolist()
    assert predicted == list(range(1, 100))
    assert all(torch.equal(x_BT + 1, y_BT) for x_BT, y_BT in batches)
