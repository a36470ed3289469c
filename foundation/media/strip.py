"""Images without what tells of people: places, cameras, comments, previews, and whatever was hung on their end.

The picture itself is copied byte for byte: what is to be judged is not made worse by being stored. Of EXIF only the
orientation stays, because the picture would lie on its side without it.
"""

from collections.abc import Iterator
from io import BytesIO
from struct import error as StructError
from struct import pack, unpack
from zlib import crc32

from PIL import Image

ORIENTATION = 0x0112
PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_CHUNKS = frozenset(
    (
        *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"pHYs"),
        *(b"cICP", b"acTL", b"fcTL", b"fdAT"),
    )
)
WEBP_CHUNKS = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
# EXIF and XMP in the flags of VP8X.
WEBP_META = 0x04 | 0x08
EXIF, COLOURS, ADOBE = b"Exif\x00\x00", b"ICC_PROFILE\x00", b"Adobe"


class BrokenImage(ValueError):
    """The file ends early or is not built as its format says."""


def strip(content: bytes, picture_format: str, orientation: int) -> bytes:
    """A PNG, JPEG, WEBP or GIF that shows the same picture. Raises BrokenImage."""
    try:
        return b"".join({"PNG": _png, "JPEG": _jpeg, "WEBP": _webp, "GIF": _gif}[picture_format](content, orientation))
    except (IndexError, ValueError, StructError) as error:
        raise BrokenImage("the file ends early, or is not built as its format says") from error


def _orientation(turned: int) -> bytes:
    """EXIF that says nothing else."""
    exif = Image.Exif()
    exif[ORIENTATION] = turned
    return exif.tobytes().removeprefix(EXIF)


def _png(content: bytes, orientation: int) -> Iterator[bytes]:
    yield PNG_START
    place = len(PNG_START)
    while True:
        (length,) = unpack(">I", content[place : place + 4])
        kind, end = content[place + 4 : place + 8], place + 12 + length
        if end > len(content):
            raise BrokenImage("the file ends early")
        if kind in PNG_CHUNKS:
            yield content[place:end]
        if kind == b"IHDR" and orientation > 1:
            body = _orientation(orientation)
            yield pack(">I", len(body)) + b"eXIf" + body + pack(">I", crc32(b"eXIf" + body))
        if kind == b"IEND":
            return
        place = end


def _jpeg(content: bytes, orientation: int) -> Iterator[bytes]:
    yield content[:2]
    if orientation > 1:
        body = EXIF + _orientation(orientation)
        yield b"\xff\xe1" + pack(">H", len(body) + 2) + body
    place = 2
    while True:
        while content[place] == 0xFF and content[place + 1] == 0xFF:
            place += 1
        if content[place] != 0xFF:
            raise BrokenImage("there is no marker where one must be")
        marker = content[place + 1]
        if marker == 0xD9:
            yield content[place : place + 2]
            return
        (length,) = unpack(">H", content[place + 2 : place + 4])
        end = place + 2 + length
        if end > len(content) or length < 2:
            raise BrokenImage("the file ends early")
        if _keeps_segment(marker, content[place + 4 : end]):
            yield content[place:end]
        place = end
        if marker == 0xDA:
            place = _end_of_scan(content, end)
            yield content[end:place]


def _keeps_segment(marker: int, body: bytes) -> bool:
    if 0xE0 <= marker <= 0xEF:
        return (marker, body[:4]) == (0xE0, b"JFIF") or body.startswith((COLOURS, ADOBE))
    return marker != 0xFE


def _end_of_scan(content: bytes, place: int) -> int:
    """Where the next marker stands: in a scan 0xFF is followed by 0, or restarts it."""
    while True:
        place = content.index(b"\xff", place)
        after = content[place + 1]
        if after != 0 and not 0xD0 <= after <= 0xD7 and after != 0xFF:
            return place
        place += 1 if after == 0xFF else 2


def _webp(content: bytes, orientation: int) -> Iterator[bytes]:
    (size,) = unpack("<I", content[4:8])
    if size + 8 > len(content):
        raise BrokenImage("the file ends early")
    place, kept, extended = 12, BytesIO(), False
    while place < size + 8:
        kind, (length,) = content[place : place + 4], unpack("<I", content[place + 4 : place + 8])
        end = place + 8 + length
        if end > size + 8:
            raise BrokenImage("the file ends early")
        if kind in WEBP_CHUNKS:
            body = content[place + 8 : end]
            if kind == b"VP8X":
                extended = True
                body = bytes([body[0] & ~WEBP_META | (0x08 if orientation > 1 else 0)]) + body[1:]
            kept.write(kind + pack("<I", length) + body + b"\x00" * (length % 2))
        place = end + length % 2
    if orientation > 1 and extended:
        body = _orientation(orientation)
        kept.write(b"EXIF" + pack("<I", len(body)) + body + b"\x00" * (len(body) % 2))
    chunks = kept.getvalue()
    yield b"RIFF" + pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def _gif(content: bytes, orientation: int) -> Iterator[bytes]:
    """Without comments, texts and applications' own data, but for how often an animation runs."""
    place = 13 + _colours(content[10])
    yield content[:place]
    while True:
        start, kind = place, content[place]
        if kind == 0x3B:
            yield b";"
            return
        if kind == 0x2C:
            place = _after_blocks(content, place + 10 + _colours(content[place + 9]) + 1)
            yield content[start:place]
        elif kind == 0x21:
            label = content[place + 1]
            loops = label == 0xFF and content[place + 3 : place + 14] in (b"NETSCAPE2.0", b"ANIMEXTS1.0")
            place = _after_blocks(content, place + 2)
            if loops or label == 0xF9:
                yield content[start:place]
        else:
            raise BrokenImage("there is no block where one must be")


def _colours(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(content: bytes, place: int) -> int:
    while length := content[place]:
        place += length + 1
    return place + 1
