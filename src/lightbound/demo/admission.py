"""An admission folder made in one go, keys and all, for worlds on one machine: the running example and tests.

It is made of the same statements in the same files as the commands make. What is different: one hand holds every key,
which in earnest would let one hand admit whom it likes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lightbound.files import directory_trust, landmark_addresses
from lightbound.files.admission import DIRECTORY, OPERATORS, POSITIONS, read_statement_files
from lightbound.files.directories import cosign_directory, draft_directory, sign_directory
from lightbound.files.directory_trust import write_directory_trust
from lightbound.files.keys import key_path, write_new_key
from lightbound.files.landmark_addresses import LandmarkAddress, write_addresses
from lightbound.files.position_requests import PositionRequest
from lightbound.files.statements import StatementFile, make_folder, write_statement
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.admission import E7, Axis, DirectoryTrust, Operator, write_operator

POSITION: Final = "position.cose"
"""In the data folder of a landmark: what its operator signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLandmark:
    """A landmark to be: where it says that it stands, whose it is, and where it answers."""

    name: str
    latitude: float
    longitude: float
    error_m: int
    operator: str
    owner: str
    hosting: str
    jurisdiction: str
    url: str
    data: Path
    """Its data folder, to be given a key and a position."""
    can_pause: bool = False
    altitude_m: int = 0


def make_admission(
    folder: Path,
    landmarks: Sequence[DemoLandmark],
    *,
    seed: Callable[[int], bytes],
    from_ns: int,
    to_ns: int,
    axes: Sequence[Axis] = (Axis.HOSTING,),
    parties: int = 3,
    threshold: int = 2,
) -> dict[str, SigningKey]:
    """The keys of the landmarks by name; their data folders and the admission folder are made, and must be new.

    `seed` gives the secret bytes of keys, `secrets.token_bytes` in earnest. The keys of operators and parties are
    forgotten. Of operators of one name, the owner of the first counts.

    Raises:
        Refused: there is a key in a data folder already, or a statement cannot be.
        Unavailable: a file cannot be written.
    """
    for each in (folder / OPERATORS, folder / POSITIONS):
        make_folder(each)
    operators: dict[str, SigningKey] = {}
    keys: dict[str, SigningKey] = {}
    for landmark in landmarks:
        if landmark.operator not in operators:
            operators[landmark.operator] = key = SigningKey.of_seed(Purpose.OPERATOR, seed(32))
            said = Operator(
                key=key.verifying,
                name=landmark.operator,
                owner=landmark.owner,
                contact="",
                from_ns=from_ns,
                to_ns=to_ns,
            )
            write_statement(folder / OPERATORS / f"{_file_name(landmark.operator)}.cose", write_operator(said, key))
        keys[landmark.name] = key = SigningKey.of_seed(Purpose.LANDMARK, seed(32))
        write_new_key(key_path(landmark.data, Purpose.LANDMARK), key)
        position = _request(landmark, key).signed(operators[landmark.operator], from_ns=from_ns, to_ns=to_ns)
        write_statement(landmark.data / POSITION, position)
        write_statement(folder / POSITIONS / f"{_file_name(landmark.name)}.cose", position)
    write_addresses(
        folder / landmark_addresses.FILE,
        {
            keys[one.name].key_id: LandmarkAddress(key=keys[one.name].verifying, name=one.name, url=one.url)
            for one in landmarks
        },
    )
    signing = [SigningKey.of_seed(Purpose.DIRECTORY, seed(32)) for _ in range(parties)]
    trust = DirectoryTrust(keys=tuple(key.verifying for key in signing), threshold=threshold)
    write_directory_trust(folder / directory_trust.FILE, trust)
    statements = read_statement_files(folder)
    draft = draft_directory(statements, number=1, previous=None, axes=axes, from_ns=from_ns, to_ns=to_ns)
    directory = sign_directory(draft, signing[0])
    for party in signing[1:threshold]:
        drafted = StatementFile(path=folder / DIRECTORY, data=directory)
        directory = cosign_directory(drafted, statements, trust, party)
    write_statement(folder / DIRECTORY, directory)
    return keys


def _request(landmark: DemoLandmark, key: SigningKey) -> PositionRequest:
    return PositionRequest(
        landmark_key=key.verifying,
        latitude_e7=round(landmark.latitude * E7),
        longitude_e7=round(landmark.longitude * E7),
        altitude_m=landmark.altitude_m,
        error_m=landmark.error_m,
        hosting=landmark.hosting,
        jurisdiction=landmark.jurisdiction,
        can_pause=landmark.can_pause,
        surveyed="said by whoever made the example",
    )


def _file_name(name: str) -> str:
    """A file name for a name: letters and digits stay."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())
