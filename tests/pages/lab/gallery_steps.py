"""What a gallery on a page under test lists, and a selection in it as the browser sends it."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest

from unlearn_core.store.image_lists import format_ranges
from unlearn_core.ui.gallery import listings
from unlearn_core.ui.gallery.listings import Listing

ALL, TRAY = "gallery-all", "gallery-tray"
"""The galleries of the page Forget."""


def keys(app: AppTest) -> set[str]:
    """The keys of the galleries on the page."""
    return {one.proto.id.split("-", 2)[2] for one in app.get("bidi_component") if _is_gallery(one)}


def data(app: AppTest, key: str) -> dict[str, Any]:
    """What the page sends to a gallery."""
    return json.loads(_found(app, key).proto.json)


def listing(app: AppTest, key: str) -> Listing:
    """The images that a gallery lists, and their texts."""
    return listings._listings[data(app, key)["url"].rpartition("/")[2]]


def listed(app: AppTest, key: str = ALL) -> list[int]:
    """The images in a gallery, in their order."""
    return listing(app, key).images.tolist()


def labels(app: AppTest, key: str = ALL) -> list[str]:
    """What screen readers are told about each image in a gallery."""
    own = listing(app, key)
    return [one.label for one in own.describe(own.images.astype(int))]


def pick(app: AppTest, *images: int, key: str = ALL, **sent: Any) -> AppTest:
    """Select exactly these images in a gallery, or send something else; the page runs again."""
    known = data(app, key)
    value = {"revision": known["revision"] + 1, "images": format_ranges(sorted(images))} | sent
    states = app._tree.get_widget_states()
    event = states.widgets.add()
    event.id = f"$$STREAMLIT_INTERNAL_KEY_{_found(app, key).proto.id}__events"
    event.json_trigger_value = json.dumps([{"event": "pick", "value": value}])
    return app._run(states)


def _found(app: AppTest, key: str) -> Any:
    return next(one for one in app.get("bidi_component") if _is_gallery(one) and one.proto.id.endswith(f"-{key}"))


def _is_gallery(element: Any) -> bool:
    return element.proto.component_name in ("image-gallery", "feature-map")
