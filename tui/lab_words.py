"""What the screen of a lab says: the question, predictions, the runs, the findings against the predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from engine.core.spec import Metric
from tui.figures import duration, figure
from tui.findings import OWN, Found, about_words, measured_words, sign_of, verdict_words
from tui.render.markdown import plain
from tui.render.safe import safe
from tui.run_words import state_content
from tui.voices import reached

if TYPE_CHECKING:
    from engine.core.experiments import Experiment
    from engine.core.lab import Forecast, Lab
    from engine.core.view import RunView


def question(lab: Lab) -> Content:
    """Return what is asked, and what is done to find out."""
    return Content.assemble((safe(lab.question), "bold $accent"), "\n", (safe(lab.summary), "$text-muted"))


def forecast(each: Forecast, made: str, outcome: str, *, here: bool) -> Content:
    """Return a prediction to make: its choices, the one that was made, and after the runs the one that came true.

    Args:
        each: what is to be predicted.
        made: the learner's choice; empty where there is none yet.
        outcome: what came true; empty before that is known.
        here: whether the number keys answer this one.
    """
    head = "Before you look: " if not outcome else "You predicted: " if made else "Nobody predicted: "
    lines = [Content.assemble((head, "$warning bold"), (safe(each.question), "bold"))]
    for number, choice in enumerate(each.choices, 1):
        chosen, true = choice == made, choice == outcome
        color = "$success" if true else "$error" if chosen and outcome else "$accent" if chosen else ""
        said = "   this came true" if true else "   you said" if chosen and outcome else ""
        key = str(number) if here else " "
        lines.append(Content.styled(f"  {key} {'●' if chosen else '○'} {safe(choice)}{said}", color))
    if outcome and each.because:
        lines.append(plain(each.because))
    elif here and not made:
        lines.append(Content.styled("  Press the number of your guess.", "$text-muted"))
    return Content("\n").join(lines)


def terms(lab: Lab, form: str, seeds: int, changed: Mapping[str, object]) -> Content:
    """Return in which form, over how many seeds, with which knobs, and about how long that takes."""
    preset = lab.preset(form)
    seconds = preset.seconds * seeds
    knobs = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in changed.items())
    return Content.assemble(
        (safe(form), "bold"),
        (f"  {safe(preset.help)}\n", "$text-muted"),
        (f"{seeds} seed{'s' if seeds != 1 else ''}", "bold"),
        ("  one seed gives no interval" if seeds == 1 else "  an interval over the seeds", "$text-muted"),
        (f"\nabout {duration(seconds)} on two cores" if seconds else "", "$text-muted"),
        (f"\n{safe(knobs)}" if knobs else "", "$accent"),
    )


def arm_lines(lab: Lab, experiment: Experiment, views: Mapping[str, RunView]) -> list[tuple[str, Content]]:
    """Return a line for each run of an experiment: which arm, its state, what it reached."""
    from engine.core.inquiry import KEPT_SEED

    titles = {arm.name: arm.title for arm in lab.arms(lab.settings.of(experiment.knobs))}
    lines: list[tuple[str, Content]] = []
    seen: set[str] = set()
    for placed in experiment.runs:
        if placed.run in seen:
            continue
        seen.add(placed.run)
        view = views.get(placed.run)
        seed = f"  seed {placed.seed}" if len(experiment.seeds) > 1 or placed.seed != KEPT_SEED else ""
        state = state_content(view.state) if view is not None else Content.styled("was deleted", "$error")
        text = Content.assemble(
            (safe(titles.get(placed.arm, placed.arm)), "bold"), (seed, "$text-muted"), "\n  ", state
        )
        words = _reached(lab.figures, view) if view is not None else ""
        lines.append((placed.run, Content.assemble(text, (f"  {words}", "$accent"))))
    return lines


def _reached(figures: Sequence[Metric], view: RunView) -> str:
    if view.state == "finished":
        found = [(metric, reached(view, metric)) for metric in figures]
        return safe(
            " · ".join(f"{metric.title} {figure(value, metric.unit)}" for metric, value in found if value is not None)
        )
    if view.state == "running" and view.total_steps:
        left = f" · {duration(view.remaining)} left" if view.remaining is not None else ""
        return f"{100 * view.step / view.total_steps:.0f} %{left}"
    return safe(view.cause) if view.state in {"failed", "lost"} else ""


def standing(experiment: Experiment | None, left: int, live: bool) -> Content:
    """Return how far the experiment is, and the key that goes on."""
    if experiment is None:
        return Content.assemble(("enter ", "$accent bold"), "begins")
    if live:
        return Content.assemble(
            ("● ", "$success"), "at work; it goes on when you leave. ", ("s ", "$accent bold"), "stops"
        )
    if left:
        runs = f"{left} run{'s' if left != 1 else ''} of {len(experiment.ids)}"
        return Content.assemble(
            ("◌ ", "$warning"), f"{runs} did not come to an end. ", ("enter ", "$accent bold"), "goes on"
        )
    return Content.assemble(
        (f"measured {experiment.date} in {duration(experiment.seconds)}   ", "$text-muted"),
        ("a ", "$accent bold"),
        "asks again",
    )


def finding(says: str, found: Sequence[Found]) -> Content:
    """Return a sentence with what was found about it, the learner's own finding in full."""
    lines: list[Content] = []
    for each in found:
        sign, color = sign_of(each.finding)
        lines.append(Content.assemble((f"{sign} {verdict_words(each)}", f"{color} bold")))
        lines.append(Content(safe(each.finding.text)))
        if each.who == OWN:
            lines += [Content.styled(safe(words), "$accent") for words in measured_words(each.finding.measured)]
        lines.append(Content.styled(safe(about_words(each)), "$text-muted"))
    if not found:
        lines.append(Content.styled("Not measured yet.", "$text-muted"))
    return Content("\n").join([Content.styled(safe(says), "bold"), *lines])


def reasons(lab: Lab) -> Content:
    """Return why it comes out as it does, and what the measurement does not show."""
    parts = [Content.styled("Why", "$primary bold"), plain(lab.why)]
    if lab.limits:
        parts += [Content(""), Content.styled("What this does not show", "$primary bold"), plain(lab.limits)]
    return Content("\n").join(parts)
