"""Sequences read as streams side by side: every stretch goes on where the one before it ended."""

from __future__ import annotations

import pytest
import torch

from engine.core.errors import DataError
from engine.data.streams import Streams, warm_streams

NUMBERS = torch.arange(103)


def test_each_row_goes_on_where_it_ended_and_starts_over_with_the_sequence() -> None:
    streams = Streams(NUMBERS, 5, 4, seed=0)
    assert streams.epoch_steps == 5
    before = None
    for step in range(10):
        x_BT, y_BT, stream_B, carried_B = streams.at(step)
        assert torch.equal(y_BT, x_BT + 1)
        assert stream_B.tolist() == [0, 1, 2, 3]
        assert carried_B.tolist() == [float(step % 5 > 0)] * 4
        if before is not None and step % 5:
            assert torch.equal(x_BT[:, 0], before + 1)
        before = x_BT[:, -1]


def test_a_pass_reads_every_item_once_but_for_the_few_that_fill_no_stretch() -> None:
    streams = Streams(NUMBERS, 5, 4, seed=0)
    read = torch.cat([streams.at(step)[0].flatten() for step in range(5)]).sort().values
    assert torch.equal(read, torch.arange(int(read[0]), int(read[0]) + 100))
    firsts = {int(streams.at(5 * reading)[0][0, 0]) for reading in range(20)}
    assert firsts == {0, 1, 2}


def test_a_step_is_a_function_of_seed_and_number_alone() -> None:
    batches = [Streams(NUMBERS, 5, 4, seed=seed).at(7) for seed in (1, 1)]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*batches, strict=True))


def test_without_carrying_every_stretch_starts_over() -> None:
    assert not Streams(NUMBERS, 5, 4, seed=0, carry=False).at(3)[3].any()


def test_a_sequence_that_fills_no_stretch_is_refused() -> None:
    with pytest.raises(DataError, match=r"103 .* too few for 21 streams of 5.*smaller batch_size"):
        Streams(NUMBERS, 5, 21, seed=0)
    assert Streams(NUMBERS, 51, 2, seed=0).epoch_steps == 1


@pytest.mark.parametrize("streams", [1, 4, 7, 60])
@pytest.mark.parametrize("warm", [0, 3, 1000])
def test_warm_streams_predict_every_item_but_the_first_once(streams: int, warm: int) -> None:
    predicted = []
    for x_BT, y_BT, counted_BT, carried_B in warm_streams(NUMBERS, streams, 8, warm):
        assert torch.equal(y_BT, x_BT + 1)
        assert x_BT.shape == counted_BT.shape and len(carried_B) == len(x_BT)
        predicted += [int(y) for y, counted in zip(y_BT.flatten(), counted_BT.flatten(), strict=True) if counted]
    assert sorted(predicted) == list(range(1, 103))


def test_warm_streams_have_read_what_stands_before_their_part() -> None:
    rows: list[list[int]] = [[] for _ in range(4)]
    for x_BT, _, _, carried_B in warm_streams(NUMBERS, 4, 8, 6):
        for row, x_T, carried in zip(rows, x_BT.tolist(), carried_B.tolist(), strict=True):
            row[:] = (row if carried else []) + x_T
    assert [row[0] for row in rows] == [0, 20, 46, 72]
    assert all(row[:20] == list(range(row[0], row[0] + 20)) for row in rows)
