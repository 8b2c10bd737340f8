"""The tab Details: how to make a run again, as a command and as a script."""

import json

from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, made_again
from tests.pages.page_asserts import fine, words
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore


def code(app: AppTest, start: str) -> list[str]:
    """The code on a page that begins so."""
    return [element.value for element in fine(app).code if element.value.startswith(start)]


def script_of(app: AppTest) -> str:
    (script,) = code(app, '"""Make a run')
    return script


def continued(store: RunStore) -> int:
    """A finished run that continues the first."""
    number = made_again(store)
    head = artifacts.run_dir(store.data_dir, number) / artifacts.REPORT_FILE
    facts = json.loads(head.read_text())
    head.write_text(json.dumps(facts | {"spec": facts["spec"] | {"start": CLASS}}))
    return number


def test_a_run_is_a_command_and_a_script(visit: Visit, done: RunStore) -> None:
    app = visit("run", id=str(CLASS), tab="Details")
    assert len(code(app, "python -m unlearn_core run --classifier tiny --forget-classes discs")) == 1
    script = script_of(app)
    compile(script, "script", "exec")
    assert f"# Run {CLASS}: Forget discs with UNSIR" in script
    weights = done.get(CLASS).metrics.weights
    assert weights and weights in script
    assert "Download the script" in [button.proto.label for button in app.get("download_button")]
    assert "continues" not in words(app)


def test_the_example_has_a_script_too(visit: Visit) -> None:
    assert "# The example run: Forget cat with " in script_of(visit("run", id="example", tab="Details"))


def test_a_run_that_continues_another_needs_both(visit: Visit, done: RunStore) -> None:
    number = continued(done)
    app = visit("run", id=str(number), tab="Details")
    script = script_of(app)
    assert f"run_{CLASS} = lab.unlearn(" in script
    assert f"start=run_{CLASS}.run" in script
    assert f"This run continues run {CLASS}, which the command cannot express" in words(app)
    done.delete(CLASS)
    app = visit("run", id=str(number), tab="Details")
    assert not code(app, '"""')
    assert f"Run {CLASS}, whose model this run continues, was deleted: it cannot be repeated." in words(app)
