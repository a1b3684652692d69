"""What is true of a BERT whatever it has learned, and that it is the transformer that torch has."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from engine.core.errors import UsageError
from engine.families.bert.model import MLP, Encoder, GapFiller, SelfAttention, SentenceJudge
from engine.families.bert.spec import BERT_2018, BERTSpec

V, T, PAD = 13, 16, 0
SMALL = {"layers": 2, "heads": 2, "width": 16, "context": T}
VARIANTS: dict[str, dict[str, object]] = {
    "modern": {},
    "2018": BERT_2018,  # type: ignore[dict-item]
    "learned positions, normalized before": {"positions": "learned", "norm": "layernorm", "bias": True},
    "rotary, normalized after": {"norm_place": "after", "qk_norm": False, "tie": True, "transform": True},
}


def spec(**knobs: object) -> BERTSpec:
    return BERTSpec.of({**SMALL, **knobs})  # type: ignore[arg-type]


def stirred(model: nn.Module, std: float = 0.3) -> nn.Module:
    """Away from zeros and ones, where much is true that should not be."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * std)
    return model.eval()


def tokens(batch: int = 2, time: int = T) -> Tensor:
    return torch.randint(1, V, (batch, time), generator=torch.Generator().manual_seed(7))


def filler(knobs: dict[str, object]) -> GapFiller:
    torch.manual_seed(0)
    built = stirred(GapFiller(spec(**knobs), V))
    assert isinstance(built, GapFiller)
    return built


@pytest.fixture(params=VARIANTS)
def model(request: pytest.FixtureRequest) -> GapFiller:
    return filler(VARIANTS[request.param])


PLACES = torch.tensor([[3, 9, 0], [15, 1, 2]])
EVERYWHERE = torch.arange(T).expand(2, T)


def test_starts_with_every_token_and_every_class_equally_likely() -> None:
    scores_BPV = GapFiller(spec(), V)(tokens(), PLACES)
    assert torch.equal(scores_BPV, torch.zeros(2, 3, V))
    scores_BN = SentenceJudge(spec(), V, 4, PAD)(tokens())
    assert torch.equal(scores_BN, torch.zeros(2, 4))
    old = GapFiller(spec(**BERT_2018), V)(tokens(), PLACES)
    loss = nn.functional.cross_entropy(old.flatten(0, 1), tokens().gather(1, PLACES).flatten())
    assert loss.item() == pytest.approx(math.log(V), abs=0.1)


@pytest.mark.parametrize("knobs", VARIANTS.values(), ids=VARIANTS)
def test_has_as_many_parameters_as_its_spec_says(knobs: dict[str, object]) -> None:
    def count(model: nn.Module) -> int:
        return sum(each.numel() for each in model.parameters())

    assert count(GapFiller(spec(**knobs), V)) == spec(**knobs).parameters(V, 0)
    judging = spec(**knobs, objective="classify")
    assert count(SentenceJudge(judging, V, 3, PAD)) == judging.parameters(V, 3)


def test_bert_base_has_its_published_size_but_for_the_segments() -> None:
    base = {**BERT_2018, "layers": 12, "heads": 12, "width": 768, "context": 512}
    segments = 2 * 768
    assert BERTSpec.of(base).parameters(30_522, 0) == 109_514_298 - segments
    assert BERTSpec.of({**base, "objective": "classify"}).parameters(30_522, 2) == 109_482_240 - segments + 2 * 769


def test_a_score_depends_on_what_stands_before_and_on_what_stands_after(model: GapFiller) -> None:
    rows: list[Tensor] = []
    model.encoder.embedding.register_forward_hook(
        lambda _module, _inputs, output: rows.append(output) or output.retain_grad()
    )
    place = T // 2
    model(tokens(), torch.full((2, 1), place))[..., 3].sum().backward()
    gradient_BTC = rows[0].grad
    assert gradient_BTC is not None
    assert (gradient_BTC.abs().sum(-1) > 0).all()


def test_scores_are_computed_at_the_places_asked_for_alone(model: GapFiller) -> None:
    everywhere_BTV = model(tokens(), EVERYWHERE)
    expected = everywhere_BTV.gather(1, PLACES[:, :, None].expand(-1, -1, V))
    torch.testing.assert_close(model(tokens(), PLACES), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("pool", ["first", "mean"])
@pytest.mark.parametrize("attention", ["written", "fused"])
def test_padding_changes_no_answer(pool: str, attention: str) -> None:
    judge = stirred(SentenceJudge(spec(pool=pool, attention=attention), V, 3, PAD))
    short_BT = tokens(2, 10)
    padded_BT = nn.functional.pad(short_BT, (0, 6), value=PAD)
    torch.testing.assert_close(judge(padded_BT), judge(short_BT), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(judge(padded_BT), judge(padded_BT.flip(0)), atol=1e-3)


def test_written_attention_is_the_fused_one_forward_and_backward() -> None:
    x_BT = tokens()
    x_BT[1, 9:] = PAD
    for knobs in VARIANTS.values():
        torch.manual_seed(0)
        fused = stirred(SentenceJudge(spec(**{**knobs, "attention": "fused"}), V, 3, PAD))
        written = SentenceJudge(spec(**{**knobs, "attention": "written"}), V, 3, PAD).eval()
        written.load_state_dict(fused.state_dict())
        for each in (fused, written):
            each(x_BT).square().mean().backward()
        torch.testing.assert_close(written(x_BT), fused(x_BT), rtol=1e-5, atol=1e-5)
        for ours, theirs in zip(written.parameters(), fused.parameters(), strict=True):
            torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5)


def test_attention_rows_are_shares_of_all_tokens_and_padding_gets_none(model: GapFiller) -> None:
    real_BT = torch.ones(2, T, dtype=torch.bool)
    real_BT[:, 12:] = False
    weights_BHTT = model.encoder.attention(tokens(), real_BT)
    torch.testing.assert_close(weights_BHTT.sum(-1), torch.ones(2, 2, T))
    assert weights_BHTT[..., 12:].count_nonzero() == 0
    assert (model.encoder.attention(tokens()) > 0).all()


def test_the_attention_that_is_shown_is_the_one_that_the_answer_comes_from(
    model: GapFiller, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []
    last = model.encoder.blocks[-1].attention
    weights = last.weights
    monkeypatch.setattr(last, "weights", lambda *arguments: seen.append(weights(*arguments)) or seen[-1])
    model(tokens(), PLACES)
    monkeypatch.undo()
    torch.testing.assert_close(model.encoder.attention(tokens()), seen[0])


def test_normalized_queries_have_no_length() -> None:
    for normalized in (True, False):
        model = filler({"qk_norm": normalized})
        before = model(tokens(), PLACES)
        with torch.no_grad():
            model.encoder.blocks[0].attention.qkv.weight[:16] *= 10
        same = torch.allclose(model(tokens(), PLACES), before, rtol=1e-4, atol=1e-4)
        assert same == normalized


def test_the_bend_of_a_block_is_the_one_asked_for() -> None:
    x_BTC = torch.randn(2, T, 16, generator=torch.Generator().manual_seed(1))
    for activation, bend in {"relu2": lambda x: x.relu() ** 2, "gelu": nn.functional.gelu}.items():
        mlp = MLP(spec(activation=activation))
        torch.testing.assert_close(mlp(x_BTC), mlp.down(bend(mlp.up(x_BTC))))


def test_attention_is_torchs_multihead_attention() -> None:
    torch.manual_seed(0)
    ours = SelfAttention(spec(**BERT_2018)).eval()
    theirs = nn.MultiheadAttention(16, 2, batch_first=True)
    theirs.load_state_dict(
        {
            "in_proj_weight": ours.qkv.weight, "in_proj_bias": ours.qkv.bias,
            "out_proj.weight": ours.projection.weight, "out_proj.bias": ours.projection.bias,
        }
    )  # fmt: skip
    x_BTC = torch.randn(2, T, 16)
    real_BT = torch.arange(T) < torch.tensor([[T], [5]])
    expected, weights = theirs(x_BTC, x_BTC, x_BTC, key_padding_mask=~real_BT, average_attn_weights=False)
    torch.testing.assert_close(ours(x_BTC, real_BT), expected, rtol=1e-5, atol=1e-5)
    q, k, _ = ours.queries_keys_values(x_BTC)
    torch.testing.assert_close(ours.weights(q, k, real_BT), weights, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("place", ["after", "before"])
def test_its_encoder_is_torchs_transformer_encoder(place: str) -> None:
    torch.manual_seed(0)
    ours = stirred(Encoder(spec(**{**BERT_2018, "norm_place": place}), V), std=0.1)
    assert isinstance(ours, Encoder)
    before = place == "before"
    layer = nn.TransformerEncoderLayer(16, 2, 64, 0.0, "gelu", batch_first=True, norm_first=before)
    last = nn.LayerNorm(16) if before else None
    theirs = nn.TransformerEncoder(layer, 2, norm=last, enable_nested_tensor=False)
    names = {
        "attention.qkv.weight": "self_attn.in_proj_weight", "attention.qkv.bias": "self_attn.in_proj_bias",
        "attention.projection": "self_attn.out_proj", "attention_norm": "norm1", "mlp_norm": "norm2",
        "mlp.up": "linear1", "mlp.down": "linear2", "blocks.": "layers.",
    }  # fmt: skip
    renamed = {}
    for name in ours.state_dict():
        if name.startswith("blocks.") or (before and name.startswith("norm.")):
            other = name
            for mine, yours in names.items():
                other = other.replace(mine, yours)
            renamed[other] = name
    theirs.load_state_dict({other: ours.state_dict()[name] for other, name in renamed.items()})

    x_BT = tokens()
    real_BT = torch.arange(T) < torch.tensor([[T], [5]])
    weight_BT1 = real_BT[:, :, None].float()
    answer = ours(x_BT, real_BT) * weight_BT1
    answer.square().mean().backward()
    expected = theirs(ours.embed(x_BT).detach(), src_key_padding_mask=~real_BT) * weight_BT1
    expected.square().mean().backward()
    torch.testing.assert_close(answer, expected, rtol=1e-5, atol=1e-5)
    mine = dict(ours.named_parameters())
    for other, parameter in theirs.named_parameters():
        torch.testing.assert_close(mine[renamed[other]].grad, parameter.grad, rtol=1e-4, atol=1e-5)


def test_dropout_acts_in_training_alone() -> None:
    model = filler({"dropout": 0.5})
    assert torch.equal(model(tokens(), PLACES), model(tokens(), PLACES))
    model.train()
    assert not torch.equal(model(tokens(), PLACES), model(tokens(), PLACES))


def test_knobs_that_do_not_go_together_are_refused_with_what_does() -> None:
    with pytest.raises(UsageError, match=r"width of 16 .* 3 heads.*multiple of 3, such as 15"):
        spec(heads=3)
    with pytest.raises(UsageError, match="turn pairs"):
        spec(heads=16)
    with pytest.raises(UsageError, match=r"mask_share = 0.95 and random_share = 0.1 .* 0.8 and 0.1"):
        spec(mask_share=0.95)
    assert spec(heads=16, positions="learned").heads == 16


def test_hiding_more_costs_more_and_a_classifier_has_no_scores_of_tokens() -> None:
    few, many = (spec(mask_rate=rate).flops_per_sample(V, 0) for rate in (0.15, 0.5))
    assert few < many
    assert spec(objective="classify").flops_per_sample(V, 2) < few
