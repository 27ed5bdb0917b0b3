"""The one word per chip: the first that holds, over every combination of answers."""

import itertools

import numpy as np
import pytest

from lightbound.adjudication.verdicts import STANDINGS, VERDICTS, Question, Standing, Verdict, standings

ANSWERS = (None, Verdict.WITHIN, Verdict.OUTSIDE, Verdict.UNDETERMINED)


def question(verdict: Verdict | None) -> Question:
    code = -1 if verdict is None else VERDICTS.index(verdict)
    return Question(verdict=np.array([code], np.int8), proof=np.array([-1], np.int8), margin_m=np.zeros(1))


def standing(licensed: Verdict | None, excluded: Verdict | None, *, contradiction: bool = False) -> Standing:
    (code,) = standings(np.array([contradiction]), question(licensed), question(excluded))
    return STANDINGS[int(code)]


def expected(licensed: Verdict | None, excluded: Verdict | None) -> Standing:
    if excluded is Verdict.WITHIN:
        return Standing.DIVERTED
    if licensed is Verdict.OUTSIDE:
        return Standing.MISPLACED
    if licensed is Verdict.WITHIN:
        return Standing.VERIFIED
    return Standing.CLEARED if excluded is Verdict.OUTSIDE else Standing.UNDETERMINED


@pytest.mark.parametrize(("licensed", "excluded"), [*itertools.product(ANSWERS, ANSWERS)])
def test_the_standing_is_the_first_that_holds(licensed: Verdict | None, excluded: Verdict | None) -> None:
    assert standing(licensed, excluded) is expected(licensed, excluded)


@pytest.mark.parametrize(("licensed", "excluded"), [*itertools.product((None, *Verdict), (None, *Verdict))])
def test_a_contradiction_comes_before_everything(licensed: Verdict | None, excluded: Verdict | None) -> None:
    assert standing(licensed, excluded, contradiction=True) is Standing.CONTRADICTION


def test_the_words_stand_in_the_order_of_their_precedence() -> None:
    assert [str(word) for word in STANDINGS] == [
        "contradiction", "diverted", "misplaced", "verified", "cleared", "undetermined",
    ]  # fmt: skip
    assert [str(word) for word in VERDICTS] == ["within", "outside", "undetermined", "void"]


def test_what_was_not_asked_proves_nothing() -> None:
    assert standing(None, None) is Standing.UNDETERMINED
    assert standing(None, Verdict.OUTSIDE) is Standing.CLEARED
    assert standing(Verdict.WITHIN, None) is Standing.VERIFIED
