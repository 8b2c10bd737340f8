"""Specifications of jobs: what they refuse, and fingerprints that stay."""

import pytest
from pydantic import ValidationError

from unlearn_core.domain.jobs import ExplainSpec

OWN = "0" * 64


def test_a_query_of_a_former_release_has_the_same_fingerprint() -> None:
    assert ExplainSpec(run=1, picture=2, target=3).fingerprint() == "6792f8fe0f4ee8b9"
    assert ExplainSpec(run=1, upload=OWN).fingerprint() != ExplainSpec(run=1, upload=OWN, target=0).fingerprint()


@pytest.mark.parametrize("given", [{}, {"picture": 2, "upload": OWN}, {"upload": "../../x"}])
def test_a_query_is_about_one_image(given: dict) -> None:
    with pytest.raises(ValidationError):
        ExplainSpec(run=1, target=3, **given)
