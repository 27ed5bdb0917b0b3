"""A landmark keeps the receipts that a log gave it, whatever else the log said, and asks again for the others."""

from pathlib import Path

import pytest
from sqlalchemy import insert

from lightbound.errors import ErrorCode, Unavailable
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.net.http_client import Server
from lightbound.roles.landmark.submitting import LogAt, Submitting
from lightbound.store.engine import LANDMARK, open_store, writing
from lightbound.store.landmark_tables import SESSIONS, STATEMENTS
from lightbound.store.logged import LoggedStatements
from tests.net.logs import NAMED, SmallLog, answering
from tests.ranging.parties import key, secret


def test_one_false_proof_costs_no_other_its_receipt_and_is_asked_for_again(tmp_path: Path) -> None:
    engine = open_store(tmp_path / "landmark.sqlite", LANDMARK)
    said = [secret("said", seq) for seq in range(4)]
    session, agent = secret("session"), bytes(16)
    with writing(engine) as connection:
        row = {"session_digest": session, "sid": bytes(16), "agent_id": agent, "expiry_ns": 1, "ended_ns": None}
        connection.execute(insert(SESSIONS), row)
        for seq, data in enumerate(said):
            told = {"digest": digest(data), "session_digest": session, "kind": "x", "agent_id": agent, "seq": seq}
            connection.execute(insert(STATEMENTS), {**told, "data": data})
    store = LoggedStatements(engine, key(Purpose.LANDMARK, 0))
    submissions: list[list[bytes]] = []
    log = SmallLog()
    # Of the second of all that are submitted first.
    log.is_false = lambda one: len(log.submissions) == 1 and one == log.submissions[0][1]
    with answering(log), Server(log.url) as server:
        submitting = Submitting(store=store, log=LogAt(key=NAMED, url=log.url), software="test")
        with pytest.raises(Unavailable) as caught:
            submitting.submit(server)
        assert caught.value.faults[0].code is ErrorCode.PEER_MISBEHAVED
        assert [store.receipt(digest(one)) is not None for one in said] == [True, False, True, True]
        assert not submitting.submit(server)
        submissions = log.submissions
    assert all(store.receipt(digest(one)) for one in said)
    assert submissions[1] == [submissions[0][1]]
    assert store.not_logged(9) == []
    engine.dispose()
