"""The published GPT-2 in our module: on a small one of the same names, layout and form of files."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from engine.core.errors import DataError, RunError, UsageError
from engine.core.events import HeatMap, Table, Text
from engine.core.recipe import Recipe, write_recipe
from engine.core.spec import Value
from engine.data.examples import Corpus
from engine.data.gpt2_tokens import GPT2Tokens
from engine.data.table import TABLE, File
from engine.families.gpt import spec as spec_file
from engine.families.gpt.learner import VALID_SCORES, GPTLearner, windows_at_once
from engine.families.gpt.loading import load_gpt
from engine.families.gpt.model import GPT
from engine.families.gpt.presets import GPT_2_124M, PUBLISHED
from engine.families.gpt.spec import FAMILY, GPTSpec
from engine.play.complete import complete
from engine.play.kinds import CompleteSettings
from engine.train.checkpoint import State, save_checkpoint
from engine.train.evaluate import evaluate, looking_at
from engine.train.learner import Setting
from tests.engine.data.tiny_gpt2 import CONTEXT, LAYERS, VOCABULARY, WIDTH, made_weights, write_tokens

SHAPE: dict[str, Value] = {"layers": LAYERS, "heads": 2, "width": WIDTH}
TEXT = "the hat on the head, at the inner heath in winter: é \N{GRINNING FACE}\n" * 40

Save = Callable[[dict[str, Tensor]], None]


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Save:
    """The files of a small GPT-2 where those of the real one are looked for; returns what writes other weights."""
    folder = tmp_path / "data" / "gpt2"
    folder.mkdir(parents=True)
    monkeypatch.setenv("LEXIGRAD_DATA", str(tmp_path / "data"))
    for name, value in SHAPE.items():
        monkeypatch.setitem(GPT_2_124M, name, value)
    monkeypatch.setattr(spec_file, "GPT_2_CONTEXT", CONTEXT)
    write_tokens(folder)

    def save(tensors: dict[str, Tensor]) -> None:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        files = tuple(
            File(
                path.name, "https://localhost/gpt2", path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()
            )
            for path in sorted(folder.iterdir())
        )
        monkeypatch.setitem(TABLE, "gpt-2", replace(TABLE["gpt-2"], files=files))

    save(made_weights())
    return save


def learner(start: GPTLearner | None = None, text: str = TEXT, **knobs: Value) -> GPTLearner:
    torch.manual_seed(0)
    asked = {**PUBLISHED, **SHAPE, "context": CONTEXT, "batch_size": 2, "prompt": "the", "rank": 2, **knobs}
    spec = GPTSpec.of(asked)
    inputs = {} if start is None else {"model": start.weights()}
    data = Corpus(name="toy", train=text, valid=text[:300])
    return GPTLearner(Setting(spec, data, 0, torch.device("cpu"), inputs=inputs))


def train(ours: GPTLearner, steps: int) -> list[float]:
    ours.mode(training=True)
    ours.optimizers.schedule(1.0)
    batches = ours.batches()
    return [float(ours.train_step(batches.at(step))["loss"]) for step in range(steps)]


def as_published(w: dict[str, Tensor], x_BT: Tensor, heads: int) -> Tensor:
    """GPT-2's forward pass after OpenAI's own `model.py`, with its names and its layout of matrices."""

    def conv1d(x: Tensor, name: str) -> Tensor:
        return x @ w[f"{name}.weight"] + w[f"{name}.bias"]

    def norm(x: Tensor, name: str) -> Tensor:
        s = (x - x.mean(-1, keepdim=True)).square().mean(-1, keepdim=True)
        return (x - x.mean(-1, keepdim=True)) * torch.rsqrt(s + 1e-5) * w[f"{name}.weight"] + w[f"{name}.bias"]

    def gelu(x: Tensor) -> Tensor:
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

    B, T = x_BT.shape
    h = w["wte.weight"][x_BT] + w["wpe.weight"][:T]
    for layer in range(LAYERS):
        q, k, v = (
            part.view(B, T, heads, -1).transpose(1, 2)
            for part in conv1d(norm(h, f"h.{layer}.ln_1"), f"h.{layer}.attn.c_attn").chunk(3, dim=-1)
        )
        scores, mask = q @ k.mT / math.sqrt(q.size(-1)), w[f"h.{layer}.attn.bias"][:, :, :T, :T]
        a = (scores * mask - 1e10 * (1 - mask)).softmax(-1) @ v
        h = h + conv1d(a.transpose(1, 2).reshape(B, T, -1), f"h.{layer}.attn.c_proj")
        h = h + conv1d(gelu(conv1d(norm(h, f"h.{layer}.ln_2"), f"h.{layer}.mlp.c_fc")), f"h.{layer}.mlp.c_proj")
    return norm(h, "ln_f") @ w["wte.weight"].T


@pytest.mark.parametrize("attention", ["written", "fused"])
def test_it_computes_what_gpt_2_computes_forward_and_backward(published: Save, attention: str) -> None:
    ours = learner(adapt="full", attention=attention)
    theirs = {name: tensor.requires_grad_() for name, tensor in made_weights().items()}
    x_BT, y_BT = ours.batches().at(0)
    logits = ours.modules["model"](x_BT)
    expected = as_published(theirs, x_BT, heads=2)
    torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)
    for each in (logits, expected):
        F.cross_entropy(each.flatten(0, 1), y_BT.flatten()).backward()
    gradients = {name: each.grad for name, each in ours.modules["model"].named_parameters()}
    pairs = {
        "embedding.weight": theirs["wte.weight"].grad,
        "positions.weight": theirs["wpe.weight"].grad,
        "norm.bias": theirs["ln_f.bias"].grad,
        "blocks.0.attention_norm.weight": theirs["h.0.ln_1.weight"].grad,
        "blocks.1.mlp_norm.bias": theirs["h.1.ln_2.bias"].grad,
        "blocks.0.attention.qkv.weight": theirs["h.0.attn.c_attn.weight"].grad.T,  # type: ignore[union-attr]
        "blocks.1.attention.projection.weight": theirs["h.1.attn.c_proj.weight"].grad.T,  # type: ignore[union-attr]
        "blocks.0.mlp.up.weight": theirs["h.0.mlp.c_fc.weight"].grad.T,  # type: ignore[union-attr]
        "blocks.1.mlp.down.weight": theirs["h.1.mlp.c_proj.weight"].grad.T,  # type: ignore[union-attr]
        "blocks.1.mlp.down.bias": theirs["h.1.mlp.c_proj.bias"].grad,
    }
    for name, gradient in pairs.items():
        torch.testing.assert_close(gradients[name], gradient, rtol=1e-5, atol=1e-5, msg=name)


def test_a_file_of_gpt_2s_names_and_shapes_has_the_published_size() -> None:
    """Weights and triangles in single precision; the rest is the header, one line of JSON."""
    weights = GPTSpec.of({**PUBLISHED, "context": 1024, "adapt": "full"}).parameters(0, 0)
    assert weights == 124_439_808
    header = {
        name.replace("h.0.", f"h.{layer}."): {"dtype": "F32", "shape": [1024, 1024], "data_offsets": [10**8, 10**8]}
        for layer in range(12)
        for name in made_weights()
    }
    size = 4 * (weights + 12 * 1024 * 1024) + len(json.dumps(header, separators=(",", ":")))
    published = next(file for file in TABLE["gpt-2"].files if file.name == "model.safetensors")
    assert published.bytes == pytest.approx(size, abs=4000)


def test_its_loss_is_told_per_character_and_per_token(published: Save) -> None:
    ours = learner()
    measured = evaluate(ours)
    tokens, text = ours.valid_tokens, TEXT[:300]
    assert len(tokens) != len(text)
    with looking_at(ours):
        total = sum(float(ours._losses(batch).sum()) for batch in ours.valid_batches())
    a_token = total / (len(tokens) - 1)
    assert measured["valid/loss_per_token"] == pytest.approx(a_token, rel=1e-5)
    assert measured["valid/loss"] == pytest.approx(a_token * len(tokens) / len(text), rel=1e-5)
    unigram, *_ = ours.baselines()
    assert 0 < unigram.value < math.log(VOCABULARY) * len(tokens) / len(text)  # type: ignore[attr-defined]


def test_lora_goes_on_from_it_and_can_be_gone_on_from(published: Save) -> None:
    ours = learner(learning_rate=0.01)
    before = evaluate(ours)["valid/loss"]
    train(ours, 30)
    after = evaluate(ours)["valid/loss"]
    assert after < before - 0.1
    assert sum(each.numel() for each in ours.optimizers.parameters) == ours.spec.parameters(0, VOCABULARY)
    on = learner(start=ours, adapt="full", weights="random")
    assert evaluate(on)["valid/loss"] == pytest.approx(after, abs=1e-5)
    assert isinstance(on.vocabulary, GPT2Tokens)


def test_kept_as_published_not_one_number_moves(published: Save) -> None:
    knobs = {**FAMILY.preset("gpt-2-as-published").knobs, **SHAPE, "context": CONTEXT, "prompt": "the"}
    ours = learner(**knobs)
    before = {name: tensor.clone() for name, tensor in ours.weights().items()}
    measured = evaluate(ours)
    train(ours, ours.spec.steps)
    for name, tensor in ours.weights().items():
        assert torch.equal(tensor, before[name]), name
    assert evaluate(ours) == measured


def test_a_shorter_context_takes_the_first_positions(published: Save) -> None:
    ours = learner(context=8)
    model = ours._model
    assert model.positions is not None
    assert torch.equal(model.positions.weight, made_weights()["wpe.weight"][:8])


def test_one_can_play_with_it_from_its_checkpoint_alone(published: Save, tmp_path: Path) -> None:
    ours = learner()
    train(ours, 3)
    folder = tmp_path / "run"
    folder.mkdir()
    write_recipe(Recipe(family="gpt", preset="gpt-2-124m", knobs=ours.spec.values()), folder)
    save_checkpoint(folder, State(step=3), ours.weights(), ours.state())
    model, vocabulary = load_gpt(folder)
    assert isinstance(vocabulary, GPT2Tokens) and isinstance(ours.vocabulary, GPT2Tokens)
    assert vocabulary.words == ours.vocabulary.words and vocabulary.merges == ours.vocabulary.merges
    x_BT = ours.valid_tokens[None, :CONTEXT]
    with looking_at(ours):
        torch.testing.assert_close(model(x_BT), ours.modules["model"](x_BT), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("prompt", ["the h", "", "\N{GRINNING FACE}"])
def test_it_completes_a_text_character_by_character(published: Save, prompt: str) -> None:
    ours = learner()
    with looking_at(ours):
        table, text = complete(ours, CompleteSettings(prompt=prompt, length=50))
        again = list(complete(ours, CompleteSettings(prompt=prompt, length=50)))[1]
    assert isinstance(table, Table) and len(table.rows) == 10
    assert isinstance(text, Text) and len(text.text) == 50
    assert text == again


def test_it_draws_attention_over_pieces(published: Save) -> None:
    ours = learner()
    evaluate(ours)
    with looking_at(ours):
        maps = [each for each in ours.draw(0) if isinstance(each, HeatMap)]
    assert maps[0].rows == maps[0].columns
    assert (maps[0].rows is not None and maps[0].rows[0] == "t") or " the" in maps[0].rows  # type: ignore[operator]


def test_weights_that_are_damaged_or_of_another_model_are_refused_in_one_sentence(
    published: Save, tmp_path: Path
) -> None:
    tensors = made_weights()
    published({name: tensor for name, tensor in tensors.items() if name != "h.1.ln_2.bias"})
    with pytest.raises(DataError, match=r"no 'blocks.1.mlp_norm.bias'.*lexigrad data get gpt-2"):
        learner()
    published({**tensors, "wte.weight": torch.zeros(7, WIDTH)})
    with pytest.raises(DataError, match=r"\(7, 16\) for 'embedding.weight'"):
        learner()
    published(tensors)
    path = tmp_path / "data" / "gpt2" / "model.safetensors"
    path.write_bytes(b"\0" + path.read_bytes()[1:])
    with pytest.raises(DataError, match="damaged"):
        learner()
    path.unlink()
    with pytest.raises(DataError, match=r"not on this machine.*lexigrad data get gpt-2"):
        learner()


def test_the_weights_fit_gpt_2_alone() -> None:
    with pytest.raises(UsageError, match=r"fit GPT-2 alone.*layers=12 .*tokens=gpt-2"):
        GPTSpec.of({"weights": "gpt-2"})
    with pytest.raises(UsageError, match=r"1,024 positions, no 2,048"):
        GPTSpec.of({**PUBLISHED, "context": 2048})
    for name in ("gpt-2-124m", "gpt-2-as-published"):
        spec = FAMILY.configure(name)
        assert {each: getattr(spec, each) for each in GPT_2_124M} == GPT_2_124M


def test_a_model_of_other_tokens_is_refused(published: Save) -> None:
    of_pieces = learner()
    with pytest.raises(RunError, match=r"reads gpt-2, this one characters.*tokens=gpt-2"):
        learner(start=of_pieces, tokens="characters", weights="random")


def test_a_text_too_short_for_the_context_is_refused(published: Save) -> None:
    with pytest.raises(DataError, match=r"too few for a context of 32"):
        learner(text="the hat " * 5)


def test_a_tied_model_can_be_gone_on_from() -> None:
    knobs: dict[str, Value] = {"tokens": "characters", "weights": "random", "adapt": "full"}
    ours = learner(**knobs)
    train(ours, 2)
    on = learner(start=ours, **knobs)
    assert evaluate(on)["valid/loss"] == pytest.approx(evaluate(ours)["valid/loss"], abs=1e-6)


def test_a_large_vocabulary_is_judged_in_smaller_batches() -> None:
    ours = learner(tokens="characters", weights="random", adapt="full")
    assert windows_at_once(ours._model) == 8192 // CONTEXT
    large = GPT(GPTSpec.of({"layers": 1, "heads": 1, "width": 2, "context": 1024}), 50_257)
    assert windows_at_once(large) == 1
    assert windows_at_once(large) * 1024 * 50_257 <= VALID_SCORES
