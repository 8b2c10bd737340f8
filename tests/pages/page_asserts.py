"""What a person sees on a page under test."""

from streamlit.testing.v1 import AppTest


def words(app: AppTest) -> str:
    """Everything that is written on the page, one piece a line."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "warning", "error", "info")
    return "\n".join(str(getattr(element, "value", "")) for kind in kinds for element in app.get(kind))


def fine(app: AppTest) -> AppTest:
    """The same page, once it is clear that nothing went wrong on it."""
    assert not app.exception, app.exception
    assert not app.error, app.error
    return app


def foot(app: AppTest) -> tuple[str, ...]:
    """The sizes in the footer of the forget page: forget set, retain set, test images."""
    lines = [element.value for element in app.markdown]
    found = [
        line
        for line in lines
        if line.endswith((" in the forget set", " in the retain set", " test images", " test points"))
    ]
    return tuple(line.replace("*", "").rpartition("] ")[2] for line in found)


def label(app: AppTest, key: str) -> str:
    """A button's words without the ornament of the run bar."""
    return app.button(key=key).label.rstrip("\u203a \u2002")


def without_words(app: AppTest) -> list[str]:
    """The images, charts and tables without an alternative text."""
    images = [one.alt for element in app.get("image") for one in element.proto.imgs]
    others = [element.proto.alt for kind in ("plotly_chart", "dataframe") for element in app.get(kind)]
    return [alt for alt in [*images, *others] if not alt.strip()]
