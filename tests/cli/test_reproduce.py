"""UNSIR's published results beside made-up rows of ours."""

from unlearn_core.benchmarks import published_section
from unlearn_core.benchmarks.published_settings import COLUMNS, PUBLISHED_RESULTS


def test_without_rows_it_is_said_how_to_measure() -> None:
    assert published_section.published_section({}).startswith("Not measured yet: `python -m unlearn_core reproduce`")


def test_ours_stands_under_theirs_and_what_was_not_run_is_said() -> None:
    row = dict.fromkeys(COLUMNS, "0.5") | {"name": PUBLISHED_RESULTS[0].name, "device": "CPU", "seconds": "12.3"}
    text = published_section.published_section({row["name"]: row})
    assert "| CIFAR-10, one class | published | 77.86 | 71.06 | 81.01 | 0.00 | |" in text
    assert "| | here | 50.00 | 50.00 | 50.00 | 50.00 | 12.3 |" in text
    assert "| | here | not run |" in text and PUBLISHED_RESULTS[1].note not in text
