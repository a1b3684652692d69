"""A run that shows something in every kind of panel, made without training."""

from pathlib import Path

import numpy as np

from engine.core import events
from engine.core.recipe import Recipe
from engine.core.samples import GpuSample, Sample
from engine.core.series import Series
from engine.core.spec import Panel, Reference
from engine.core.view import Hardware, RunView

GIB = 1024**3

PANELS = (
    Panel(
        events=("train/loss", "valid/loss"),
        kind="line",
        title="loss",
        unit="nats",
        entry="cross-entropy",
        references=(Reference("nanoGPT", 1.4697),),
    ),
    Panel(events=("text",), kind="text", title="what it writes"),
    Panel(events=(), kind="hardware", title="machine"),
    Panel(events=("decision surface", "data"), kind="surface", title="decision surface"),
    Panel(events=("confusion matrix",), kind="heatmap", title="confusion matrix"),
    Panel(events=("word map",), kind="points", title="word map"),
    Panel(events=("digits",), kind="pictures", title="first digits"),
    Panel(events=("weights",), kind="histogram", title="weights of layer 1"),
    Panel(events=("neighbors",), kind="table", title="neighbors"),
    Panel(events=(), kind="log", title="log"),
)


def series(steps, values, *, seconds_a_step=0.02, batch=64):
    made = Series()
    steps = np.asarray(steps, np.int64)
    made.extend(steps, steps * seconds_a_step, steps * batch, np.asarray(values, np.float64))
    return made


def losses(count=5000, noise=0.16, seed=0, above=0.0):
    random = np.random.default_rng(seed)
    along = np.linspace(0, 1, count)
    curve = 1.42 + above + 2.6 * np.exp(-9 * along) + 0.3 * np.exp(-2 * along)
    return curve + noise * np.exp(-along) * random.standard_normal(count)


def spiral(count=120, seed=1):
    random = np.random.default_rng(seed)
    turn = np.linspace(0.25, 1, count)
    xs, ys, groups = [], [], []
    for group in range(2):
        angle = turn * 2.8 * np.pi / 1.4 + group * np.pi
        xs += (turn * np.cos(angle) + 0.02 * random.standard_normal(count)).tolist()
        ys += (turn * np.sin(angle) + 0.02 * random.standard_normal(count)).tolist()
        groups += [group] * count
    return xs, ys, groups


def surface(step):
    places = np.linspace(-1.2, 1.2, 48)
    x, y = np.meshgrid(places, places)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    wave = np.cos(angle - radius * 2.8 * np.pi / 1.4)
    certainty = 1 / (1 + np.exp(step / 800 * wave))
    return events.HeatMap(s=step, name="decision surface", values=certainty.tolist(), extent=[-1.2, 1.2, -1.2, 1.2])


def digits(step):
    random = np.random.default_rng(3)
    y, x = np.mgrid[0:8, 0:8]
    pictures = [
        255
        * np.exp(-((((x - 3.5) / (1 + each % 3)) ** 2 + ((y - 3.5) / (1 + each // 3 % 3)) ** 2 - each / 2) ** 2) / 9)
        + 30 * random.random((8, 8))
        for each in range(10)
    ]
    pixels = np.clip(pictures, 0, 255).astype(np.uint8).tobytes()
    return events.Pictures(
        s=step, name="digits", count=10, height=8, width=8, pixels=pixels, captions=[f"is {each}" for each in range(10)]
    )


PEOPLE = ["king", "queen", "man", "woman", "child"]
POWER = ["prince", "throne", "crown", "sword", "war"]
TIME = ["night", "day", "year", "hour", "spring"]
SKY = ["sun", "moon", "star", "cloud", "rain"]
WORDS = PEOPLE + POWER + TIME + SKY


def word_map():
    random = np.random.default_rng(7)
    places = random.normal(size=(len(WORDS), 2)) + np.repeat([[0, 0], [3, 1], [1, -3], [-3, 2]], 5, axis=0)
    return events.Points(
        s=4000,
        name="word map",
        x=places[:, 0].tolist(),
        y=places[:, 1].tolist(),
        group=np.repeat(range(4), 5).tolist(),
        words=WORDS,
        groups=["people", "power", "time", "sky"],
    )


def confusion():
    random = np.random.default_rng(0)
    counts = np.eye(10) * random.integers(80, 99, 10) + random.integers(0, 6, (10, 10))
    names = [str(each) for each in range(10)]
    return events.HeatMap(
        s=5000,
        name="confusion matrix",
        values=counts.tolist(),
        rows=names,
        columns=names,
        row_title="true",
        column_title="predicted",
    )


def example(folder=Path("/nowhere"), *, id="261120-131405-gpt-quick-4f2a", above=0.0, seed=0, **changes):
    train = losses(seed=seed, above=above)
    xs, ys, groups = spiral()
    counts, edges = np.histogram(np.random.default_rng(5).normal(0, 0.4, 20_000), 60)
    text = events.Text(
        s=5000,
        name="text",
        prompt="KING RICHARD:",
        text="What say you to the crown, my lord of York?\n\nYORK:\nThe day is done, and all the world is sleep.",
    )
    latest = {
        "text": text,
        "decision surface": surface(4800),
        "data": events.Points(s=0, name="data", x=xs, y=ys, group=groups, groups=["inner", "outer"]),
        "confusion matrix": confusion(),
        "word map": word_map(),
        "digits": digits(5000),
        "weights": events.Histogram(s=5000, name="weights", edges=edges.tolist(), counts=counts.tolist()),
        "neighbors": events.Table(
            s=5000,
            name="neighbors",
            columns=["word", "nearest", "cosine"],
            rows=[["king", "queen, prince", "0.71"], ["love", "heart, sweet", "0.64"], ["war", "sword", "0.58"]],
        ),
    }
    history = {name: (event,) for name, event in latest.items()}
    history["decision surface"] = tuple(surface(step) for step in range(0, 4801, 400))
    sample = Sample(
        at=1.0,
        cpu=61.0,
        memory_used=9.3 * GIB,
        memory_total=16 * GIB,
        process_cpu=118.0,
        process_memory=1.2 * GIB,
        gpus=[
            GpuSample(
                name="H200",
                utilization=92.0,
                memory_used=11 * GIB,
                memory_total=139 * GIB,
                power=612.0,
                temperature=61.0,
            )
        ],
    )
    values = {
        "id": id,
        "folder": folder,
        "recipe": Recipe(family="gpt", preset="quick", knobs={"learning_rate": 0.003}, seed=seed),
        "state": "running",
        "step": 5000,
        "total_steps": 6000,
        "started": events.Started(samples_per_step=64),
        "series": {
            "train/loss": series(np.arange(1, len(train) + 1), train),
            "valid/loss": series(np.arange(100, 5001, 100), losses(50, 0.012, seed, above + 0.1)),
            "tokens_per_second": series([100, 200], [1.85e6, 1.9e6]),
        },
        "latest": latest,
        "history": history,
        "knob_changes": (events.KnobChanged(s=2000, t=40.0, name="learning_rate", before=0.003, after=0.0015),),
        "notes": (
            events.Note(s=10, text="Trains on 1 GPU."),
            events.Note(s=900, text="Loss is flat.", level="warning"),
        ),
        "hardware": Hardware(latest=sample),
    }
    return RunView(**{**values, **changes})
