"""The tree is the same wherever it is cloned: no file knows where that was."""

import re

from tests.house import tree

# A home folder or a build machine's working folder, as an absolute path.
SOMEWHERE = re.compile(rb"(?<![\w.~-])/(?:home|root|work|Users)/\w")


def test_no_file_holds_the_path_of_a_checkout() -> None:
    here = str(tree.ROOT).encode()
    told = [
        str(path.relative_to(tree.ROOT))
        for path in tree.files()
        if here in (content := path.read_bytes()) or SOMEWHERE.search(content)
    ]
    assert told == []
