"""A home in which every text that comes from outside is hostile: entries, walkthroughs, runs, labels, logs."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from engine.core import events
from engine.core.spec import Family, Metric, Panel, Preset, Reference, Spec, knob

KINDS = ("line", "pictures", "text", "histogram", "heatmap", "points", "surface", "table", "hardware", "log")


def with_every_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the catalog hold one family more, `everything`, which shows a panel of every kind."""
    import sys
    from dataclasses import dataclass

    import engine.catalog

    @dataclass(frozen=True, kw_only=True)
    class EverySpec(Spec):
        data: str = knob("", "Nothing is trained.")

    shown = {"line": ("train/loss", "valid/loss"), "surface": ("plane", "points"), "hardware": (), "log": ()}
    line = (Reference("published", 0.25),)
    panels = [
        Panel(events=shown.get(kind, (kind,)), kind=kind, title=kind, references=line if kind == "line" else ())
        for kind in KINDS
    ]
    module: Any = ModuleType("engine.families.everything.spec")
    module.FAMILY = Family(
        name="everything", title="Everything", summary="All panels.", entry="neuron", spec=EverySpec,
        panels=tuple(panels), presets=(Preset(name="quick", help="", knobs={}),),
        headline=(Metric(name="valid/loss", title="loss"),),
        learner="nowhere:Nothing", data=(), code=("families/everything/model.py",),
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "engine.families.everything.spec", module)
    known = engine.catalog.FAMILIES
    for user in [each for each in sys.modules.values() if getattr(each, "FAMILIES", None) is known]:
        monkeypatch.setattr(user, "FAMILIES", (*known, "everything"))


def write(path: Path, text: str) -> None:
    """Write text as it is, lone surrogates too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def entry_without_front(evil: str) -> str:
    """Return an entry that is hostile everywhere in its body; its title is its first heading."""
    return f"""# {evil}

{evil}

## In one sentence

Words and {evil} words.

## Heading {evil}

A [[softmax|{evil}]], a [[{evil}]], an [outer](https://a.b/{evil} "{evil}"), an ![image {evil}](x.png),
`code {evil}`, **{evil}**.

> quoted {evil}

- item {evil}
  1. inner {evil}

| {evil} | b |
|---|---|
| {evil} | 2 |

```python {evil}
text = "{evil}"  # {evil}
```

$${evil}$$ and $x_{evil}$ and $\\text{{{evil}}}$.

## Check yourself

1. Is it {evil}?
   - [ ] {evil} *({evil})*
   - [x] yes {evil} *(why {evil})*
"""


def entry_with_front(evil: str) -> str:
    """Return an entry whose front matter is hostile; JSON's strings are YAML's too."""
    words = json.dumps(evil, ensure_ascii=True)
    keys = ["title", "one_line", "topic", "kind", "code", "lab", "play"]
    lists = ["aliases", "needs", "related", "contrast", "run", "sources"]
    front = [f"{key}: {words}" for key in keys] + [f"{key}: [{words}, softmax, softmax]" for key in lists]
    return "---\n" + "\n".join(front) + "\nlevel: 1\n---\n## In one sentence\n\nWords.\n"


def walkthrough(evil: str) -> str:
    """Return a walkthrough that is hostile in every text that it shows."""
    words = json.dumps(evil, ensure_ascii=True)
    return f"""---
title: {words}
one_line: {words}
level: 1
minutes: 3
needs: [{words}]
---
Before {evil} the first step.

---
step: one
title: {words}
do: {words}
go: {json.dumps("open " + (evil or "x"))}
predict: {{question: {words}, choices: [{words}, no], right: no}}
check: {{read: softmax}}
hints: [{words}, {words}]
afterwards: {words}
---
Words of {evil} the step.
"""


def hostile_events(evil: str) -> list[events.Event]:
    """Return one event of every type, hostile wherever it holds text."""
    return [
        events.Started(total_steps=10, samples_per_step=4, device=evil, exactness=evil),
        events.Phase(name=evil),
        events.Baseline(metric="train/loss", name=evil, value=1.0, source=evil),
        events.Baseline(metric="train/loss", name="no number", value=evil),
        events.Baseline(metric=evil, name=evil, value=evil),
        events.Scalars(s=1, t=1.0, n=4, v={"train/loss": 1.0, "valid/loss": 1.1, evil: 1.0}),
        events.Scalars(s=2, t=2.0, n=8, v={"train/loss": 0.9, "valid/loss": evil, evil: evil}),
        events.Pictures(s=2, name="pictures", count=1, height=2, width=2, pixels=b"\0\x7f\xff\0", captions=[evil]),
        events.Text(s=2, name="text", text=evil, prompt=evil),
        events.Histogram(s=2, name="histogram", edges=[0, 1, 2], counts=[1, 2]),
        events.HeatMap(
            s=2, name="heatmap", values=[[1, 2], [3, 4]], rows=[evil, evil], columns=[evil, evil], row_title=evil,
            column_title=evil,
        ),
        events.Points(s=2, name="points", x=[0, 1], y=[0, 1], group=[0, 1], words=[evil, evil], groups=[evil, evil]),
        events.HeatMap(s=2, name="plane", values=[[1, 2], [3, 4]], extent=[0, 1, 0, 1]),
        events.Table(s=2, name="table", columns=[evil, "b"], rows=[[evil, evil], [evil]]),
        events.Text(s=2, name=evil, text=evil),
        events.Note(s=2, text=evil),
        events.Note(s=2, text=evil, level=evil),
        events.Note(s=2, text=evil, level="warning"),
        events.KnobChanged(s=2, name=evil, before=evil, after=evil),
        events.KnobChanged(s=2, name="learning_rate", before=0.1, after=evil),
        events.Answer(s=2, command=evil, ok=False, text=evil),
        events.Saved(s=2, path=evil, digest=evil),
    ]  # fmt: skip


def run_folder(folder: Path, evil: str, *, family: str = "everything", ended: str = "failed") -> Path:
    """Write the folder of a run that ended, hostile in its recipe, label, events, log and code."""
    folder.mkdir(parents=True)
    recipe = {
        "family": family or evil, "preset": evil, "knobs": {"data": evil, evil: evil, "learning_rate": evil},
        "group": evil, "entry": evil, "inputs": {evil: {"run": evil}}, "asked": {"device": evil, "precision": evil},
        "resolved": {"device": evil, "threads": 1, "precision": evil, "versions": {evil: evil}},
    }  # fmt: skip
    write(folder / "recipe.json", json.dumps(recipe))
    write(folder / "label.json", json.dumps({"name": evil, "tags": [evil], "notes": evil}))
    write(folder / "log.txt", f"printed {evil}\n" * 3)
    write(folder / "code" / "families" / "everything" / "model.py", f'TEXT = "{evil}"\n# {evil}\n')
    last: events.Event = events.Failed(s=2, what=evil, remedy=evil)
    if ended == "finished":
        last = events.Finished(s=2, headline={"valid/loss": evil, evil: evil})
    write_events(folder, [*hostile_events(evil), last])
    ends = {"code": 0 if ended == "finished" else 1, "text": evil}
    write(folder / "exit.json", json.dumps(ends))
    sample = {"at": 1.0, "cpu": 5.0, "memory_used": 1.0, "memory_total": 2.0, "trouble": evil, "gpus": [{"name": evil}]}
    write(folder / "hardware.jsonl", json.dumps(sample) + "\n")
    return folder


def write_events(folder: Path, every: list[events.Event]) -> None:
    """Write events as their log; what no JSON encoder of ours can write (lone surrogates) is written by another."""
    lines = []
    for each in every:
        try:
            lines.append(events.encode(each))
        except UnicodeEncodeError:
            body = json.dumps(_plain(each), ensure_ascii=True, separators=(",", ":")).encode()[:-1]
            import zlib

            lines.append(body + b',"c":%d}\n' % zlib.crc32(body))
    (folder / "events.jsonl").write_bytes(b"".join(lines))


def _plain(event: events.Event) -> dict[str, Any]:
    """Return an event as what JSON knows."""
    fields = {each: getattr(event, each) for each in event.__struct_fields__}
    fields.pop("pixels", None)
    return {"k": event.__struct_config__.tag, **{key: value for key, value in fields.items() if value or key == "s"}}


def readable(folder: Path) -> bool:
    """Whether a run's recipe can be read at all: lone surrogates in it are no JSON text."""
    from engine.core.errors import RunError
    from engine.core.recipe import read_recipe

    try:
        read_recipe(folder)
    except (RunError, msgspec.MsgspecError):
        return False
    return True
