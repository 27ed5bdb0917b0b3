"""Which processes run, and which networks they are in."""

from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether it runs; one that has ended and that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def networks_in_use() -> set[int]:
    """The inodes of the network namespaces that some thread is in, or some process holds a file of."""
    found = set()
    for pattern in ("[0-9]*/task/*/ns/net", "[0-9]*/fd/*"):
        for link in Path("/proc").glob(pattern):
            try:
                target = str(link.readlink())
            except OSError:
                continue  # it ended meanwhile
            if target.startswith("net:["):
                found.add(int(target[5:-1]))
    return found
