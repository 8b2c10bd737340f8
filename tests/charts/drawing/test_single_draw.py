"""What a browser would otherwise draw again: the template is filled in, the margins have room, the data a number."""

import numpy as np
import plotly.graph_objects as go
import pytest

from unlearn_core.charts.drawing.theme import DARK, LIGHT, SMALL_FONT
from unlearn_core.charts.finished.margins import reserve_margins, text_width
from unlearn_core.charts.finished.plain_figure import PlainFigure
from unlearn_core.charts.finished.single_draw import drawn_once

LABELS = ["<b>forget set</b><br>training", "retain set"]


def figure(**axis: object) -> go.Figure:
    drawn = go.Figure(go.Scatter(x=[0.1, 0.2], y=[0, 1]))
    drawn.update_layout(template=LIGHT.template, height=310, yaxis=axis)
    drawn.add_annotation(text="best", x=0.1, y=1, font={"color": LIGHT.after})
    return drawn


def test_the_template_is_filled_in_and_what_the_figure_says_itself_wins() -> None:
    layout = drawn_once(figure(showgrid=True).to_dict())["layout"]
    assert "template" not in layout
    assert layout["paper_bgcolor"] == "rgba(0,0,0,0)"
    assert (layout["xaxis"]["showgrid"], layout["yaxis"]["showgrid"]) == (False, True)
    assert layout["xaxis"]["tickfont"] == {"size": SMALL_FONT, "color": LIGHT.quiet}
    (note,) = layout["annotations"]
    assert note["font"] == {"size": SMALL_FONT, "color": LIGHT.after}
    assert note["showarrow"] is False
    go.Figure({"data": [], "layout": layout})  # Checks every property.


def test_a_figure_without_a_pair_of_axes_gets_none() -> None:
    drawn = go.Figure(go.Parcoords(dimensions=[{"values": [1, 2]}])).update_layout(template=DARK.template)
    assert not {"xaxis", "yaxis"} & drawn_once(drawn.to_dict())["layout"].keys()


def test_figures_with_other_data_have_another_number_and_equal_ones_the_same() -> None:
    first, same, other = figure(), figure(), figure()
    other.data[0].y = [0, 2]
    numbers = [PlainFigure.of(one).to_dict()["layout"]["datarevision"] for one in (first, same, other)]
    assert numbers[0] == numbers[1] != numbers[2]


def test_a_figure_is_not_changed_by_it() -> None:
    plain = figure().to_dict()
    drawn_once(plain)
    assert "template" in plain["layout"]
    assert "datarevision" not in plain["layout"]


def test_margins_hold_the_labels() -> None:
    margin = drawn_once(figure(tickvals=[0, 1], ticktext=LABELS).to_dict())["layout"]["margin"]
    assert margin["l"] == pytest.approx(72, abs=3)  # 68 and 4 is what Plotly measures in a browser.
    assert margin["b"] == pytest.approx(33, abs=3)
    titled = drawn_once(figure(tickvals=[0, 1], ticktext=LABELS, title={"text": "sets"}).to_dict())["layout"]["margin"]
    assert titled["l"] - margin["l"] == 18


def test_labels_that_are_not_drawn_need_no_room() -> None:
    hidden = drawn_once(figure(showticklabels=False, ticktext=LABELS, tickvals=[0, 1]).to_dict())["layout"]["margin"]
    beyond = drawn_once(figure(range=[0.5, 2], ticktext=["a" * 40, "b"], tickvals=[0, 1]).to_dict())["layout"]["margin"]
    assert hidden["l"] == 8  # The template's.
    assert beyond["l"] < 30


def test_categories_and_upright_labels_need_their_width() -> None:
    names = ["automobile", "cat"]
    drawn = go.Figure(go.Heatmap(x=names, y=names, z=[[1, 0], [0, 1]])).update_layout(template=LIGHT.template)
    drawn.update_xaxes(tickvals=[0, 1], ticktext=names, tickangle=-90)
    margin = drawn_once(drawn.to_dict())["layout"]["margin"]
    assert margin["l"] == margin["b"] > text_width("automobile", SMALL_FONT)


def test_a_range_with_an_open_end_and_packed_numbers_are_no_categories() -> None:
    drawn = figure(range=[0, None], tickvals=[0, 1], ticktext=LABELS)
    drawn.data[0].y = np.array([0.5, 1.5])
    assert drawn_once(drawn.to_dict())["layout"]["margin"]["l"] > 60
    packed = drawn_once(figure().update_traces(y=np.array([0.5, 1.5])).to_dict())["layout"]["margin"]["l"]
    assert packed == drawn_once(figure().to_dict())["layout"]["margin"]["l"]


def test_several_pairs_of_axes_keep_their_margins() -> None:
    layout = {"xaxis": {}, "yaxis": {}, "xaxis2": {}, "margin": {"l": 3}}
    assert reserve_margins({"data": [], "layout": layout}) == {"l": 3}


def test_bold_text_is_wider_and_the_widest_line_counts() -> None:
    assert text_width("<b>cat</b>", 12) > text_width("cat", 12)
    assert text_width("cat<br>automobile", 12) == text_width("automobile", 12)
