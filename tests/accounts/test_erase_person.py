"""A deleted person is unreadable, and what they judged counts as before."""

import json
from io import StringIO
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.enums import Role
from accounts.models import Person, PersonalText, User
from accounts.texts import read_personal_text, write_personal_text
from accounts.use_cases.create_person import person_of_user, person_of_visitor
from accounts.use_cases.erase_person import erase_person
from annotation.enums import RespondentKind
from annotation.models import Campaign, Judgment, JudgmentText
from annotation.use_cases.create_board import create_board
from annotation.use_cases.create_prompt import create_prompt
from annotation.use_cases.enrol_respondent import enrol_respondent
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.submit_judgment import submit_judgment
from annotation.use_cases.verify_log import verify_log
from tests.annotation.numbering import number_log
from tests.factories import (
    PREFERENCE,
    RATIONALE,
    claim_and_show,
    make_campaign,
    make_contestant,
    make_item,
    make_person,
    make_user,
    new_key,
)

# Words that only the person to be erased wrote or was called.
CANARIES = ("ottokarina", "ottokarina@example.org", "Pumpernickel", "Zwieback", "Knäckebrot")


def erase(person: Person) -> Person:
    return erase_person(person_id=person.pk, now=timezone.now())


def make_author() -> tuple[User, Person]:
    user = make_user(
        username="ottokarina",
        email="ottokarina@example.org",
        first_name="Pumpernickel",
        last_name="Zwieback",
        role=Role.ANNOTATOR,
    )
    return user, person_of_user(user=user, now=timezone.now())


def judge(campaign: Campaign, person: Person, *, choice: str, why: str) -> Judgment:
    """The next item that the person has not met, judged with a reason in words."""
    respondent = enrol_respondent(campaign=campaign, person=person, kind=RespondentKind.ANNOTATOR, now=timezone.now())
    assignment, _ = claim_and_show(campaign, respondent)
    return submit_judgment(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        key=new_key(),
        respondent=respondent,
        answers={"preference": {"choice": choice, "strength": 2 if choice in "ab" else None}, "why": why},
        now=timezone.now(),
    )


@pytest.fixture
def judged(db) -> tuple[Campaign, Person]:
    """A campaign in which the person and two others have judged, numbered in the log, with its board."""
    campaign = make_campaign(questions=[PREFERENCE, RATIONALE])
    contestants = [make_contestant(campaign) for _ in range(3)]
    for one, other in [(0, 1), (1, 2), (2, 0), (0, 1)]:
        make_item(campaign, contestants=[contestants[one], contestants[other]], slots=3)
    _user, person = make_author()
    for who, why in [(person, "Knäckebrot, plainly."), (make_person(), "Shorter."), (make_person(), "Kinder.")]:
        for choice in ("a", "b", "tie", "a"):
            judge(campaign, who, choice=choice, why=why)
    number_log()
    board = create_board(slug="crispbread", name="Crispbread", campaign=campaign, now=timezone.now())
    assert refresh_board(board_id=board.pk, now=timezone.now()) is not None
    return campaign, person


def rows_of(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t ORDER BY 1')
        return [row for (row,) in cursor.fetchall()]


def all_rows() -> dict[str, list[str]]:
    return {table: rows_of(table) for table in connection.introspection.table_names()}


def places_of(words: tuple[str, ...]) -> set[str]:
    """Tables whose rows hold one of the words, in whatever column; bytes are looked into too."""
    hidden = {word: word.encode().hex() for word in words}
    return {
        table
        for table, rows in all_rows().items()
        for row in rows
        if any(word in json.dumps(json.loads(row), ensure_ascii=False) or code in row for word, code in hidden.items())
    }


def test_what_the_erased_wrote_cannot_be_read_and_what_others_wrote_can(judged):
    _campaign, person = judged
    texts = JudgmentText.objects.order_by("pk").values_list("personal_text", "judgment__respondent__person")
    readable = [read_personal_text(text) for text, _ in texts]
    assert readable == ["Knäckebrot, plainly."] * 4 + ["Shorter."] * 4 + ["Kinder."] * 4
    erase(person)
    assert [read_personal_text(text) for text, _ in texts] == [None] * 4 + ["Shorter."] * 4 + ["Kinder."] * 4
    assert PersonalText.objects.count() == 12


def test_only_the_person_the_account_and_its_marks_change_when_one_is_erased(judged):
    """Pseudonymous judgments, the log's numbers and digests, and every other row stay byte for byte the same."""
    _campaign, person = judged
    before = all_rows()
    assert len(before["annotation_judgment"]) == len(before["annotation_logentry"]) == 12
    erase(person)
    after = all_rows()
    changed = {table for table in before if before[table] != after[table]}
    assert changed == {"accounts_person", "accounts_user", "accounts_rolegrant"}
    assert len(set(before["accounts_person"]) - set(after["accounts_person"])) == 1
    assert len(set(before["accounts_user"]) - set(after["accounts_user"])) == 1


def test_the_board_computed_again_is_the_same_byte_for_byte_and_the_log_verifies(judged):
    campaign, person = judged
    board = campaign.boards.get()
    before = verify_log(now=timezone.now())
    assert (before.ok, before.entries) == (True, 12)
    erase(person)
    assert verify_log(now=timezone.now()) == before
    assert refresh_board(board_id=board.pk, now=timezone.now()) is None
    assert board.snapshots.count() == 1


def test_no_table_names_the_erased(judged):
    """Everything the site could have written down about a person beside what they judged."""
    campaign, person = judged
    user = person.user
    create_prompt(messages=[{"role": "user", "content": "Why is Knäckebrot flat?"}], person=person)
    leave_traces(user)
    assert places_of(CANARIES) >= {"accounts_user", "account_emailaddress", "django_admin_log", "axes_accessattempt"}
    erase(person)
    assert places_of(CANARIES) == set()
    assert Campaign.objects.filter(pk=campaign.pk).exists()


def leave_traces(user: User) -> None:
    """Sign in, fail to, and be edited by an admin."""
    from axes.models import AccessAttempt

    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "Knäckebrot"})
    for name in (user.username, user.email):
        AccessAttempt.objects.create(
            username=name, ip_address="203.0.113.7", user_agent="x", failures_since_start=1, post_data=f"login={name}"
        )
    browser = Client()
    browser.force_login(make_user(is_staff=True, is_superuser=True))
    data = {"username": user.username, "email": user.email, "is_active": "on", "first_name": user.first_name}
    data |= {"last_name": user.last_name, "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    data |= {"role_grants-TOTAL_FORMS": 2, "role_grants-INITIAL_FORMS": 1}
    data |= {"role_grants-0-id": user.role_grants.get().pk, "role_grants-0-user": user.pk}
    data |= {"role_grants-1-user": user.pk, "role_grants-1-role": Role.REVIEWER}
    assert browser.post(f"/admin/accounts/user/{user.pk}/change/", data).status_code == 302


def test_the_account_is_closed(judged):
    _campaign, person = judged
    user = person.user
    browser = Client()
    browser.force_login(user)
    assert "Signed in as" in browser.get("/about").content.decode()
    erase(person)
    assert "Signed in as" not in browser.get("/about").content.decode()
    for login in ("ottokarina", "ottokarina@example.org", f"erased-{user.pk}@invalid"):
        assert authenticate(RequestFactory().post("/"), username=login, password="pass-word-42") is None
    closed = User.objects.get(pk=user.pk)
    assert (closed.username, closed.email) == (f"erased-{user.pk}@invalid",) * 2
    assert (closed.is_active, closed.has_usable_password(), closed.role_names) == (False, False, set())


def test_a_visitor_with_the_same_cookie_is_somebody_new_afterwards(db):
    token = "a-visitors-cookie-token"
    person = person_of_visitor(token=token, now=timezone.now())
    write_personal_text(person=person, text="Knäckebrot?")
    erase(person)
    anew = person_of_visitor(token=token, now=timezone.now())
    assert anew != person
    assert anew.texts.count() == 0


def test_erasing_twice_is_the_same_as_once(judged):
    _campaign, person = judged
    first = erase(person)
    rows = all_rows()
    assert erase(person).erased_at == first.erased_at
    assert all_rows() == rows


def test_an_unknown_person_is_an_error(db):
    with pytest.raises(Person.DoesNotExist):
        erase_person(person_id=UUID(int=0), now=timezone.now())


def test_the_database_refuses_an_erasure_that_keeps_the_key(db):
    person = make_person()
    with pytest.raises(IntegrityError, match="erased_person_has_no_key_or_link"), transaction.atomic():
        Person.objects.filter(pk=person.pk).update(erased_at=timezone.now())


def test_control_an_erasure_that_kept_the_key_would_leave_everything_readable(judged):
    """What makes texts unreadable is that the key is gone: put it back, and they are there again."""
    _campaign, person = judged
    text = JudgmentText.objects.filter(judgment__respondent__person=person).first().personal_text_id
    key = Person.objects.get(pk=person.pk).wrapped_key
    erase(person)
    assert read_personal_text(text) is None
    Person.objects.filter(pk=person.pk).update(wrapped_key=key, erased_at=None)
    assert read_personal_text(text) == "Knäckebrot, plainly."


def test_the_command_erases_an_account_only_when_it_is_told_twice():
    user, person = make_author()
    write_personal_text(person=person, text="Knäckebrot")
    with pytest.raises(CommandError, match="1 texts of this person would become unreadable for ever: say --yes"):
        call_command("erase_person", user.username)
    person.refresh_from_db()
    assert person.erased_at is None
    said = StringIO()
    call_command("erase_person", user.username, "--yes", stdout=said)
    person.refresh_from_db()
    assert (person.erased_at is not None, person.wrapped_key) == (True, None)
    assert said.getvalue() == "Erased: 1 texts of this person can no longer be read, by anybody.\n"


def test_the_command_finds_a_visitor_by_their_cookie():
    person = person_of_visitor(token="cookie-in-their-browser", now=timezone.now())
    call_command("erase_person", "--visitor", "cookie-in-their-browser", "--yes", stdout=StringIO())
    person.refresh_from_db()
    assert person.erased_at is not None
    with pytest.raises(CommandError, match="no visitor has this cookie"):
        call_command("erase_person", "--visitor", "cookie-in-their-browser", "--yes")
    with pytest.raises(CommandError, match="there is no account 'nobody'"):
        call_command("erase_person", "nobody", "--yes")
