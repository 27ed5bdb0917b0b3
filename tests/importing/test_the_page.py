"""The page on importing lists exactly the reasons, columns and choices that there are."""

from lightbound.files.importing.atlas_places import FaultUnits
from lightbound.files.importing.dropped import MEANING, Reason
from lightbound.files.importing.mapped_csv import COLUMNS
from tests.house import tree

PAGE = "docs/importing.md"


def test_the_page_explains_exactly_the_reasons() -> None:
    rows = tree.table(PAGE, "## What is left out")
    assert [(row[0].strip("`"), row[1]) for row in rows] == [(reason.value, reason.unit.value) for reason in Reason]
    assert all(row[2] for row in rows)
    assert list(MEANING) == list(Reason)


def test_the_page_lists_exactly_the_columns_that_can_be_mapped() -> None:
    told = [name.strip("` ") for row in tree.table(PAGE, "## CSV of others") for name in row[0].split(",")]
    assert told == list(COLUMNS)


def test_the_page_lists_exactly_the_choices_of_fault_units() -> None:
    told = [row[0].partition(" ")[0].strip("`") for row in tree.table(PAGE, "### Places")]
    assert told == [units.value for units in FaultUnits]
