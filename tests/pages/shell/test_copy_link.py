"""What is open, filtered or selected on a page is in its URL, and comes back from it in a new session."""

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, PICTURES
from tests.pages.lab.gallery_steps import listed, pick
from tests.pages.page_asserts import fine, words
from tests.pages.test_history import tick
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.shell import url_state


def test_the_gallery_is_filtered_by_its_address(visit: Visit) -> None:
    link = {"classifier": "tiny", "images": "3,30", "method": "unsir"}
    link |= {"gallery-class-shapes": "discs", "gallery-ticked": "true"}  # as the browser writes them
    fresh = fine(visit("forget", **link))
    assert fresh.selectbox(key="gallery-class-shapes").value == "discs"
    assert fresh.toggle(key="gallery-ticked").value
    assert listed(fresh) == [3]
    assert dict(fresh.query_params) == link


def test_another_page_is_not_told_what_is_none_of_its_business(visit: Visit) -> None:
    app = fine(visit("forget", classifier="tiny", images="3,30"))
    app.selectbox(key="gallery-class-shapes").set_value("discs").run()
    app.button(key="next").click().run()
    assert fine(app).title[0].value == "How should it forget?"
    assert not [name for name in app.query_params if name.startswith(url_state.WIDGET_PREFIXES)]
    assert app.query_params["images"] == "3,30"


def test_a_junk_parameter_is_taken_out_and_an_open_fold_stays(visit: Visit) -> None:
    app = fine(visit("method", classifier="tiny", forget="discs", method="unsir", junk="1"))
    assert "junk" not in app.query_params
    link = dict(app.query_params) | {"advanced-unsir": "true"}
    fresh = fine(visit("method", **link))
    assert dict(fresh.query_params) == link
    assert fresh.number_input(key="seed").value == 0


def test_a_report_opens_on_the_image_that_was_explained(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Images"))
    image = listed(app, f"look-gallery-{CLASS}")[0]
    pick(app, image, key=f"look-gallery-{CLASS}")
    link = dict(app.query_params)
    assert link["picture"] == str(image)
    link |= {"look-set": "retain set, test", "look-order": "Least confident first"}
    fresh = fine(visit("run", **link))
    assert fresh.segmented_control(key="look-set").value == "retain_test"
    assert fresh.selectbox(key="look-order").value == "unsure"
    assert fresh.selectbox(key=f"look-target-{link['picture']}")
    wrong = fine(visit("run", **(link | {"picture": "999999"})))
    assert "There is no image '999999'" in words(wrong)


def test_a_chart_is_drawn_as_the_address_says(visit: Visit, done: RunStore) -> None:
    link = {"id": str(CLASS), "tab": "Inside", "report-layers-way": "L2"}
    fresh = fine(visit("run", **link))
    assert fresh.segmented_control(key="report-layers-way").value == "L2"


def test_ticks_in_the_history_are_kept_by_run(visit: Visit, done: RunStore) -> None:
    app = visit("history")
    tick(app, done, 0)
    assert app.query_params["ticked"] == str(PICTURES)
    fresh = fine(visit("history", ticked=f"{CLASS},{PICTURES},77,x"))
    assert fresh.query_params["ticked"] == f"{PICTURES},{CLASS}"
    assert not fresh.button(key="compare").disabled


def test_the_button_is_on_every_page(visit: Visit) -> None:
    for page in ("start", "forget", "history", "compare", "measures"):
        keys = [element.key for element in fine(visit(page)).get("bidi_component")]
        assert any("copy-link-frame" in str(key) for key in keys), page
