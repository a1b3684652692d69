import dataclasses

import pytest
from example_run import PANELS, example, losses, series
from textual.app import App
from textual.containers import Container

from engine.core import events
from tui.theme import DARK, LIGHT, variable_defaults
from tui.widgets.panel import PanelWidget
from tui.widgets.panels import make_panel

HOSTILE = "\x1b]52;c;aGk=\x07[@click=app.quit]hi[/b] \u202e"


class Panels(App):
    CSS = "#panels { layout: grid; grid-size: 3; grid-rows: 1fr; }"

    def __init__(self, panels=PANELS):
        super().__init__()
        self.declared = panels

    def get_theme_variable_defaults(self):
        return variable_defaults()

    def compose(self):
        with Container(id="panels"):
            yield from (make_panel(each) for each in self.declared)

    def on_mount(self):
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name
        self.query_one("#panels").styles.grid_size_columns = min(3, len(self.declared))

    @property
    def panels(self):
        return list(self.query(PanelWidget))

    def text(self):
        return "\n".join("".join(each.text for each in strip) for strip in self.screen._compositor.render_strips())


def drawn(widget):
    return ["".join(each.text for each in widget.render_line(y)) for y in range(widget.size.height)]


async def test_each_kind_has_a_widget_that_says_what_will_appear():
    app = Panels()
    async with app.run_test(size=(150, 50)):
        for widget in app.panels:
            assert " ".join(" ".join(drawn(widget)).split()).count(" ") >= 4, widget.panel.kind
            assert widget.focusable


async def test_a_run_fills_all_panels(tmp_path):
    (tmp_path / "log.txt").write_text("\x1b[31mcuda\x1b[0m\n 1%\r99%\n")
    app = Panels()
    async with app.run_test(size=(150, 50)) as pilot:
        for widget in app.panels:
            widget.show(example(tmp_path))
        await pilot.pause()
        text = app.text()
        for each in (
            "loss (nats)", "train", "nanoGPT", "lr ×0.5", "KING RICHARD", "11 of 139 GiB", "1.9M tokens/s",
            "inner", "true", "queen", "is 3", "most", "99%", "Loss is flat.",
        ):  # fmt: skip
            assert each in text, each


async def test_nothing_is_drawn_again_while_nothing_changed():
    app = Panels()
    async with app.run_test(size=(150, 50)) as pilot:
        view = example()
        for widget in app.panels:
            widget.show(view)
        await pilot.pause()
        for widget in app.panels:
            widget.draw = None  # type: ignore[method-assign]
            widget.show(dataclasses.replace(view, elapsed=99.0))
        await pilot.pause()
        chart = app.panels[0]
        view.series["train/loss"].append(6000, 99.0, 1, 1.0)
        with pytest.raises(TypeError):
            chart.show(view)
            chart.render_line(0)
        del chart.draw


async def test_a_point_in_the_same_column_changes_the_figures_alone(monkeypatch):
    monkeypatch.setattr("tui.widgets.line_panel.monotonic", lambda: 100.0)
    app = Panels(PANELS[:1])
    async with app.run_test(size=(90, 30)) as pilot:
        chart, view = app.panels[0], example()
        chart.show(view)
        await pilot.pause()
        before, strips = drawn(chart), list(chart._strips)
        view.series["train/loss"].append(5000, 100.0, 1, 1.5)
        chart.show(view)
        assert drawn(chart)[0] != before[0]
        assert drawn(chart)[1:] == before[1:]
        assert all(new is old for new, old in zip(chart._strips[1:], strips[1:], strict=True))
        await pilot.pause()
        painted = app.text()
        chart.refresh()
        await pilot.pause()
        assert painted == app.text()


@pytest.mark.parametrize(("value", "later"), [(9.0, 0.0), (1.5, 1.0)])
async def test_an_extreme_is_drawn_at_once_and_everything_within_a_second(monkeypatch, value, later):
    now = [100.0]
    monkeypatch.setattr("tui.widgets.line_panel.monotonic", lambda: now[0])
    app = Panels(PANELS[:1])
    async with app.run_test(size=(90, 30)) as pilot:
        chart, view = app.panels[0], example()
        chart.show(view)
        await pilot.pause()
        plot = chart._plot
        view.series["train/loss"].append(5000, 100.0, 1, value)
        now[0] += later
        chart.show(view)
        assert chart._plot is not plot


async def test_keys_change_the_chart_and_the_cursor_reads_it():
    app = Panels(PANELS[:1])
    async with app.run_test(size=(90, 30)) as pilot:
        chart = app.panels[0]
        chart.show(example())
        chart.focus()
        before = drawn(chart)
        await pilot.press("l")
        assert chart.log_y
        assert drawn(chart) != before
        await pilot.press("m", "x")
        assert chart.smoothing == 0.99
        assert chart.axis == "sample"
        assert "sample" in drawn(chart)[-1]
        await pilot.press("x", "x", "left", "left")
        assert "step 4,9" in drawn(chart)[0]
        await pilot.press("right", "right")
        assert chart.cursor is None


async def test_a_click_reads_the_chart():
    app = Panels(PANELS[:1])
    async with app.run_test(size=(90, 30)) as pilot:
        chart = app.panels[0]
        chart.show(example())
        await pilot.click(chart, offset=(45, 15))
        assert 2000 < chart.cursor < 3000


async def test_the_timeline_goes_back_and_forth():
    app = Panels(PANELS[3:4])
    async with app.run_test(size=(60, 24)) as pilot:
        surface = app.panels[0]
        surface.show(example())
        surface.focus()
        assert surface.hint() == "step 4,800"
        await pilot.press("left", "left")
        assert surface.hint() == "step 4,000"
        surface.scrub(450)
        assert surface.hint() == "step 400"
        assert drawn(surface)[-1].startswith("◂ 0 ──")
        assert drawn(surface)[-1].index("●") < 12
        surface.scrub(None)
        assert surface.hint() == "step 4,800"


async def test_runs_beside_each_other_are_named_by_what_differs():
    app = Panels(PANELS[:1])
    async with app.run_test(size=(150, 30)):
        chart = app.panels[0]
        chart.show(example(), (example(id="b", seed=1, above=0.2),))
        assert "seed 0 train" in drawn(chart)[0]
        assert "seed 1 valid" in drawn(chart)[0]


async def test_hostile_text_stays_text():
    panels = [dataclasses.replace(each, title=HOSTILE, unit=HOSTILE) for each in PANELS]
    panels[0] = dataclasses.replace(panels[0], events=(HOSTILE,))
    app = Panels(panels)
    async with app.run_test(size=(150, 50)) as pilot:
        view = example(
            notes=(events.Note(text=HOSTILE),),
            series={HOSTILE: series(range(100), losses(100))},
            baselines=(events.Baseline(metric=HOSTILE, name=HOSTILE, value=2.0),),
        )
        latest = dict(view.latest)
        latest["text"] = events.Text(name="text", text=HOSTILE, prompt=HOSTILE)
        latest["neighbors"] = events.Table(name="neighbors", columns=[HOSTILE], rows=[[HOSTILE]])
        for widget in app.panels:
            widget.show(dataclasses.replace(view, latest=latest, history={}))
        await pilot.pause()
        assert not set("\x1b\x07\u202e") & set(app.text())
        assert "[@click=app.quit]hi[/b]" in app.text()


@pytest.mark.parametrize(("width", "title"), [(60, "Gap (share of frames)"), (24, "Gap")])
async def test_a_narrow_panel_keeps_its_title_whole_and_leaves_the_unit_out(width, title):
    app = Panels((dataclasses.replace(PANELS[0], title="Gap", unit="share of frames"),))
    async with app.run_test(size=(width, 12)) as pilot:
        await pilot.pause()
        assert f" {title} ─" in app.text().splitlines()[0]


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (40, 10), (7, 60), (200, 3)])
async def test_panels_of_any_size(size):
    for panel in PANELS:
        app = Panels((panel,))
        async with app.run_test(size=size) as pilot:
            app.panels[0].show(example())
            await pilot.pause()


async def test_missing_media_is_said_in_the_panel():
    app = Panels(PANELS[6:7])
    async with app.run_test(size=(60, 20)):
        lost = events.Pictures(s=3, name="digits", media="media/lost.json")
        app.panels[0].show(example(latest={"digits": lost}, history={"digits": (lost,)}))
        assert "missing or damaged" in " ".join(" ".join(drawn(app.panels[0])).split())


async def test_both_themes_color_the_curves():
    app = Panels(PANELS[:1])
    async with app.run_test(size=(60, 20)) as pilot:
        chart = app.panels[0]
        chart.show(example())
        assert chart.color("series-1") == DARK.variables["series-1"]
        app.theme = LIGHT.name
        await pilot.pause()
        assert chart.color("series-1") == LIGHT.variables["series-1"]


async def test_without_colors_maps_are_shaded(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    app = Panels(PANELS[4:5])
    async with app.run_test(size=(60, 20)):
        app.panels[0].show(example())
        assert app.panels[0].tone == "shade"
        assert "▓" in "".join(drawn(app.panels[0]))


async def test_every_key_has_an_id_and_a_tooltip():
    for panel in PANELS:
        widget = make_panel(panel)
        for binding in type(widget).BINDINGS:
            assert binding.id, binding.key
            assert binding.tooltip, binding.key
