"""What encoding an export is in, and its text in UTF-8. Nothing is replaced silently."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import charset_normalizer

from nps_warehouse.importing.refusal import ImportRefusedError
from nps_warehouse.landing.csv_reader import LFS_START, wide_encoding

CHUNK = 1024 * 1024
SAMPLE = 256 * 1024
CLOSE = 0.1
"""Two encodings are as likely where their scores differ by less, of a range of 0 to 1."""

# What an export may be guessed to be in. Code pages of mainframes and old consoles fit any bytes.
GUESSED = [
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258",
    "latin_1", "iso8859_2", "iso8859_15", "cp932", "shift_jis", "euc_jp", "gb18030", "big5",
    "euc_kr", "koi8_r",
]  # fmt: skip

_BINARY = {
    b"PK\x03\x04": "a zip archive or an Excel workbook (.xlsx)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"\x1f\x8b": "gzip, compressed",
    b"PAR1": "a Parquet file",
}
_CONTROL = re.compile("[\x80-\x9f]")


@dataclass(frozen=True)
class Utf8File:
    """An export's text in UTF-8.

    `note` says what the encoding was and how that is known; `repaired` counts the characters that
    the fallback code page gave.
    """

    path: Path
    note: str
    repaired: int


def utf8_file(path: Path, encoding: str | None, fallback: str | None, work: Path) -> Utf8File:
    """Make sure of a file's encoding; the file itself where it is UTF-8, else a copy in UTF-8.

    Args:
        path: the export.
        encoding: the declared encoding; None to find it out.
        fallback: the declared code page of bytes that have no meaning in the encoding.
        work: a file that may be written.

    Raises:
        ImportRefusedError: no text, or not in that encoding; the text says what to declare.
    """
    start = first_bytes(path)
    wide = wide_encoding(start)
    if wide is not None and (encoding is None or not _is_wide(encoding)):
        raise ImportRefusedError(
            f"{path}: it is {wide}. Declare `encoding: {wide.lower()}` for its source, or save it "
            "as UTF-8."
        )
    is_utf8 = encoding is None or codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
    if is_utf8:
        line = _first_line_that_is_not_utf8(path)
        if line is None:
            mark = " with byte-order mark" if start.startswith(codecs.BOM_UTF8) else ""
            return Utf8File(path, f"UTF-8{mark}", 0)
        if fallback is not None:
            return _transcoded(path, "utf-8", fallback, work, "declared")
        if encoding is not None:
            raise ImportRefusedError(
                f"{path}: line {line[0]} is not UTF-8, as declared ({_shown(line[1])}). Declare "
                "the `encoding` it is in, or a `fallback_encoding` for such bytes (for example "
                "cp1252): each character it gives is counted."
            )
        encoding = _detected(path, line)
        return _transcoded(path, encoding, None, work, "detected, not declared")
    assert encoding is not None
    return _transcoded(path, encoding, fallback, work, "declared")


def first_bytes(path: Path) -> bytes:
    """The first bytes of an export that may hold data.

    Args:
        path: the export.

    Raises:
        ImportRefusedError: empty, blank, a Git LFS pointer, or not readable.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(4096)
            while not start.strip() and (more := stream.read(CHUNK)):
                start = more
            size = stream.seek(0, 2)
    except OSError as problem:
        raise ImportRefusedError(f"{path}: cannot be read: {problem.strerror}.") from None
    if not start.strip():
        raise ImportRefusedError(
            f"{path}: it is empty ({size} bytes, nothing but blanks). Export it again: an export "
            "without answers still has its header."
        )
    if start.startswith(LFS_START):
        raise ImportRefusedError(
            f"{path}: it is a Git LFS pointer, not the data. Run `git lfs pull` in the repository "
            "it comes from, then import again."
        )
    return start


def refuse_binary(path: Path) -> None:
    """Refuse a file that is no text, whatever its name.

    Args:
        path: the export.

    Raises:
        ImportRefusedError: the text says what it is.
    """
    start = first_bytes(path)
    for mark, kind in _BINARY.items():
        if start.startswith(mark):
            raise ImportRefusedError(
                f"{path}: it is {kind}, not CSV. For a workbook declare `format: excel`; unpack "
                "or convert anything else."
            )


def _is_wide(encoding: str) -> bool:
    return codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))


def _shown(data: bytes) -> str:
    return f"its first 60 bytes are {data[:60]!r}"


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _first_line_that_is_not_utf8(path: Path) -> tuple[int, bytes] | None:
    """Its number, from 1, and its bytes; None where the whole file is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        for chunk in _chunks(path):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        for number, line in _lines(path):
            if not _is_utf8(line):
                return number, line
        # A character that a very long line's cut goes through.
        return 1, b""
    return None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(CHUNK):
            number += 1
            yield number, line


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _detected(path: Path, first_bad: tuple[int, bytes]) -> str:
    """The encoding of a file that is not UTF-8, where only one is likely."""
    sample = bytearray()
    for number, line in _lines(path):
        if line.isascii():
            continue
        if _is_utf8(line):
            raise ImportRefusedError(
                f"{path}: line {number} is UTF-8 and line {first_bad[0]} is not "
                f"({_shown(first_bad[1])}): it mixes encodings. Declare `encoding: utf-8` and a "
                "`fallback_encoding` for the other bytes (for example cp1252): each character it "
                "gives is counted."
            )
        if len(sample) < SAMPLE:
            sample += line
    matches = list(charset_normalizer.from_bytes(bytes(sample), cp_isolation=GUESSED))
    likely = [
        match
        for match in matches
        if match.chaos <= matches[0].chaos + CLOSE
        and match.coherence >= matches[0].coherence - CLOSE
    ]
    if len({str(match) for match in likely}) == 1:
        return likely[0].encoding
    # Several code pages give plausible words, and only people can tell which are right.
    names = [match.encoding for match in likely] or ["cp1252", "cp1250", "latin_1"]
    if likely and "cp1252" in {name for match in matches for name in match.could_be_from_charset}:
        names.append("cp1252")
    readings = [
        f"{_first_word(line, name)!r} in {name}"
        for name in dict.fromkeys(names)
        for line in [first_bad[1] or bytes(sample)]
    ]
    raise ImportRefusedError(
        f"{path}: line {first_bad[0]} is not UTF-8, and several encodings are as likely. It reads "
        f"{', '.join(readings[:6])}. Declare the right one: `encoding: …` for its source, and a "
        "`fallback_encoding` where the file mixes code pages."
    )


def _first_word(line: bytes, encoding: str) -> str:
    """The first word with a letter that is not ASCII, as an encoding reads it."""
    words = line.decode(encoding, "replace").replace(",", " ").split()
    return next((word for word in words if not word.isascii()), "")


class _Repairs:
    """Reads bytes that have no meaning in an encoding by another one, and counts them."""

    def __init__(self, path: Path, encoding: str, fallback: str | None) -> None:
        self.path = path
        self.encoding = encoding
        self.fallback = fallback
        self.count = 0
        # A control character of the upper half is no text: the byte is from another code page.
        self.has_controls = codecs.lookup(encoding).name not in ("utf-8", "utf-16", "utf-32")

    def __call__(self, error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        return self.repaired(error.object[error.start : error.end]), error.end

    def repaired(self, data: bytes) -> str:
        refusal = (
            f"{self.path}: the bytes {data.hex(' ')} have no meaning in {self.encoding}"
            f"{'' if self.fallback is None else f' nor in {self.fallback}'}: the file is in "
            "another encoding, or mixes some. Declare its `encoding`, and a `fallback_encoding` "
            "for the other bytes (for example cp850): each character it gives is counted."
        )
        if self.fallback is None:
            raise ImportRefusedError(refusal)
        try:
            text = data.decode(self.fallback)
        except UnicodeDecodeError:
            raise ImportRefusedError(refusal) from None
        self.count += len(text)
        return text

    def cleaned(self, text: str) -> str:
        if not self.has_controls or text.isascii():
            return text
        return _CONTROL.sub(lambda match: self.repaired(match.group().encode(self.encoding)), text)


def _transcoded(path: Path, encoding: str, fallback: str | None, work: Path, how: str) -> Utf8File:
    repairs = _Repairs(path, encoding, fallback)
    # Registered under one name: Python keeps a handler for good.
    codecs.register_error("nps_repair", repairs)
    decoder = codecs.getincrementaldecoder(encoding)("nps_repair")
    with work.open("w", encoding="utf-8", newline="") as stream:
        try:
            for chunk in _chunks(path):
                stream.write(repairs.cleaned(decoder.decode(chunk)))
            stream.write(repairs.cleaned(decoder.decode(b"", final=True)))
        except UnicodeError as problem:
            raise ImportRefusedError(
                f"{path}: it is not in {encoding}: {problem}. Declare the `encoding` it is in."
            ) from None
    note = f"{encoding} ({how})"
    if repairs.count:
        note += f", {repairs.count:,} characters repaired by {fallback}"
    return Utf8File(work, note, repairs.count)
