"""The pages in docs on single works: their text has the numbers of its runs and tables, and errors are said."""

from pathlib import Path

import pytest

from unlearn_core.benchmarks.csv_tables import Tables
from unlearn_core.benchmarks.reproduction import page, work_pages
from unlearn_core.domain.errors import InvalidLessonError, NotFoundError


def written(folder: Path, text: str) -> str:
    (folder / "own.md").write_text(text)
    return work_pages.work_page("own", Tables(), folder)


def test_placeholders_and_blocks_are_filled(tmp_path: Path) -> None:
    text = written(tmp_path, "runs: unsir-ship\n# Title\n\nForgets {forget}.\n\nblock: unsir-noise\n\nThe end.\n")
    assert text.startswith("# Title\n\n<!-- Made by `make docs`")
    assert "Forgets ship." in text and "Not measured yet: `python -m unlearn_core reproduce" in text
    assert "block:" not in text


def test_what_is_wrong_with_a_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="unsir-shop"):
        written(tmp_path, "runs: unsir-shop\n# Title\n")
    with pytest.raises(InvalidLessonError, match=r"after\.forget"):
        written(tmp_path, "runs: unsir-ship\n# Title\n\n{after.forget}\n")
    with pytest.raises(KeyError, match="unsir-nose"):
        written(tmp_path, "runs: unsir-ship\n# Title\n\nblock: unsir-nose\n")


def test_each_page_is_of_a_core_work_and_the_page_of_all_claims_leads_to_it() -> None:
    ids = work_pages.work_ids()
    assert "unsir" in ids and set(ids) <= {work.method for work in page.every_work()}
    text = page.reproduction_page(Tables())
    for one in ids:
        assert f"]({one}.md)" in text
        assert "Not measured yet" in work_pages.work_page(one, Tables()), "it can be written without measurements"
