"""How a name is written in the held-out part, by kind of transformation; nothing here is in the development part."""

import base64
import unicodedata
from collections.abc import Callable, Mapping

Variant = Callable[[str, str], str | None]

GREEK = str.maketrans("ABEHIKMNOPTXYZoupiv", "ΑΒΕΗΙΚΜΝΟΡΤΧΥΖουριν")
ARMENIAN = str.maketrans("ouhnOSU", "օսհոՕՏՍ")
CHEROKEE = str.maketrans("ABCDEHJKLMPRSTVWZ", "ᎪᏴᏟᎠᎬᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᏔᏃ")
SMALL_CAPITALS = str.maketrans("abcdefghijklmnoprstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ")
STROKES = str.maketrans("lodhtbgiuzLODHTB", "łøđħŧƀǥɨʉƶŁØĐĦŦɃ")
LEET_SIGNS = str.maketrans("aslitgbAS", "@$|!798@$")
LEET_DIGITS = str.maketrans("aeiostAEIOST", "431057431057")
CIRCLED = {**{ord("a") + n: 0x24D0 + n for n in range(26)}, **{ord("A") + n: 0x24B6 + n for n in range(26)}}
PARENTHESISED = {ord("a") + n: 0x249C + n for n in range(26)}
SCRIPT = {**{ord("a") + n: 0x1D4EA + n for n in range(26)}, **{ord("A") + n: 0x1D4D0 + n for n in range(26)}}
SQUARED = {ord("A") + n: 0x1F130 + n for n in range(26)}


def letters_of(name: str) -> list[str]:
    return [character for character in name if character.isalnum()]


def changed(name: str, other: str) -> str | None:
    return other if other != name else None


def translated(table: Mapping[int, int | str]) -> Variant:
    return lambda name, _: changed(name, name.translate(table))


def between(separator: str) -> Variant:
    return lambda name, _: separator.join(letters_of(name))


def in_the_middle(mark: str) -> Variant:
    return lambda name, _: name[: len(name) // 2] + mark + name[len(name) // 2 :]


def invisible(mark: str) -> Variant:
    return lambda name, _: mark.join(name)


def composed(mark: str) -> Variant:
    def write(name: str, _: str) -> str | None:
        whole = "".join(letter + mark if letter.isalpha() else letter for letter in name)
        return changed(name, unicodedata.normalize("NFC", whole))

    return write


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def alternating(name: str, _: str) -> str:
    return "".join(c.upper() if index % 2 else c.lower() for index, c in enumerate(name))


VARIANTS: Mapping[str, Mapping[str, Variant]] = {
    "plain": {"upper case": lambda name, _: name.upper(), "alternating case": alternating},
    "alias": {"upper case": lambda name, _: name.upper(), "lower case": lambda name, _: name.lower()},
    "spaced": {
        "two spaces": between("  "),
        "no-break spaces": between("\u00a0"),
        "thin spaces": between("\u2009"),
        "lines": between("\n"),
    },
    "joined": {
        "as it is": lambda name, _: changed(name, "".join(letters_of(name))),
        "underscores": lambda name, _: changed(name, name.replace(" ", "_").replace("-", "_")),
        "after its vendor": lambda name, vendor: "".join(letters_of(f"{vendor}{name}")),
    },
    "punctuated": {
        "middle dots": between("·"),
        "tildes": between("~"),
        "colons": between(":"),
        "commas": between(","),
        "equals signs": between("="),
        "one slash": in_the_middle("/"),
        "one bar": in_the_middle("|"),
        "two stars": in_the_middle("**"),
        "brackets": lambda name, _: f"[{name[: len(name) // 2]}]({name[len(name) // 2 :]})",
    },
    "homoglyph": {
        "Greek": translated(GREEK),
        "Armenian": translated(ARMENIAN),
        "Cherokee": lambda name, _: changed(name.upper(), name.upper().translate(CHEROKEE)),
        "small capitals": translated(SMALL_CAPITALS),
        "mathematical": translated(SCRIPT),
    },
    "zero-width": {
        "joiners": invisible("\u200d"),
        "word joiners": invisible("\u2060"),
        "byte order marks": invisible("\ufeff"),
        "soft hyphens": invisible("\u00ad"),
        "variation selectors": invisible("\ufe0f"),
        "Hangul fillers": invisible("\u3164"),
        "tags": invisible("\U000e0041"),
    },
    "full-width": {
        "every second": lambda name, _: "".join(
            chr(ord(c) + 0xFEE0) if "!" <= c <= "~" and index % 2 == 0 else c for index, c in enumerate(name)
        ),
        "circled": translated(CIRCLED),
        "parenthesised": lambda name, _: changed(name.lower(), name.lower().translate(PARENTHESISED)),
        "squared": lambda name, _: changed(name.upper(), name.upper().translate(SQUARED)),
    },
    "accents": {
        "diaeresis": composed("\u0308"),
        "caron": composed("\u030c"),
        "strokes": translated(STROKES),
        "stacked": lambda name, _: "".join(c + "\u0301\u0323\u0330" if c.isalpha() else c for c in name),
    },
    "leet": {"signs": translated(LEET_SIGNS), "digits": translated(LEET_DIGITS)},
    "base64": {
        "without padding": lambda name, _: encoded(f"This is {name} speaking".encode()).rstrip("="),
        "for addresses": lambda name, vendor: base64.urlsafe_b64encode(f"??>>~{name}~{vendor}".encode()).decode(),
        "upper case": lambda name, _: encoded(name.upper().encode()),
        "two bytes a letter": lambda name, _: encoded(name.encode("utf-16-le")),
    },
    "claim": {
        "as it is": lambda name, _: name,
        "lower case": lambda name, _: name.lower(),
        "in bold": lambda name, _: f"**{name}**",
    },
}
