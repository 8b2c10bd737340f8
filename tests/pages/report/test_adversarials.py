"""The adversarial examples of L2UL on its run's page."""

from pathlib import Path

from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.charts import charts
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import unlearn

PAIRS = "Forget images and their adversarial copies"
PARAMS = {"copies": 2, "attack_steps": 2, "max_steps": 2}


def test_adversarial_copies_are_shown_beside_their_originals(visit: Visit, home: Path) -> None:
    spec = run_spec("tiny", method="l2ul", images=[3, 7, 11, 14], overrides=PARAMS)
    number = str(unlearn(spec, device="cpu", data_dir=home).run)
    app = fine(visit("run", id=number, tab="How it went"))
    seen = {heading.value for heading in app.header}
    assert {charts()["adversarials"].title, charts()["stopped"].title, PAIRS} <= seen
    every = [one for element in app.get("image") for one in element.proto.imgs]
    shown = [one for one in every if one.alt.startswith("Forget image and adversarial copy")]
    assert len(shown) == 8 and all("attacked: " in one.caption for one in shown)
    assert not without_words(app)
    app = fine(visit("run", id=number, tab="Inside"))
    assert charts()["importance"].title in {heading.value for heading in app.header}
    assert "mattered most for 4 forget images" in words(app)


def test_a_run_without_them_shows_nothing_of_it(visit: Visit, home: Path) -> None:
    spec = run_spec("tiny", method="l2ul", images=[3, 7, 11, 14], overrides=PARAMS | {"guard": "none"})
    app = fine(visit("run", id=str(unlearn(spec, device="cpu", data_dir=home).run), tab="How it went"))
    seen = {heading.value for heading in app.header}
    assert charts()["stopped"].title in seen and PAIRS not in seen
