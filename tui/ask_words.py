"""Questions and answers in words and colors: what the screen `ask` shows, apart from where it shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content

from tui.render.safe import one_line, safe

METHODS = {"hybrid": "both fused", "bm25": "BM25, by words", "dense": "embeddings, by meaning"}
BRIEF = {"hybrid": "both", "bm25": "words", "dense": "meaning"}
SHORT = {"bm25": "BM25", "dense": "meaning", "hybrid": "fused"}
EXAMPLES = (
    "why did my loss stop falling?",
    "how do I pick a learning rate?",
    "what does attention attend to?",
)
AROUND = 110
"""Characters shown before the first matched word of a passage that is folded."""
FOLDED = 300
"""Characters of a folded passage."""
LOW = 0.4
"""Share of the question below which the sentences hardly answer it."""
BAR = 24
MEMORY = "LEXIGRAD_ENDPOINT and LEXIGRAD_MODEL name a language model, which also answers from memory."


def choices(method: str, retrieval: bool, about: str, *, brief: bool = False) -> Content:
    """Return the line under the question: which search, with or without passages, and a few words."""
    parts: list[Content | tuple[str, str]] = [("s ", "$accent")]
    for name, words in (BRIEF if brief else METHODS).items():
        chosen = retrieval and name == method
        parts.append((f"{'●' if chosen else '○'} {words}  ", "bold" if chosen else "$text-muted"))
    parts += [(" w ", "$accent"), ("with passages" if retrieval else "without passages", "bold")]
    if about:
        parts.append((f"   {about}", "$text-muted"))
    return Content.assemble(*parts)


def building(done: int, of: int) -> Content:
    """Return how far the index is."""
    filled = round(BAR * done / of) if of else 0
    bar = "━" * filled
    if of and done >= of:
        words = f"{of:,} documents read; learning their vectors"
    else:
        words = f"{done:,} of {of:,} documents"
    return Content.assemble(
        ("The index is being made", "bold"), "\n\n", (bar, "$primary"), ("─" * (BAR - filled), "$surface-lighten-2"),
        f"\n{words}", "\n\n", ("It is kept, and the next time only files that have changed are read.", "$text-muted"),
    )  # fmt: skip


def trouble(what: str, remedy: str = "") -> Content:
    """Return an error and the way on."""
    return Content.assemble((safe(what), "$error"), *((("\n" + safe(remedy)),) if remedy else ()))


def count(number: int, name: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def welcome(held: Mapping[str, Any] | None, changed: Mapping[str, Any], shipped: bool, model: str) -> Content:
    """Return what can be asked, before anything was."""
    parts: list[Content | str | tuple[str, str]] = []
    if held:
        found = f"{count(held['documents'], 'document')} in {count(held['passages'], 'passage')}, indexed."
        parts += [(found, "bold"), "\n"]
    if changed.get("changed") or changed.get("removed") or (changed.get("added") and changed.get("kept")):
        words = [f"{changed[name]:,} {name}" for name in ("added", "changed", "removed") if changed.get(name)]
        parts += [(f"Since the last time: {', '.join(words)}.", "$text-muted"), "\n"]
    if changed.get("skipped"):
        parts += ["\n", (f"Passed over: {count(changed['skipped'], 'file')}.", "$warning"), "\n"]
        parts += [(f"  {one_line(str(each), 100)}\n", "$text-muted") for each in changed.get("first_skipped", [])]
    if shipped:
        parts += ["\n", ("For example", "$text-muted"), "\n", *(f"  {each}\n" for each in EXAMPLES)]
    by = f"{one_line(model, 60)} writes the answers, from the passages." if model else (
        "Answers are taken word for word from the passages. LEXIGRAD_ENDPOINT and LEXIGRAD_MODEL let a language model "
        "write them."
    )  # fmt: skip
    parts += ["\n", (by, "$text-muted")]
    return Content.assemble(*parts)


def answer(reply: Mapping[str, Any], by_model: Mapping[str, Any] | None, retrieval: bool) -> Content:
    """Return the answer with its numbered citations, or why there is none."""
    model = one_line(str(reply.get("model", "")), 60)
    parts: list[Content | str | tuple[str, str]] = []
    if model:
        parts += [*_model(model, by_model, retrieval), "\n\n"]
    if not retrieval:
        if not model:
            parts += [
                ("Without passages there is no answer.\n\n", "bold"),
                "Answers here are taken word for word from the passages, so without them there is nothing to take. ",
                ("w", "$accent"), " puts the passages back. ",
                (MEMORY, "$text-muted"),
            ]  # fmt: skip
        return Content.assemble(*parts)
    if not reply.get("passages"):
        nothing = "No passage has anything to do with these words.\n\n"
        parts += [(nothing, "bold"), "Try other words, or s for another search."]
        return Content.assemble(*parts)
    if model:
        parts += [("word for word from the passages\n", "$text-muted")]
    parts += _extracted(reply)
    return Content.assemble(*parts)


def _extracted(reply: Mapping[str, Any]) -> list[Content | str | tuple[str, str]]:
    parts: list[Content | str | tuple[str, str]] = []
    sentences: Sequence[Mapping[str, Any]] = reply.get("answer", [])
    for each in sentences:
        parts += [one_line(str(each["text"])), (f" [{each['passage']}]", "$accent"), "\n\n"]
    if not sentences:
        parts += [("No single sentence covers the question; see the passages.\n\n", "bold")]
    covered = float(reply.get("covered", 0.0))
    if sentences and covered < LOW:
        said = f"These sentences hold {100 * covered:.0f} % of what was asked: it may not be answered here."
        parts += [(said, "$warning")]
    return parts


def _model(name: str, said: Mapping[str, Any] | None, retrieval: bool) -> list[Content | str | tuple[str, str]]:
    """Return what the language model says, that it is asked, or what went wrong."""
    if said is None:
        return [(f"{name} is being asked ...", "$text-muted")]
    if "what" in said:
        return [(safe(str(said["what"])), "$error"), f" {safe(str(said.get('remedy', '')))}"]
    from_where = "from the passages" if retrieval else "from memory, without passages"
    parts: list[Content | str | tuple[str, str]] = [(f"{name}, {from_where}\n", "$text-muted"), safe(str(said["text"]))]
    if said.get("unknown"):
        made_up = ", ".join(f"[{number}]" for number in said["unknown"])
        parts += ["\n", (f"It cites {made_up}, which no passage is: made up.", "$warning")]
    if retrieval and not said.get("cited"):
        parts += ["\n", ("It cites no passage.", "$warning")]
    return parts


def passage(number: int, found: Mapping[str, Any], whole: bool) -> Content:
    """Return one passage: number, source, scores, and its text with the words that matched."""
    where = " › ".join([str(found["title"]), *map(str, found.get("headings", ()))])
    scores = "  ".join(f"{SHORT.get(name, name)} {value:.2f}" for name, value in found.get("scores", {}).items())
    head = Content.assemble((f"[{number}] ", "$accent"), (one_line(where, 120), "bold"))
    return Content.assemble(head, "\n", (f"    {scores}", "$text-muted"), "\n", _marked(found, whole))


def _marked(found: Mapping[str, Any], whole: bool) -> Content:
    """Return the text with the matched words marked; folded to the part around the first of them."""
    text = str(found["text"])
    spans = [(int(start), int(end)) for start, end in found.get("matched", [])]
    begin, last = 0, len(text)
    if not whole and len(text) > FOLDED:
        begin = max(0, (spans[0][0] if spans else 0) - AROUND)
        begin = text.find(" ", begin) + 1 if begin else 0
        last = min(len(text), begin + FOLDED)
        last = text.rfind(" ", begin, last) if last < len(text) and " " in text[begin:last] else last
    parts: list[tuple[str, str]] = [("… ", "$text-muted")] if begin else []
    place = begin
    for start, end in spans:
        if place <= start and end <= last:
            parts += [(safe(text[place:start]), ""), (safe(text[start:end]), "$accent")]
            place = end
    parts.append((safe(text[place:last]), ""))
    if last < len(text):
        parts.append((" …", "$text-muted"))
    return Content.assemble(*parts)
