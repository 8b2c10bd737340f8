"""Terms of docs/glossary.md: how they are read and found, and that each page explains those that it shows."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import FILES, Visit
from tests.pages.finished_runs import CLASS, PICTURES
from tests.pages.page_asserts import fine
from tests.pages.rendered_texts import listen
from unlearn_core.charts.chart import SECTIONS
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.guidance import glossary
from unlearn_core.ui.guidance.glossary import parse, terms, terms_in


def component(app: AppTest) -> dict[str, Any]:
    """What the component of the page was given."""
    (found,) = [one.proto for one in app.get("bidi_component") if one.proto.component_name == "glossary"]
    return json.loads(found.json)


ADDRESSES: list[tuple[str, dict[str, str]]] = [
    *((page, {}) for page in FILES),
    *(("run", {"id": str(CLASS), "tab": section}) for section in SECTIONS),
    ("run", {"id": str(CLASS), "present": "2"}),
    ("run", {"id": str(PICTURES)}),
    ("forget", {"images": "1,2"}),
    ("compare", {"ids": f"{CLASS},{PICTURES}"}),
]


@pytest.mark.parametrize(
    ("page", "query"),
    ADDRESSES,
    ids=lambda value: "-".join(value.values()) or "plain" if isinstance(value, dict) else value,
)
def test_each_term_that_a_page_shows_is_explained_on_it(
    page: str, query: dict[str, str], visit: Visit, done: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = listen(monkeypatch)
    app = fine(visit(page, **query))
    found = {term for text in shown for term in terms_in(text)}
    assert found
    explained = {one["name"]: one for one in component(app)["terms"]}
    for term in found:
        assert explained[term.name]["definition"] == term.definition
        assert explained[term.name]["forms"] == list(term.forms), "the browser finds it by the same words"


def test_symbols_and_names_in_code_are_for_experts(visit: Visit) -> None:
    for level, aside, underlined in (("first", "", True), ("explorer", "", True), ("expert", "D_f", False)):
        data = component(fine(visit("start", level=level)))
        assert next(one["aside"] for one in data["terms"] if one["name"] == "Forget set") == aside
        assert data["underlined"] is underlined and data["button"] == glossary.BUTTON


def test_a_presentation_explains_without_a_button(visit: Visit, done: RunStore) -> None:
    data = component(fine(visit("run", id=str(CLASS), present="1")))
    assert data["button"] == "" and len(data["terms"]) == len(terms())


def test_entries_are_read_with_their_forms() -> None:
    text = (
        "# Glossary\n\nProse with **bold** (not an entry): no.\n\n## Data\n\n"
        "* **Forget set** (D_f): The *training* images\n  that `code` names.\n"
        "* **Predict, prediction**: To give the class.\n* **Feature similarity (CKA)**: How similar.\n"
        "* **Class**: A label.\n* **Test images** (x; in code `y`): Others.\n* **Accuracy**: A share.\n"
    )
    found = {term.name: term for term in parse(text)}
    assert found["Forget set"][1:3] == ("D_f", "The training images that code names.")
    assert found["Test images"].aside == "x; in code y"
    assert {name: term.forms for name, term in found.items()} == {
        "Forget set": ("forget set", "forget sets"),
        "Predict, prediction": (
            *("predict", "predicts", "predicted", "predicting"),
            *("prediction", "predictions", "predictioned", "predictioning"),
        ),
        "Feature similarity (CKA)": ("feature similarity", "feature similarities", "CKA", "CKAs"),
        "Class": ("class", "classes"),
        "Test images": ("test images", "test image"),
        "Accuracy": ("accuracy", "accuracies"),
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The retrained\n model is retrained", ["Retrained model", "Retrain"]),
        ("A second retrained model", ["Second retrained model"]),
        ("Test images, not just images", ["Test images", "Image"]),
        ("a non-member and Grad-CAM", ["Member, non-member", "Grad-CAM"]),
        ("CLASSES of classification; first-class", ["Class"]),
        ("remodelled, subclasses, data_set", []),
    ],
)
def test_terms_are_found_as_whole_words_and_the_longest_first(text: str, names: list[str]) -> None:
    assert [term.name for term in terms_in(text)] == names


def test_no_two_terms_have_a_form_in_common() -> None:
    forms = [form.lower() for term in terms() for form in set(term.forms)]
    assert sorted(forms) == sorted(set(forms))
    assert len(terms()) > 50 and all(term.definition.endswith(".") for term in terms())


def test_heads_of_columns_are_explained() -> None:
    found = glossary.column_help(["Forget accuracy", "Time", "Method"])
    assert {name: column["help"] for name, column in found.items()} == {
        "Forget accuracy": "**Accuracy**: The share of images that are classified correctly.",
        "Method": f"**Method**: {glossary.definition('method')}",
    }
    with pytest.raises(KeyError):
        glossary.definition("no such term")
