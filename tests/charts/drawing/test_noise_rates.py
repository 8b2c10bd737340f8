"""The chart of what UNSIR's noise does: what it draws from the measured runs, and what it says."""

import json
import re
from itertools import pairwise

import pytest

from unlearn_core.charts.drawing.theme import DARK, LIGHT, TRANSPARENT, Theme
from unlearn_core.charts.measured import noise_rates
from unlearn_core.charts.measured.noise_levels import KINDS, NoiseLevel, Row, noise_levels, read_levels

LEFT = {0.0005: (0.8, 0.9, 0.8), 0.001: (0.1, 0.2, 0.2), 0.002: (0.0, 0.0, 0.0)}
"""What is left at each rate, by kind of noise."""


def levels() -> list[NoiseLevel]:
    rows: list[Row] = [
        {"noise": kind, "rate": str(rate), "class": name, "seed": "0", "retain_test_gold": "0.85"}
        | {"forget_train": str(share + place / 10), "retain_test": str(0.8 + place / 50)}
        for rate, shares in LEFT.items()
        for kind, share in zip(KINDS, shares, strict=True)
        for place, name in enumerate(("cat", "dog"))
    ]
    return noise_levels(rows)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_it_is_drawn_and_said(theme: Theme) -> None:
    text = noise_rates.figure(levels(), theme).to_json() or ""
    figure = json.loads(text)
    assert figure["layout"]["template"]["layout"]["paper_bgcolor"] == TRANSPARENT
    assert not re.search(r"\b(NaN|Infinity)\b", text)
    assert len(figure["data"]) == 2 * len(KINDS)
    assert figure["data"][0]["y"] == pytest.approx([85.0, 15.0, 5.0])
    assert figure["data"][0]["error_y"]["array"] == pytest.approx([5.0, 5.0, 5.0])
    labels = [label for label in figure["layout"]["annotations"] if label["xref"] == "paper" and "xshift" in label]
    assert [label["text"] for label in labels].count("learned noise") == 2, "the lines of both panels have names"
    for row, axis in (("y", "yaxis"), ("y2", "yaxis2")):
        low, high = figure["layout"][axis]["range"]
        heights = sorted(label["y"] for label in labels if label["yref"] == row)
        assert min(after - before for before, after in pairwise(heights)) > 0.1 * (high - low), "none hides another"
    assert noise_rates.summary(levels()) == (
        "Without noise 85.0 % of a class is left at a learning rate of 0.0005 and 5.0 % at 0.002. Learned noise makes "
        "the largest difference at 0.001: 15.0 % instead of 25.0 %, and 25.0 % with random noise."
    )
    assert "At 0.002: learned noise 5.0 % left, 81.0 % retained" in noise_rates.alt_text(levels())


def test_the_runs_that_ship_can_be_drawn() -> None:
    shipped = read_levels()
    assert [level.rate for level in shipped] == sorted(level.rate for level in shipped)
    for words in (noise_rates.summary(shipped), noise_rates.alt_text(shipped)):
        assert words.endswith(".") and "nan" not in words
    assert noise_rates.figure(shipped, LIGHT).data
