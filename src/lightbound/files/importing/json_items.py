"""The items of a JSON array or of JSON lines, one after the other, in the memory of a few.

A malformed item is counted with its place and passed over. In lines the next one begins at the next line; in an array
where the item's own brackets and quotes say that it ends. Where they do not say, the rest of the file is not believed
and counted as unreadable.

The JSON reader is the standard library's, fed piece by piece: it stops at the end of one item, where it began to read
the next, and refuses nesting that is too deep.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from lightbound.errors import ErrorCode
from lightbound.files.faults import shown
from lightbound.files.importing.dropped import Reason, Tally, Where, WrongField
from lightbound.files.importing.sources import PIECE_BYTES, Source

LONGEST_ITEM: Final = 1 << 20
"""Characters. A longer item is malformed, so that a file without an end to its first item cannot take the memory."""

_BLANKS: Final = " \t\n\r"
_BLANK: Final = re.compile(f"[{_BLANKS}]*")
_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|["\[\]{},]', re.DOTALL)
_STREAM_MESSAGE: Final = re.compile(rb'\s*\[\s*"atlas_')
_BYTE_ORDER_MARK: Final = codecs.BOM_UTF8


def json_items(source: Source, tally: Tally, *, array_in: tuple[str, ...] = ()) -> Iterator[tuple[Where, Any]]:
    """Each item of the file, with its place.

    The file is one array (or several, one after the other), or lines. With `array_in` it may also be one object that
    holds the array under one of these names.
    """
    start = source.peek().removeprefix(_BYTE_ORDER_MARK)
    first = start.lstrip()[:1]
    if (first == b"[" and not _STREAM_MESSAGE.match(start)) or (first == b"{" and array_in):
        yield from _Arrays(source, tally, array_in).items()
    else:
        yield from _line_items(source, tally)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
"""NaN and Infinity are no JSON."""


def _line_items(source: Source, tally: Tally) -> Iterator[tuple[Where, Any]]:
    for number, line in source.lines():
        tally.items += 1
        where = Where(source.name, line=number)
        try:
            text = (line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line).decode()
            item = _DECODER.decode(text)
        except (ValueError, RecursionError) as error:
            tally.malformed(where, _not_json(error, line))
            continue
        yield where, item


class _Arrays:
    """The text of a file from the item at hand on."""

    def __init__(self, source: Source, tally: Tally, array_in: tuple[str, ...]) -> None:
        self._source = source
        self._tally = tally
        self._array_in = array_in
        self._utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._at = 0
        self._ended = False
        self._not_utf8 = False
        """Bytes that are not UTF-8 have been read. They have become lone surrogates, which cannot be encoded."""
        self._number = 0

    def items(self) -> Iterator[tuple[Where, Any]]:
        """Each item of the arrays."""
        self._look_ahead()
        if self._text.startswith("\ufeff"):
            self._at = 1
        try:
            if self._next() == "{":
                self._enter_object()
            while self._next() == "[":
                yield from self._items_of_one()
            if not self._array_in and self._next():
                raise self._unreadable("nothing after the array", self._here())
        except _Unreadable:
            return

    def _items_of_one(self) -> Iterator[tuple[Where, Any]]:
        self._at += 1
        if self._next() == "]":
            self._at += 1
            return
        while True:
            self._next()
            self._number += 1
            self._tally.items += 1
            where = Where(self._source.name, item=self._number)
            # From here to the end of the item nothing more is read: positions in the text stay what they are.
            start = self._at
            try:
                item, end = _DECODER.raw_decode(self._text, start)
                if self._not_utf8:
                    self._text[start:end].encode()
                following = self._after(end)
            except (ValueError, RecursionError, WrongField) as error:
                wrong = _not_json(error, self._text[start : start + 100])
                following = self._skip_from(start, wrong)
                self._tally.malformed(where, wrong)
            else:
                yield where, item
            self._at += 1
            if following == "]":
                return

    def _after(self, end: int) -> str:
        """Go to the comma or bracket after an item that ends there."""
        self._at = end
        following = self._text[end : end + 1]
        if following in _BLANKS:
            blank = _BLANK.match(self._text, end)
            self._at = blank.end() if blank else end
            following = self._text[self._at : self._at + 1]
        if following not in {",", "]"}:
            expected = "a comma or the end of the array after the item"
            raise WrongField(None, expected, self._here(), ErrorCode.FILE_FORMAT)
        return following

    def _skip_from(self, start: int, wrong: WrongField) -> str:
        """Go to the comma or bracket that ends the malformed item which starts there, by its own brackets and quotes.

        Raises:
            _Unreadable: they do not say where it ends.
        """
        depth = 0
        for token in _TOKEN.finditer(self._text, start, start + LONGEST_ITEM):
            match token[0]:
                case "[" | "{":
                    depth += 1
                case "," | "]" if depth == 0:
                    self._at = token.start()
                    return token[0]
                case "]" | "}":
                    depth -= 1
                    if depth < 0:
                        break
                case '"':  # a string without an end
                    break
        raise self._unreadable(wrong.expected, f"{wrong.found}, and no end of it")

    def _enter_object(self) -> None:
        """Go to the array that the object holds under one of the names."""
        self._at += 1
        seen: list[str] = []
        while self._next() == '"':
            try:
                name, self._at = _DECODER.raw_decode(self._text, self._at)
                if self._next() != ":":
                    break
                self._at += 1
                if self._next() == "[" and name in self._array_in:
                    return
                _, self._at = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                break
            seen.append(name)
            if self._next() != ",":
                break
            self._at += 1
        names = " or ".join(self._array_in)
        raise self._unreadable(
            f"an array named {names}", f"names {', '.join(map(shown, seen[:8]))}" if seen else self._here()
        )

    def _next(self) -> str:
        """Go to the next character that is not blank and look at it; nothing at the end."""
        while True:
            if not self._ended and len(self._text) - self._at < LONGEST_ITEM:
                self._look_ahead()
            character = self._text[self._at : self._at + 1]
            if character in _BLANKS and character:
                blank = _BLANK.match(self._text, self._at)
                self._at = blank.end() if blank else self._at
                character = self._text[self._at : self._at + 1]
            if character or self._ended:
                return character

    def _look_ahead(self) -> None:
        """Have the longest item that is allowed in the text, so that one which cannot be read is not just cut off."""
        while not self._ended and len(self._text) - self._at < LONGEST_ITEM:
            piece = self._source.read(4 * PIECE_BYTES)
            self._ended = not piece
            text = self._utf8.decode(piece, final=self._ended)
            self._not_utf8 = self._not_utf8 or not _is_whole_unicode(text)
            self._text = self._text[self._at :] + text
            self._at = 0

    def _here(self) -> str:
        return shown(self._text[self._at : self._at + 40]) if self._at < len(self._text) else "the end of the text"

    def _unreadable(self, expected: str, found: str) -> "_Unreadable":
        """What to raise, counted, where the rest of the text cannot be told apart into items."""
        if not self._source.broken:  # which has been counted already
            where = Where(self._source.name, item=self._number or None)
            wrong = WrongField(None, expected, found, ErrorCode.FILE_FORMAT)
            self._tally.malformed(where, wrong, reason=Reason.UNREADABLE)
        return _Unreadable()


def _is_whole_unicode(text: str) -> bool:
    try:
        return text.isascii() or text.encode() is not None
    except UnicodeEncodeError:
        return False


class _Unreadable(Exception):
    """The rest of the file has been counted, and is not read. Never leaves this module."""


def _not_json(error: Exception, text: str | bytes) -> WrongField:
    if isinstance(error, WrongField):
        return error
    match error:
        case RecursionError():
            found = "nesting that is too deep"
        case UnicodeError():
            found = "bytes that are not UTF-8"
        case json.JSONDecodeError():
            found = f"{shown(text)} ({error.msg})"
        case _:
            found = f"{shown(text)} ({error})"
    return WrongField(None, "one JSON value", found, ErrorCode.FILE_FORMAT)
