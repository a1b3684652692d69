"""The entries and walkthroughs that are shipped pass the check, and search finds them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from glossary.check import check
from glossary.known import lenient
from glossary.library import Library
from glossary.search import Index
from glossary.taxonomy import taxonomy
from glossary.walk import read_walkthroughs


@pytest.fixture(scope="module")
def library() -> Library:
    return Library.load()


def test_every_shipped_file_parses_and_every_core_entry_is_there(library: Library):
    assert library.problems == ()
    core = {term.slug for term in taxonomy().terms.values() if term.core}
    assert core <= library.entries.keys()


def test_the_check_finds_no_error_and_every_python_block_runs(library: Library):
    assert [str(each) for each in check(library, lenient()).errors] == []


def test_every_walkthrough_passes(library: Library):
    walkthroughs, problems = read_walkthroughs()
    assert problems == ()
    found = check(library, lenient(), walkthroughs, run_blocks=False).errors
    assert [str(each) for each in found] == []


def test_every_entry_is_found_by_its_title_and_its_aliases(library: Library):
    index = Index(library)
    for entry in library.entries.values():
        for name in (entry.title, *entry.aliases):
            assert entry.slug in [hit.slug for hit in index.search(name)[:3]], (entry.slug, name)


def test_the_package_is_a_leaf_and_loads_nothing_heavy():
    code = (
        "import sys\nfrom glossary.library import Library\nfrom glossary.search import Index\nimport glossary.walk\n"
        "import glossary.progress\nIndex(Library([])).search('gradient')\n"
        "heavy = {'tui', 'engine', 'textual', 'rich', 'torch', 'numpy', 'yaml', 'rapidfuzz'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
