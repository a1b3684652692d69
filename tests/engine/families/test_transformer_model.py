"""What is true of a transformer whatever it has learned, and that it is the one that torch has."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from engine.core.errors import UsageError
from engine.families.transformer.decoding import beam_search, greedy
from engine.families.transformer.model import MLP, Attention, Caches, Transformer, sinusoids
from engine.families.transformer.spec import OF_2017, TransformerSpec
from engine.families.transformer.vocabulary import END, PAD, START

V, S, T = 11, 9, 7
SMALL = {"layers": 2, "heads": 2, "width": 16, "longest": 16}
PLAIN = {**OF_2017, "dropout": 0.0}
VARIANTS = {
    "modern": {},
    "2017": PLAIN,
    "learned positions": {"positions": "learned", "bias": True, "tie": True},
    "sinusoidal, layernorm": {"positions": "sinusoidal", "norm": "layernorm", "qk_norm": False},
    "fused": {"attention": "fused", "norm_place": "after"},
}


def spec(**knobs: object) -> TransformerSpec:
    return TransformerSpec.of({**SMALL, **knobs})  # type: ignore[arg-type]


def stirred(**knobs: object) -> Transformer:
    """A model away from zeros and ones, where much is true that should not be."""
    torch.manual_seed(0)
    model = Transformer(spec(**knobs), V)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return model.eval()


def tokens(length: int, batch: int = 2, seed: int = 7) -> Tensor:
    return torch.randint(4, V, (batch, length), generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=VARIANTS)
def model(request: pytest.FixtureRequest) -> Transformer:
    return stirred(**VARIANTS[request.param])


def test_starts_with_every_token_equally_likely() -> None:
    logits = Transformer(spec(), V)(tokens(S), tokens(T))
    assert logits.shape == (2, T, V) and torch.equal(logits, torch.zeros_like(logits))


@pytest.mark.parametrize("knobs", VARIANTS.values(), ids=VARIANTS)
def test_has_as_many_parameters_as_its_spec_says(knobs: dict[str, object]) -> None:
    asked = spec(**knobs)
    assert sum(each.numel() for each in Transformer(asked, V).parameters()) == asked.parameters(0, V)


def test_the_base_model_of_2017_has_its_published_size() -> None:
    base = TransformerSpec.of({**OF_2017, "layers": 6, "heads": 8, "width": 512, "pieces": 37_000})  # type: ignore[dict-item]
    assert base.parameters(0, 0) == pytest.approx(65e6, rel=0.04), "65 million, for about 37,000 pieces"


def test_its_operations_are_those_that_torch_counts() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    asked = spec(width=32)
    model = Transformer(asked, V)
    with FlopCounterMode(display=False) as counter:
        model(tokens(S, 1), tokens(T, 1)).sum().backward()
    assert asked.flops(S, T, V) == pytest.approx(counter.get_total_flops(), rel=0.1)


def test_pads_change_nothing(model: Transformer) -> None:
    source, target = tokens(S), tokens(T)
    longer = nn.functional.pad(source, (0, 5), value=PAD)
    torch.testing.assert_close(model(longer, target), model(source, target), rtol=0, atol=2e-6)
    padded = nn.functional.pad(target, (0, 3), value=PAD)
    torch.testing.assert_close(model(source, padded)[:, :T], model(source, target), rtol=0, atol=2e-6)
    assert torch.equal(greedy(model, longer, 9), greedy(model, source, 9))


def test_later_tokens_change_no_earlier_score(model: Transformer) -> None:
    source, target = tokens(S), tokens(T)
    before = model(source, target)
    for place in range(1, T):
        changed = target.clone()
        changed[:, place:] = 4 + (changed[:, place:] - 3) % (V - 4)
        after = model(source, changed)
        torch.testing.assert_close(after[:, :place], before[:, :place], rtol=0, atol=1e-5)
        assert not torch.allclose(after[:, place], before[:, place], atol=1e-3)


def test_every_score_depends_on_every_token_of_the_source(model: Transformer) -> None:
    rows: list[Tensor] = []
    model.encoder.dropout.register_forward_hook(lambda _1, _2, output: rows.append(output) or output.retain_grad())
    model(tokens(S), tokens(T))[:, 0].square().sum().backward()
    assert rows[0].grad is not None and (rows[0].grad.abs().sum(-1) > 0).all()


@torch.no_grad()
def forget_positions(model: Transformer) -> None:
    """Take a model's positions away, of whichever kind they are."""
    for stack in (model.encoder, model.decoder):
        if stack.places is not None:
            stack.places.zero_()
        if stack.positions is not None:
            stack.positions.weight.zero_()
    for module in model.modules():
        if isinstance(module, Attention):
            module.rotary = None


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "rotary"])
def test_without_positions_the_encoder_is_blind_to_order(positions: str) -> None:
    model = stirred(positions=positions)
    shuffled = torch.randperm(S, generator=torch.Generator().manual_seed(1))
    source = tokens(S)
    assert not torch.allclose(model.encode(source[:, shuffled]).read, model.encode(source).read[:, shuffled], atol=1e-3)
    forget_positions(model)
    ours, theirs = model.encode(source[:, shuffled]).read, model.encode(source).read[:, shuffled]
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "rotary"])
def test_without_positions_one_block_of_the_decoder_is_blind_to_the_order_of_what_came_before(positions: str) -> None:
    model, source, target = stirred(positions=positions, layers=1), tokens(S), tokens(T)
    turned = torch.cat([target[:, :-1].flip(1), target[:, -1:]], dim=1)
    assert not torch.allclose(model(source, turned)[:, -1], model(source, target)[:, -1], atol=1e-3)
    forget_positions(model)
    torch.testing.assert_close(model(source, turned)[:, -1], model(source, target)[:, -1], rtol=1e-4, atol=1e-5)


def test_normalized_queries_have_no_length() -> None:
    for normalized in (True, False):
        model = stirred(qk_norm=normalized)
        before = model(tokens(S), tokens(T))
        with torch.no_grad():
            model.decoder.blocks[0].attention.query.weight.mul_(10)
        assert torch.allclose(model(tokens(S), tokens(T)), before, rtol=1e-4, atol=1e-4) == normalized


def test_the_bend_of_a_block_is_the_one_asked_for() -> None:
    x_BTC = torch.randn(2, T, 16, generator=torch.Generator().manual_seed(1))
    for activation, power in {"relu2": 2, "relu": 1}.items():
        mlp = MLP(spec(activation=activation))
        torch.testing.assert_close(mlp(x_BTC), mlp.down(mlp.up(x_BTC).relu() ** power))


def test_a_step_onward_turns_every_pair_of_waves_alike() -> None:
    table = sinusoids(20, 8)
    assert table[0].tolist() == [0.0, 1.0] * 4
    assert table[3, 2:4].tolist() == pytest.approx([math.sin(3 / 10), math.cos(3 / 10)])
    products = table @ table.T
    for apart in range(5):
        torch.testing.assert_close(products.diagonal(apart), products[0, apart].expand(20 - apart))


def test_written_attention_is_the_fused_one_forward_and_backward() -> None:
    source, target = nn.functional.pad(tokens(S), (0, 2), value=PAD), tokens(T)
    for knobs in VARIANTS.values():
        written, fused = stirred(**{**knobs, "attention": "written"}), stirred(**{**knobs, "attention": "fused"})
        for each in (written, fused):
            each(source, target).square().mean().backward()
        torch.testing.assert_close(written(source, target), fused(source, target), rtol=1e-5, atol=1e-5)
        for (name, ours), theirs in zip(written.named_parameters(), fused.parameters(), strict=True):
            torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5, msg=name)


def torch_names(name: str) -> str:
    """Return the name of one of our parameters in `nn.Transformer`'s layers."""
    decoder = name.startswith("decoder")
    swaps = {
        "blocks": "layers", "mlp.up": "linear1", "mlp.down": "linear2", "attention_norm": "norm1",
        "cross_norm": "norm2", "mlp_norm": "norm3" if decoder else "norm2",
        "cross.projection": "multihead_attn.out_proj", "attention.projection": "self_attn.out_proj",
    }  # fmt: skip
    for ours, theirs in swaps.items():
        name = name.replace(ours, theirs)
    return name


def as_torch(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return parameters, or their gradients, of our two stacks as `nn.Transformer` names and joins them."""
    theirs: dict[str, Tensor] = {}
    for name, value in values.items():
        if ".query." in name:
            kind = name.rpartition(".")[2]
            prefix = name.rpartition(".query.")[0].replace("blocks", "layers")
            prefix = (
                prefix.removesuffix("cross") + "multihead_attn"
                if prefix.endswith("cross")
                else (prefix.removesuffix("attention") + "self_attn")
            )
            theirs[f"{prefix}.in_proj_{kind}"] = torch.cat([value, values[name.replace(".query.", ".key_value.")]])
        elif (".blocks." in name and ".key_value." not in name) or name.split(".")[1] == "norm":
            theirs[torch_names(name)] = value
    return theirs


@pytest.mark.parametrize("norm_first", [True, False], ids=["norm before", "norm after"])
def test_it_is_torchs_transformer(norm_first: bool) -> None:
    ours = stirred(**{**PLAIN, "norm_place": "before" if norm_first else "after"})
    theirs = nn.Transformer(16, 2, 2, 2, 64, 0.0, "relu", batch_first=True, norm_first=norm_first)
    if not norm_first:
        theirs.encoder.norm = theirs.decoder.norm = None  # torch normalizes a last time, the paper does not
    theirs.load_state_dict(as_torch(dict(ours.state_dict())))
    source, target = nn.functional.pad(tokens(S), (0, 2), value=PAD), tokens(T)
    hidden_BS, later_TT = source == PAD, torch.ones(T, T, dtype=torch.bool).triu(1)

    x, y = ours.encoder.embed(source).detach(), ours.decoder.embed(target).detach()
    out = theirs(x, y, tgt_mask=later_TT, src_key_padding_mask=hidden_BS, memory_key_padding_mask=hidden_BS)
    expected = out @ ours.head.weight.detach().T
    torch.testing.assert_close(ours(source, target), expected, rtol=1e-5, atol=1e-5)

    expected.square().mean().backward()
    ours(source, target).square().mean().backward()
    gradients = as_torch({name: each.grad for name, each in ours.named_parameters() if each.grad is not None})
    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(gradients[name], parameter.grad, rtol=1e-4, atol=1e-5, msg=name)


def test_a_cache_gives_the_scores_of_the_full_pass(model: Transformer) -> None:
    source, target = tokens(S), tokens(T)
    caches, read = [Caches() for _ in model.decoder.blocks], model.encode(source)
    in_steps = torch.cat([model.decode(piece, read, caches) for piece in target.split([1, 3, 1, 2], dim=1)], dim=1)
    torch.testing.assert_close(in_steps, model(source, target), rtol=1e-4, atol=1e-5)


def test_writing_greedily_takes_what_is_likeliest_given_what_it_wrote(model: Transformer) -> None:
    source = tokens(S, batch=6)
    written = greedy(model, source, T)
    given = torch.cat([torch.full((6, 1), START), written[:, :-1]], dim=1)
    scores = model(source, given)
    scores[..., PAD] = -torch.inf
    likeliest = scores.argmax(-1)
    for row in range(6):
        ends = (written[row] == END).nonzero()
        length = int(ends[0]) + 1 if len(ends) else T
        assert torch.equal(written[row, :length], likeliest[row, :length])
        assert (written[row, length:] == PAD).all()


def test_one_beam_writes_greedily(model: Transformer) -> None:
    source = tokens(S, batch=5)
    written, scores = beam_search(model, source, T, beams=1)
    assert scores.shape == (5, 1)
    one = greedy(model, source, T)
    assert torch.equal(written[:, 0, : one.size(1)], one)


def test_a_text_is_filled_up_with_pads_and_never_written_with_them() -> None:
    model, source = stirred(), tokens(S, batch=5)
    before = greedy(model, source, T)
    model.head.register_forward_hook(lambda _1, _2, logits: logits + 50.0 * (torch.arange(V) == PAD))
    assert torch.equal(greedy(model, source, T), before)
    assert torch.equal(beam_search(model, source, T, beams=1)[0][:, 0, : before.size(1)], before)


@pytest.mark.parametrize("penalty", [0.0, 0.6, 2.0])
def test_every_score_is_that_of_its_text_by_the_published_formula(penalty: float) -> None:
    model, source = stirred(), tokens(S, batch=6)
    model.head.register_forward_hook(lambda _1, _2, logits: 0.3 * logits)  # so unsure that texts of many lengths race
    written_BWT, scores_BW = beam_search(model, source, 12, beams=8, length_penalty=penalty)
    lengths_BW = (written_BWT != PAD).sum(-1)
    assert len(lengths_BW.unique()) > 5
    for written_WT, scores_W, source_S, lengths_W in zip(written_BWT, scores_BW, source, lengths_BW, strict=True):
        given_WT = torch.cat([torch.full((8, 1), START), written_WT[:, :-1]], dim=1)
        chances_WTV = model(source_S.expand(8, -1), given_WT).log_softmax(-1)
        taken_WT = chances_WTV.gather(2, written_WT[:, :, None])[..., 0].masked_fill(written_WT == PAD, 0.0)
        torch.testing.assert_close(scores_W, taken_WT.sum(1) / ((5 + lengths_W) / 6) ** penalty, rtol=1e-4, atol=1e-4)


def test_enough_beams_find_the_best_of_all_texts() -> None:
    model, longest = stirred(tie=True), 3
    source = tokens(S, batch=1)
    written, scores = beam_search(model, source, longest, beams=V**2, length_penalty=0.0)
    read = [token for token in range(V) if token != PAD]
    best: dict[tuple[int, ...], float] = {}
    for length in range(1, longest + 1):
        inner = [token for token in read if token != END]
        texts = list(itertools.product(*[inner] * (length - 1), read if length == longest else [END]))
        written_NT = torch.tensor(texts)
        given_NT = torch.cat([torch.full((len(texts), 1), START), written_NT[:, :-1]], dim=1)
        chances_NTV = model(source.expand(len(texts), -1), given_NT).log_softmax(-1)
        sums = chances_NTV.gather(2, written_NT[:, :, None]).sum((1, 2)).tolist()
        best |= dict(zip(texts, sums, strict=True))
    ranked = sorted(best, key=lambda text: -best[text])[:5]
    for text, found, score in zip(ranked, written[0].tolist(), scores[0].tolist(), strict=False):
        assert [token for token in found if token != PAD] == list(text)
        assert score == pytest.approx(best[text], abs=1e-4)


def test_a_length_penalty_lets_longer_texts_win() -> None:
    model = stirred(tie=True)
    source = tokens(S, batch=8)
    lengths = [
        int((beam_search(model, source, 12, beams=6, length_penalty=penalty)[0][:, 0] != PAD).sum())
        for penalty in (0.0, 2.0)
    ]
    assert lengths[0] < lengths[1]


def test_rows_of_cross_attention_are_shares_of_the_source(model: Transformer) -> None:
    source = nn.functional.pad(tokens(S), (0, 2), value=PAD)
    weights = model.cross_attention(source, tokens(T))
    assert weights.shape == (2, 2, T, S + 2)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, T))
    assert weights[..., S:].count_nonzero() == 0


@pytest.mark.parametrize("layer", [0, 1, -1])
@pytest.mark.parametrize("norm_place", ["before", "after"])
def test_the_cross_attention_that_is_shown_is_the_one_of_its_layer(
    norm_place: str, layer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, seen = stirred(norm_place=norm_place), []
    cross = model.decoder.blocks[layer].cross
    weights = cross.weights
    monkeypatch.setattr(cross, "weights", lambda *arguments: seen.append(weights(*arguments)) or seen[-1])
    model(tokens(S), tokens(T))
    monkeypatch.undo()
    torch.testing.assert_close(model.cross_attention(tokens(S), tokens(T), layer), seen[0])


def test_dropout_acts_in_training_alone() -> None:
    model = stirred(dropout=0.5)
    source, target = tokens(S), tokens(T)
    assert torch.equal(model(source, target), model(source, target))
    model.train()
    assert not torch.equal(model(source, target), model(source, target))


def test_widths_that_do_not_fit_are_refused_with_one_that_does() -> None:
    with pytest.raises(UsageError, match=r"width of 16 .* 3 heads.*multiple of 3, such as 15"):
        spec(heads=3)
    with pytest.raises(UsageError, match="turn pairs"):
        spec(heads=16, positions="rotary")
