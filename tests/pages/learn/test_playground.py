"""The page Playground: what a visitor chooses is in the URL, and the plane gets the run that is wanted."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, words
from unlearn_core.domain.forget_request import ForgetClasses, ForgetImages
from unlearn_core.domain.results.point_runs import MAX_DRAWN, DrawnPoint, PointsSpec
from unlearn_core.engine.playground import scenes
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.pages.playground import frames_route, playground_state
from unlearn_core.ui.pages.playground.playground_state import pack_drawn, pack_points


def plane(app: AppTest) -> Any:
    return next(one for one in app.get("bidi_component") if one.proto.component_name == "playground")


def data(app: AppTest) -> dict[str, Any]:
    """What the page sends to the plane."""
    return json.loads(plane(app).proto.json)


def wanted(app: AppTest) -> PointsSpec:
    """The run whose frames the plane fetches."""
    found = frames_route._wanted[data(app)["urls"]["original"].split("/")[-2]].unlearned
    assert found is not None
    return found


def send(app: AppTest, event: str, value: Any) -> AppTest:
    """Sends what the browser sends when the visitor acts in the plane; the page runs again."""
    states = app._tree.get_widget_states()
    sent = states.widgets.add()
    sent.id = f"$$STREAMLIT_INTERNAL_KEY_{plane(app).proto.id}__events"
    sent.json_trigger_value = json.dumps([{"event": event, "value": value}])
    return app._run(states)


def choose(app: AppTest, *, classes: tuple = (), points: tuple = (), drawn: tuple = (), revision: int = 1) -> AppTest:
    value = {"classes": classes, "points": pack_points(points), "drawn": pack_drawn(drawn), "revision": revision}
    return fine(send(app, "choose", value))


def test_a_first_visit_shows_a_scene_that_ships(visit: Visit, store: RunStore) -> None:
    app = fine(visit("playground"))
    assert app.query_params == {"data": "moons", "method": "unsir", "forget": "noon"}
    assert wanted(app) == scenes.SCENES[0].spec()
    assert app.pills(key="scene").value == scenes.SCENES[0].title
    assert scenes.SCENES[0].lesson in words(app)
    assert not store.list_runs(), "only what the browser asks for is queued"


@pytest.mark.parametrize("scene", scenes.SCENES, ids=lambda scene: scene.title)
def test_each_scene_is_opened_and_its_link_leads_back_to_it(scene: scenes.Scene, visit: Visit) -> None:
    app = fine(visit("playground").pills(key="scene").set_value(scene.title).run())
    assert wanted(app) == scene.spec()
    again = fine(visit("playground", **app.query_params))
    assert wanted(again) == scene.spec()
    assert again.pills(key="scene").value == scene.title


def test_a_lasso_a_class_and_a_drawn_point_are_in_the_url(visit: Visit) -> None:
    app = fine(visit("playground"))
    app.selectbox(key="playground-method").set_value("l2ul").run()
    app = choose(app, points=(3, 17, 1199))
    assert wanted(app).forget == ForgetImages(images=(3, 17, 1199))
    assert data(app)["forgotten"] == [3, 17, 1199] and data(app)["revision"] == 1
    drawn = (DrawnPoint(10, 20, 2), DrawnPoint(30, 40, 3))
    app = choose(app, classes=(0, 2), drawn=drawn, revision=2)
    assert wanted(app).forget == ForgetClasses(classes=(0, 2)) and wanted(app).drawn == drawn
    assert data(app)["drawn"] == 2 and data(app)["label"].endswith(
        "dawn and dusk. Choose a tool, then use the arrow keys."
    )
    linked = fine(visit("playground", **app.query_params))
    assert wanted(linked) == wanted(app)


def test_the_level_of_a_link_stays_in_it(visit: Visit) -> None:
    app = fine(visit("playground", level="expert"))
    assert app.query_params == {"data": "moons", "method": "unsir", "forget": "noon", "level": "expert"}
    app = choose(app, classes=(0,))
    assert app.query_params["level"] == "expert" and wanted(app).forget == ForgetClasses(classes=(0,))


def test_nothing_is_run_while_nothing_is_selected(visit: Visit) -> None:
    app = choose(visit("playground"))
    assert data(app)["urls"]["unlearned"] is None
    assert data(app)["invitation"].startswith("Circle some points")
    assert "forget" not in app.query_params and app.button(key="playground-to-lab").disabled


def test_a_method_for_classes_says_so_and_loses_nothing(visit: Visit) -> None:
    app = choose(visit("playground"), points=(1, 2, 3))
    assert data(app)["invitation"] == "UNSIR cannot forget single points. Choose another method, or a class."
    assert data(app)["urls"]["unlearned"] is None and data(app)["forgotten"] == [1, 2, 3]
    app = fine(app.selectbox(key="playground-method").set_value("ssd").run())
    assert wanted(app).forget == ForgetImages(images=(1, 2, 3))


def test_hyperparameters_seed_and_reset(visit: Visit) -> None:
    app = fine(visit("playground", data="moons", forget="noon", method="neggrad"))
    start = wanted(app)
    app = fine(app.select_slider(key="playground-neggrad-lr").set_value(0.05).run())
    assert wanted(app).params == start.params | {"lr": 0.05} and app.query_params["lr"] == "0.05"
    app = fine(app.button(key="playground-seed").click().run())
    assert wanted(app).seed == 1 and app.query_params["seed"] == "1"
    app = fine(app.button(key="playground-reset").click().run())
    assert wanted(app).params == start.params and "lr" not in app.query_params
    app = fine(app.selectbox(key="playground-method").set_value("ssd").run())
    assert wanted(app).method == "ssd" and wanted(app).seed == 1


def test_other_points_keep_what_was_drawn(visit: Visit) -> None:
    drawn = tuple(DrawnPoint(x, 100 + 20 * label, label) for x in (10, 20, 30) for label in (0, 1))
    app = choose(visit("playground"), drawn=drawn)
    app = fine(app.segmented_control(key="playground-data").set_value("").run())
    assert data(app)["names"] == ["blue", "orange", "green", "purple"] and data(app)["drawn"] == 6
    assert data(app)["urls"]["original"] is not None
    app = choose(app, drawn=drawn[:3], revision=2)
    assert data(app)["urls"] == {"original": None, "unlearned": None, "retrained": None}
    assert "Draw at least 3 points" in data(app)["invitation"]
    app = fine(app.segmented_control(key="playground-data").set_value("blobs").run())
    assert app.query_params["forget"] == "north" and wanted(app).drawn == drawn[:3]
    assert app.button(key="playground-to-lab").disabled


def test_the_view_is_in_the_url(visit: Visit) -> None:
    app = send(visit("playground"), "view", {"speed": 2, "hidden": ["made", "x"]})
    assert app.query_params["speed"] == "2" and app.query_params["hide"] == "made"
    assert json.loads(data(visit("playground", **app.query_params))["view"]) == {"speed": 2.0, "hidden": ["made"]}


def test_a_run_goes_on_in_the_lab(visit: Visit) -> None:
    app = visit("playground", data="moons", forget="noon", method="neggrad", lr="0.05")
    spec = wanted(app)
    app = fine(app.button(key="playground-to-lab").click().run())
    assert app.title[0].value == "How should it forget?"
    said = app.query_params
    assert said["classifier"] == "mlp-moons" and said["forget"] == "noon" and said["method"] == "neggrad"
    assert float(said["lr"]) == spec.params["lr"] and int(said["batch"]) == spec.params["batch"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"data": "cifar10-sample"}, "There are no points called"),
        ({"data": "<script>"}, "There are no points called"),
        ({"forget": "dawn,noon,dusk,night"}, "forgets every class"),
        ({"forget": "cat"}, "cat"),
        ({"points": "%%%"}, "damaged"),
        ({"points": pack_points((5000,))}, "does not exist"),
        ({"points": "A" * 100_000}, "damaged"),
        ({"points": pack_points(tuple(range(1200)))}, "forgets every point"),
        ({"drawn": pack_drawn((DrawnPoint(1, 1, 0),) * (MAX_DRAWN + 1))}, f"at most {MAX_DRAWN} can be drawn"),
        ({"drawn": pack_drawn((DrawnPoint(1, 1, 9),))}, "damaged"),
        ({"drawn": "AAAAA"}, "damaged"),
        ({"method": "magic"}, "magic"),
        ({"method": "finetune", "forget": "noon", "epochs": "999"}, "epochs"),
        ({"method": "finetune", "forget": "noon", "lr": "nan"}, "lr"),
        ({"seed": "-1"}, "seed"),
    ],
)
def test_a_hostile_link_is_a_sentence(query: dict[str, str], said: str, visit: Visit) -> None:
    app = fine(visit("playground", **query))
    assert len(app.warning) == 1 and said in app.warning[0].value.replace("\\", "")
    assert data(app)["urls"]["original"], "the plane is there all the same"


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"classes": [0, 1, 2, 3], "points": "", "drawn": "", "revision": 1},
        {"classes": [9], "points": "", "drawn": "", "revision": 1},
        {"classes": [], "points": "!", "drawn": "", "revision": 1},
        {"classes": [], "points": pack_points((1200,)), "drawn": "", "revision": 1},
        {"classes": "x", "points": "", "drawn": "", "revision": "y"},
    ],
)
def test_a_selection_that_cannot_be_changes_nothing(value: Any, visit: Visit) -> None:
    app = send(visit("playground"), "choose", value)
    assert not app.exception and app.query_params["forget"] == "noon"
    assert app.toast[0].value.startswith("The playground sent a selection")


def test_points_survive_their_short_form() -> None:
    assert playground_state.unpack_points(pack_points((0, 7, 8, 1199)), 1200) == (0, 7, 8, 1199)
    assert playground_state.unpack_points("", 10) == ()
