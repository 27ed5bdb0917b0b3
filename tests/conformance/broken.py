"""Adapters that are wrong, one way each: what `lightbound conformance --command` must catch.

    python tests/conformance/broken.py HOW

The first four are in front of our own reference, and change what it says. The others do not keep to the protocol.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Final

Json = Any
LATER: Final = 3
"""The question at which those give up that begin well."""


def reference(asked: Json) -> Json:
    from lightbound.conformance.reference import answer  # noqa: PLC0415 - it costs half a second, and four need it

    return answer(asked)


def accepting(asked: Json) -> Json:
    """Believes everything: says nothing of why not."""
    told = reference(asked)
    return {"result": {}} if "refusal" in told else told


def swapping(asked: Json) -> Json:
    """Takes the keys of the two directions for one another."""
    told = reference(asked)
    if asked["do"] == "timed_keys" and "result" in told:
        keys = told["result"]
        keys["to_agent"], keys["to_landmark"] = keys["to_landmark"], keys["to_agent"]
    return told


def misnaming(asked: Json) -> Json:
    """Refuses what is to be refused, always for the same reason."""
    told = reference(asked)
    return {"refusal": {"class": "refused", "code": "wrong_key"}} if "refusal" in told else told


def ignorant(_: Json) -> Json:
    """Knows no operation."""
    return {"unsupported": "nothing is"}


def line(asked: Json, told: Json) -> None:
    say(json.dumps({"id": asked["id"], **told}))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def stall() -> None:
    """Do nothing, for a minute at most: nobody is left behind if whoever asked is gone."""
    signal.alarm(60)
    signal.pause()


def silent(_: Json) -> None:
    """Answers nothing."""
    stall()


def spawning(_: Json) -> None:
    """Starts another process, and answers nothing."""
    child = subprocess.Popen([sys.executable, __file__, "unread"])
    sys.stderr.write(f"{child.pid}\n")
    sys.stderr.flush()
    child.wait()


def deaf(_: Json) -> None:
    """Closes its output, and goes on."""
    sys.stdout.flush()
    os.close(sys.stdout.fileno())
    stall()


def crashing(asked: Json) -> None:
    """Ends with an exception after some good answers."""
    if asked["id"] > LATER:
        os._exit(7)
    line(asked, reference(asked))


def killed(_: Json) -> None:
    """Is ended by a signal."""
    os.kill(os.getpid(), 9)


def garbage(_: Json) -> None:
    """Says what is no JSON."""
    say("Segmentation fault (not really)\x1b[31m")


def array(_: Json) -> None:
    """Says JSON that is no object."""
    say("[1]")


def deep(asked: Json, arrays: int = 500) -> None:
    """Says JSON with more arrays inside one another than an answer has."""
    say(f'{{"id":{asked["id"]},"result":{"[" * arrays}{"]" * arrays}}}')


def deeper(asked: Json) -> None:
    """Says JSON with more arrays inside one another than a reader follows."""
    deep(asked, 100_000)


def twice(asked: Json) -> None:
    """Answers each question twice."""
    line(asked, reference(asked))
    line(asked, reference(asked))


def endless(_: Json) -> None:
    """Says a line that does not end."""
    while True:
        sys.stdout.write("x" * 65_536)


ANSWERING: Final[dict[str, Callable[[Json], Json]]] = {
    "accepting": accepting,
    "swapping": swapping,
    "misnaming": misnaming,
    "ignorant": ignorant,
}
OTHERWISE: Final[dict[str, Callable[[Json], None]]] = {
    "silent": silent,
    "spawning": spawning,
    "deaf": deaf,
    "crashing": crashing,
    "killed": killed,
    "garbage": garbage,
    "array": array,
    "deep": deep,
    "deeper": deeper,
    "twice": twice,
    "endless": endless,
}


def main(how: str) -> None:
    if how == "unread":
        stall()
    for given in sys.stdin:
        asked = json.loads(given)
        if how in ANSWERING:
            line(asked, ANSWERING[how](asked))
        else:
            OTHERWISE[how](asked)


if __name__ == "__main__":
    main(sys.argv[1])
