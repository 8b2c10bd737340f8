"""Every kind of text that a page shows is read, and nothing else."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages import rendered_texts


def script() -> None:
    import pandas as pd
    import plotly.graph_objects as go
    import streamlit as st

    st.title("shown title", help="shown help", anchor="hidden")
    st.markdown("shown markdown")
    st.caption("shown caption")
    with st.expander("shown expander"):
        st.text("shown text")
    with st.popover("shown popover"):
        st.metric("shown metric", "shown value", "shown delta")
    st.tabs(["shown tab"])
    st.button("shown button", key="hidden", icon=":material/hide:", help="shown button help")
    st.selectbox("shown select", ["hidden_id"], format_func=lambda one: "shown option", key="hidden_key")
    st.pills("shown pills", ["hidden_id"], format_func=lambda one: "shown pill")
    st.segmented_control("shown segments", ["hidden_id"], format_func=lambda one: "shown segment")
    st.radio("shown radio", ["shown choice"], captions=["shown choice caption"])
    st.text_input("shown input", "hidden", placeholder="shown placeholder")
    st.slider("shown slider", 0, 3)
    st.dataframe(pd.DataFrame({"shown column": ["shown cell"]}), column_config={"shown column": "shown label"})
    st.error("shown error")
    st.toast("shown toast")
    st.progress(0.5, "shown progress")
    figure = go.Figure(
        go.Bar(x=["shown category"], y=[1], name="shown name", hovertemplate="shown hover", meta="hidden")
    )
    figure.update_layout(title="shown figure title", xaxis_title="shown axis")
    st.plotly_chart(figure, key="hidden_chart")
    st.image("https://example.org/hidden.png", caption="shown image")
    st.link_button("shown link", "https://example.org/hidden")
    st.download_button("shown download", b"hidden", "hidden.txt")


def test_every_kind_of_text_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = rendered_texts.listen(monkeypatch)
    assert not AppTest.from_function(script, default_timeout=30).run().exception
    kinds = "title;help;markdown;caption;expander;text;popover;metric;value;delta;tab;button;button help;select;option"
    kinds += ";pills;pill;segments;segment;radio;choice;choice caption;input;placeholder;slider;column;cell;label;error"
    kinds += ";toast;progress;category;name;hover;figure title;axis;image;link;download"
    assert {f"shown {kind}" for kind in kinds.split(";")} - set(shown) == set()
    assert not [text for text in shown if "hidden" in text]
    rendered_texts.check(shown)


@pytest.mark.parametrize(
    "line",
    [
        'st.caption("Two nets")',
        'st.button("Go", help="Turn a knob")',
        'st.dataframe({"pictures": [1]})',
        'st.dataframe({"a": ["brought here"]})',
        'st.plotly_chart({"data": [{"type": "bar", "y": [1], "hovertemplate": "a net"}], "layout": {}})',
        'st.toast("Taken in.")',
    ],
)
def test_a_page_with_a_word_that_is_not_ours_fails(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = rendered_texts.listen(monkeypatch)
    assert not AppTest.from_string(f"import streamlit as st\n{line}").run().exception
    with pytest.raises(pytest.fail.Exception, match="not of the glossary"):
        rendered_texts.check(shown)
