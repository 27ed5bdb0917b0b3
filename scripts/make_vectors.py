"""Make the conformance vectors, and fill them into the pages that show them.

    .venv/bin/python scripts/make_vectors.py [--root FOLDER]

Everything is a function of fixed seeds: made again, nothing changes. Vectors are answered by the reference, that is by
the package itself; what each must say, the maker of each states beforehand, and where the two disagree nothing is
written. `tests/conformance/independent.py` answers those of landmarks a second time, knowing nothing of the package.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from vectors import (
    admission,
    agents,
    checks,
    clocks,
    encodings,
    fields,
    hashes,
    landmarks,
    packets,
    phases,
    signatures,
    statements,
)
from vectors.pages import fill
from vectors.record import Subject

from lightbound.conformance.vectors import FORMAT, SUBJECTS

ROOT = Path(__file__).resolve().parent.parent
DATA = Path("src/lightbound/conformance/data")
PAGES = (Path("docs/spec/clp1.md"), Path("docs/conformance.md"))


def made() -> list[Subject]:
    """All vectors."""
    subjects = [
        statements.make(),
        encodings.make(),
        signatures.make(),
        fields.make(),
        packets.make(),
        hashes.make(),
        clocks.make(),
        admission.make(),
        landmarks.make(),
        phases.make(),
        agents.make(),
        checks.make(),
    ]
    names = [vector["name"] for subject in subjects for vector in subject.vectors]
    if len(set(names)) != len(names):
        raise AssertionError(f"names that stand twice: {sorted({name for name in names if names.count(name) > 1})}")
    if [subject.name for subject in subjects] != list(SUBJECTS):
        raise AssertionError("the package reads other files than are made")
    return subjects


def text_of(subject: Subject) -> str:
    """A file of vectors: one a line, so that a change shows where it is."""
    head = json.dumps({"format": FORMAT, "subject": subject.name, "about": subject.about}, ensure_ascii=False)
    lines = ",\n".join(json.dumps(vector, ensure_ascii=False, separators=(",", ":")) for vector in subject.vectors)
    return f'{head[:-1]}, "vectors": [\n{lines}\n]}}\n'


def main() -> None:
    """Write files and pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=ROOT, help="the tree to write into (this one)")
    root = parser.parse_args().root
    subjects = made()
    (root / DATA).mkdir(parents=True, exist_ok=True)
    for subject in subjects:
        (root / DATA / f"{subject.name}.json").write_text(text_of(subject), encoding="utf-8")
        refused = sum("refusal" in vector["expect"] for vector in subject.vectors)
        print(f"{subject.name}: {len(subject.vectors)} vectors, {refused} of them refused")
    vectors = {vector["name"]: vector for subject in subjects for vector in subject.vectors}
    for page in PAGES:
        fill(root / page, vectors)


if __name__ == "__main__":
    main()
