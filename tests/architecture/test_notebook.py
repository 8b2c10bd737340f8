"""The notebook in docs/ does what it says. Its cells are plain Python, so no Jupyter is needed to execute them."""

import ast
import json
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "explore-runs.ipynb"
CELLS: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text())["cells"]
CODE = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]


def shown(source: str, variables: dict[str, Any]) -> Any:
    """Execute a cell, and return the value of its last line if that is an expression, as Jupyter shows it."""
    tree = ast.parse(source)
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(tree, "cell", "exec"), variables)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), "cell", "exec"), variables)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), variables)  # noqa: S307


def test_it_is_a_notebook_without_outputs() -> None:
    whole = json.loads(NOTEBOOK.read_text())
    assert (whole["nbformat"], whole["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in CELLS}) == len(CELLS)
    assert {cell["cell_type"] for cell in CELLS} == {"code", "markdown"}
    for cell in CELLS:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None), "clear all outputs before you save it"


@pytest.mark.slow
def test_all_cells_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    variables: dict[str, Any] = {}
    values = [shown(source, variables) for source in CODE]
    said = capsys.readouterr().out
    assert f"Run 1 is in {home}" in said
    figures = [value for value in values if isinstance(value, go.Figure)]
    (table,) = [value for value in values if isinstance(value, pd.DataFrame)]
    assert [len(figure.data) > 0 for figure in figures] == [True, True]  # pyright: ignore[reportArgumentType]
    assert len(table) == 5
    forget = table["accuracy_after_forget_val"].tolist()
    assert forget[0] > forget[-1] + 0.2, "a higher learning rate forgets more"
    assert f"Run {variables['best']['id']}: impair_lr = " in said
