"""Pictures: nothing clipped, nothing overlapping, the same bytes each time, whatever the size."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_toys import Steady, Weak, round_robin, small_instance
from matplotlib import rcParams
from matplotlib.axis import Axis
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from epsl_opt import InputError, Instance, ScheduleDocument, round_latency, solve
from epsl_opt.campaigns.compare import compare
from epsl_opt.campaigns.ranking import rank, summarise
from epsl_opt.files.breakdown import Breakdown
from epsl_opt.report.plots.allocation import plot_allocation
from epsl_opt.report.plots.comparison import plot_instance, plot_overview
from epsl_opt.report.plots.gantt import plot_gantt
from epsl_opt.report.plots.save import save_figure, save_picture
from epsl_opt.report.plots.style import styled

SIZES = [(1, 1), (3, 5), (40, 41), (60, 300)]


def breakdown_of(instance: Instance) -> Breakdown:
    """Solve with a toy and take the document apart."""
    document = ScheduleDocument.from_result(instance, solve(instance, Steady()))
    return Breakdown(document, [client.name for client in instance.clients])


def texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """Return every text that is drawn and where; matplotlib also holds tick labels beyond the ends of an axis."""
    with styled():
        figure.canvas.draw()
        beyond = {id(label) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for label in unseen(axis)}
        found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
        return [(text.get_text(), text.get_window_extent()) for text in found if id(text) not in beyond]


def unseen(axis: Axis) -> list[Text]:
    """Return the labels of ticks outside of the axis's range."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return [label for tick in ticks if not low <= tick.get_loc() <= high for label in (tick.label1, tick.label2)]


@pytest.mark.parametrize("draw", [plot_gantt, plot_allocation])
@pytest.mark.parametrize(("clients", "subchannels"), SIZES)
def test_every_label_is_inside_and_free(draw: Callable[[Breakdown], Figure], clients: int, subchannels: int) -> None:
    """From one client to many, no text leaves the picture or overlaps another."""
    refuse_clashes(draw(breakdown_of(small_instance("a-rather-long-name-of-an-instance", clients, subchannels))))


@pytest.mark.parametrize("clock", [1e3, 1e13])
@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_barriers_that_are_close_keep_their_labels_apart(clock: float, ratio: float) -> None:
    """With a server so slow or fast, or so much aggregation, that barriers all but coincide, no labels touch."""
    instance = small_instance().with_training(aggregation_ratio=ratio)
    server = instance.server.model_copy(update={"cycles_per_s": clock})
    refuse_clashes(plot_gantt(breakdown_of(instance.replace(server=server))))


def refuse_clashes(figure: Figure) -> None:
    """Fail if a text leaves the picture or overlaps another."""
    shown = texts(figure)
    width, height = figure.bbox.width, figure.bbox.height
    for text, box in shown:
        assert box.x0 >= -1, text
        assert box.x1 <= width + 1, text
        assert box.y0 >= -1, text
        assert box.y1 <= height + 1, text
    clashes = [
        (one, other)
        for i, (one, box) in enumerate(shown)
        for other, rival in shown[i + 1 :]
        if Bbox.intersection(box.padded(-1), rival.padded(-1)) is not None
    ]
    assert clashes == []


def test_allocation_shows_exactly_who_holds_what() -> None:
    """There is one cell per subchannel held, at its owner's row, shaded by its power in dBm."""
    instance = small_instance()
    schedule = round_robin(instance)
    axes = plot_allocation(breakdown_of(instance)).axes[0]
    cells = next(found for found in axes.collections if isinstance(found, PolyCollection))
    centres = np.array([path.vertices[:4].mean(axis=0) for path in cells.get_paths()])
    assert centres[:, 0].tolist() == list(range(instance.n_subchannels))
    assert centres[:, 1].tolist() == schedule.subchannel_client.tolist()
    assert np.asarray(cells.get_array()) == pytest.approx(10 * np.log10(schedule.subchannel_power_w * 1e3))


def test_gantt_ends_when_the_round_does() -> None:
    """The last bar and the last barrier are at the round latency, and no bar begins before 0."""
    instance = small_instance()
    axes = plot_gantt(breakdown_of(instance)).axes[0]
    latency_s = round_latency(instance, round_robin(instance)).round_latency_s
    assert max(bar.get_x() + bar.get_width() for bar in axes.patches) == pytest.approx(latency_s, rel=1e-12)
    assert max(line.get_xdata()[0] for line in axes.lines) == pytest.approx(latency_s, rel=1e-12)
    assert min(bar.get_x() for bar in axes.patches) == 0


def test_comparison_bars_are_the_latencies_and_the_line_the_bound() -> None:
    """Bars are as long as the verified latencies, best first, and the line is at the best bound."""
    rows = rank(compare([small_instance()], [Weak(), Steady()]).documents)
    axes = plot_instance(rows).axes[0]
    assert [bar.get_width() for bar in axes.patches[:2]] == sorted(row.latency_s for row in rows if row.latency_s)
    assert axes.lines[0].get_xdata()[0] == rows[0].best_bound_s


def test_overview_has_a_bar_per_solver() -> None:
    """Bars are the median latencies."""
    lines = summarise(rank(compare([small_instance(), small_instance("b", 2)], [Weak(), Steady()]).documents))
    axes = plot_overview(lines).axes[0]
    assert [bar.get_width() for bar in axes.patches] == sorted(line.median_latency_s or 0 for line in lines)


def test_same_picture_same_bytes(tmp_path: Path) -> None:
    """PNG, SVG and PDF of one schedule do not change from run to run, and the SVG is well-formed."""
    breakdown = breakdown_of(small_instance())
    for name in ("one", "two"):
        save_picture(plot_gantt(breakdown), tmp_path / name)
        save_figure(plot_gantt(breakdown), tmp_path / f"{name}.pdf")
    for suffix in (".png", ".svg", ".pdf"):
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()
    ET.parse(tmp_path / "one.svg")


def test_strange_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    """Dollar signs and scripts that the font lacks neither fail nor warn."""
    instance = small_instance("costs $5 and $6_x^ 東京")
    save_picture(plot_allocation(breakdown_of(instance)), tmp_path / "strange")
    assert (tmp_path / "strange.svg").exists()


def test_users_settings_survive_and_do_not_matter(tmp_path: Path) -> None:
    """Drawing leaves matplotlib's settings alone, takes none of them over, and never loads pyplot's state."""
    breakdown = breakdown_of(small_instance())
    save_figure(plot_gantt(breakdown), tmp_path / "before.png")
    old = rcParams["font.size"]
    try:
        rcParams["font.size"] = 31.0
        save_figure(plot_gantt(breakdown), tmp_path / "after.png")
        assert rcParams["font.size"] == 31.0
    finally:
        rcParams["font.size"] = old
    assert (tmp_path / "before.png").read_bytes() == (tmp_path / "after.png").read_bytes()
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


def test_picture_in_a_missing_folder_is_bad_input(tmp_path: Path) -> None:
    """A folder that is not there is an input error, as for every file."""
    with pytest.raises(InputError, match="missing"):
        save_picture(plot_gantt(breakdown_of(small_instance())), tmp_path / "missing" / "picture")
