"""Everything that is stored of one person, piece by piece as JSON; of an open battle nothing that names a model.

`ROWS`, `INSIDE` and `LEFT` together name every model from which a way leads to a person: a test walks them all.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q

from accounts.models import Person
from accounts.texts import read_personal_texts, unseal_of
from annotation.queries.history import TOLD
from arena.queries.files import released_files
from arena.queries.own_conversations import own_conversations
from arena.queries.pictures import own_pictures
from foundation.media.store import media_path

CHUNK = 500
# Pieces of a file, whose length three divides: their base64 stands one behind the other.
THREES = 3 << 18
FORMAT = "cardinal own data 1"
RESPONDENT = "respondent__person"


@dataclass(frozen=True)
class Rows:
    """Rows of one model that are of a person by `path`, and of their columns those that tell something of them.

    `texts` gives columns with sealed texts by the name they get, `sealed` those that hold their sealed words
    themselves.
    """

    path: str
    columns: str
    texts: Mapping[str, str] = field(default_factory=dict)
    sealed: Mapping[str, str] = field(default_factory=dict)
    only: Q = field(default_factory=Q)


TEXT = {"text": "personal_text"}
ANSWER = (
    "campaign__slug item supersedes kind answers order preference strength amount_low amount_high net_utility currency"
    " amount_mode incentive acceptable tiers scores thumb context confidence rendered_at first_touch_at submitted_at"
    " active_ms media_played device_class"
)
# Models' columns of design (seeds, policies, candidates) are in none: with them a draw could be made again, and an open
# battle's models with it.
ROWS: dict[str, Rows] = {
    "accounts.User": Rows("person", "username email first_name last_name date_joined last_login"),
    "accounts.RoleGrant": Rows("user__person", "role granted_at"),
    "accounts.PersonLink": Rows("person", "purpose created_at expires_at used_at"),
    "account.EmailAddress": Rows("user__person", "email verified primary"),
    "mfa.Authenticator": Rows("user__person", "type created_at last_used_at"),
    "admin.LogEntry": Rows("user__person", "action_time action_flag content_type__model object_id"),
    "annotation.Respondent": Rows(
        "person",
        "campaign__slug kind pseudonym groups state consent__number consented_at releases_texts withdrawn_at"
        " guidelines__number qualified_under__number declined_content created_at",
    ),
    "annotation.Assignment": Rows(RESPONDENT, "item slot__campaign__slug state claimed_at ended_at"),
    "annotation.Impression": Rows(RESPONDENT, "campaign__slug item order questions_asked shown_at"),
    "annotation.ImpressionEvent": Rows("impression__respondent__person", "impression kind created_at"),
    "annotation.Draft": Rows(
        "assignment__respondent__person", "assignment version saved_at", sealed={"text": "sealed"}
    ),
    "annotation.Judgment": Rows(RESPONDENT, ANSWER),
    "annotation.Reaction": Rows(
        RESPONDENT,
        "turn__response__item turn__number turn__response__position regenerations kind is_set created_at",
    ),
    "annotation.JudgmentText": Rows("judgment__respondent__person", "judgment question", TEXT),
    "annotation.LogEntry": Rows("judgment__respondent__person", "judgment"),
    "annotation.Flag": Rows(RESPONDENT, "item reason created_at resolved_at", TEXT),
    "annotation.GuidelineQuestion": Rows(RESPONDENT, "campaign__slug item answer answered_at created_at", TEXT),
    # Before a decision is told nobody is to know that one is being made.
    "annotation.Review": Rows(
        "judgment__respondent__person", "judgment state changed_at", only=Q(state__in=[each.value for each in TOLD])
    ),
    "annotation.ReviewDecision": Rows("person", "review verdict created_at", TEXT),
    "annotation.Adjudication": Rows("judgment__respondent__person", "item judgment saw_others created_at"),
    "annotation.ItemComment": Rows("person", "item created_at", TEXT),
    "annotation.WorthSession": Rows(
        RESPONDENT,
        "campaign__slug state incentive endowment currency commitment attempts practice deviation created_at locked_at",
    ),
    "annotation.Draw": Rows(
        "session__respondent__person",
        "item judgment amount price bought endowment payout currency seed commitment token created_at",
    ),
    "annotation.Delivery": Rows("draw__session__respondent__person", "draw created_at"),
    "annotation.LedgerEntry": Rows(RESPONDENT, "campaign__slug kind amount currency reason judgment draw created_at"),
    "annotation.PayoutLine": Rows(RESPONDENT, "payout__campaign__slug payout__number amount"),
    "annotation.PaidEntry": Rows("entry__respondent__person", "entry line"),
    "annotation.StudyParticipant": Rows(
        RESPONDENT, "study__external_id session_id state created_at ended_at", {"participant_id": "participant_id"}
    ),
    "annotation.DatasetWithdrawal": Rows(RESPONDENT, "version__campaign__slug version__number judgments created_at"),
    "arena.KeptModel": Rows("person", "arena__campaign__slug language_model__name created_at"),
    # Of an answer nothing: before the vote it would tell the sides apart.
    "arena.RuleFinding": Rows(RESPONDENT, "battle rule__name action about created_at", only=~Q(about="answer")),
    "arena.BlockAppeal": Rows(RESPONDENT, "respondent__campaign__slug state answer created_at decided_at", TEXT),
    "arena.Moderation": Rows(RESPONDENT, "battle about state found asked_at", only=~Q(about="answer")),
    "arena.Share": Rows("battle__assignment__respondent__person", "battle created_at revoked_at"),
    "annotation.PromptLabel": Rows("prompt__personal_text__person", "prompt kind labels created_at"),
    "arena.PromptDraw": Rows("battle__assignment__respondent__person", "battle prompt kind category created_at"),
    # What somebody made or decided for a campaign or the site.
    "inference_workers.OperatorEvent": Rows("actor", "subject subject_id verb created_at"),
    "annotation.Event": Rows("actor", "subject subject_id verb from_state to_state reason created_at"),
    "annotation.Invitation": Rows("created_by", "campaign__slug name kind created_at expires_at revoked_at"),
    "annotation.Generation": Rows("created_by", "campaign__slug kind state created_at finished_at"),
    "annotation.Judging": Rows("created_by", "campaign__slug state items created_at finished_at"),
    "annotation.MediaFile": Rows("created_by", "campaign__slug kind name sha256 size created_at"),
    "annotation.Payout": Rows("created_by", "campaign__slug number currency total created_at"),
    "annotation.Payment": Rows("confirmed_by", "payout__campaign__slug payout__number reference paid_at"),
    "annotation.Batch": Rows("created_by", "campaign__slug number state created_at settled_at"),
    "annotation.DatasetVersion": Rows("created_by__person", "campaign__slug number state created_at finished_at"),
    "annotation.ItemUpload": Rows("created_by__person", "campaign__slug name size state items created_at finished_at"),
}
# Models that are read in other places of the file, and where.
INSIDE: dict[str, str] = {
    "accounts.Person": "person",
    "accounts.PersonalText": "with the rows whose text it is",
    "accounts.PersonalFile": "pictures",
    "arena.Battle": "battles",
    "annotation.Prompt": "battles",
    "annotation.FollowUp": "battles",
    "annotation.Item": "battles",
    "annotation.Response": "battles",
    "annotation.Turn": "battles",
    "annotation.EarlierTurn": "battles",
    "inference_workers.Completion": "battles",
    "inference_workers.CompletionFile": "files",
}
# Models from which a way leads to a person, and that say nothing of that person.
LEFT: dict[str, str] = {
    "account.EmailConfirmation": "a link that was sent, of use to nobody who reads it here",
    "annotation.Slot": "a wanted judgment of an item; who gave it stands among the assignments",
    "annotation.Study": "a campaign's way in from another service; the way leads to whoever made its invitation",
    "annotation.Verdict": "what a judging of an admin wants of an item; it is made of nobody's own words",
    "annotation.WorkTally": "how many assignments there are, kept so that nobody has to count",
    "inference_workers.Measurement": "numbers that a model made of words that stand in this file",
    "inference_workers.OutboxEntry": "whether the end of a completion was taken note of",
}
# Said in the file itself, for whoever reads it without this site at hand.
ABOUT = (
    "Everything that is stored of you. An open battle's models are not named, nor its answers given before both are"
    " whole; of a battle that did not work out the answers are not given. An answer that is an image, a"
    " sound or a film is named by the SHA-256 of its bytes, which stand in base64 under files. Sides A and B are as you"
    " saw them; item and other numbers join rows of this file. Pictures that you added stand under pictures."
)


def own_data(person: Person, *, now: datetime) -> Iterator[str]:
    """One JSON document in pieces, however much there is: in memory are a few hundred rows at a time."""
    user = person.user
    yield "{" + f'"format": {_json(FORMAT)},\n"about": {_json(ABOUT)},\n"made_at": {_json(now)},\n'
    yield f'"person": {_json({"kind": person.kind, "created_at": person.created_at, "has_account": user is not None})}'
    yield from _section("battles", own_conversations(person))
    yield from _files(person)
    yield from _section("pictures", own_pictures(person))
    for label, rows in ROWS.items():
        yield from _section(label, _rows_of(label, rows, person))
    yield "\n}\n"


def _section(name: str, rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield f",\n{_json(name)}: ["
    between = "\n"
    for row in rows:
        yield between + _json(row)
        between = ",\n"
    yield "]"


def _files(person: Person) -> Iterator[str]:
    """Each content once, a megabyte at a time."""
    yield ',\n"files": ['
    between, done = "\n", set()
    for file in released_files(person).order_by("pk"):
        path = media_path(file.stored)
        if file.sha256 in done or not path.is_file():
            continue
        done.add(file.sha256)
        row = _json({"sha256": file.sha256, "kind": file.kind, "content_type": file.content_type, "size": file.size})
        yield f'{between}{row[:-1]}, "base64": "'
        with path.open("rb") as content:
            while piece := content.read(THREES):
                yield b64encode(piece).decode()
        yield '"}'
        between = ",\n"
    yield "]"


def _rows_of(label: str, rows: Rows, person: Person) -> Iterator[dict[str, Any]]:
    model = apps.get_model(label)
    key = model._meta.pk.name
    wanted = model._default_manager.filter(rows.only, **{rows.path: person}).order_by("pk")
    columns = [key, *rows.columns.split(), *rows.texts.values(), *rows.sealed.values()]
    chunk = list(wanted.values(*columns)[:CHUNK])
    while chunk:
        yield from _opened(chunk, rows, person)
        # By the key and not by a cursor: a reader may take minutes, and each piece may be read in another thread.
        chunk = list(wanted.filter(pk__gt=chunk[-1][key]).values(*columns)[:CHUNK]) if len(chunk) == CHUNK else []


def _opened(chunk: Sequence[dict[str, Any]], rows: Rows, person: Person) -> Iterator[dict[str, Any]]:
    """With texts in place of what seals them, and short names for what another row says."""
    ids = [row[column] for row in chunk for column in rows.texts.values() if row[column] is not None]
    texts = read_personal_texts(ids)
    for row in chunk:
        found = {name.removesuffix("__slug").replace("__", "_"): value for name, value in row.items()}
        for name, column in rows.texts.items():
            del found[column]
            found[name] = None if row[column] is None else texts[row[column]]
        for name, column in rows.sealed.items():
            found[name] = unseal_of(person, found.pop(column))
        yield found


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
