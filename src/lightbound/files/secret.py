"""Files for nobody's eyes but their owner's: what was exposed is refused, and not read."""

import os
import stat
import struct
from pathlib import Path
from typing import Final

from lightbound.errors import ErrorCode, Fault, Refused, Unavailable

_ACL: Final = "system.posix_acl_access"
_ACL_OWNER, _ACL_USER, _ACL_MASK = 0x01, 0x02, 0x10


def read_secret(path: Path, what: str, *, most: int) -> bytes:
    """At most this much of a file, and one byte more if there is more; `what` names it in errors, as "a key file".

    Raises:
        Unavailable: it cannot be read.
        Refused: others than its owner may read or write it, or somebody else owns it.
    """
    try:
        # What is looked at is what is read: the name could point elsewhere a moment later. A pipe is not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            _check_rights(path, what, file.fileno())
            return file.read(most + 1)
    except OSError as error:
        found = error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.READ_FAILED, expected=f"{what} that can be read", found=found, file=str(path))
        raise Unavailable(fault) from error


def _check_rights(path: Path, what: str, descriptor: int) -> None:
    status, folder = os.fstat(descriptor), path.parent.stat()
    wrong = None
    if not stat.S_ISREG(status.st_mode):
        wrong = "no regular file"
    elif stat.S_IMODE(status.st_mode) & 0o077 and not _is_given_to_us_alone(descriptor, status):
        wrong = f"mode {stat.S_IMODE(status.st_mode):04o}"
    elif status.st_uid not in {os.geteuid(), 0}:
        wrong = f"a file of user {status.st_uid}"
    elif stat.S_IMODE(folder.st_mode) & 0o022 and not stat.S_IMODE(folder.st_mode) & stat.S_ISVTX:
        wrong = f"a folder of mode {stat.S_IMODE(folder.st_mode):04o}, where others can put another in its place"
    if wrong:
        fault = Fault(
            code=ErrorCode.KEY_EXPOSED,
            expected=f"{what} for its owner alone (mode 0600)",
            found=wrong,
            file=str(path),
            next="chmod 600, and make a new key if somebody could have read this one",
        )
        raise Refused(fault)


def _is_given_to_us_alone(descriptor: int, status: os.stat_result) -> bool:
    """Whether the rights of the group are only the upper bound of an access list that lets in this user alone.

    systemd gives credentials out so: the file is root's, mode 0440, and one entry names the user of the service.
    """
    if stat.S_IMODE(status.st_mode) & 0o037:
        return False
    try:
        # Linux, include/uapi/linux/posix_acl_xattr.h: a version, then (tag, permissions, id) for each entry.
        entries = list(struct.iter_unpack("<HHI", os.getxattr(descriptor, _ACL)[4:]))
    except (OSError, struct.error):
        return False  # no such list, so that the mode means what it says
    permitted = [(tag, who) for tag, permissions, who in entries if permissions and tag not in {_ACL_OWNER, _ACL_MASK}]
    return permitted == [(_ACL_USER, os.geteuid())]
