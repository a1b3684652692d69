"""Runs on disk: made whole, listed fast, named safely, opened without trust."""

from __future__ import annotations

import os
import stat
import time

import msgspec
import pytest
from stub_runs import recipe

from engine.core.control import Pause, SetKnob, Stop, Unreadable, done, pending, send, stop_asked
from engine.core.errors import RunError
from engine.core.events import Finished, Scalars, Started, encode
from engine.core.liveness import is_stalled
from engine.core.records import Label, Status
from engine.core.store import RunStore


def test_a_new_run_holds_its_recipe_and_is_for_its_owner_alone(store):
    run = store.create(recipe(seed=3, depth=2))
    assert run.recipe.knobs == {"depth": 2} and run.recipe.seed == 3
    assert run.id.split("-")[2:4] == ["mlp", "quick"]
    assert stat.S_IMODE(run.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert run.state() == "starting"
    assert abs(run.created - time.time()) < 5


def test_runs_come_newest_first_also_those_of_one_second(store):
    made = [store.create(recipe(seed=seed)) for seed in range(20)]
    assert [run.recipe.seed for run in store.runs()] == [run.recipe.seed for run in reversed(made)]


def test_family_names_from_outside_make_no_paths(store):
    run = store.create(msgspec.structs.replace(recipe(), family="../../etc/My Model", preset="a/b"))
    assert run.folder.parent == store.folder and "etc-my-model-a-b" in run.id


def test_a_run_is_found_by_the_start_or_the_end_of_its_id(store):
    first, second = store.create(recipe()), store.create(recipe())
    assert store.open(first.id) == first
    assert store.open(first.id[-4:]) == first or first.id[-4:] == second.id[-4:]
    with pytest.raises(RunError, match="fits 2 runs"):
        store.open(first.id[:6])
    with pytest.raises(RunError, match="There is no run 'nothing'"):
        store.open("nothing")


@pytest.mark.parametrize("bad", ["../x", "/etc", "", ".", "..", "a/b", ".trash", "x\0y", "-rf", "é"])
def test_ids_never_lead_out_of_the_folder(store, bad):
    store.create(recipe())
    for verb in (store.open, store.delete, store.restore):
        with pytest.raises(RunError):
            verb(bad)


def test_deleted_runs_can_be_brought_back(store):
    run = store.create(recipe())
    (run.folder / "exit.json").write_text('{"code": 1}')
    store.delete(run.id)
    assert store.runs() == [] and store.trash() == [run.id]
    assert store.restore(run.id) == run and store.runs() == [run] and store.trash() == []
    with pytest.raises(RunError, match="in the trash"):
        store.restore(run.id)


def test_the_trash_is_emptied_after_a_week_and_links_in_it_are_not_followed(store, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    old, new = store.create(recipe()), store.create(recipe())
    for run in (old, new):
        (run.folder / "exit.json").write_text('{"code": 1}')
    (old.folder / "link").symlink_to(precious)
    store.delete(old.id)
    (store.folder / ".trash" / "link").symlink_to(precious)
    os.utime(store.folder / ".trash" / old.id, (0, 0))
    store.delete(new.id)
    assert store.trash() == [new.id] and (precious / "file").exists()


def test_links_and_folders_that_are_no_runs_are_left_out(store, tmp_path):
    run = store.create(recipe())
    (store.folder / "linked").symlink_to(run.folder)
    (store.folder / "empty").mkdir()
    (store.folder / "damaged").mkdir()
    (store.folder / "damaged" / "recipe.json").write_text("{")
    (store.folder / "newer").mkdir()
    (store.folder / "newer" / "recipe.json").write_text('{"format": 9, "family": "x", "preset": "y", "knobs": {}}')
    (store.folder / "file").touch()
    assert store.runs() == [run]
    assert set(store.troubles) == {"empty", "damaged", "newer"}
    assert "format 9" in store.troubles["newer"]
    with pytest.raises(RunError):
        store.open("linked")


@pytest.mark.parametrize(
    "name", ["recipe.json", "events.jsonl", "status.json", "exit.json", "proc.json", "label.json", "run.lock"]
)
@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_special_files_in_a_foreign_folder_never_block_nor_lead_out(store, tmp_path, name, kind):
    run = store.create(recipe())
    secret = tmp_path / "secret"
    secret.write_text('{"name": "secret", "family": "secret", "preset": "", "knobs": {}}')
    path = run.folder / name
    path.unlink(missing_ok=True)
    {"pipe": os.mkfifo, "link": lambda path: path.symlink_to(secret), "folder": os.mkdir}[kind](path)
    started = time.monotonic()
    assert run.label.name == "" and run.status() is None and run.exit() is None
    assert run.headline() == {}
    run.state()
    run.device()
    if name == "recipe.json":
        assert store.runs() == [] and run.id in store.troubles
    assert time.monotonic() - started < 2.0


def test_labels_keep_what_was_typed(store):
    run = store.create(recipe())
    assert run.label == Label()
    run.relabel(Label(name="[red]\x1b[31m best", tags=["a"], notes="n"))
    assert store.open(run.id).label == Label(name="[red]\x1b[31m best", tags=["a"], notes="n")


def test_records_of_a_newer_lexigrad_are_refused_by_name(store):
    run = store.create(recipe())
    (run.folder / "status.json").write_text('{"format": 7}')
    with pytest.raises(RunError, match=r"status\.json .* format 7"):
        run.status()


def test_the_recipe_is_read_again_when_the_trainer_has_resolved_it(store):
    from engine.core.recipe import Resolved, write_recipe

    run = store.create(recipe())
    assert run.recipe.resolved is None
    resolved = Resolved(device="cpu", threads=1, precision="float32")
    write_recipe(msgspec.structs.replace(run.recipe, resolved=resolved), run.folder)
    assert run.recipe.resolved == resolved


def test_headline_figures_are_those_of_the_end_else_the_last_known(store):
    run = store.create(recipe())
    log = run.folder / "events.jsonl"
    lines = [Scalars(s=1, v={"valid/loss": 2.0, "x": 1.0}), Scalars(s=2, v={"valid/loss": 1.0})]
    log.write_bytes(b"".join(map(encode, [Started(device="cpu, 1 thread"), *lines])))
    assert run.headline(("valid/loss", "valid/accuracy")) == {"valid/loss": 1.0}
    assert run.headline() == {"valid/loss": 1.0, "x": 1.0}
    assert run.device() == "cpu, 1 thread"
    with log.open("ab") as file:
        file.write(encode(Finished(s=2, headline={"valid/loss": 0.5, "valid/accuracy": "NaN"})))
    assert run.headline()["valid/loss"] == 0.5 and run.headline()["valid/accuracy"] != run.headline()["valid/accuracy"]


def test_an_end_before_a_resume_is_not_the_end(store):
    run = store.create(recipe())
    events = [Started(), Finished(s=2, stopped=True, headline={"a": 1.0}), Started(s=2), Scalars(s=3, v={"a": 2.0})]
    (run.folder / "events.jsonl").write_bytes(b"".join(map(encode, events)))
    assert run.ending().finished is None and run.headline() == {"a": 2.0}


def test_a_thousand_runs_are_listed_in_well_under_a_second(store):
    store.folder.mkdir(parents=True)
    model = store.create(recipe())
    content = (model.folder / "recipe.json").read_bytes()
    log = encode(Started()) + encode(Scalars(s=1, v={"x": 1.0})) * 500 + encode(Finished(headline={"x": 1.0}))
    for index in range(1000):
        folder = store.folder / f"261120-1314{index % 60:02d}-mlp-quick-{index:04x}"
        folder.mkdir()
        (folder / "recipe.json").write_bytes(content)
        (folder / "events.jsonl").write_bytes(log)
        (folder / "exit.json").write_text('{"code": 0}')
    start = time.perf_counter()
    runs = RunStore(store.folder).runs()
    listed = time.perf_counter() - start
    assert len(runs) == 1001 and listed < 1.0
    start = time.perf_counter()
    assert {run.state() for run in runs[1:201]} == {"finished"}
    assert all(run.headline() for run in runs[1:201])
    assert time.perf_counter() - start < 1.0


def test_commands_wait_in_order_until_they_are_done(store):
    folder = store.create(recipe()).folder
    ids = [send(folder, Pause()), send(folder, SetKnob(name="learning_rate", value=0.1)), send(folder, Stop())]
    (folder / "control" / "00000.json").write_text("rubbish")
    os.mkfifo(folder / "control" / "00001.json")
    (folder / "control" / ".x.json.part").write_text("half")
    waiting = pending(folder)
    assert [type(command) for _, command in waiting] == [Unreadable, Unreadable, Pause, SetKnob, Stop]
    assert [each for each, _ in waiting][2:] == ids and waiting[3][1] == SetKnob(name="learning_rate", value=0.1)
    assert stop_asked(folder)
    for each, _ in waiting:
        done(folder, each)
    assert pending(folder) == [] and not stop_asked(folder)


def test_stalled_means_ten_steps_and_a_minute_without_a_beat():
    assert not is_stalled(Status(beat=100.0, step_seconds=0.1), now=159.0)
    assert is_stalled(Status(beat=100.0, step_seconds=0.1), now=161.0)
    assert not is_stalled(Status(beat=100.0, step_seconds=30.0), now=399.0)
    assert is_stalled(Status(beat=100.0, step_seconds=30.0), now=401.0)
    assert not is_stalled(Status(), now=1e9)


def test_a_run_that_is_interrupted_while_it_is_made_leaves_nothing(store, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.core.store.write_recipe", interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.create(recipe())
    assert list(store.folder.iterdir()) == []
