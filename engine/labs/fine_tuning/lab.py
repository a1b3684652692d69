"""The lab on fine-tuning: what do full fine-tuning, the last layer alone and LoRA gain, cost and forget?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.core.errors import UsageError
from engine.core.lab import Arm, Forecast, Lab, Results, Statement
from engine.core.spec import Computation, Metric, Panel, Preset, Settings, Value, knob
from engine.data.files import missing
from engine.data.table import data_set
from engine.families.gpt.presets import GPT_2_124M
from engine.labs.fine_tuning import judges

MOST_RANKS = 6
HEAD_WIDTH = 32
BASES = ("own", "gpt-2", "best")
GPT_2_RATES = 0.1
"""Of the learning rates below, where the base is GPT-2: a model that large and so well trained wants smaller steps."""
GPT_2_STEPS = 8
"""So many times fewer steps then; more would read Tiny Shakespeare until it is known by heart."""
GPT_2_CONTEXT = 256
"""Tokens; all 1,024 would take four times the memory."""


@dataclass(frozen=True, kw_only=True)
class Contest(Settings):
    """The two texts, the model, and how each contestant trains.

    The four learning rates were chosen in advance, by the same budget each:
    docs/decisions/2026-11-20-tuning-of-two-labs.md. Those for GPT-2 were not: each is a tenth.

    Raises:
        UsageError: `ranks` is no list of whole numbers.
    """

    base: str = knob(
        "own",
        "The model that goes on: the lab's own, the published GPT-2, or the best that is on this machine.",
        choices=BASES,
        entry="pre-training",
    )

    first: str = knob("glossary", "The text that the base model learns first.", entry="pre-training")
    second: str = knob("glossary-questions", "The text that it goes on with; a path for your own.", entry="fine-tuning")
    ranks: str = knob("1, 4, 16", "The ranks of LoRA that are tried.", entry="lora")
    targets: str = knob(
        "all",
        "Which matrices LoRA adapts: those of the blocks, or all, with the last layer.",
        choices=("all", "blocks", "attention", "mlp"),
        entry="lora",
    )
    scale: float = knob(2.0, "LoRA's alpha / rank, the same for every rank.", low=0.01, high=100.0, entry="lora")
    steps: int = knob(
        250,
        "Updates of every contestant; GPT-2 makes an eighth.",
        low=1,
        high=10**6,
        unit="steps",
        entry="epoch-and-step",
    )
    batch_size: int = knob(
        4,
        "Stretches of text that one of them averages over.",
        low=1,
        high=4096,
        unit="stretches",
        entry="mini-batch-and-batch-size",
    )
    scratch_rate: float = knob(0.001, "Learning rate from scratch.", low=0.0, high=1.0, entry="learning-rate")
    full_rate: float = knob(0.001, "Learning rate of full fine-tuning.", low=0.0, high=1.0, entry="learning-rate")
    head_rate: float = knob(0.005, "Learning rate of the last layer alone.", low=0.0, high=1.0, entry="learning-rate")
    lora_rate: float = knob(0.01, "Learning rate of LoRA.", low=0.0, high=1.0, entry="learning-rate")
    layers: int = knob(4, "Blocks of the model.", low=1, high=48, entry="transformer-block")
    width: int = knob(128, "Channels of the model, a multiple of 32.", low=HEAD_WIDTH, high=4096, entry="embedding")
    base_steps: int = knob(800, "Updates of the first training.", low=1, high=10**6, unit="steps", entry="pre-training")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.base == "best":  # settled here, so that an experiment knows for good what it began with
            object.__setattr__(self, "base", "own" if missing(data_set("gpt-2")) else "gpt-2")
        self.listed_ranks()
        if self.width % HEAD_WIDTH:
            raise UsageError(f"A width of {self.width} is no multiple of {HEAD_WIDTH}.", "Use 64, 128, 192 ...")

    def listed_ranks(self) -> list[int]:
        """Return the ranks as numbers, each once, rising.

        Raises:
            UsageError: they are no whole numbers of at least 1, or too many.
        """
        words = self.ranks.replace(",", " ").split()
        if not words or not all(word.isascii() and word.isdigit() and int(word) for word in words):
            raise UsageError(f"ranks = '{self.ranks}' is no list of whole numbers.", "Example: ranks=1,4,16")
        if len(set(words)) > MOST_RANKS:
            raise UsageError(f"{len(set(words))} ranks are too many for one lab.", f"Use at most {MOST_RANKS}.")
        return sorted({int(word) for word in words})


def arms(settings: Settings) -> Sequence[Arm]:
    """Return the base, the contestants, and the computation that looks at what they can do afterwards."""
    assert isinstance(settings, Contest)
    published = settings.base == "gpt-2"
    shape: dict[str, Value] = {
        "layers": settings.layers, "width": settings.width, "heads": settings.width // HEAD_WIDTH
    }  # fmt: skip
    if published:
        shape = {**GPT_2_124M, "tokens": "gpt-2", "zero_start": False, "attention": "fused", "context": GPT_2_CONTEXT}
    tuned: dict[str, Value] = {
        **shape,
        "data": settings.second,
        "steps": max(1, settings.steps // GPT_2_STEPS) if published else settings.steps,
        "batch_size": settings.batch_size,
        "optimizer": "adamw",
    }
    base = Arm(
        name="base",
        title="GPT-2 as published" if published else "Base model, first text",
        target="gpt/gpt-2-as-published" if published else "gpt/quick",
        knobs={"data": settings.first, "context": GPT_2_CONTEXT}
        if published
        else {**shape, "data": settings.first, "steps": settings.base_steps},
        kept=True,
    )

    def contestant(
        name: str, title: str, rate: float, knobs: Mapping[str, Value] | None = None, start: str = "base"
    ) -> Arm:
        given = {**tuned, "learning_rate": rate * (GPT_2_RATES if published else 1), **(knobs or {})}
        return Arm(name=name, title=title, target="gpt/fine-tune", knobs=given, start=start)

    contestants = [
        contestant("scratch", "From scratch", settings.scratch_rate, start=""),
        contestant("full", "Full fine-tuning", settings.full_rate),
        contestant("head", "Last layer alone", settings.head_rate, {"adapt": "head"}),
    ]
    for rank in settings.listed_ranks():
        adapter: dict[str, Value] = {
            "adapt": "lora", "rank": rank, "alpha": settings.scale * rank, "targets": settings.targets
        }  # fmt: skip
        contestants.append(contestant(f"lora-{rank}", f"LoRA, rank {rank}", settings.lora_rate, adapter))
    names = ("base", *(each.name for each in contestants))
    after = Arm(
        name="after", title="What each can do now", target="fine-tuning/quick", knobs=settings.values(), reads=names
    )
    return [base, *contestants, after]


GAINS = ("Less than half of it", "Half to nine tenths", "Nine tenths or more")
CHANGES = ("It falls", "It stays within 1 percent", "It rises by 1 to 5 percent", "It rises by more")


def gain_class(results: Results) -> str:
    """Return which guess about LoRA's share of the gain came true."""
    arm = judges.lora_within(results, judges.BUDGET)
    if not arm:
        return ""
    share = judges.mean(judges.gain_shares(results, arm))
    return GAINS[0] if share < 0.5 else GAINS[1] if share < judges.ENOUGH else GAINS[2]


def change_class(results: Results) -> str:
    """Return which guess about the first text came true."""
    rise = judges.mean(judges.rises(results, "full")) / judges.mean(results.of("after", "base/first"))
    return CHANGES[0] if rise < -0.01 else CHANGES[1] if rise < 0.01 else CHANGES[2] if rise < 0.05 else CHANGES[3]


LAB = Lab(
    name="fine-tuning",
    title="Fine-tuning and what it forgets",
    question="A model has learned one text. What is the cheapest way to teach it another, and what does it forget?",
    summary="Takes one trained model to a second text in full, by its last layer and by LoRA, and tests it on both.",
    entry="fine-tuning",
    settings=Contest,
    presets=(
        Preset(
            name="quick",
            help="From this glossary's prose to its questions and answers; three ranks.",
            knobs={},
            seconds=150.0,
        ),
        Preset(
            name="standard",
            help="GPT-2 where it is here, else a larger model of our own, goes on with Tiny Shakespeare; for a GPU.",
            knobs={
                "base": "best", "second": "tiny-shakespeare", "ranks": "1, 2, 4, 8, 16, 32", "steps": 2000,
                "batch_size": 16, "layers": 6, "width": 256, "base_steps": 3000,
            },
        ),
    ),
    arms=arms,
    forecasts=(
        Forecast(
            id="gain",
            question="Full fine-tuning moves every number of the model. LoRA may train at most 5 percent as many. How "
            "much of full fine-tuning's gain does it reach?",
            choices=GAINS,
            outcome=gain_class,
            because="The model can already write English. What is new is a form, and few directions in each matrix are "
            "enough for most of that.",
        ),
        Forecast(
            id="memory",
            question="What happens to the loss on the FIRST text while the whole model learns the second?",
            choices=CHANGES,
            outcome=change_class,
            because="Nothing in the new loss rewards keeping the old text in mind, and the same weights serve both.",
        ),
    ),
    statements=(
        Statement(
            id="head-start",
            says="Fine-tuning starts from a lower loss than training from scratch, and reaches the same loss in fewer "
            "steps.",
            judge=judges.head_start,
        ),
        Statement(
            id="forgets",
            says="Full fine-tuning raises the loss on the first task's text.",
            judge=judges.forgets,
        ),
        Statement(
            id="lora-gain",
            says="LoRA gains at least 90 percent of what full fine-tuning gains in loss while training at most 5 "
            "percent as many parameters.",
            judge=judges.lora_gain,
        ),
        Statement(
            id="lora-forgets-less",
            says="After LoRA the loss on the first task's text has risen less than after full fine-tuning.",
            judge=judges.lora_forgets_less,
        ),
        Statement(
            id="merged",
            says="Merged into the matrices, an adapter gives the same scores as beside them.",
            judge=judges.merged,
            exact=True,
        ),
    ),
    why="Fine-tuning goes on from weights that already know letters, words and most of the grammar, so only what is "
    "new has to be learned. Full fine-tuning may turn every weight in every direction. LoRA may add to each matrix "
    "only a product of two thin ones, so it can turn few directions; that is enough for a new form, not for a new "
    "language. Both forget, because the new loss says nothing of the old text: what the old text needed and the new "
    "one does not is free to drift, the further the larger the steps.",
    limits="One small base model, so that the intervals cover the order of the examples and the start of the adapters, "
    "not another base. Both texts are about the same subject in another form. How much is forgotten depends on the "
    "learning rate, which was chosen for the new text alone, and on which matrices LoRA adapts: try targets=blocks. "
    "The memory of so small a model is mostly that of Python; the table counts what training itself keeps.",
    watch=Panel(
        events=("valid/loss",), kind="line", title="Loss on the second text", unit="nats per character",
        entry="cross-entropy",
    ),
    figures=(
        Metric(name="valid/loss", title="Loss, second text", unit="nats per character"),
        Metric(name="parameters", title="Trained"),
        Metric(name="seconds", title="Time", unit="s"),
        Metric(name="peak_memory", title="Peak memory", unit="bytes"),
    ),
    computation=Computation(
        name="fine-tuning",
        title="What each can do now",
        summary="Tests every contestant on both texts, and every adapter beside and merged.",
        entry="fine-tuning",
        spec=Contest,
        presets=(Preset(name="quick", help="As the lab asks.", knobs={}),),
        panels=(
            Panel(events=("contestants",), kind="table", title="Gained, forgotten, paid", entry="lora"),
            Panel(
                events=("learned and forgotten",),
                kind="points",
                title="Loss on the first text (up) against the second (across)",
                entry="catastrophic-forgetting",
            ),
            Panel(events=("what it writes",), kind="text", title="What each writes", entry="autoregressive-generation"),
            Panel(
                events=("first/loss", "second/loss"),
                kind="line",
                title="Loss on both texts",
                unit="nats per character",
                x="contestant",
                entry="cross-entropy",
            ),
        ),
        headline=(
            Metric(name="full/second", title="Full, second text", unit="nats per character"),
            Metric(name="full/first", title="Full, first text", unit="nats per character"),
        ),
        code=("adapt/lora.py", "adapt/freeze.py", "labs/fine_tuning/compute.py"),
        compute="engine.labs.fine_tuning.compute:measure",
    ),
)  # fmt: skip
