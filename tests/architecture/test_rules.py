"""Every file keeps to its place; and each rule is shown to catch what it is there for."""

import pytest

from tests.architecture.rules import ROOT, offences, page_offences, python_files

PAGES = sorted((ROOT / "pages").rglob("*.py"))


def test_every_file_keeps_to_its_place() -> None:
    found = [
        words for path in python_files() for words in offences(path.read_text(), path.relative_to(ROOT).as_posix())
    ]
    assert not found, "\n".join(found)


def test_there_are_pages() -> None:
    assert len(PAGES) >= 6


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_are_thin(path) -> None:
    found = page_offences(path.read_text(), path.relative_to(ROOT).as_posix())
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("unlearn_core/engine/x.py", "import streamlit as st"),
        ("unlearn_core/cli/x.py", "def f():\n    from streamlit.web import cli"),
        ("unlearn_core/ui/x.py", "from plotly import graph_objects"),
        ("unlearn_core/store/x.py", "def f():\n    import torch"),
        ("unlearn_core/domain/x.py", "from torch import nn"),
        ("unlearn_core/charts/x.py", "from torchvision.ops import nms"),
        ("unlearn_core/engine/x.py", "def f():\n    import pytorch_grad_cam"),
        ("unlearn_core/probes/common/class_activation.py", "from pytorch_grad_cam import GradCAM"),
        ("unlearn_core/models/x.py", "import pickle"),
        ("unlearn_core/models/x.py", "from torch import hub"),
        ("unlearn_core/models/x.py", "import torch\ntorch.hub.load('a', 'b')"),
        ("unlearn_core/models/x.py", "import torch\ntorch.load(file)"),
        ("unlearn_core/models/x.py", "load(file, weights_only=False)"),
        ("unlearn_core/models/x.py", "torch.serialization.add_safe_globals([x])"),
        ("unlearn_core/models/x.py", "with torch.serialization.safe_globals([x]):\n    pass"),
        ("unlearn_core/models/x.py", "np.load(file)"),
        ("unlearn_core/ui/x.py", "st.markdown(f'<b>{name}</b>', unsafe_allow_html=True)"),
    ],
)
def test_a_file_out_of_its_place_is_caught(place: str, text: str) -> None:
    assert offences(text, place)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("unlearn_core/ui/x.py", "import streamlit as st\nst.markdown(STYLE, unsafe_allow_html=True)"),
        ("unlearn_core/charts/x.py", "import plotly.graph_objects as go"),
        ("unlearn_core/probes/common/class_activation.py", "def f():\n    from pytorch_grad_cam import GradCAM"),
        ("unlearn_core/training/x.py", "import torch\ntorch.load(file, weights_only=True)"),
        ("unlearn_core/models/upload/load_worker.py", "with torch.serialization.safe_globals([x]):\n    pass"),
    ],
)
def test_what_is_in_its_place_passes(place: str, text: str) -> None:
    assert offences(text, place) == []


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n" * 81,
        "def f(): pass",
        "class A: pass",
        "f = lambda x: x",
        "import streamlit as st\nst.markdown('x', unsafe_allow_html=True)",
        "import streamlit as st\nst.html('<style>a {}</style>')",
        "import numpy as np",
        "from unlearn_core.engine.execute import unlearn",
    ],
)
def test_a_thick_page_is_caught(text: str) -> None:
    assert page_offences(text, "pages/lab/x.py")


def test_a_page_outside_a_section_is_caught() -> None:
    assert page_offences("", "pages/x.py")
    assert page_offences("import streamlit as st\nfrom unlearn_core.ui import frame", "pages/lab/x.py") == []
