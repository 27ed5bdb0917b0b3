"""The page of each role names every setting that its process takes."""

import re

import pytest
import typer.main
from typer.core import TyperGroup

from lightbound.cli.app import app
from tests.house import tree

ROLES = ("agent", "landmark", "log", "verifier", "witness")


@pytest.mark.parametrize("role", ROLES)
def test_the_settings_on_the_page_of_a_role_are_those_that_it_takes(role: str) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    inner = group.commands[role]
    assert isinstance(inner, TyperGroup)
    rows = [row[0] for row in tree.table(f"docs/{role}.md", "## Settings")]
    told = {name for cell in rows for name in re.findall("`(--[a-z-]+)`", cell)}
    commands = {name: {option.opts[0] for option in one.params} for name, one in inner.commands.items()}
    assert commands["run"] - {"--config"} - told == set()
    assert told - set().union(*commands.values()) == set()
