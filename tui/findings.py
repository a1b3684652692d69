"""What is known about the sentences that pages claim: found by the learner, found by the project, in which wording."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.core.experiments import Experiment, Finding
from tui.figures import figure
from tui.render.claims import ClaimLines, ClaimRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.core.verdict import Measured
    from glossary.model import Claim, Entry
    from tui.services import Services

OWN, PROJECT = "measured by you", "measured by the project"


class Found(NamedTuple):
    """One finding about a sentence, and who found it."""

    who: str
    """`OWN` or `PROJECT`."""
    experiment: Experiment
    finding: Finding
    earlier: bool
    """Whether the sentence has been worded anew since."""


def found_about(lab: str, statement: str, says: str, services: Services) -> list[Found]:
    """Return what is known about a sentence of a lab: the learner's newest finding first, then the project's."""
    known: list[Found] = []
    for who, experiment in ((OWN, services.experiments.latest(lab)), (PROJECT, services.shipped.get(lab))):
        finding = experiment.finding(statement) if experiment is not None else None
        if experiment is not None and finding is not None:
            known.append(Found(who, experiment, finding, finding.says != says))
    return known


def found_about_claim(claim: Claim, services: Services) -> list[Found]:
    """Return what is known about a claim of a page."""
    return found_about(claim.lab, claim.id, claim.says, services) if claim.id else []


def claim_lines(entry: Entry, services: Services) -> list[ClaimLines]:
    """Return the claims of a page with what is known about each; claims whose lab is to come are left out."""
    from engine.catalog import LABS

    return [
        ClaimLines(
            claim.says,
            [_claim_row(each) for each in found_about_claim(claim, services)],
            f"Not measured yet: m opens the lab {claim.lab}.",
        )
        for claim in entry.claims
        if claim.lab in LABS
    ]


def _claim_row(found: Found) -> ClaimRow:
    sign, style = sign_of(found.finding)
    return ClaimRow(sign, style, f"{verdict_words(found)}: {found.finding.text}", about_words(found))


def sign_of(finding: Finding) -> tuple[str, str]:
    """Return a sign and its color: holds, does not, or was not decided."""
    if finding.holds is None:
        return "?", "$warning"
    return ("✓", "$success") if finding.holds else ("✗", "$error")


def verdict_words(found: Found) -> str:
    """Return whether the sentence held: ``held over 3 seeds``, ``did not hold, on one seed``, ``not decided``."""
    finding, seeds = found.finding, len(found.experiment.seeds)
    held = "not decided" if finding.holds is None else "held" if finding.holds else "did not hold"
    over = "" if finding.exact else " on one seed, which gives no interval" if seeds == 1 else f" over {seeds} seeds"
    return f"{held}{over}" + (", for an earlier wording" if found.earlier else "")


def about_words(found: Found) -> str:
    """Return who found it, when, on what."""
    return f"{found.who} · {found.experiment.date} · {found.experiment.form} · {found.experiment.machine}"


def measured_words(values: Iterable[Measured]) -> list[str]:
    """Return each figure with its 95 % interval: ``gain kept 96.1 % (95.0 to 97.2 %)``."""
    return [_measured(each) for each in values]


def _measured(each: Measured) -> str:
    if each.value is None:
        return f"{each.name}: no finite number"
    text = f"{each.name} {_value(each.value, each.unit)}"
    if each.low is not None and each.high is not None:
        items = "" if each.of == "seeds" else f" over {each.of}"
        text += f" ({_value(each.low, each.unit)} to {_value(each.high, each.unit)}{items})"
    return f"{text} {each.unit}".rstrip()


def _value(value: float, unit: str) -> str:
    return f"{value:.1f}" if unit.startswith("%") else figure(value)
