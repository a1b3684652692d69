"""What is true of a GPT whatever it has learned, and that it is the transformer that torch has."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from engine.adapt.freeze import moved
from engine.core.errors import UsageError
from engine.families.gpt.adapting import hold_still
from engine.families.gpt.model import GPT, CausalSelfAttention, KVCache
from engine.families.gpt.spec import GPT_2, TARGETS, GPTSpec

V, T = 11, 16
SMALL = {"layers": 2, "heads": 2, "width": 16, "context": T}
VARIANTS = {
    "modern": {},
    "gpt-2": GPT_2,
    "swiglu, learned positions": {"activation": "swiglu", "positions": "learned", "bias": True, "zero_start": False},
    "layernorm, rotary": {"norm": "layernorm", "qk_norm": False, "tie": True},
}


def spec(**knobs: object) -> GPTSpec:
    return GPTSpec.of({**SMALL, **knobs})  # type: ignore[arg-type]


def stirred(model: nn.Module, std: float = 0.3) -> nn.Module:
    """Away from zeros and ones, where much is true that should not be."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * std)
    return model.eval()


def tokens(batch: int = 2, time: int = T) -> Tensor:
    return torch.randint(V, (batch, time), generator=torch.Generator().manual_seed(7))


@pytest.fixture(params=VARIANTS)
def model(request: pytest.FixtureRequest) -> GPT:
    torch.manual_seed(0)
    built = stirred(GPT(spec(**VARIANTS[request.param]), V))
    assert isinstance(built, GPT)
    return built


def test_starts_with_every_token_equally_likely() -> None:
    logits_BTV = GPT(spec(), V)(tokens())
    assert torch.equal(logits_BTV, torch.zeros_like(logits_BTV))
    old = GPT(spec(**GPT_2), V)(tokens())
    loss = nn.functional.cross_entropy(old.flatten(0, 1), tokens().roll(1).flatten())
    assert loss.item() == pytest.approx(math.log(V), abs=0.1)


@pytest.mark.parametrize("knobs", VARIANTS.values(), ids=VARIANTS)
def test_has_as_many_parameters_as_its_spec_says(knobs: dict[str, object]) -> None:
    asked = spec(**knobs)
    assert sum(each.numel() for each in GPT(asked, V).parameters()) == asked.parameters(0, V)


@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize("knobs", VARIANTS.values(), ids=VARIANTS)
def test_adapted_it_trains_as_many_as_its_spec_says(knobs: dict[str, object], targets: str) -> None:
    for adapt in ("lora", "head"):
        asked = spec(**knobs, adapt=adapt, rank=3, targets=targets)
        built = GPT(asked, V)
        hold_still(built, asked)
        assert moved(built)[0] == asked.parameters(0, V)
        assert asked.flops_per_sample(0, V) < spec(**knobs).flops_per_sample(0, V)


def test_gpt_2_small_has_its_published_size() -> None:
    small = GPTSpec.of({**GPT_2, "layers": 12, "heads": 12, "width": 768, "context": 1024})
    assert small.parameters(0, 50_257) == 124_439_808


def test_later_tokens_change_no_earlier_score(model: GPT) -> None:
    x_BT = tokens()
    before = model(x_BT)
    for place in range(1, T):
        changed = x_BT.clone()
        changed[:, place:] = (changed[:, place:] + 1) % V
        after = model(changed)
        torch.testing.assert_close(after[:, :place], before[:, :place], rtol=0, atol=1e-5)
        assert not torch.allclose(after[:, place], before[:, place], atol=1e-3)


def test_no_gradient_flows_back_from_earlier_scores_to_later_tokens(model: GPT) -> None:
    rows: list[Tensor] = []
    model.embedding.register_forward_hook(lambda _module, _inputs, output: rows.append(output) or output.retain_grad())
    place = T // 2
    model(tokens())[:, place].sum().backward()
    gradient_BTC = rows[0].grad
    assert gradient_BTC is not None
    assert torch.equal(gradient_BTC[:, place + 1 :], torch.zeros_like(gradient_BTC[:, place + 1 :]))
    assert (gradient_BTC[:, : place + 1].abs().sum(-1) > 0).all()


@pytest.mark.parametrize("pieces", [[1] * T, [5, 1, 7, 3], [T]])
def test_a_cache_gives_the_scores_of_the_full_pass(model: GPT, pieces: list[int]) -> None:
    x_BT = tokens()
    caches = [KVCache() for _ in model.blocks]
    in_steps = torch.cat([model(piece, caches) for piece in x_BT.split(pieces, dim=1)], dim=1)
    torch.testing.assert_close(in_steps, model(x_BT), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("time", [T // 2, 3 * T])
def test_writes_what_repeated_full_passes_would(model: GPT, time: int) -> None:
    prompt = tokens(1, 4)
    written = model.generate(prompt, time, temperature=0)
    assert written.shape == (1, 4 + time)
    window = prompt
    for place in range(4, 4 + time):
        if window.size(1) > T:
            window = window[:, -(T // 2) :]
        assert model(window)[0, -1].argmax() == written[0, place]
        window = torch.cat([window, written[:, place : place + 1]], dim=1)


def test_the_same_chance_writes_the_same_text(model: GPT) -> None:
    samples = [
        model.generate(tokens(2, 4), 12, top_k=5, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    ]
    assert torch.equal(samples[0], samples[1])
    assert not torch.equal(samples[0], samples[2])


def test_written_attention_is_the_fused_one_forward_and_backward() -> None:
    for knobs in VARIANTS.values():
        torch.manual_seed(0)
        fused = stirred(GPT(spec(**{**knobs, "attention": "fused"}), V))
        written = GPT(spec(**{**knobs, "attention": "written"}), V).eval()
        written.load_state_dict(fused.state_dict())
        for each in (fused, written):
            each(tokens()).square().mean().backward()
        torch.testing.assert_close(written(tokens()), fused(tokens()), rtol=1e-5, atol=1e-5)
        for ours, theirs in zip(written.parameters(), fused.parameters(), strict=True):
            torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5)


def test_attention_rows_are_shares_of_what_came_before(model: GPT) -> None:
    weights_BHTT = model.attention(tokens())
    torch.testing.assert_close(weights_BHTT.sum(-1), torch.ones(2, 2, T))
    assert weights_BHTT.triu(1).count_nonzero() == 0


def test_attention_is_torchs_multihead_attention() -> None:
    torch.manual_seed(0)
    ours = CausalSelfAttention(spec(**{**GPT_2, "attention": "written"}))
    theirs = nn.MultiheadAttention(16, 2, batch_first=True)
    theirs.load_state_dict(
        {
            "in_proj_weight": ours.qkv.weight, "in_proj_bias": ours.qkv.bias,
            "out_proj.weight": ours.projection.weight, "out_proj.bias": ours.projection.bias,
        }
    )  # fmt: skip
    x_BTC = torch.randn(2, T, 16)
    hidden_TT = torch.ones(T, T, dtype=torch.bool).triu(1)
    expected, weights = theirs(x_BTC, x_BTC, x_BTC, attn_mask=hidden_TT, average_attn_weights=False)
    torch.testing.assert_close(ours(x_BTC), expected, rtol=1e-5, atol=1e-5)
    q, k, _ = ours.queries_keys_values(x_BTC)
    torch.testing.assert_close(ours.weights(q, k), weights, rtol=1e-5, atol=1e-5)


def test_gpt_2_is_torchs_transformer_encoder_with_a_causal_mask() -> None:
    torch.manual_seed(0)
    ours = stirred(GPT(spec(**GPT_2), V), std=0.1)
    assert isinstance(ours, GPT)
    layer = nn.TransformerEncoderLayer(16, 2, 64, 0.0, "gelu", batch_first=True, norm_first=True)
    theirs = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(16), enable_nested_tensor=False)
    names = {
        "attention.qkv.weight": "self_attn.in_proj_weight", "attention.qkv.bias": "self_attn.in_proj_bias",
        "attention.projection": "self_attn.out_proj", "attention_norm": "norm1", "mlp_norm": "norm2",
        "mlp.up": "linear1", "mlp.down": "linear2",
    }  # fmt: skip
    tables = {"embedding.weight", "positions.weight", "head.weight"}
    renamed = {}
    for name in (each for each in ours.state_dict() if each not in tables):
        other = name.replace("blocks.", "layers.")
        for mine, yours in names.items():
            other = other.replace(mine, yours)
        renamed[other] = name
    theirs.load_state_dict({other: ours.state_dict()[name] for other, name in renamed.items()})

    x_BT = tokens()
    ours(x_BT).square().mean().backward()
    stream = theirs(ours.embed(x_BT).detach(), mask=nn.Transformer.generate_square_subsequent_mask(T), is_causal=True)
    expected = stream @ ours.head.weight.detach().T
    expected.square().mean().backward()
    torch.testing.assert_close(ours(x_BT), expected, rtol=1e-5, atol=1e-5)
    mine = dict(ours.named_parameters())
    for other, parameter in theirs.named_parameters():
        torch.testing.assert_close(mine[renamed[other]].grad, parameter.grad, rtol=1e-4, atol=1e-5)


def test_dropout_acts_in_training_alone() -> None:
    model = stirred(GPT(spec(dropout=0.5), V))
    assert torch.equal(model(tokens()), model(tokens()))
    model.train()
    assert not torch.equal(model(tokens()), model(tokens()))


def test_widths_that_do_not_fit_are_refused_with_one_that_does() -> None:
    with pytest.raises(UsageError, match=r"width of 16 .* 3 heads.*multiple of 3, such as 15"):
        spec(heads=3)
    with pytest.raises(UsageError, match="turn pairs"):
        spec(heads=16)
    assert spec(heads=16, positions="learned").heads == 16
