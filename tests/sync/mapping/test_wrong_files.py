"""Every message that a wrong file gets, compared whole."""

from __future__ import annotations

import pytest

from sync.mapping.load import MappingErrors, load
from tests.sync.mapping import wrong_files, wrong_more, wrong_together

WRONG = {**wrong_files.WRONG, **wrong_more.WRONG, **wrong_together.WRONG}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_with_everything_that_is_wrong(name: str) -> None:
    texts, said = WRONG[name]
    with pytest.raises(MappingErrors) as refused:
        load(texts)
    assert [str(problem) for problem in refused.value.problems] == said


def test_there_are_many_wrong_files() -> None:
    parts = (wrong_files.WRONG, wrong_more.WRONG, wrong_together.WRONG)
    assert len(WRONG) == sum(len(part) for part in parts) >= 120
