"""CLIP's towers and loss prove themselves."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.errors import UsageError
from engine.families.clip.model import CLIP, Block, TextTower, best_scores, contrastive_loss
from engine.families.clip.spec import CLIPSpec
from engine.families.clip.words import Words


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def lively(network: nn.Module) -> nn.Module:
    """Move every weight away from where it starts, so that nothing is zero."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return network.eval()


def of_paper(pictures_ND: Tensor, captions_ND: Tensor, t: float) -> Tensor:
    """Return the loss as the pseudocode of the paper has it (figure 3)."""
    pictures_ND = pictures_ND / pictures_ND.norm(dim=1, keepdim=True)
    captions_ND = captions_ND / captions_ND.norm(dim=1, keepdim=True)
    logits = pictures_ND @ captions_ND.T * math.exp(t)
    labels = torch.arange(len(logits))
    loss_i, loss_t = F.cross_entropy(logits, labels), F.cross_entropy(logits.T, labels)
    return (loss_i + loss_t) / 2


def test_the_loss_is_that_of_the_paper_in_value_and_gradients() -> None:
    spec = CLIPSpec(picture_width=2, text_width=8, dimensions=4)
    model = lively(CLIP(spec, 3, 8, 11))
    assert isinstance(model, CLIP)
    x, words = torch.randn(6, 3, 8, 8), torch.randint(1, 11, (6, 5))
    ours = contrastive_loss(model(x, words), torch.eye(6))
    theirs = of_paper(model.picture_tower(x), model.text_tower(words), float(model.log_scale.detach()))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    weights = [each for name, each in model.named_parameters() if name != "log_scale"]
    for a, b in zip(torch.autograd.grad(ours, weights), torch.autograd.grad(theirs, weights), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


def test_scores_that_say_nothing_cost_the_logarithm_of_the_batch() -> None:
    for same in (torch.eye(64), (torch.arange(64)[:, None] % 16 == torch.arange(64) % 16).float()):
        assert float(contrastive_loss(torch.full((64, 64), 3.0), same)) == pytest.approx(math.log(64), abs=1e-5)


def test_the_towers_may_change_places() -> None:
    scores, texts = torch.randn(9, 9), torch.arange(9) % 4
    same = (texts[:, None] == texts).float()
    torch.testing.assert_close(contrastive_loss(scores, same), contrastive_loss(scores.T, same))


def test_the_temperature_of_the_paper_multiplies_cosines_by_14() -> None:
    scale = CLIP(CLIPSpec(), 3, 16, 9).scale.detach()
    assert float(scale) == pytest.approx(math.exp(2.6593), abs=1e-3) == pytest.approx(14.29, abs=0.01)


@pytest.mark.parametrize("alone", [True, False], ids=["pair", "caption"])
def test_where_captions_name_the_class_the_floor_is_the_logarithm_of_how_often_it_stands_there(alone: bool) -> None:
    labels = torch.arange(64) % 16
    same = torch.eye(64) if alone else (labels[:, None] == labels).float()
    floor = contrastive_loss(best_scores(torch.eye(16), labels, labels), same)
    assert float(floor) == pytest.approx(math.log(64 / 16), abs=1e-4)


def test_no_scores_are_better_than_those_of_who_knows_everything() -> None:
    generator = torch.Generator().manual_seed(0)
    fits_KM = torch.tensor([[1.0, 0, 1], [0, 1, 1]])
    labels = torch.randint(2, (2000,), generator=generator)
    texts = torch.where(torch.rand(2000, generator=generator) < 0.5, labels, 2)
    same = (texts[:, None] == texts).float()
    best = best_scores(fits_KM, labels, texts)
    floor = float(contrastive_loss(best, same))
    for change in ([[1.0, 0, 0], [0, 0, 0]], [[0.0, 0, 1], [0, 0, 1]], [[0.0, 3, 0], [0, 0, 0]]):
        assert float(contrastive_loss(best + torch.tensor(change)[labels][:, texts], same)) > floor - 2e-3


def test_a_class_that_no_picture_has_explains_no_caption() -> None:
    fits_KM = torch.tensor([[1.0, 0, 1], [0, 1, 1], [0, 0, 2]])
    hidden_KM = fits_KM * torch.tensor([[1.0], [1.0], [0.0]])
    labels, texts = torch.tensor([0, 1, 1]), torch.tensor([0, 1, 2])
    torch.testing.assert_close(best_scores(hidden_KM, labels, texts), best_scores(fits_KM[:2], labels, texts))
    assert not torch.equal(best_scores(hidden_KM, labels, texts), best_scores(fits_KM, labels, texts))


def test_a_block_agrees_with_torchs_encoder_layer() -> None:
    ours = lively(Block(16, 4))
    theirs = nn.TransformerEncoderLayer(16, 4, 64, 0.0, "gelu", batch_first=True, norm_first=True)
    parts = {
        "norm1": "attention_norm", "norm2": "mlp_norm", "self_attn.out_proj": "attention.projection",
        "self_attn.in_proj_": "attention.qkv.", "linear1": "up", "linear2": "down",
    }  # fmt: skip
    own = ours.state_dict()
    renamed = {}
    for name in theirs.state_dict():
        start = next(each for each in parts if name.startswith(each))
        renamed[name] = own[parts[start] + name.removeprefix(start)]
    theirs.load_state_dict(renamed)
    x = torch.randn(3, 5, 16)
    real = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]]).bool()
    a, b = ours(x, real), theirs(x, src_key_padding_mask=~real)
    torch.testing.assert_close(a[real], b[real], atol=1e-5, rtol=1e-5)
    a[real].square().sum().backward()
    b[real].square().sum().backward()
    mine = dict(ours.named_parameters())
    for name, parameter in theirs.named_parameters():
        start = next(each for each in parts if name.startswith(each))
        torch.testing.assert_close(
            mine[parts[start] + name.removeprefix(start)].grad, parameter.grad, atol=1e-4, rtol=1e-4, msg=name
        )


def test_what_fills_a_caption_up_changes_nothing() -> None:
    tower = lively(TextTower(CLIPSpec(text_width=16, text_layers=2), 9))
    words = torch.tensor([[1, 2, 3]])
    torch.testing.assert_close(tower(words), tower(F.pad(words, (0, 6))), atol=1e-5, rtol=1e-5)


def test_without_blocks_the_order_of_words_is_not_seen() -> None:
    words = torch.tensor([[1, 2, 3, 0], [3, 1, 2, 0]])
    bag, reader = (lively(TextTower(CLIPSpec(text_width=16, text_layers=layers), 9))(words) for layers in (0, 1))
    torch.testing.assert_close(bag[0], bag[1], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(reader[0], reader[1], atol=1e-2)


VARIANTS = ({}, {"picture_tower": "vit"}, {"text_layers": 0}, {"learned": False})


@pytest.mark.parametrize("knobs", VARIANTS, ids=["cnn", "vit", "bag of words", "fixed temperature"])
def test_every_variant_is_counted(knobs: dict[str, object]) -> None:
    spec = CLIPSpec(**knobs)  # type: ignore[arg-type]
    model = CLIP(spec, 3, 16, 19)
    trained = sum(each.numel() for each in model.parameters() if each.requires_grad)
    assert spec.parameters(3 * 16 * 16, 19) == trained
    assert model(torch.randn(2, 3, 16, 16), torch.ones(5, 12, dtype=torch.long)).shape == (2, 5)


def test_its_parameters_are_counted() -> None:
    assert CLIPSpec().parameters(768, 19) == count(CLIP(CLIPSpec(), 3, 16, 19)) == 79_905


@pytest.mark.parametrize("tower", ["cnn", "vit"])
def test_the_work_of_a_pair_is_counted(tower: str) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    spec = CLIPSpec(picture_tower=tower, batch_size=8)
    model = CLIP(spec, 3, 16, 19)
    with FlopCounterMode(display=False) as counter:
        model(torch.randn(8, 3, 16, 16), torch.ones(8, 12, dtype=torch.long))
    assert spec.flops_per_sample(768, 19) == pytest.approx(3 * counter.get_total_flops() / 8, rel=0.05)


def test_heads_that_cannot_share_a_width_and_a_batch_of_one_are_refused() -> None:
    with pytest.raises(UsageError, match="shared out"):
        CLIPSpec(text_width=10, heads=4)
    with pytest.raises(UsageError, match="no wrong caption"):
        CLIPSpec(batch_size=1)


def test_words_are_numbered_and_strange_ones_refused() -> None:
    words = Words(["a red circle", "There is a square."], 5)
    assert len(words) == 7
    assert words.encode(["A Square."]).tolist() == [[words.numbers["a"], words.numbers["square"], 0, 0, 0]]
    with pytest.raises(UsageError, match="circel") as raised:
        words.encode(["a circel"])
    assert "circle" in raised.value.remedy
    for wrong in ("", "a a a a a a"):
        with pytest.raises(UsageError, match="reads 1 to 5"):
            words.encode([wrong])
