"""The one word a person sees, over everything that can be concluded."""

from itertools import product

import numpy as np

from lightbound.adjudication.verdicts import STANDINGS, VERDICTS, Question, Standing, Verdict, standings


def _expected(licensed: Verdict | None, excluded: Verdict | None, *, contradiction: bool) -> Standing:
    if contradiction:
        return Standing.CONTRADICTION
    if excluded is Verdict.WITHIN:
        return Standing.DIVERTED
    if licensed is Verdict.OUTSIDE:
        return Standing.MISPLACED
    if licensed is Verdict.WITHIN:
        return Standing.VERIFIED
    return Standing.CLEARED if excluded is Verdict.OUTSIDE else Standing.UNDETERMINED


def _question(verdict: Verdict | None) -> Question:
    code = -1 if verdict is None else VERDICTS.index(verdict)
    return Question(verdict=np.array([code], np.int8), proof=np.array([-1], np.int8), margin_m=np.array([-np.inf]))


def test_the_first_standing_that_holds_is_given_for_every_combination() -> None:
    answers = (None, *VERDICTS)
    for licensed, excluded, contradiction in product(answers, answers, (False, True)):
        (found,) = standings(np.array([contradiction]), _question(licensed), _question(excluded))
        assert STANDINGS[found] is _expected(licensed, excluded, contradiction=contradiction)
