"""The parameters with which a recruitment service sends people, and the address that leads back to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

# Prolific's are 24 hexadecimal digits; a stand-in may name its people otherwise. None begins like a formula.
ID = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z", re.ASCII)
CODE = r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,39}\Z"
PARTICIPANT, STUDY, SESSION = "PROLIFIC_PID", "STUDY_ID", "SESSION_ID"
NAMES = (PARTICIPANT, STUDY, SESSION)


@dataclass(frozen=True)
class Sent:
    participant: str
    study: str
    session: str


def read_sent(values: Mapping[str, str]) -> Sent | None:
    """Who is sent, by which study, in which session of theirs; None where one of the three is missing or no id."""
    found = [values.get(name, "") for name in NAMES]
    return Sent(*found) if all(ID.fullmatch(value) for value in found) else None


def way_in(address: str) -> str:
    """What is entered at the service as the address of the study, with its own names for what it fills in."""
    return f"{address}?{PARTICIPANT}={{{{%PROLIFIC_PID%}}}}&{STUDY}={{{{%STUDY_ID%}}}}&{SESSION}={{{{%SESSION_ID%}}}}"


def way_back(base: str, code: str) -> str:
    return f"{base}?{urlencode({'cc': code})}"
