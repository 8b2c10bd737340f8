"""The page Classifier: the card, and the accuracy before unlearning."""

from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, words
from unlearn_core.data import datasets
from unlearn_core.models import bundled_models, classifiers


def test_the_card_is_complete(visit: Visit) -> None:
    said = words(fine(visit("classifier"))).replace("\\", "")
    card = classifiers.card("resnet20")
    for text in (card.title, card.summary, card.source, card.licence, datasets.card(card.dataset).licence):
        assert text in said
    assert f"{card.required_recipe.epochs} epochs" in said


def test_the_accuracies_are_those_of_the_bundled_model(visit: Visit) -> None:
    app = fine(visit("classifier", classifier="tiny"))
    original, pictures = bundled_models.find_bundled("tiny", None, 0), datasets.load("shapes")
    assert original
    right = (bundled_models.read_logits(original).argmax(1) == pictures.labels)[-120:]
    labels = pictures.labels[-120:]
    table = app.dataframe[0].value
    assert list(table["class"]) == ["rows", "columns", "checks", "discs"]
    assert list(table["right"]) == [round(100 * right[labels == number].mean()) for number in range(4)]
    assert f"It classifies **{round(100 * right.mean())} %** of 120 test images correctly" in words(app)


def test_another_classifier_brings_its_own_data_and_forgets_the_ticks(visit: Visit) -> None:
    app = visit("classifier")
    fine(app.pills(key="classifier").set_value("tiny").run())
    assert app.query_params == {"classifier": "tiny", "forget": "", "method": "unsir"}
    assert app.button(key="strip-run").disabled
    fine(app.button(key="next").click().run())
    assert [box.label for box in app.checkbox] == ["rows", "columns", "checks", "discs"]


def test_an_unknown_classifier_is_named_and_the_usual_one_shown(visit: Visit) -> None:
    app = fine(visit("classifier", classifier="vgg"))
    assert "There is no classifier called 'vgg'." in app.warning[0].value
    assert app.query_params["classifier"] == "resnet20"


def test_a_setup_that_begins_with_an_earlier_run_says_so_and_can_be_undone(visit: Visit) -> None:
    app = fine(visit("classifier", classifier="tiny", forget="rows", start="77"))
    assert "This starts from the unlearned model of run 77" in words(app)
    assert "There is no run called 77." in words(app)
    fine(app.button(key="from-original").click().run())
    assert "start" not in app.query_params
    assert not app.button(key="strip-run").disabled


def test_classifiers_of_images_are_listed_before_those_of_points(visit: Visit) -> None:
    titles = list(fine(visit("classifier")).pills(key="classifier").options)
    cards = sorted(classifiers.cards().values(), key=lambda card: titles.index(card.title))
    points = [datasets.card(card.dataset).is_points for card in cards]
    assert points == sorted(points) and any(points)
