"""Where texts stand in a long list of texts: a million of them found at a time.

A dictionary answers one text in about a microsecond, most of it spent waiting for memory: ten seconds for the rows of
a large file. Sorting fingerprints and walking two sorted lists side by side takes a quarter of that. A fingerprint
only proposes; equality of the texts themselves decides.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_MASKS: Final = np.array([(1 << (8 * count)) - 1 for count in range(9)], np.uint64)
"""Lowest bytes of a word, by how many."""

_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio, odd: spreads a word over all bits above it."""

_SHIFT: Final = np.uint64(29)
"""Brings the upper bits down again, so that the next word meets all of them."""


class Lookup:
    """Finds texts in a list by their place."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Prepare a list of distinct texts."""
        self._texts = pa.array(texts, pa.large_string())
        prints = _fingerprints(self._texts)
        self._order = np.argsort(prints).astype(np.int32)
        self._prints = prints[self._order]
        # Two texts of one fingerprint do not happen by chance (once in 30 million lists of a million), but anybody
        # could make up such names; then the plain way is taken.
        collide = bool((self._prints[1:] == self._prints[:-1]).any())
        self._places = {text: place for place, text in enumerate(texts)} if collide else None

    def places(self, texts: Any) -> NDArray[np.int32]:
        """Place of each text of an Arrow array in the list; -1 where it is not in it, or null."""
        if self._places is not None:
            return np.array([self._places.get(text, -1) for text in texts.to_pylist()], np.int32)
        if not len(self._texts) or not len(texts):
            return np.full(len(texts), -1, np.int32)
        wanted = texts.cast(pa.large_string())
        prints = _fingerprints(wanted)
        order = np.argsort(prints)
        nearest = np.empty(len(prints), np.int64)
        nearest[order] = np.searchsorted(self._prints, prints[order])
        proposed = self._order[np.minimum(nearest, len(self._order) - 1)]
        equal = pc.equal(self._texts.take(pa.array(proposed)), wanted).fill_null(False)
        found: NDArray[np.int32] = np.where(equal.to_numpy(zero_copy_only=False), proposed, np.int32(-1))
        return found


def _fingerprints(texts: Any) -> NDArray[np.uint64]:
    """A number for each text of a large_string array, the same for the same text; a null has any."""
    _, offsets_buffer, data_buffer = texts.buffers()
    if not len(texts) or data_buffer is None:
        return np.zeros(len(texts), np.uint64)
    offsets = np.frombuffer(offsets_buffer, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(data_buffer, np.uint8)[offsets[0] : offsets[-1]]
    starts, lengths = offsets[:-1] - offsets[0], np.diff(offsets)
    # Every position of the text as the little-endian word that starts there; the last ones run into zeros.
    words: NDArray[np.uint64] = np.ndarray(
        (len(data) + 1,), "<u8", np.concatenate((data, np.zeros(8, np.uint8))), strides=(1,)
    )
    prints: NDArray[np.uint64] = lengths.astype(np.uint64)
    for done in range(0, int(lengths.max()), 8):
        word = words[np.minimum(starts + done, len(data))] & _MASKS[np.clip(lengths - done, 0, 8)]
        mixed = (prints ^ word) * _MULTIPLIER
        # A text that has ended keeps its number, however long its neighbours are.
        prints = np.where(lengths > done, mixed ^ (mixed >> _SHIFT), prints)
    return prints
