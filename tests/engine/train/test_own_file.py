"""A person's own file: run under a name of its own, refused in one clear sentence, described as data."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import msgspec
import pytest
import torch

from engine.catalog import family
from engine.core.errors import LexigradError, RunError, UsageError
from engine.core.own import Own, OwnKnob, digest_of, family_of_own, is_trusted, trust
from engine.core.recipe import Recipe, read_recipe, write_recipe
from engine.eject.one_file import learner_file
from engine.train.checkpoint import checkpoints
from engine.train.describe import answered, described
from engine.train.own_file import family_in, family_to_train, load_file
from tests.engine.play.playing import played
from tests.engine.train.conftest import MakeRun
from tests.engine.train.nursery import Nursery, final, losses, until

PLAIN = b"""
from engine.families.mlp.learner import MLPLearner
from engine.families.mlp.spec import MLPSpec

class Mine(MLPLearner):
    '''Learns as it likes.'''

class MineSpec(MLPSpec):
    pass
"""


def refused(content: bytes) -> str:
    before = set(sys.modules)
    with pytest.raises(LexigradError) as caught:
        family_in(load_file(content, Path("/somewhere/mine.py")), "mine")
    assert not [name for name in set(sys.modules) - before if name.startswith("lexigrad_own") and "mine" in name]
    return caught.value.what


def test_a_learner_and_a_spec_make_a_family() -> None:
    found = family_in(load_file(PLAIN, Path("/somewhere/mine.py")), "mine")
    assert (found.name, found.title, found.summary) == ("file:mine", "Mine", "Learns as it likes.")
    assert [each.name for each in found.presets] == ["quick"]
    assert "/somewhere" not in sys.path


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"def (:\n", "line 1 cannot be used"),
        (b"x = 1\n", "has no Learner"),
        (b"\n\nraise TypeError('no')\n", "line 3 breaks off: TypeError: no"),
        (b"\nraise ValueError('no')\n", "line 2 breaks off: ValueError: no"),
        (b"\nprint('hello')\n", "line 2, prints"),
        (b"import sys\nsys.exit(0)\n", "line 2 breaks off: SystemExit"),
        (b"import nothing_of_that_name\n", "No module named"),
        (PLAIN + b"\nclass Other(MLPLearner): pass\n", "more than one Learner"),
        (b"\0", "cannot be used"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(content: bytes, says: str) -> None:
    assert says in refused(content)


def test_the_file_of_a_family_is_described_as_the_family_is() -> None:
    answer = answered(learner_file(family("mlp")).encode(), Path("/somewhere/mine.py"))
    assert answer.own is not None
    told = family_of_own(msgspec.json.decode(msgspec.json.encode(answer.own), type=Own))
    known = family("mlp")
    assert [each.name for each in told.spec.knobs()] == [each.name for each in known.spec.knobs()]
    assert told.spec.of(told.preset("quick").knobs).values() == known.configure("quick").values()
    assert [each.title for each in told.panels] == [each.title for each in known.panels]
    assert [each.name for each in told.plays] == [each.name for each in known.plays]
    with pytest.raises(UsageError):
        told.configure("quick", {"depth": -1})


FAMILY = (
    PLAIN
    + b"""
from dataclasses import dataclass, replace
from engine.core.spec import Play, Settings, knob
from engine.families.mlp.spec import FAMILY as MLP

def count(learner, settings):
    yield from ()

COUNT = Play(name="count", help="Counts.", settings=Settings, act=":count")
FAMILY = replace(MLP, learner=":Mine", plays=(COUNT,))
"""
)
CHANGED = b"\nFAMILY = replace(FAMILY, %s)\n"
KNOB = (
    PLAIN
    + b"""
from dataclasses import dataclass
from typing import Any
from engine.core.spec import knob

@dataclass(frozen=True, kw_only=True)
class Other(MineSpec):
    depths: %s
"""
)


def test_a_play_of_the_file_itself_is_completed_as_its_learner_is() -> None:
    module = load_file(FAMILY, Path("/somewhere/mine.py"))
    found = family_in(module, "mine")
    assert found.learner == f"{module.__name__}:Mine"
    assert found.plays[0].act == f"{module.__name__}:count"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (KNOB % b"float = knob(float('nan'), 'x')", "Other.depths = nan"),
        (KNOB % b"Any = knob((1, 2), 'x')", "Other.depths = (1, 2)"),
        (KNOB % b"int = 3", "Other.depths is no knob"),
        (KNOB.replace(b"depths", b"values") % b"int = knob(3, 'x')", "No knob can be called values"),
        (FAMILY + CHANGED % b"title=None", "$.title"),
        (FAMILY + CHANGED % b"spec=None", "mine.py cannot be described"),
        (FAMILY + CHANGED % b"learner=':Nothing'", "no learner 'Nothing'"),
        (FAMILY + CHANGED % b"learner='nosuch.module:X'", "nosuch.module:X, which is not there"),
        (FAMILY + CHANGED % b"plays=(replace(COUNT, act=':nothing'),)", ":nothing, which is not there"),
    ],
)
def test_what_cannot_be_described_is_wrong_usage_and_named(content: bytes, says: str) -> None:
    answer = answered(content, Path("/somewhere/mine.py"))
    assert answer.own is None and answer.code == 2 and answer.remedy
    assert says in answer.what


def test_a_file_that_is_no_python_is_wrong_usage_and_one_that_breaks_off_has_failed() -> None:
    codes = [answered(content, Path("/somewhere/mine.py")).code for content in (b"def (", b"raise ValueError('no')")]
    assert codes == [2, 1]


def test_hostile_texts_lose_their_control_characters() -> None:
    own = Own(
        stem="mine", digest="", title="\x1b[31mred\x07", knobs=(OwnKnob(name="depth", default=1, help="a\x1b]0;b\x07"),)
    )
    told = family_of_own(own)
    assert told.title == "[31mred"
    assert "\x1b" not in next(told.spec.knobs()).help
    with pytest.raises(RunError, match="damaged"):
        family_of_own(Own(stem="mine", digest="", title="", knobs=(OwnKnob(name="__class__", default=1),)))


def run_of(folder: Path, content: bytes) -> Recipe:
    found = family_in(load_file(content, Path("/somewhere/mine.py")), "mine")
    (folder / "code").mkdir()
    (folder / "code" / "mine.py").write_bytes(content)
    own = described(found, "mine", digest_of(content))
    return Recipe(family="file:mine", preset="quick", knobs=found.configure("quick").values(), own=own)


def test_the_trainer_runs_only_what_is_trusted_and_as_it_was(tmp_path: Path) -> None:
    recipe = run_of(tmp_path, PLAIN)
    with pytest.raises(RunError, match="nobody has trusted"):
        family_to_train(tmp_path, recipe)
    assert not is_trusted(digest_of(PLAIN))
    trust(digest_of(PLAIN), tmp_path / "mine.py")
    assert family_to_train(tmp_path, recipe).title == "Mine"
    (tmp_path / "code" / "mine.py").write_bytes(PLAIN + b"\n")
    with pytest.raises(RunError, match="not the file that this run began with"):
        family_to_train(tmp_path, recipe)


def test_a_killed_run_of_a_file_goes_on_from_its_own_copy(nursery: Nursery, make_run: MakeRun, trusted: None) -> None:
    whole, killed = (of_the_file(make_run(name, epochs=60.0)) for name in ("whole", "killed"))
    assert nursery.wait(nursery.start(whole)) == 0
    child = nursery.start(killed)
    until(lambda: checkpoints(killed) and len(losses(killed)) > 20)
    os.kill(child, signal.SIGKILL)
    assert nursery.wait(child) == -signal.SIGKILL
    assert nursery.wait(nursery.start(killed)) == 0
    assert losses(killed) == losses(whole)
    expected, found = final(whole), final(killed)
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []
    assert any(name.startswith("model.") for name in found)


def of_the_file(folder: Path) -> Path:
    """Make a run of the family mlp one of a file that builds on it."""
    recipe = read_recipe(folder)
    own = run_of(folder, PLAIN)
    write_recipe(msgspec.structs.replace(recipe, family=own.family, own=own.own), folder)
    return folder


@pytest.fixture
def trusted() -> None:
    """Have somebody say that the file may run."""
    trust(digest_of(PLAIN), Path("mine.py"))


def test_a_recipe_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    recipe = run_of(tmp_path, PLAIN)
    assert recipe.own is not None
    away = msgspec.structs.replace(recipe, own=msgspec.structs.replace(recipe.own, stem="../../mine"))
    with pytest.raises(RunError, match="no name of a file"):
        family_to_train(tmp_path, away)


def test_a_run_of_a_file_that_nobody_trusts_is_not_played_with(tmp_path: Path) -> None:
    content = b"raise AssertionError('it ran')"
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "mine.py").write_bytes(content)
    own = Own(stem="mine", digest=digest_of(content), title="Mine")
    write_recipe(Recipe(family="file:mine", preset="quick", knobs={}, own=own), tmp_path)
    with pytest.raises(RunError, match="nobody has trusted") as caught:
        played(tmp_path)
    assert f"lexigrad runs trust {tmp_path.name}" in caught.value.remedy
