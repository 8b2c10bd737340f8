"""Choosing how to forget: the list of methods, the presets, and every hyperparameter."""

import math
import re
from itertools import pairwise
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, label, words
from unlearn_core import methods
from unlearn_core.domain.params import HyperparameterInfo
from unlearn_core.ui.components import hyperparameter_inputs
from unlearn_core.ui.pages.method import method_list
from unlearn_core.ui.shell.markdown import escape


def _widget(app, knob: HyperparameterInfo, method: str):
    key = f"knob-{method}-{knob.name}"
    if knob.kind == "bool":
        return app.toggle(key=key)
    if knob.kind == "choice":
        return app.segmented_control(key=key)
    if knob.kind == "numbers":
        return app.text_input(key=key)
    return app.select_slider(key=key) if knob.scale == "log" else app.slider(key=key)


@pytest.mark.parametrize("name", list(methods.methods()))
def test_every_hyperparameter_of_every_preset_has_the_value_of_the_preset(visit: Visit, name: str) -> None:
    method = methods.method(name)
    by = {"forget": "rows"} if "classes" in method.supports else {"images": "1"}
    app = visit("method", classifier="tiny", method=name, **by)
    for preset in method.presets:
        fine(app.segmented_control(key=f"preset-{name}").set_value(preset).run())
        for knob in method.params.hyperparameters().values():
            widget, wanted = _widget(app, knob, name), getattr(method.presets[preset].params, knob.name)
            assert widget.value == wanted
            assert widget.label.startswith(knob.title)
            assert knob.symbol in widget.label
            assert widget.help == knob.explain
            assert app.button(key=f"reset-knob-{name}-{knob.name}").disabled


def test_a_changed_hyperparameter_is_in_the_url_and_can_be_reset(visit: Visit) -> None:
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
    assert label(app, "strip-method") == "UNSIR · auto preset, changed"
    assert "preset 0.002" in words(app)

    fine(app.button(key="reset-knob-unsir-impair_lr").click().run())
    assert app.select_slider(key="knob-unsir-impair_lr").value == 0.002
    assert "impair_lr" not in app.query_params
    fine(app.button(key="reset-all").click().run())
    assert app.slider(key="knob-unsir-noise_pictures").value == 32
    assert app.button(key="reset-all").disabled
    assert label(app, "strip-method") == "UNSIR · auto preset"


def test_changing_a_hyperparameter_back_by_hand_is_no_change(visit: Visit) -> None:
    app = visit("method", classifier="tiny", forget="rows", impair_lr="0.01")
    assert app.select_slider(key="knob-unsir-impair_lr").value == 0.01
    fine(app.select_slider(key="knob-unsir-impair_lr").set_value(0.002).run())
    assert "impair_lr" not in app.query_params


def test_a_preset_sets_all_hyperparameters(visit: Visit) -> None:
    app = visit("method", classifier="tiny", forget="rows", impair_lr="0.01")
    fine(app.segmented_control(key="preset-unsir").set_value("paper").run())
    assert app.query_params["preset"] == "paper"
    assert "impair_lr" not in app.query_params
    fine(visit("method", **app.query_params))
    assert app.slider(key="knob-unsir-noise_repeats").value == 20


def test_advanced_hyperparameters_are_folded_and_counted(visit: Visit) -> None:
    advanced = [knob for knob in methods.method("unsir").params.hyperparameters().values() if knob.advanced]
    app = visit("method", classifier="tiny", forget="rows")
    assert _advanced(app).label == f"Advanced: {len(advanced)} hyperparameters, all as in the preset"
    fine(app.slider(key="knob-unsir-noise_steps").set_value(30).run())
    assert _advanced(app).label == f"Advanced: {len(advanced)} hyperparameters, 1 changed"
    assert not _advanced(app).proto.expanded


def _advanced(app: AppTest) -> Any:
    (fold,) = [fold for fold in app.expander if fold.label.startswith("Advanced")]
    return fold


def test_a_wrong_list_of_numbers_is_said_and_stays_in_sight(visit: Visit) -> None:
    app = visit("method", classifier="tiny", forget="rows", method="reinit")
    key, right = "knob-reinit-epochs", methods.method("reinit").presets["bundled"].params
    fine(app.text_input(key=key).set_value("1, two").run())
    (warning,) = app.warning
    assert "Epochs per cycle" in warning.value and "'1, two'" in warning.value and "such as 1,2,2" in warning.value
    assert app.text_input(key=key).value == "1, two"
    assert app.button(key="strip-run").disabled
    assert not app.button(key=f"reset-{key}").disabled

    fine(app.text_input(key=key).set_value("3,1").run())
    assert not app.warning
    assert app.query_params["epochs"] == "3,1"
    assert not app.button(key="strip-run").disabled
    fine(app.text_input(key=key).set_value("").run())
    assert app.warning and app.button(key="strip-run").disabled
    fine(app.button(key=f"reset-{key}").click().run())
    assert not app.warning
    assert app.text_input(key=key).value == right.model_dump()["epochs"]


def _unfolded(app: AppTest) -> dict[str, bool]:
    """The groups of methods, and whether each is unfolded."""
    others = ("Advanced", "Measured")
    return {fold.label: fold.proto.expanded for fold in app.expander if not fold.label.startswith(others)}


def test_every_method_is_named_and_only_the_group_of_the_chosen_one_is_unfolded(visit: Visit) -> None:
    app = visit("method", classifier="tiny", forget="rows")
    groups = _unfolded(app)
    for method in methods.methods().values():
        (label,) = [label for label in groups if f"**{method.group}**" in label]
        assert escape(method.title) in label
        assert groups[label] == (method.group == methods.method("unsir").group)
        assert method.summary in words(app)
    assert list(groups)[-1].startswith("**Baselines**")
    fine(app.button(key="choose-finetune").click().run())
    assert [label for label, unfolded in _unfolded(app).items() if unfolded] == [list(groups)[-1]]


def test_all_methods_are_in_one_table_with_cost_and_needs(visit: Visit) -> None:
    app = fine(visit("method", classifier="tiny", forget="rows", **{"methods-shown": method_list.IN_TABLE}))
    rows = app.dataframe[0].value
    assert len(rows) == len(methods.methods())
    seconds = rows["Seconds here, at most"]
    assert seconds.dropna().is_monotonic_increasing, "the quickest is first"
    forgets = dict(zip(rows["Method"], rows["Forgets"], strict=True))
    assert (forgets["UNSIR"], forgets["SCRUB"]) == ("whole classes", "whole classes and single images")
    other = fine(visit("method", classifier="tiny", images="4,7", **{"methods-shown": method_list.IN_TABLE}))
    cost = dict(zip(*(other.dataframe[0].value[name] for name in ("Method", "Seconds here, at most")), strict=True))
    assert math.isnan(cost["UNSIR"]) and cost["SCRUB"] > 0
    needs = dict(zip(rows["Method"], rows["Needs"], strict=True))
    assert (needs["UNSIR"], needs["NegGrad"], needs["SCRUB"]) == ("retain set", "forget set", "forget and retain set")

    place = rows["Method"].tolist().index("SCRUB")
    app.session_state["methods-unsir"] = {"selection": {"rows": [place], "columns": [], "cells": []}}
    assert fine(app.run()).query_params["method"] == "scrub"
    assert app.dataframe[0].value["Method"].tolist() == rows["Method"].tolist()


def test_the_seed_is_part_of_the_setup(visit: Visit) -> None:
    app = visit("method", classifier="tiny", forget="rows")
    fine(app.number_input(key="seed").set_value(11).run())
    assert app.query_params["seed"] == "11"


@pytest.mark.parametrize("page", ["method", "classifier"])
def test_a_run_that_is_expected_to_fail_says_so_and_names_the_methods_that_fit(visit: Visit, page: str) -> None:
    app = fine(visit(page, classifier="tiny", forget="rows", method="reinit", layers="0"))
    assert "**Not expected to work here.** No layer is re-initialised" in words(app)
    assert not app.button(key="strip-run").disabled, "it can be tried nevertheless"
    fine(app.button(key="fit-finetune").click().run())
    assert app.query_params["method"] == "finetune"
    assert "Not expected to work" not in words(app)
    assert not [button for button in app.button if (button.key or "").startswith("fit-")]


@pytest.mark.parametrize("page", ["method", "forget"])
def test_unsir_cannot_forget_single_images_and_the_methods_that_can_are_buttons(visit: Visit, page: str) -> None:
    app = fine(visit(page, classifier="tiny", images="4,7"))
    assert "UNSIR cannot forget single images." in words(app)
    able = {name: method.title for name, method in methods.methods().items() if "images" in method.supports}
    shown = {button.key: button.label for button in app.button if (button.key or "").startswith("fit-")}
    assert shown == {f"fit-{name}": f"Use {escape(title)}" for name, title in able.items()}
    assert app.button(key="strip-run").disabled
    fine(app.button(key="fit-finetune").click().run())
    assert not app.warning
    assert not app.button(key="strip-run").disabled
    assert app.query_params["method"] == "finetune"


def test_the_card_says_what_a_method_is_needs_and_where_it_fails(visit: Visit) -> None:
    said = words(fine(visit("method", classifier="tiny", forget="rows")))
    method = methods.method("unsir")
    for text in (method.idea, method.failure_modes, "whole classes", "needs no forget data"):
        assert text in said


def test_a_hyperparameter_out_of_range_in_the_url_is_reported(visit: Visit) -> None:
    app = fine(visit("method", classifier="tiny", forget="rows", impair_lr="9"))
    assert "cannot be '9': it takes a number from 0.0001 to 0.05." in app.warning[0].value
    assert app.select_slider(key="knob-unsir-impair_lr").value == 0.002
    fine(app.slider(key="knob-unsir-noise_pictures").set_value(64).run())
    assert not app.warning


@pytest.mark.parametrize(
    "knob",
    [
        knob
        for each in methods.methods().values()
        for knob in each.params.hyperparameters().values()
        if knob.scale == "log"
    ],
)
def test_a_log_slider_stops_at_its_ends_and_evenly_between(knob: HyperparameterInfo) -> None:
    stops = hyperparameter_inputs.slider_stops(knob, knob.default)
    assert (stops[0], stops[-1]) == (knob.low, knob.high)
    assert knob.default in stops
    assert stops == sorted(set(stops))
    ratios = [math.log10(after / before) for before, after in pairwise(stops)]
    assert max(ratios) < 0.15


def test_points_are_called_points(visit: Visit) -> None:
    app = fine(visit("method", classifier="mlp-moons", images="4,7"))
    assert "UNSIR cannot forget single points." in words(app)
    assert ":blue-badge[single points]" in words(fine(app.button(key="fit-finetune").click().run()))
    app = fine(visit("forget", classifier="mlp-moons", images="4,7"))
    assert app.segmented_control(key="forget-by").options == ["Whole classes", "Single points"]


def test_what_the_noise_does_is_drawn_once_its_fold_is_opened(visit: Visit) -> None:
    app = visit("method", classifier="tiny", forget="rows", method="unsir")
    fold = app.expander(key="measured-unsir")
    assert fold.label == "Measured: At which learning rates does the noise make a difference?"
    assert "Without noise" not in words(app)
    app.session_state["measured-unsir"] = True
    fine(app.run())
    assert "Without noise" in words(app) and "Learned noise makes the largest difference at" in words(app)
    other = visit("method", classifier="tiny", forget="rows", method="finetune")
    assert not [one for one in other.expander if one.label.startswith("Measured")]


def test_what_goals_and_safeguards_of_l2ul_retain_is_drawn_once_its_fold_is_opened(visit: Visit) -> None:
    app = visit("method", classifier="tiny", forget="rows", method="l2ul")
    fold = app.expander(key="measured-l2ul")
    assert fold.label == "Measured: Which goal and which safeguards retain most at equal forgetting?"
    assert "Goals, with both safeguards" not in words(app)
    app.session_state["measured-l2ul"] = True
    fine(app.run())
    assert re.search(r"Goals, with both safeguards, retained at [\d.]+ % left: nearest label [\d.]+ %", words(app))
