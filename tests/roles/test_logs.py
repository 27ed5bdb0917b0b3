"""A log line names a session by as much as tells it from others, and never by what gives a right to ask."""

import io
import json
import secrets
from collections.abc import Iterator

import pytest
import structlog

from lightbound.roles import logs


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    yield io.StringIO()
    structlog.reset_defaults()


@pytest.mark.parametrize("as_json", [True, False])
def test_a_session_is_shown_by_eight_of_its_digits(out: io.StringIO, *, as_json: bool) -> None:
    session, agent = secrets.token_bytes(32).hex(), secrets.token_bytes(16).hex()
    logs.set_up(as_json=as_json, out=out)
    structlog.get_logger().info("brought", session=session, agent=agent)
    line = out.getvalue()
    assert session[:9] not in line
    assert agent in line
    if as_json:
        assert json.loads(line)["session"] == session[:8]
    else:
        assert f"session={session[:8]}" in line
