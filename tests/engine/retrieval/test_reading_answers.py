"""What stands beside the search: the embedded collection, held-out questions, a second look, choosing, showing."""

from __future__ import annotations

import pytest

from engine.core.errors import DataError
from engine.retrieval import frozen
from engine.retrieval.choose import choose, right
from engine.retrieval.chunks import Chunking
from engine.retrieval.documents import Document
from engine.retrieval.frozen import read_glossary, texts
from engine.retrieval.held_out import hold_out
from engine.retrieval.index import NONE, Index, Settings
from engine.retrieval.rerank import rerank
from engine.retrieval.shown import matches, plain
from engine.retrieval.words import Analysis

DOCUMENTS = (
    Document("tea.md", "Tea", "Green tea is brewed at 80 degrees. Black tea wants boiling water for four minutes."),
    Document("coffee.md", "Coffee", "Coffee is ground just before. Espresso is pressed through at nine bar."),
    Document("milk.md", "Milk", "Milk is heated to 65 degrees. It foams best when it is cold and fresh."),
)


def test_the_embedded_collection_asks_what_its_texts_answer_and_do_not_repeat() -> None:
    judged = read_glossary()
    assert len(judged.documents) == 44 and len(judged.questions) == 247
    paths = {each.path for each in judged.documents}
    assert all(set(grades) <= paths for grades in judged.relevant.values())
    assert all(judged.answers[name][0] for name in judged.questions)
    whole = "\n".join(each.text for each in judged.documents)
    repeated = [question for question in judged.questions.values() if len(question) > 30 and question in whole]
    assert repeated == []


def test_a_damaged_collection_is_told(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "broken.json.gz"
    path.write_bytes(b"no archive")
    monkeypatch.setattr(frozen, "FILE", path)
    with pytest.raises(DataError, match="damaged"):
        read_glossary()


def test_questions_code_and_sources_of_an_entry_are_left_out() -> None:
    entry = "---\ntitle: X\n---\n\n## How it works\nIt *works*.\n\n```python\nx = 1\n```\n\n## FAQ\n**Why?** So.\n"
    assert texts(entry) == "## How it works\n\nIt works.\n"


def test_a_sentence_that_is_held_out_is_gone_and_leads_back() -> None:
    long = Document(
        "long.md", "Long", " ".join(f"Sentence number {n} has its own word w{n} in the text." for n in range(9))
    )
    judged = hold_out((long,), 2, seed=0)
    assert len(judged.questions) == 2
    for question in judged.questions.values():
        assert question not in judged.documents[0].text and question in long.text
    assert hold_out((long,), 2, seed=0) == judged and hold_out((long,), 2, seed=1) != judged
    with pytest.raises(DataError, match="No document"):
        hold_out((Document("short.md", "Short", "Too short."),), 5, seed=0)


def test_a_second_look_prefers_words_that_stand_together() -> None:
    index = Index.of(
        (
            Document("apart.md", "A", "The learning is slow. Nothing here. More nothing. And a rate of pay, at last."),
            Document(
                "together.md",
                "B",
                "Something else first. Then again nothing. The learning rate is a knob. The end of it.",
            ),
        )
    )
    passages = index.search("learning rate", 5, "bm25")
    assert rerank(index, "learning rate", passages)[0].chunk.document == "together.md"
    assert rerank(index, "learning rate", []) == []
    assert len(rerank(index, "zebra", passages)) == len(passages)


@pytest.mark.parametrize("dense", ["lsa", NONE])
def test_passages_help_to_choose_where_the_question_alone_does_not(dense: str) -> None:
    index = Index.of(DOCUMENTS, Settings(Chunking("whole"), dense=dense))
    question, options = "How hot for green tea?", ["nine bar", "80 degrees", "cold and fresh"]
    alone = choose(index, question, options)
    assert alone == [0.0, 0.0, 0.0] and right(alone, 1) == pytest.approx(1 / 3)
    scores = choose(index, question, options, index.search(question, 1, "bm25"))
    assert right(scores, 1) == 1.0 and right(scores, 0) == 0.0


def test_markdown_is_shown_as_it_is_read() -> None:
    assert plain("A *b* **c** [[x-y|words]] `code`\nwrapped [[learning-rate]] [t](u)") == (
        "A b c words code wrapped learning rate t"
    )
    assert plain("2 * 3 * 4\n- one\n- two") == "2 * 3 * 4\n- one\n- two"


def test_words_that_match_are_found_in_any_form() -> None:
    text = "Losses fall, and the loss was falling."
    found = [text[start:end] for start, end in matches(text, "why does my loss fall?", Analysis())]
    assert found == ["Losses", "fall", "loss", "falling"]
