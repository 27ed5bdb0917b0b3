"""Does a log continue a checkpoint that it signed before? What may be said of it if not.

log_forked    two signed roots contradict: of one size, or of sizes between which the log's own hashes show it
log_behind    it is shorter now: a stale copy, or a log that was put back; of two histories nothing is shown
log_differs   its hashes do not lead to the root that it signs now, so that nothing can be compared by them
"""

from lightbound.errors import ErrorCode, Fault
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import Checkpoint
from lightbound.tlog.consistency import continues
from lightbound.tlog.tiles import TiledTree


def discontinued(before: Checkpoint, now: Checkpoint, tree: TiledTree) -> Fault | None:
    """Why this log does not continue the checkpoint; None if it does. `tree` is the tree of `now`.

    Raises:
        Malformed, Unavailable: a tile that this takes is not of the format, or cannot be read.
    """
    if before.size > now.size:
        return behind_fault(before, now)
    if before.size == 0:
        return None if before.root == merkle.root([]) else fork_fault(before, now)
    if before.size == now.size:
        return None if before.root == now.root else fork_fault(before, now)
    root = tree.subtree(0, before.size)
    # By whatever these hashes are: only if they lead to the root that is signed now, they are a word of the log.
    if not continues(before.size, root, now.size, now.root, tree.consistency_proof(before.size)):
        expected = f"hashes that lead from size {before.size} to the root {now.root.hex()}"
        return Fault(code=ErrorCode.LOG_DIFFERS, expected=expected, found="others", column="tile")
    return None if root == before.root else fork_fault(before, now)


def fork_fault(one: Checkpoint, other: Checkpoint) -> Fault:
    """What is said of two checkpoints that one log signed, of which neither continues the other."""
    return Fault(
        code=ErrorCode.LOG_FORKED,
        expected=f"a log that continues size {one.size} with root {one.root.hex()}",
        found=f"size {other.size} with root {other.root.hex()}",
        column="checkpoint",
        next="keep both checkpoints: the two signatures are the proof",
    )


def behind_fault(before: Checkpoint, now: Checkpoint) -> Fault:
    """What is said of a log that is shorter than it was; it may continue nothing or everything."""
    return Fault(
        code=ErrorCode.LOG_BEHIND,
        expected=f"a log of {before.size} entries at least, with root {before.root.hex()} over the first of them",
        found=f"size {now.size} with root {now.root.hex()}",
        column="checkpoint",
        next="this is a stale copy, or a log that was put back: read it elsewhere, and keep both checkpoints",
    )
