"""What keys are for: a key serves one purpose, and its signature says which."""

from enum import StrEnum


class Purpose(StrEnum):
    """The closed list of purposes. A statement is refused if it was signed for another one than its type asks for."""

    OPERATOR = "operator"
    """Offline key of whoever runs landmarks: says who it is and where its landmarks stand."""
    DIRECTORY = "directory"
    """One of the n parties of whom k admit operators."""
    VERIFIER = "verifier"
    """Asks for sessions."""
    LANDMARK = "landmark"
    """Says what a landmark measured."""
    ENROLMENT = "enrolment"
    """Pinned when an agent enrolled."""
    SESSION = "session"
    """Made for one session by an agent, and gone after it."""
    LOG = "log"
    """Says how long a log is and which root it has; signs notes, its own rotation, and nothing else."""
    WITNESS = "witness"
    """Says that a log continues what it showed before; signs cosignatures, its own rotation, nothing else."""
