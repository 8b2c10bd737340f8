"""Choosing how to forget: the shelf, the presets, and every knob."""

import math
from itertools import pairwise

import pytest

from tests.pages.conftest import Visit
from tests.pages.look import fine, label, words
from unlearn_core import methods
from unlearn_core.domain.params import Knob
from unlearn_core.ui import knobs


def _widget(app, knob: Knob, method: str):
    key = f"knob-{method}-{knob.name}"
    if knob.kind == "bool":
        return app.toggle(key=key)
    if knob.kind == "choice":
        return app.segmented_control(key=key)
    return app.select_slider(key=key) if knob.scale == "log" else app.slider(key=key)


@pytest.mark.parametrize("name", list(methods.methods()))
def test_every_knob_of_every_preset_stands_where_the_preset_has_it(visit: Visit, name: str) -> None:
    method = methods.method(name)
    by = {"forget": "rows"} if "classes" in method.supports else {"images": "1"}
    app = visit("method", classifier="tiny", method=name, **by)
    for preset in method.presets:
        fine(app.segmented_control(key=f"preset-{name}").set_value(preset).run())
        for knob in method.params.knobs().values():
            widget, wanted = _widget(app, knob, name), getattr(method.presets[preset].params, knob.name)
            assert widget.value == wanted
            assert widget.label.startswith(knob.title)
            assert knob.symbol in widget.label
            assert widget.help == knob.explain
            assert app.button(key=f"reset-knob-{name}-{knob.name}").disabled


def test_a_turned_knob_is_in_the_address_and_can_be_reset(visit: Visit) -> None:
    app = visit("method", classifier="tiny", forget="rows")
    app.select_slider(key="knob-unsir-impair_lr").set_value(0.01).run()
    fine(app.slider(key="knob-unsir-noise_pictures").set_value(64).run())
    assert app.query_params == {
        "classifier": "tiny",
        "forget": "rows",
        "method": "unsir",
        "impair_lr": "0.01",
        "noise_pictures": "64",
    }
    assert label(app, "strip-method") == "UNSIR · bundled preset, changed"
    assert "preset 0.003" in words(app)

    fine(app.button(key="reset-knob-unsir-impair_lr").click().run())
    assert app.select_slider(key="knob-unsir-impair_lr").value == 0.003
    assert "impair_lr" not in app.query_params
    fine(app.button(key="reset-all").click().run())
    assert app.slider(key="knob-unsir-noise_pictures").value == 128
    assert app.button(key="reset-all").disabled
    assert label(app, "strip-method") == "UNSIR · bundled preset"


def test_turning_a_knob_back_by_hand_is_no_change(visit: Visit) -> None:
    app = visit("method", classifier="tiny", forget="rows", impair_lr="0.01")
    assert app.select_slider(key="knob-unsir-impair_lr").value == 0.01
    fine(app.select_slider(key="knob-unsir-impair_lr").set_value(0.003).run())
    assert "impair_lr" not in app.query_params


def test_a_preset_takes_all_knobs_with_it(visit: Visit) -> None:
    app = visit("method", classifier="tiny", forget="rows", impair_lr="0.01")
    fine(app.segmented_control(key="preset-unsir").set_value("paper").run())
    assert app.query_params["preset"] == "paper"
    assert "impair_lr" not in app.query_params
    fine(visit("method", **app.query_params))
    assert app.slider(key="knob-unsir-noise_repeats").value == 20


def test_advanced_knobs_are_folded_and_counted(visit: Visit) -> None:
    advanced = [knob for knob in methods.method("unsir").params.knobs().values() if knob.advanced]
    app = visit("method", classifier="tiny", forget="rows")
    assert app.expander[0].label == f"Advanced: {len(advanced)} knobs at their preset"
    fine(app.slider(key="knob-unsir-noise_steps").set_value(20).run())
    assert app.expander[0].label == f"Advanced: {len(advanced)} knobs of which 1 turned"


def test_the_seed_is_part_of_the_setup(visit: Visit) -> None:
    app = visit("method", classifier="tiny", forget="rows")
    fine(app.number_input(key="seed").set_value(11).run())
    assert app.query_params["seed"] == "11"


def test_unsir_asked_for_single_pictures_names_what_can(visit: Visit) -> None:
    app = fine(visit("method", classifier="tiny", images="4,7"))
    assert "UNSIR cannot forget single pictures. These methods can: Fine-tune." in words(app)
    assert app.button(key="strip-run").disabled
    fine(app.button(key="choose-finetune").click().run())
    assert not app.warning
    assert not app.button(key="strip-run").disabled
    assert app.query_params["method"] == "finetune"


def test_the_card_says_what_a_method_is_needs_and_where_it_fails(visit: Visit) -> None:
    said = words(fine(visit("method", classifier="tiny", forget="rows")))
    method = methods.method("unsir")
    for text in (method.idea, method.fails, "whole classes", "sees no forgotten picture", method.group):
        assert text in said


def test_a_knob_out_of_range_in_the_address_is_said(visit: Visit) -> None:
    app = fine(visit("method", classifier="tiny", forget="rows", impair_lr="9"))
    assert "cannot be '9': it takes a number from 0.0001 to 0.05." in app.warning[0].value
    assert app.select_slider(key="knob-unsir-impair_lr").value == 0.003
    fine(app.slider(key="knob-unsir-noise_pictures").set_value(64).run())
    assert not app.warning


@pytest.mark.parametrize(
    "knob",
    [knob for each in methods.methods().values() for knob in each.params.knobs().values() if knob.scale == "log"],
)
def test_a_log_slider_stops_at_its_ends_and_evenly_between(knob: Knob) -> None:
    stops = knobs.grid(knob, knob.default)
    assert (stops[0], stops[-1]) == (knob.low, knob.high)
    assert knob.default in stops
    assert stops == sorted(set(stops))
    ratios = [math.log10(after / before) for before, after in pairwise(stops)]
    assert max(ratios) < 0.15
