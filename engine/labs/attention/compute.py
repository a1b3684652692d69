"""A sentence through a trained model, one row by hand and all heads as maps; and what its heads have come to do.

Shape legend: L layers, H heads, T time.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from engine.core.errors import DataError, RunError
from engine.core.events import HeatMap, Table
from engine.data.examples import Corpus
from engine.data.load import load
from engine.data.text import Characters
from engine.data.vocabulary import unpack
from engine.families.gpt.learner import build_gpt, characters_of, load_weights
from engine.families.gpt.model import GPT
from engine.families.gpt.spec import GPTSpec
from engine.labs.attention.byhand import attend
from engine.labs.attention.heads import by_torch, opened, survey
from engine.labs.attention.lab import Sentence
from engine.labs.attention.walk import Walk, percent, visible
from engine.labs.workbench import Workbench
from engine.train.checkpoint import latest_checkpoint
from engine.train.randomness import seed_everything

LONGEST = 40
"""Characters of a sentence; more could not be told apart on a map."""
WINDOWS = 32
"""Stretches of held-out text over which a head is judged."""
EXPECTED = 5
"""Characters that the model thinks likeliest, shown at the end."""


def measure(bench: Workbench) -> None:
    """Walk through the sentence, then judge every head on held-out text, trained and untrained.

    Raises:
        DataError: the sentence has no character that the model knows.
        RunError: the model's run kept no checkpoint.
    """
    asked = cast(Sentence, bench.settings)
    model, untrained, characters, spec = open_models(bench)
    tokens = characters.encode(asked.sentence)[: min(LONGEST, spec.context)]
    if not len(tokens):
        raise DataError("The model knows none of the sentence's characters.", "Write it in the letters of its text.")
    letters = [visible(letter) for letter in characters.decode(tokens)]
    inside = opened(model, tokens)
    layer, head = asked.layer or spec.layers, min(asked.head, spec.heads)
    layer = min(layer, spec.layers)
    place = min(asked.place or len(tokens), len(tokens)) - 1
    q, k, v = (each[head - 1].double().tolist() for each in inside[layer - 1][2])
    walk = Walk(letters=letters, place=place, layer=layer, head=head, queries=q, keys=k, values=v)
    bench.start(
        total_steps=walk.steps + spec.layers * spec.heads + 3, parameters=sum(map(torch.numel, model.parameters()))
    )
    if len(tokens) < len(asked.sentence):
        bench.say(f"Of {len(asked.sentence)} characters {len(tokens)} are read: the others are unknown, or too many.")
    bench.enter("by hand")
    for events in walk.events():
        bench.emit(*events)
        bench.advance()
    compare(bench, inside, walk)
    bench.enter("head by head")
    show_heads(bench, model, tokens, letters, walk)
    judge_heads(bench, model, untrained, characters, spec)


def open_models(bench: Workbench) -> tuple[GPT, GPT, Characters, GPTSpec]:
    """Return the model of the arm `model`, and the same as it was before its first step.

    Raises:
        RunError: the run kept no checkpoint.
    """
    recipe = bench.read("model").recipe
    spec = GPTSpec.of(recipe.knobs)
    checkpoint, _ = latest_checkpoint(bench.run_folder("model"))
    if checkpoint is None:
        raise RunError("The model's run kept no checkpoint.", "Go on with the lab.")
    characters = characters_of(checkpoint.model)
    seed_everything(recipe.seed)
    untrained = build_gpt(spec, characters).eval()
    model = build_gpt(spec, characters).eval()
    with torch.no_grad():
        load_weights(model, checkpoint.model)
    return model, untrained, characters, spec


def compare(bench: Workbench, inside: list[tuple], walk: Walk) -> None:  # type: ignore[type-arg]
    """Compute every row of the walk's layer by hand; measure the distance to torch's kernel and the model's output."""
    attention, normed, (q_HTK, k_HTK, v_HTK) = inside[walk.layer - 1]
    by_hand = torch.zeros_like(q_HTK)
    for head in range(len(q_HTK)):
        q, k, v = (each[head].double().tolist() for each in (q_HTK, k_HTK, v_HTK))
        for at in range(len(q)):
            by_hand[head, at] = torch.tensor(attend(q[at], k[: at + 1], v[: at + 1]).output)
    with torch.no_grad():
        kernel = float((by_hand - by_torch(q_HTK, k_HTK, v_HTK)).abs().max())
        own = float((attention.projection(by_hand.transpose(0, 1).flatten(1)) - attention(normed)[0]).abs().max())
    bench.figures |= {"torch/error": kernel, "model/error": own}
    bench.emit(
        walk.say(
            "check",
            f"All rows of all heads of layer {walk.layer} by hand, against torch's scaled_dot_product_attention: the "
            f"largest difference is {kernel:.0e}. Against what the layer itself puts out: {own:.0e}.",
        ),
        Table(
            name="check",
            columns=["by hand against", "largest difference"],
            rows=[["scaled_dot_product_attention", f"{kernel:.1e}"], ["the model's own layer", f"{own:.1e}"]],
        ),
    )
    bench.advance()


@torch.no_grad()
def show_heads(bench: Workbench, model: GPT, tokens: Tensor, letters: list[str], walk: Walk) -> None:
    """Emit the weights of every head on the sentence, then what the model expects to come next."""
    for layer in range(len(model.blocks)):
        for head, weights in enumerate(model.attention(tokens[None], layer)[0]):
            row = weights[walk.place][: walk.place + 1]
            best = int(row.argmax())
            before = float(weights.diagonal(-1).mean()) if len(letters) > 1 else 0.0
            bench.emit(
                walk.say(
                    "head by head",
                    f"Head {head + 1} of layer {layer + 1}: {walk.name(walk.place)} looks most at {walk.name(best)}, "
                    f"{percent(float(row[best]))} of its weight. Over the sentence {percent(before)} lies on the "
                    "character just before.",
                ),
                HeatMap(
                    name="weights",
                    values=[[round(value, 3) for value in each] for each in weights.tolist()],
                    rows=letters,
                    columns=letters,
                    row_title="reading",
                    column_title="looks at",
                ),
                looked_at(letters, row),
            )
            bench.advance()
    chances = model(tokens[None])[0, walk.place].softmax(-1).topk(EXPECTED)
    words = [visible(characters_in(model)[int(each)]) for each in chances.indices]
    rows = [[word, percent(float(chance))] for word, chance in zip(words, chances.values, strict=True)]
    bench.emit(
        walk.say(
            "what comes next",
            f"After all layers the model expects '{words[0]}' to follow {walk.name(walk.place)}, with "
            f"{percent(float(chances.values[0]))}.",
        ),
        Table(name="next character", columns=["character", "probability"], rows=rows),
    )
    bench.advance()


def characters_in(model: GPT) -> tuple[str, ...]:
    """Return the characters that the model carries."""
    words = model.words
    assert isinstance(words, Tensor)
    return unpack(words)


def looked_at(letters: list[str], row: Tensor) -> Table:
    """Return where the chosen character looks, the largest weights first."""
    order = row.argsort(descending=True)[:8].tolist()
    rows = [[f"{at + 1:>2} {letters[at]}", f"{float(row[at]):.3f}"] for at in order]
    return Table(name="looks at", columns=["looks at", "weight"], rows=rows)


def judge_heads(bench: Workbench, model: GPT, untrained: GPT, characters: Characters, spec: GPTSpec) -> None:
    """Measure every head on held-out text, before and after training."""
    bench.enter("judging")
    text = load(spec.data, spec, 0, torch.device("cpu"))
    assert isinstance(text, Corpus)
    valid = characters.encode(text.valid)
    count = min(WINDOWS, len(valid) // spec.context)
    if not count:
        raise DataError("The held-out text is shorter than the model's context.", "Use a longer text.")
    windows = valid[: count * spec.context].view(count, spec.context)
    after = survey(model, windows, len(characters), bench.seed)
    before = survey(untrained, windows, len(characters), bench.seed)
    rows = [
        [f"{layer + 1}", f"{head + 1}", *(f"{float(after[name][layer, head]):.3f}" for name in after)]
        for layer in range(spec.layers)
        for head in range(spec.heads)
    ]
    bench.emit(Table(name="heads", columns=["layer", "head", "spread", "before", "repeat"], rows=rows))
    for name in after:
        bench.emit(
            HeatMap(
                name=f"{name} of each head",
                values=[[round(value, 3) for value in row] for row in after[name].tolist()],
                rows=[f"layer {layer + 1}" for layer in range(spec.layers)],
                columns=[f"{head + 1}" for head in range(spec.heads)],
                column_title="head",
            )
        )
    for when, found in (("after", after), ("before", before)):
        bench.figures |= {
            f"spread/{when}": float(found["spread"].mean()),
            f"sharpest/{when}": float(found["spread"].min()),
            f"previous/{when}": float(found["previous"].max()),
            f"induction/{when}": float(found["induction"].max()),
        }
    bench.advance()
