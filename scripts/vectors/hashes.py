"""Vectors of what is hashed, drawn, committed to and counted."""

from __future__ import annotations

import hashlib
from typing import Any

from vectors import world
from vectors.octets import cbor, digest, flipped, seed
from vectors.pair import PLAIN
from vectors.record import AGENT, CHECKER, LANDMARK, Subject
from vectors.statements import payload_of

BOTH_ENDS = (LANDMARK, AGENT)
AGENT_AND_CHECKER = (AGENT, CHECKER)


def make() -> Subject:
    """In the order in which a session comes to them."""
    subject = Subject("hashes", "What is hashed, drawn, committed to, and how sequences break.")
    _chips(subject)
    _draws(subject)
    _chain(subject)
    _transcripts(subject)
    _private(subject)
    _breaks(subject)
    return subject


def _chips(subject: Subject) -> None:
    chips = world.CHIPS
    for count in (1, 2, 3, 5):
        about = f"what stands for {count} chip{'s' if count > 1 else ''}"
        told = subject.result(f"chips-of-{count}", about, (CHECKER,), do="chips", chips=chips[:count])
        for index in range(count):
            about = f"what shows chip {index} of {count}"
            name = f"chip-proof-{index}-of-{count}"
            proof = subject.result(name, about, (CHECKER,), do="chip_proof", chips=chips[:count], index=index)
            asked: dict[str, Any] = {"do": "asked_for", "chips": told["chips"]}
            about = f"chip {index} of {count} was asked for"
            subject.result(
                f"chip-shown-{index}-of-{count}", about, (CHECKER,), is_={"asked_for": True}, proof=proof, **asked
            )
            if (index, count) == (2, 5):
                _false_proofs(subject, proof, asked)


def _false_proofs(subject: Subject, proof: dict[str, Any], asked: dict[str, Any]) -> None:
    path = proof["path"]
    for name, about, changed in (
        ("other-chip", "of another chip", {"chip_id": seed("somebody else's chip")}),
        ("other-salt", "with another salt", {"salt": seed("another salt")[:16]}),
        ("other-index", "at another place", {"index": 3}),
        ("index-beyond", "at a place that there is not", {"index": 5}),
        ("other-count", "of another count", {"count": 6}),
        ("count-of-many", "of more chips than a host has", {"count": 1_025}),
        ("path-short", "without its last hash", {"path": path[:-1]}),
        ("path-long", "with a hash too many", {"path": [*path, path[0]]}),
        ("path-turned", "with its hashes in the other order", {"path": path[::-1]}),
        ("hash-short", "with a hash of 31 bytes", {"path": [path[0][:-2], *path[1:]]}),
        ("salt-long", "with a byte of the id counted to the salt", _shifted(proof)),
    ):
        told = {"asked_for": False}
        given = asked | {"proof": proof | changed}
        subject.result(f"chip-not-shown-{name}", f"a proof {about} shows nothing", (CHECKER,), is_=told, **given)


def _shifted(proof: dict[str, Any]) -> dict[str, Any]:
    return {"salt": proof["salt"] + proof["chip_id"][:2], "chip_id": proof["chip_id"][2:]}


def _draws(subject: Subject) -> None:
    directory = sorted(seed(f"drawn {number}")[:16] for number in range(8))
    base: dict[str, Any] = {"do": "draw", "beacon": world.BEACON, "agent": world.ENROLMENT.public}
    for name, about, given in (
        ("draw", "two chosen, and three of the other six", {"chosen": directory[2:4], "extras": 3}),
        (
            "draw-order",
            "the order in which landmarks are told makes no difference",
            {"chosen": directory[3:1:-1], "extras": 3},
        ),
        ("draw-none", "nobody drawn", {"chosen": directory[2:4], "extras": 0}),
        ("draw-all", "more extras than there are others", {"chosen": directory[2:4], "extras": 512}),
        ("draw-nobody-chosen", "all of them drawn", {"chosen": [], "extras": 3}),
        ("draw-other-beacon", "another beacon", {"chosen": directory[2:4], "extras": 3, "beacon": seed("next")}),
        ("draw-other-agent", "another agent", {"chosen": directory[2:4], "extras": 3, "agent": world.VERIFIER.public}),
    ):
        order = directory[::-1] if name == "draw-order" else directory
        subject.result(name, about, (CHECKER,), **(base | {"directory": order} | given))
    of_session: dict[str, Any] = {
        "directory": [key.kid for key in world.LANDMARKS],
        "chosen": world.CHOSEN,
        "extras": 1,
    }
    told = {"landmarks": world.SESSION_SAYS["landmarks"]}
    subject.result("draw-of-session", "the draw of SESSION", (CHECKER,), is_=told, **base, **of_session)


def _chain(subject: Subject) -> None:
    bind = payload_of("bind")
    fields = {name: bind[name] for name in ("session", "s", "x", "contributions", "absent")}
    found = digest(cbor(["CLP/1 bind", *fields.values()]))
    about = "what a host's quote carries"
    subject.result("n0", about, AGENT_AND_CHECKER, is_={"n0": found}, do="n0", **fields)
    about = "the same, if all had contributed"
    subject.result("n0-nobody-absent", about, AGENT_AND_CHECKER, do="n0", **(fields | {"absent": []}))
    chip, quote = world.CHIPS[0]["chip_id"], seed("quote")
    ask = {"do": "n1", "n0": found, "chip_id": chip}
    n1 = digest(cbor(["CLP/1 chip", found, chip, None]))
    subject.result("n1", "what a chip's report carries", AGENT_AND_CHECKER, is_={"n1": n1}, quote=None, **ask)
    subject.result("n1-quoted", "the same, with a quote of the host", AGENT_AND_CHECKER, quote=quote, **ask)
    for count in (1, 2, 3):
        transcripts = [seed(f"transcript {number}") for number in range(count)]
        randoms = [seed(f"close random {number}") for number in range(count)]
        about = f"what a second report carries, after {count} CLOSE"
        given = {"do": "n2", "n1": n1, "transcripts": transcripts, "close_randoms": randoms}
        subject.result(f"n2-of-{count}", about, AGENT_AND_CHECKER, **given)
    root = hashlib.sha256(b"\x00" + seed("transcript 0")).digest()
    of_randoms = digest(cbor([seed("close random 0")]))
    expected = digest(cbor(["CLP/1 close", n1, root, of_randoms])).hex()
    if subject.vectors[-3]["expect"]["result"]["n2"] != expected:
        raise AssertionError("n2 of one is not what the plan says")


def _transcripts(subject: Subject) -> None:
    answers = [
        {"round": number, "nonce": seed(f"nonce {number}")[:16], "tag": seed(f"tag {number}")[:16]}
        for number in (0, 1, 5)
    ]
    ask: dict[str, Any] = {
        "do": "transcript",
        "sid": world.SESSION_SAYS["sid"],
        "landmark": world.FIRST.kid,
        "bind": digest(PLAIN.bind),
    }
    triples = [[answer["round"], answer["nonce"], answer["tag"]] for answer in answers]
    found = digest(cbor(["CLP/1 transcript", ask["sid"], ask["landmark"], ask["bind"], triples]))
    about = "what stands for three answers"
    subject.result("transcript", about, BOTH_ENDS, is_={"transcript": found}, answers=answers, **ask)
    subject.result("transcript-of-nothing", "what stands for none", BOTH_ENDS, answers=[], **ask)


def _private(subject: Subject) -> None:
    roles = (LANDMARK, CHECKER)
    told = subject.result("commit-site", "the private field of SESSION", (CHECKER,), do="commit", **world.SITE)
    address = {"field": "address", "salt": seed("salt"), "value": world.AGENT_ADDRESS}
    subject.result("commit-address", "the private field of MEASUREMENT", roles, do="commit", **address)
    subject.result(
        "commit-address-unseen", "the same, if nothing was seen", roles, do="commit", **(address | {"value": None})
    )
    other: Any = {"city": "Gdańsk", "floors": [1, 2], "leased": True}
    about = "a value with parts"
    subject.result("commit-parts", about, (CHECKER,), do="commit", **(world.SITE | {"value": other}))
    site: dict[str, Any] = {"do": "disclose", **world.SITE, "commitments": {"site": told["digest"]}}
    subject.result("disclose", "a value that was committed to", (CHECKER,), is_={"value": "hall 4, row C"}, **site)
    why = ("refused", "disclosure_differs")
    for name, about, changed in (
        ("value", "another value", {"value": "hall 4, row D"}),
        ("salt", "another salt", {"salt": seed("another salt of the site")}),
        ("salt-short", "a salt of 31 bytes", {"salt": world.SITE["salt"][:-1]}),
        ("field", "the value of another field", {"field": "address", "commitments": {"address": told["digest"]}}),
        ("unknown-field", "a field that was not committed to", {"field": "owner"}),
        ("digest", "another commitment", {"commitments": {"site": flipped(bytes.fromhex(told["digest"]))}}),
    ):
        subject.refusal(f"disclose-other-{name}", about, (CHECKER,), why, **(site | changed))


def _breaks(subject: Subject) -> None:
    def said(seq: int, prev: str | None, name: str) -> dict[str, Any]:
        return {"seq": seq, "prev": None if prev is None else seed(prev), "digest": seed(name)}

    a, b, c = said(0, None, "a"), said(1, "a", "b"), said(2, "b", "c")
    nothing: dict[str, list[int]] = {"missing": [], "forked": [], "unlinked": []}
    for name, about, statements, is_ in (
        ("none", "nothing was said", [], nothing),
        ("whole", "three, each names the one before", [a, b, c], nothing),
        ("any-order", "the same in another order, one twice", [c, a, b, a], nothing),
        ("missing-middle", "the second is not there", [a, c], nothing | {"missing": [1]}),
        ("missing-first", "the first is not there", [b, c], nothing | {"missing": [0]}),
        ("missing-many", "far beyond what is there", [a, said(1_500, "x", "y")], {"forked": [], "unlinked": []}),
        ("forked", "two statements of one number", [a, b, said(1, "a", "other"), c], nothing | {"forked": [1]}),
        ("unlinked", "the third names another before it", [a, b, said(2, "x", "c")], nothing | {"unlinked": [2]}),
        ("first-linked", "the first names one before it", [said(0, "x", "a")], nothing | {"unlinked": [0]}),
        ("later-unlinked", "a later one names none", [a, said(1, None, "b")], nothing | {"unlinked": [1]}),
        (
            "fork-followed",
            "a fork, and who follows one side of it",
            [a, b, said(1, "a", "other"), said(2, "other", "c")],
            nothing | {"forked": [1]},
        ),
    ):
        subject.result(f"breaks-{name}", about, (CHECKER,), is_=is_, do="breaks", statements=statements)
