"""Simulated devices are made where it is said so, and nowhere else."""

import ast

from tests.house import tree

MAY = ("demo", "sim")


def test_only_the_simulated_world_and_the_example_make_simulated_devices() -> None:
    found = set()
    for path in tree.modules(tree.PACKAGE):
        room = path.relative_to(tree.PACKAGE).parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if any(name.startswith("lightbound.sim.devices") for name in named):
                found.add(room)
    assert found == {*MAY}
