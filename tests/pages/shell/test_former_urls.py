"""Addresses that release f9aa4de wrote still open, and show the state that they name."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import FILES, Visit
from tests.pages.page_asserts import fine, words
from tests.pages.report.test_report_downloads import upload
from tests.store import former as release
from tests.store.former import home, unpacked
from unlearn_core.charts import charts
from unlearn_core.ui.shell import run_setup as setups

__all__ = ["home", "unpacked"]


@pytest.fixture(autouse=True)
def glossary() -> None:
    """Replaces the check of rendered texts: titles and cards that the former release stored are shown as they are."""


ADDRESSES: list[dict[str, Any]] = release.read("addresses")


def named(one: dict[str, Any]) -> str:
    return f"{one['page']}?" + "&".join(f"{name}={value}" for name, value in one["query"].items())


def state(app: AppTest, name: str) -> Any:
    """What stands in a widget that the address names; of a way to draw, whose words may change, its place."""
    value = app.session_state[name]
    if name.endswith("-way"):
        return list(charts()[name.split("-")[1]].variants).index(value)
    return value


@pytest.mark.parametrize("one", ADDRESSES, ids=named)
def test_an_address_shows_what_it_names(visit: Visit, one: dict[str, Any]) -> None:
    page = one["page"] if one["page"] in FILES or one["page"] == "start" else one["moves"]
    app = visit(page, **one["query"])
    if "ended" in one:
        assert not app.exception and one["ended"] in words(app)
    else:
        fine(app)
    found = one.get("state", {})
    for name, value in found.items():
        assert state(app, name) == value, name
    for name, value in one["query"].items():
        assert name in found or app.query_params.get(name) == value, name
    for part in one.get("title", ()):
        assert part in app.title[0].value


@pytest.mark.parametrize("one", [one for one in ADDRESSES if "setup" in one], ids=named)
def test_an_address_sets_up_what_it_names(home: Path, one: dict[str, Any]) -> None:
    setup, trouble = setups.from_params(dict(one["query"]))
    assert not trouble
    found = {
        "classifier": setup.classifier,
        "dataset": setup.dataset,
        "by": setup.by,
        "classes": list(setup.classes),
        "images": list(setup.images),
        "count": len(setup.images),
        "method": setup.method,
        "preset": setup.preset,
        "params": setup.params,
        "seed": setup.seed,
        "start": setup.start,
    }
    assert {name: found[name] for name in one["setup"]} == one["setup"]


@pytest.mark.parametrize("file", [release.SETTINGS, release.DOWNLOAD], ids=lambda file: file.name)
def test_settings_from_a_file_lead_to_the_method(visit: Visit, file: Path) -> None:
    app = fine(upload(fine(visit("history")), file.name, file.read_bytes()))
    wanted = {"classifier": "mlp-moons", "forget": "noon", "method": "unsir"}
    assert wanted.items() <= dict(app.query_params).items()
