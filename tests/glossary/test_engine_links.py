"""What the engine explains by an entry of the glossary has one, written or planned: knobs, plays' settings, panels."""

from __future__ import annotations

import pytest

from engine.catalog import FAMILIES, family
from glossary.taxonomy import taxonomy


@pytest.mark.parametrize("name", FAMILIES)
def test_every_link_leads_to_an_entry(name: str) -> None:
    found = family(name)
    links = {f"knob {each.name}": each.entry for each in found.spec.knobs()}
    links |= {f"{play.name} {each.name}": each.entry for play in found.plays for each in play.settings.knobs()}
    links |= {f"panel {each.title}": each.entry for each in found.panels}
    links["family"] = found.entry
    slugs = {where: entry.partition("#")[0] for where, entry in links.items() if entry}
    assert {where: slug for where, slug in slugs.items() if slug not in taxonomy().terms} == {}
