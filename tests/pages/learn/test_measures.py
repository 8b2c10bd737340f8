"""The page that explains every measure from its own file."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.charts import charts
from unlearn_core.probes import probes
from unlearn_core.store.files import reports
from unlearn_core.ui.pages.learn import measures
from unlearn_core.ui.pages.learn.measures import charts_of, measurement_infos


def test_it_opens_with_the_one_number_and_its_chart(visit: Visit) -> None:
    app = fine(visit("measures"))
    assert app.title[0].value == "What does each measurement show?"
    said = words(app)
    assert probes()["distance"].question in said and probes()["distance"].caveat in said
    assert "JS = (KL(p || m) + KL(q || m)) / 2" in said
    assert charts()["distance"].title in [heading.value for heading in app.header]
    assert not without_words(app)


@pytest.mark.parametrize("name", measurement_infos(charts()))
def test_every_measure_has_its_page(name: str, visit: Visit) -> None:
    measure = measurement_infos(charts())[name]
    app = fine(visit("measures", measure=measure.title))
    assert measure.question in [heading.value for heading in app.header]
    said = words(app)
    assert measure.caveat in said
    assert measure.paragraphs[0] in said
    others = ("made before this measurement", "with the images", "that learned wrong ones ships too")
    assert app.get("plotly_chart") or any(words in said for words in others)
    assert not without_words(app)


def test_a_measure_is_chosen_by_its_name(visit: Visit) -> None:
    app = visit("measures")
    app.pills(key="measure").set_value("membership").run()
    assert probes()["membership"].question in [heading.value for heading in fine(app).header]


def test_an_address_with_an_unknown_measure_opens_the_first(visit: Visit) -> None:
    assert probes()["distance"].question in words(fine(visit("measures", measure="nonsense")))


@pytest.mark.parametrize("former", measures.FORMER_TITLES)
def test_a_link_of_a_former_release_opens_the_same_measurement(former: str, visit: Visit) -> None:
    app = fine(visit("measures", measure=former))
    measure = measurement_infos(charts())[measures.FORMER_TITLES[former]]
    assert measure.question in [heading.value for heading in app.header]
    if measure.part != measures.DEFAULT_MEASURE:
        assert app.query_params["measure"] == measure.title


def test_measurements_on_demand_are_explained_too() -> None:
    on_demand = {"relearn", "score", "klom", "lira", "feature_map", "representation", "difficulty"}
    assert set(measurement_infos(charts())) == {*probes(), *on_demand}
    for name in ("score", "lira", "klom"):
        assert [one.id for one in charts_of(name, reports.load_ensemble_example())] == [name]


def test_charts_are_found_by_the_part_that_they_need() -> None:
    report = reports.load_example()
    assert [one.id for one in charts_of("distance", report)] == ["distance"]
    assert {one.id for one in charts_of("confusion", report)} == {"classes", "confusion"}
    assert charts_of("distance", replace(report, parts={})) == []


def test_a_part_that_the_example_lacks_is_said(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = replace(reports.load_example(), parts={}, missing={"layers": "It was too dark."})
    monkeypatch.setattr(measures, "cache", SimpleNamespace(example=lambda: bare))
    assert "It was too dark." in words(fine(visit("measures", measure=probes()["layers"].title)))
    assert "made before this measurement" in words(fine(visit("measures", measure=probes()["accuracy"].title)))
