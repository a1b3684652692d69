"""What a recognizer of speech is made of: its ear, the sum over alignments, an encoder that padding cannot disturb."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.core.errors import UsageError
from engine.families.speech.ctc import BLANK, ctc_losses, fused_ctc_losses, paths, spelled
from engine.families.speech.frontend import DECADES, FLOOR, LogMel, hann, mel_filters, to_hertz, to_mel
from engine.families.speech.model import Attention, CTCRecognizer, Writer
from engine.families.speech.spec import SpeechSpec

RATE = 8_000


def waves(count: int = 2, samples: int = 3_000) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    return (torch.randn(count, samples, generator=draw) * 3_000).to(torch.int16)


def spec(**knobs: object) -> SpeechSpec:
    return SpeechSpec.of({"width": 16, "heads": 2, "bands": 8, **knobs})  # type: ignore[arg-type]


def features(frames: int = 30, bands: int = 8) -> torch.Tensor:
    return torch.rand(2, frames, bands, generator=torch.Generator().manual_seed(1))


def stirred(model: nn.Module) -> nn.Module:
    """The model with every weight away from its start, at which blocks do nothing."""
    draw = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=draw) * 0.1)
    return model.eval()


# The ear


def test_frames_and_spectra_are_those_of_torchs_stft() -> None:
    front = LogMel(RATE, 25.0, 10.0, 40)
    samples = waves().float() / 2**15
    # stft puts a short window into the middle of its frame, and so begins that much earlier.
    early = (front.points - front.width) // 2
    spectrum = torch.stft(
        F.pad(samples, (early, front.points)), front.points, front.hop, front.width, torch.hann_window(front.width),
        center=False, return_complex=True,
    )  # fmt: skip
    count = int(front.frames(torch.tensor(samples.size(1))))
    theirs = (spectrum.abs().square().mT @ front.filters.T)[:, :count].clamp(min=FLOOR).log10()
    theirs = (theirs - theirs.amax((1, 2), keepdim=True)).clamp(min=-DECADES) / DECADES * 2 + 2
    ours = front(waves(), torch.tensor([3_000, 3_000]))
    assert ours.shape == theirs.shape and torch.allclose(ours, theirs, atol=1e-4)


def test_a_spectrum_is_the_sum_that_fourier_wrote() -> None:
    front = LogMel(RATE, 8.0, 8.0, 4)
    frame = waves(1, front.width)[0].double() / 2**15 * hann(front.width)
    angles = -2 * math.pi * torch.arange(front.points // 2 + 1)[:, None] * torch.arange(front.width) / front.points
    real, imaginary = (frame * angles.cos()).sum(1), (frame * angles.sin()).sum(1)
    bands = (front.filters.double() @ (real**2 + imaginary**2)).clamp(min=FLOOR).log10()
    expected = (bands - bands.max()) / DECADES * 2 + 2
    ours = front(waves(1, front.width), torch.tensor([front.width]))[0, 0]
    assert torch.allclose(ours.double(), expected, atol=1e-4)


def test_the_window_is_torchs_and_the_mel_scale_leads_back() -> None:
    assert torch.allclose(hann(200), torch.hann_window(200, dtype=torch.float64), atol=1e-12)
    hertz = torch.tensor([0.0, 100.0, 1_000.0, 4_000.0], dtype=torch.float64)
    assert torch.allclose(to_hertz(to_mel(hertz)), hertz)
    assert abs(float(to_mel(hertz[2])) - 1_000) < 0.1


def test_mel_bands_overlap_so_that_together_they_take_everything_once() -> None:
    filters = mel_filters(10, 1_025, RATE)
    corners = to_hertz(torch.linspace(0, float(to_mel(torch.tensor(4_000.0))), 12, dtype=torch.float64))
    hertz = torch.linspace(0, 4_000, 1_025, dtype=torch.float64)
    between = (hertz >= corners[1]) & (hertz <= corners[10])
    assert torch.allclose(filters.sum(0)[between], torch.ones(int(between.sum()), dtype=torch.float64))


@pytest.mark.parametrize("hertz", [400.0, 1_000.0, 2_500.0])
def test_a_tone_is_loudest_in_its_band(hertz: float) -> None:
    front = LogMel(RATE, 25.0, 10.0, 40)
    tone = ((2 * math.pi * hertz * torch.arange(2_000) / RATE).sin() * 10_000).to(torch.int16)
    heard = front(tone[None], torch.tensor([2_000]))[0]
    tops = to_hertz(torch.linspace(0, float(to_mel(torch.tensor(4_000.0))), 42, dtype=torch.float64))[1:-1]
    assert float((tops[heard.mean(0).argmax()] - hertz).abs()) <= float((tops - hertz).abs().min()) + 60


def test_loudness_changes_nothing_and_silence_is_zero() -> None:
    front = LogMel(RATE, 25.0, 10.0, 40)
    loud = waves() // 2 * 2
    lengths = torch.tensor([3_000, 1_500])
    assert torch.allclose(front(loud, lengths), front(loud // 2, lengths), atol=1e-3)
    heard = front(loud, lengths)
    assert float(heard[1, int(front.frames(lengths)[1]) :].abs().max()) == 0
    loud[1] = 0
    assert not front(loud, lengths)[1].any() and torch.equal(front(loud, lengths)[0], heard[0])


def test_features_fall_from_two_to_zero_over_eight_powers_of_ten() -> None:
    """A thousandth of the pressure is a millionth of the power: six of the eight."""
    front = LogMel(RATE, 8.0, 8.0, 8)
    tone = (2 * math.pi * 1_000 * torch.arange(640) / RATE).sin()
    twice = torch.cat([30_000 * tone, 30 * tone]).round().to(torch.int16)
    heard = front(twice[None], torch.tensor([1_280]))[0]
    assert float(heard.max()) == 2 and float(heard[12:].max()) == pytest.approx(0.5, abs=0.01)


def test_a_recording_shorter_than_a_window_is_one_frame() -> None:
    front = LogMel(RATE, 25.0, 10.0, 40)
    assert front(waves(1, 50), torch.tensor([50])).shape == (1, 1, 40)


# The sum over alignments


def brute_force(log_chances: torch.Tensor, words: list[int]) -> float:
    """The sum over every path of frames that spells the words, one by one."""
    frames, vocabulary = log_chances.shape
    total = 0.0
    for path in itertools.product(range(vocabulary), repeat=frames):
        if spelled(list(path)) == words:
            total += math.exp(sum(float(log_chances[t, word]) for t, word in enumerate(path)))
    return -math.log(total)


CASES = [(1, [1]), (2, [1]), (3, [1, 1]), (4, [1, 2]), (5, [2, 2]), (5, [1, 2, 1]), (5, [1, 1, 2]), (4, [])]


@pytest.mark.parametrize(("frames", "words"), CASES)
def test_ctc_is_the_sum_over_all_paths(frames: int, words: list[int]) -> None:
    chances = torch.randn(1, frames, 3, generator=torch.Generator().manual_seed(frames)).log_softmax(-1)
    padded = torch.tensor([[*words, 0, 0]])
    arguments = chances, torch.tensor([frames]), padded, torch.tensor([len(words)])
    expected = brute_force(chances[0], words)
    assert float(ctc_losses(*arguments)) == pytest.approx(expected, abs=1e-5)
    assert float(fused_ctc_losses(*arguments)) == pytest.approx(expected, abs=1e-5)


def test_ctc_as_written_and_torchs_have_the_same_losses_and_gradients() -> None:
    draw = torch.Generator().manual_seed(3)
    scores = torch.randn(6, 20, 5, generator=draw, dtype=torch.float64, requires_grad=True)
    words = torch.randint(1, 5, (6, 4), generator=draw)
    frames, counts = torch.tensor([20, 12, 20, 9, 15, 20]), torch.tensor([4, 3, 1, 2, 4, 0])
    gradients = []
    for losses in (ctc_losses, fused_ctc_losses):
        found = losses(scores.log_softmax(-1), frames, words, counts)
        gradients.append((found, *torch.autograd.grad(found.sum(), scores)))
    assert torch.allclose(gradients[0][0], gradients[1][0], atol=1e-10)
    assert torch.allclose(gradients[0][1], gradients[1][1], atol=1e-10)


def test_a_transcript_that_its_frames_cannot_spell_costs_infinity_and_leaves_the_others_alone() -> None:
    chances = torch.randn(2, 2, 3, generator=torch.Generator().manual_seed(0)).log_softmax(-1)
    arguments = chances, torch.tensor([2, 2]), torch.tensor([[1, 1], [1, 2]]), torch.tensor([2, 2])
    for losses in (ctc_losses, fused_ctc_losses):
        impossible, possible = losses(*arguments).tolist()
        assert impossible == math.inf and possible == pytest.approx(brute_force(chances[1], [1, 2]), abs=1e-5)


def test_paths_are_counted_right_and_spell_by_merging_before_dropping() -> None:
    assert spelled([0, 5, 5, 0, 5]) == [5, 5] and spelled([0, 0]) == [] and spelled([3, 4, 4, 3]) == [3, 4, 3]
    for frames, words in CASES:
        counted = sum(spelled(list(path)) == words for path in itertools.product(range(3), repeat=frames))
        assert paths(frames, words) == counted


# Encoder and decoder


@pytest.mark.parametrize("encoder", ["convolution", "attention"])
@pytest.mark.parametrize("reduction", [1, 2, 4])
def test_padding_changes_nothing(encoder: str, reduction: int) -> None:
    model = stirred(CTCRecognizer(spec(encoder=encoder, reduction=reduction), 4))
    short = features(frames=23)
    long = F.pad(short, (0, 0, 0, 14))
    lengths = torch.tensor([23, 23])
    chances, counted = model(short, lengths)
    padded_chances, padded_counted = model(long, lengths)
    assert counted.tolist() == padded_counted.tolist() == [chances.size(1)] * 2
    assert torch.allclose(chances, padded_chances[:, : chances.size(1)], atol=1e-5)


def test_attention_is_told_where_each_frame_stands() -> None:
    """Between two sounds, further from both than convolutions reach, a frame knows which of them came first."""
    model = stirred(CTCRecognizer(spec(encoder="attention", reduction=1, layers=1), 4))
    apart = torch.zeros(1, 25, 8)
    apart[0, 6], apart[0, 18] = features()[0, :2]
    swapped = torch.zeros(1, 25, 8)
    swapped[0, 6], swapped[0, 18] = apart[0, 18], apart[0, 6]
    first, second = (model(each, torch.tensor([25]))[0][0] for each in (apart, swapped))
    assert not torch.allclose(first[12], second[12], atol=1e-4)


@pytest.mark.parametrize("objective", ["ctc", "encoder-decoder"])
@pytest.mark.parametrize("encoder", ["convolution", "attention"])
def test_parameters_are_counted_before_the_model_is_built(objective: str, encoder: str) -> None:
    knobs = spec(objective=objective, encoder=encoder, layers=3)
    made = (CTCRecognizer if objective == "ctc" else Writer)(knobs, 11)
    assert sum(each.numel() for each in made.parameters()) == knobs.parameters(0, 11)


def test_attention_is_torchs() -> None:
    ours = stirred(Attention(spec()))
    assert isinstance(ours, Attention)
    theirs = nn.MultiheadAttention(16, 2, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, torch.zeros(16), ours.value.bias]))
        theirs.out_proj.load_state_dict(ours.projection.state_dict())
    asking, asked = torch.randn(2, 5, 16, requires_grad=True), torch.randn(2, 9, 16, requires_grad=True)
    hidden = torch.arange(9).expand(2, 9) >= torch.tensor([[9], [4]])
    found, weights = ours(asking, asked, ~hidden[:, None, None])
    expected, expected_weights = theirs(asking, asked, asked, key_padding_mask=hidden, average_attn_weights=False)
    assert torch.allclose(found, expected, atol=1e-5) and torch.allclose(weights, expected_weights, atol=1e-5)
    ours_back = torch.autograd.grad(found.square().sum(), (asking, asked))
    theirs_back = torch.autograd.grad(expected.square().sum(), (asking, asked))
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(ours_back, theirs_back, strict=True))


def test_a_writer_looks_at_earlier_words_alone_and_at_no_padding() -> None:
    model = stirred(Writer(spec(objective="encoder-decoder"), 5))
    assert isinstance(model, Writer)
    lengths = torch.tensor([30, 11])
    first, other = torch.tensor([[0, 1, 2], [0, 3, 4]]), torch.tensor([[0, 1, 4], [0, 3, 1]])
    assert torch.allclose(model(features(), lengths, first)[:, :2], model(features(), lengths, other)[:, :2], atol=1e-6)
    looks = model.decode(first, model.encoder(features(), lengths))[1]
    assert torch.allclose(looks.sum(-1), torch.ones(2, 2, 3)) and not looks[1, :, :, 6:].any()


def test_a_writer_writes_the_likeliest_word_each_time_and_stops() -> None:
    model = stirred(Writer(spec(objective="encoder-decoder"), 5))
    assert isinstance(model, Writer)
    lengths = torch.tensor([30, 30])
    written = model.write(features(), lengths, 6)
    given = torch.cat([torch.zeros(2, 1, dtype=torch.long), written], 1)
    likeliest = model(features(), lengths, given[:, :-1]).argmax(-1)
    for row, expected in zip(written.tolist(), likeliest.tolist(), strict=True):
        end = row.index(BLANK) + 1 if BLANK in row else len(row)
        assert row[:end] == expected[:end] and not any(row[end:])


@pytest.mark.parametrize(
    ("knobs", "remedy"),
    [
        ({"objective": "encoder-decoder", "heads": 3}, "multiple of 3"),
        ({"reduction": 3}, "reduction=2"),
        ({"window": 10.0, "hop": 20.0}, "hop=10"),
        ({"held_out": "theo", "examples": 100}, "examples=0"),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_remedy(knobs: dict[str, object], remedy: str) -> None:
    with pytest.raises(UsageError) as refused:
        spec(**knobs)
    assert remedy in str(refused.value)
