"""The lab on fine-tuning: its judges on made-up figures, its arms, and its measurements on small models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.core.errors import RunError, UsageError
from engine.core.lab import Results
from engine.core.recipe import Recipe, write_recipe
from engine.data.examples import Corpus
from engine.data.gpt2_tokens import read_gpt2_tokens
from engine.data.table import TABLE, File
from engine.families.gpt.learner import GPTLearner
from engine.families.gpt.loading import load_gpt
from engine.families.gpt.presets import GPT_2_124M
from engine.families.gpt.spec import FAMILY, GPTSpec
from engine.labs.fine_tuning import judges
from engine.labs.fine_tuning.compute import (
    After,
    cold_loss,
    loss_per_character,
    merging_error,
    picture,
    race,
    sample,
    table,
    training_bytes,
)
from engine.labs.fine_tuning.lab import CHANGES, GAINS, LAB, Contest, change_class, gain_class
from engine.train.checkpoint import State, save_checkpoint
from engine.train.evaluate import evaluate
from engine.train.learner import Setting
from tests.engine.data.tiny_gpt2 import write_tokens

SMALL = {"layers": 2, "heads": 2, "width": 16, "context": 16, "batch_size": 4}


def results(lora: float = 1.29, full_first: float = 1.42, lora_first: float = 1.40, noise: float = 0.001) -> Results:
    """Three seeds that differ by some noise."""
    figures: dict[tuple[str, int], dict[str, float]] = {}
    for seed in range(3):
        shift = noise * (seed - 1)
        figures["full", seed] = {"parameters": 800_000, "first/train/loss": 1.5 + shift}
        figures["scratch", seed] = {"parameters": 800_000, "first/train/loss": 4.4}
        figures["lora-1", seed] = {"parameters": 8_000}
        figures["lora-4", seed] = {"parameters": 32_000}
        figures["lora-16", seed] = {"parameters": 128_000}
        figures["after", seed] = {
            "base/first": 1.35, "base/second": 1.53, "full/first": full_first + shift, "full/second": 1.28 + shift,
            "lora-1/first": 1.36, "lora-1/second": 1.36, "lora-4/first": lora_first, "lora-4/second": lora - shift,
            "lora-16/first": 1.45, "lora-16/second": 1.2,
            "full/steps": 0, "scratch/steps": 250 + seed, "merged/difference": 3e-6,
        }  # fmt: skip
    return Results(figures, (0, 1, 2), Contest())


def test_the_largest_rank_within_the_budget_stands_for_lora() -> None:
    found = results()
    assert judges.lora_within(found, 0.05) == "lora-4"
    assert judges.lora_within(found, 0.5) == "lora-16"
    assert judges.lora_within(found, 0.001) == ""


def test_lora_gains_enough_or_not_or_nobody_can_say() -> None:
    assert judges.lora_gain(results(lora=1.29)).holds is True
    assert judges.lora_gain(results(lora=1.40)).holds is False
    assert judges.lora_gain(results(lora=1.305, noise=0.02)).holds is None
    verdict = judges.lora_gain(results(lora=1.30))
    assert [each.name for each in verdict.measured] == [
        "rank 1, 1.0% trained", "rank 4, 4.0% trained", "rank 16, 16.0% trained"
    ]  # fmt: skip
    assert verdict.measured[1].value == pytest.approx(100 * 0.23 / 0.25, abs=0.1)


def test_forgetting_is_judged_against_the_base_and_against_full() -> None:
    assert judges.forgets(results()).holds is True
    assert judges.forgets(results(full_first=1.30)).holds is False
    assert judges.forgets(results(full_first=1.351, noise=0.01)).holds is None
    assert judges.lora_forgets_less(results()).holds is True
    assert judges.lora_forgets_less(results(lora_first=1.5)).holds is False


def test_a_head_start_needs_both_a_lower_start_and_fewer_steps() -> None:
    assert judges.head_start(results()).holds is True
    late = results()
    for seed in late.seeds:
        late.figures["after", seed]["full/steps"] = 400  # type: ignore[index]
    assert judges.head_start(late).holds is False


def test_merging_and_the_predictions() -> None:
    assert judges.merged(results()).holds is True
    assert gain_class(results(lora=1.29)) == GAINS[2]
    assert gain_class(results(lora=1.45)) == GAINS[0]
    assert change_class(results()) == CHANGES[3]
    assert change_class(results(full_first=1.35)) == CHANGES[1]


def test_each_contestant_differs_from_full_in_what_the_lab_says() -> None:
    arms = {arm.name: arm for arm in LAB.arms(Contest(ranks="2 8"))}
    assert list(arms) == ["base", "scratch", "full", "head", "lora-2", "lora-8", "after"]
    assert arms["base"].kept
    assert arms["scratch"].start == ""
    full, lora = arms["full"].knobs, arms["lora-8"].knobs
    assert {name for name in lora if lora[name] != full.get(name)} == {
        "adapt", "rank", "alpha", "targets", "learning_rate"
    }  # fmt: skip
    assert lora["alpha"] == 16.0
    assert arms["after"].reads == tuple(arms)[:-1]
    shapes = {tuple(GPTSpec.of({**arm.knobs}).values()[each] for each in ("layers", "heads", "width")) for arm in
              list(arms.values())[:-1]}  # fmt: skip
    assert len(shapes) == 1


def test_gpt_2_takes_the_place_of_the_labs_own_base_in_every_arm() -> None:
    asked = Contest(base="gpt-2", ranks="2 8", steps=80)
    arms = {arm.name: arm for arm in LAB.arms(asked)}
    assert arms["base"].target == "gpt/gpt-2-as-published"
    specs = {}
    for arm in list(arms.values())[:-1]:
        specs[arm.name] = FAMILY.configure(arm.target.partition("/")[2], arm.knobs)
    for name, value in {**GPT_2_124M, "tokens": "gpt-2", "context": 256}.items():
        assert {getattr(each, name) for each in specs.values()} == {value}, name
    assert [name for name, each in specs.items() if each.weights == "gpt-2"] == ["base"]
    own = {arm.name: arm for arm in LAB.arms(Contest(ranks="2 8", steps=80))}
    for name in ("full", "lora-8"):
        assert specs[name].learning_rate == pytest.approx(float(own[name].knobs["learning_rate"]) / 10)
        assert specs[name].steps == 10
    assert specs["lora-8"].parameters(0, 0) < 0.05 * specs["full"].parameters(0, 0)


def test_the_best_base_is_gpt_2_where_it_is_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIGRAD_DATA", str(tmp_path))
    assert Contest(base="best").base == "own"
    assert Contest.of(LAB.configure("standard").values()).base == "own"
    row = replace(TABLE["gpt-2"], files=(File("merges.txt", "", 3, ""),))
    monkeypatch.setitem(TABLE, "gpt-2", row)
    (tmp_path / row.folder).mkdir()
    (tmp_path / row.folder / "merges.txt").write_text("a b")
    assert LAB.configure("standard").values()["base"] == "gpt-2"
    assert LAB.configure("standard", {"base": "own"}).values()["base"] == "own"
    assert LAB.configure("quick").values()["base"] == "own"


@pytest.mark.parametrize(("knobs", "message"), [
    ({"ranks": "four"}, "no list of whole numbers"),
    ({"ranks": "0, 2"}, "no list of whole numbers"),
    ({"ranks": "1 2 3 4 5 6 7"}, "too many"),
    ({"width": 100}, "no multiple of 32"),
])  # fmt: skip
def test_settings_that_make_no_sense_are_refused(knobs: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Contest.of(knobs)  # type: ignore[arg-type]


def corpus() -> Corpus:
    text = "".join(np.random.default_rng(0).choice(list("abcdefgh ,.\n"), 2000))
    return Corpus(name="toy", train=text, valid=text[:300])


def trained_run(folder: Path, start: GPTLearner | None = None, **knobs: object) -> GPTLearner:
    """A run's folder with a recipe and a checkpoint after a few steps."""
    spec = GPTSpec.of({**SMALL, **knobs})  # type: ignore[arg-type]
    inputs = {} if start is None else {"model": start.weights()}
    learner = GPTLearner(Setting(spec, corpus(), 0, torch.device("cpu"), inputs=inputs))
    learner.mode(training=True)
    learner.optimizers.schedule(1.0)
    for step in range(6):
        learner.train_step(learner.batches().at(step))
    folder.mkdir()
    write_recipe(Recipe(family="gpt", preset="quick", knobs=spec.values()), folder)
    save_checkpoint(folder, State(step=6), learner.weights(), learner.state())
    return learner


def test_a_trained_gpt_comes_back_and_scores_as_in_training(tmp_path: Path) -> None:
    torch.manual_seed(0)
    learner = trained_run(tmp_path / "base")
    model, characters = load_gpt(tmp_path / "base")
    loss = cold_loss(model, characters.encode(corpus().valid))
    assert loss == pytest.approx(evaluate(learner)["valid/loss"], abs=1e-5)


def test_an_adapted_one_comes_back_merged_and_what_merging_changes_is_measured(tmp_path: Path) -> None:
    torch.manual_seed(0)
    base = trained_run(tmp_path / "base")
    tuned = trained_run(tmp_path / "lora", base, adapt="lora", rank=2, alpha=4.0, optimizer="adamw")
    model, characters = load_gpt(tmp_path / "lora")
    tokens = characters.encode(corpus().valid)
    assert cold_loss(model, tokens) == pytest.approx(evaluate(tuned)["valid/loss"], abs=1e-4)
    assert 0 < merging_error(model, tmp_path / "lora", tokens) < 1e-4
    wrong, _ = load_gpt(tmp_path / "base")
    assert merging_error(wrong, tmp_path / "lora", tokens) > 1e-3


def test_models_of_gpt_2s_tokens_are_measured_per_character_and_merged_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = read_gpt2_tokens(*write_tokens(tmp_path))
    monkeypatch.setattr("engine.families.gpt.learner.load_gpt2_tokens", lambda: tokens)
    torch.manual_seed(0)
    base = trained_run(tmp_path / "base", tokens="gpt-2", tie=True)
    tuned = trained_run(tmp_path / "lora", base, tokens="gpt-2", tie=True, adapt="lora", rank=2, optimizer="adamw")
    model, vocabulary = load_gpt(tmp_path / "lora")
    text = corpus().valid
    assert len(vocabulary.encode(text)) < len(text)
    assert loss_per_character(model, vocabulary, text) == pytest.approx(evaluate(tuned)["valid/loss"], abs=1e-4)
    assert merging_error(model, tmp_path / "lora", vocabulary.encode(text)) < 1e-6
    assert len(sample(model, vocabulary, 0)) > len("Question: ")


def test_an_adapter_keeps_less_in_memory_to_train(tmp_path: Path) -> None:
    torch.manual_seed(0)
    base = trained_run(tmp_path / "full", optimizer="adamw")
    trained_run(tmp_path / "lora", base, adapt="lora", rank=2, optimizer="adamw")
    numbers = sum(each.numel() for each in base.optimizers.parameters)
    assert training_bytes(tmp_path / "full") == pytest.approx(4 * 4 * numbers, rel=0.02)
    assert training_bytes(tmp_path / "lora") < 0.7 * training_bytes(tmp_path / "full")


def test_another_familys_run_is_refused(tmp_path: Path) -> None:
    write_recipe(Recipe(family="mlp", preset="quick", knobs={}), tmp_path)
    with pytest.raises(RunError, match="not of gpt"):
        load_gpt(tmp_path)


def test_the_race_ends_at_the_lowest_loss_from_scratch() -> None:
    def view(values: dict[int, float]) -> object:
        from engine.core.series import Series

        series = Series()
        for step, value in values.items():
            series.append(step, 0.0, step, value)
        return type("View", (), {"series": {"valid/loss": series}})()

    scratch, full = view({10: 4.0, 100: 2.1, 200: 2.2}), view({10: 2.5, 40: 2.0, 100: 1.5})
    assert race(full, scratch, 3.0) == {"full/steps": 40.0, "scratch/steps": 100.0}  # type: ignore[arg-type]
    assert race(full, scratch, 1.9)["full/steps"] == 0.0  # type: ignore[arg-type]


def test_the_table_tells_changes_and_the_picture_leaves_scratch_out() -> None:
    found = [After("base", 1.3, 1.5, 10, 4_000_000, 1.0), After("scratch", 3.0, 2.0, 10, 4_000_000, 1.0)]
    found.append(After("full", 1.4, 1.25, 10, 4_000_000, 1.0))
    assert table(found).rows[2][2:6] == ["1.250", "-0.250", "1.400", "+0.100"]
    assert picture(found).words == ["base", "full"]
