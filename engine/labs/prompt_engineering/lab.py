"""The lab on prompt engineering: what do examples in the prompt do to a model whose weights stand still?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.lab import Arm, Forecast, Lab, Results, Statement
from engine.core.spec import Computation, Metric, Panel, Preset, Settings, Value, knob
from engine.core.verdict import Measured, Verdict, measured, more_than

TELLING = 0.1
"""Share of the prompts: ten points of accuracy."""
FORMS = 5
"""Ways to write the same examples; the first is the usual one."""
SHOTS = 4
"""Examples where something else than their number is changed."""
NUMBERS = (0, 1, 2, 4, 8)
"""Of examples, that are told apart in the findings."""


@dataclass(frozen=True, kw_only=True)
class Prompting(Settings):
    """How much is measured, and of which model."""

    prompt: str = knob(
        "cab>bac;fed>def;abd>", "Your own: examples and a word, in letters a to f.", entry="prompt-and-system-prompt"
    )
    prompts: int = knob(
        480, "How many prompts each accuracy is measured on.", low=48, high=100_000, unit="prompts", entry="accuracy"
    )
    steps: int = knob(
        1600,
        "Updates of the model that reads them; it is trained once and kept.",
        low=1,
        high=10**6,
        unit="steps",
        entry="epoch-and-step",
    )
    width: int = knob(64, "Channels of that model.", low=16, high=1024, unit="channels", entry="embedding")
    layers: int = knob(3, "Blocks of that model.", low=1, high=24, entry="transformer-block")  # fmt: skip


CONTEXT = 80
"""Characters: room for eight examples and a word."""
HEAD_WIDTH = 16


def arms(settings: Settings) -> Sequence[Arm]:
    """Return the model that is trained once, and the measurement."""
    assert isinstance(settings, Prompting)
    base: dict[str, Value] = {
        "data": "many-tasks",
        "layers": settings.layers,
        "width": settings.width,
        "heads": max(1, settings.width // HEAD_WIDTH),
        "context": CONTEXT,
        "batch_size": 16,
        "steps": settings.steps,
        "learning_rate": 0.02,
        "prompt": "abc>cba;def>fed;fac>",
    }
    return [
        Arm(name="base", title="A model of many small tasks", target="gpt/quick", knobs=base, kept=True),
        Arm(
            name="prompts",
            title="What it makes of prompts",
            target="prompt-engineering/quick",
            knobs=settings.values(),
            reads=("base",),
        ),
    ]


def percent(name: str, values: Sequence[float]) -> Measured:
    """Return shares as percent with their interval."""
    return measured(name, [100 * each for each in values], "%")


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)


def examples_help(results: Results) -> Verdict:
    """Judge whether four examples beat none."""
    none, four = results.of("prompts", "accuracy/0"), results.of("prompts", f"accuracy/{SHOTS}")
    gain = [b - a for a, b in zip(none, four, strict=True)]
    return Verdict(
        holds=more_than(TELLING, gain),
        text=f"{mean(none):.0%} of the answers were right with no example, {mean(four):.0%} with four.",
        measured=(
            *(percent(f"{number} examples", results.of("prompts", f"accuracy/{number}")) for number in NUMBERS),
            percent("best possible with none", results.of("prompts", "best/0")),
        ),
    )


def order_decides(results: Results) -> Verdict:
    """Judge whether the order of right examples decides more than a tenth of the answers."""
    share = results.of("prompts", "order/all right/decides")
    return Verdict(
        holds=more_than(TELLING, share),
        text=f"{mean(share):.1%} of the words were answered right in some orders of the same right examples and wrong "
        "in others.",
        measured=(percent("decided by order", share),),
    )


def order_of_a_mixed_set(results: Results) -> Verdict:
    """Judge whether some orders of examples, one of them wrong, are better than others, over many words."""
    gap, chance, excess, share = (
        results.of("prompts", f"order/one wrong/{name}") for name in ("gap", "chance", "excess", "decides")
    )
    return Verdict(
        holds=more_than(0.0, excess),
        text=f"The best of twelve orders beat the worst by {100 * mean(gap):.0f} points; if all orders were equally "
        f"good, chance alone would show {100 * mean(chance):.0f}.",
        measured=(
            percent("best minus worst", gap),
            percent("by chance", chance),
            percent("beyond chance", excess),
            percent("decided by order", share),
        ),
    )


def form_matters(results: Results) -> Verdict:
    """Judge whether a form that was never seen costs accuracy, though it says the same."""
    usual = results.of("prompts", "form/0")
    mixed = results.of("prompts", "form/2")
    loss = [a - b for a, b in zip(usual, mixed, strict=True)]
    return Verdict(
        holds=more_than(TELLING, loss),
        text=f"The same four examples gave {mean(usual):.0%} in the usual form, "
        f"{mean(results.of('prompts', 'form/1')):.0%} in a rare one and {mean(mixed):.0%} in one that mixes both.",
        measured=tuple(percent(f"form {number}", results.of("prompts", f"form/{number}")) for number in range(FORMS)),
    )


def wrong_answers(results: Results) -> Verdict:
    """Judge whether wrong answers in the examples halve the accuracy."""
    right, wrong = results.of("prompts", "wrong/0"), results.of("prompts", f"wrong/{SHOTS}")
    left = [a / 2 - b for a, b in zip(right, wrong, strict=True)]
    return Verdict(
        holds=more_than(0.0, left),
        text=f"{mean(right):.0%} of the answers were right with four right examples, {mean(wrong):.0%} with four wrong "
        "ones.",
        measured=tuple(
            percent(f"{number} wrong of {SHOTS}", results.of("prompts", f"wrong/{number}"))
            for number in range(SHOTS + 1)
        ),
    )


def how_many(results: Results) -> str:
    """Return which number of examples was the first to reach nine tenths of what eight reach."""
    most = mean(results.of("prompts", f"accuracy/{NUMBERS[-1]}"))
    enough = next(each for each in NUMBERS if mean(results.of("prompts", f"accuracy/{each}")) >= 0.9 * most)
    return AMOUNTS[0] if enough <= 1 else AMOUNTS[1] if enough <= 4 else AMOUNTS[2]


def which_hurts(results: Results) -> str:
    """Return which change of the prompt cost more."""
    form = mean(results.of("prompts", "form/2"))
    wrong = mean(results.of("prompts", f"wrong/{SHOTS}"))
    if abs(form - wrong) < TELLING / 2:
        return HURTS[2]
    return HURTS[0] if form < wrong else HURTS[1]


AMOUNTS = ("One", "Two to four", "More than four")
HURTS = ("Another separator", "Wrong answers", "Both about the same")

LAB = Lab(
    name="prompt-engineering",
    title="What a prompt does",
    question="What do examples in the prompt do, and how much hangs on their order, their form and their rightness?",
    summary="Trains one small model on many tasks, then changes nothing but the prompt and counts right answers.",
    entry="prompt-engineering",
    settings=Prompting,
    presets=(
        Preset(name="quick", help="A model of 0.15 million parameters, 480 prompts a point.", knobs={}, seconds=25.0),
        Preset(
            name="standard",
            help="A model of 2 million parameters, 4,800 prompts a point.",
            knobs={"width": 192, "layers": 4, "steps": 6000, "prompts": 4800},
        ),
    ),
    arms=arms,
    forecasts=(
        Forecast(
            id="enough",
            question="Eight rules are possible, and the prompt does not say which one. How many examples does the "
            "model need to reach nine tenths of what it reaches with eight examples?",
            choices=AMOUNTS,
            outcome=how_many,
            because="One example rules out most rules, though not all: abc>abc may be copy or sort. The next ones "
            "settle which.",
        ),
        Forecast(
            id="hurts",
            question="Which costs more right answers: the same examples with another separator, or wrong answers in "
            "the usual form?",
            choices=HURTS,
            outcome=which_hurts,
            because="The model knows form and rules by the same means: what its training text was like.",
        ),
    ),
    statements=(
        Statement(
            id="few-shot",
            says="On tasks that only examples reveal, four worked examples in the prompt give an accuracy at least 10 "
            "points above none, without any change of the weights.",
            judge=examples_help,
        ),
        Statement(
            id="order",
            says="The order of the same four right examples alone decides for more than one prompt in ten whether a "
            "small model answers right.",
            judge=order_decides,
        ),
        Statement(
            id="order-mixed",
            says="Where one of four examples has a wrong answer, some orders of them give a higher accuracy than "
            "others, by more than chance explains.",
            judge=order_of_a_mixed_set,
        ),
        Statement(
            id="form",
            says="The same examples with a separator that the model never met in this combination cost it at least 10 "
            "points of accuracy.",
            judge=form_matters,
        ),
        Statement(
            id="wrong",
            says="Where the rule can only be told from the examples, wrong answers in all of them leave less than half "
            "of the accuracy.",
            judge=wrong_answers,
        ),
    ),
    why="The weights stand still; all that changes is the text in front of the answer. In training the model met "
    "thousands of stretches in which one rule ruled, and the loss was lowest for a reader that looked back, found out "
    "which rule that was, and went on with it. So it learned to look back. With no example it can only guess. The "
    "first example rules out nearly all rules, and what it leaves open the next ones settle; the line *best possible* "
    "shows what a reader who knows the list of rules could do. While all examples agree, such a reader need not care "
    "about their order. Where one contradicts the others, something has to give: this model never met a wrong answer, "
    "so it did not learn to count votes, and it matters where the odd one stands. A separator that it never met in "
    "this place is a sign that nothing in its training told it how to read.",
    limits="One model of one training serves all seeds: the intervals are over prompts, not over trainings. It has "
    "about a millionth of a large model's parameters; what the two share is the mechanism, not the figures.",
    watch=Panel(events=("train/loss", "valid/loss"), kind="line", title="Loss", unit="nats per character"),
    figures=(
        Metric(name="accuracy/0", title="Right, no example", higher=True),
        Metric(name="accuracy/1", title="Right, one", higher=True),
        Metric(name="accuracy/4", title="Right, four", higher=True),
        Metric(name="accuracy/8", title="Right, eight", higher=True),
        Metric(name="order/all right/decides", title="Decided by order"),
        Metric(name="form/2", title="Right, strange form", higher=True),
        Metric(name="wrong/4", title="Right, wrong examples", higher=True),
    ),
    computation=Computation(
        name="prompt-engineering",
        title="What a prompt does",
        summary="Accuracy by number, order, form and rightness of the examples in a prompt.",
        entry="prompt-engineering",
        spec=Prompting,
        presets=(Preset(name="quick", help="As the lab asks.", knobs={}),),
        panels=(
            Panel(
                events=("accuracy", "best possible"),
                kind="line",
                title="Right answers",
                unit="share",
                x="examples in the prompt",
                entry="zero-shot-and-few-shot",
            ),
            Panel(events=("prompts",), kind="text", title="prompts, and what it writes", entry="in-context-learning"),
            Panel(events=("by number of examples",), kind="table", title="by number of examples"),
            Panel(events=("by task",), kind="table", title="by task"),
            Panel(events=("by form",), kind="table", title="the same four examples in other forms"),
            Panel(events=("by order",), kind="table", title="the same four examples in other orders"),
            Panel(events=("by wrong answers",), kind="table", title="four examples, some with wrong answers"),
            Panel(events=("your prompt",), kind="text", title="your prompt", entry="prompt-and-system-prompt"),
            Panel(events=("next letter",), kind="table", title="what may come next in it", entry="softmax"),
        ),
        headline=(
            Metric(name="accuracy/0", title="Right, no example", higher=True),
            Metric(name="accuracy/4", title="Right, four", higher=True),
        ),
        code=(
            "labs/prompt_engineering/prompts.py",
            "labs/prompt_engineering/answers.py",
            "labs/prompt_engineering/compute.py",
            "data/many_tasks.py",
        ),
        compute="engine.labs.prompt_engineering.compute:measure",
    ),
)
