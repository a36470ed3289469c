"""The admins' page of people: who is there, by which link they came, and how many a link lets in."""

import csv
import re
import time
from datetime import timedelta
from functools import partial
from io import StringIO

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from accounts.use_cases.create_person import person_of_user
from annotation.enums import RespondentState
from annotation.models import Event, Invitation, Respondent
from annotation.policies.groups import BadGroups, group_names
from annotation.use_cases import join_campaign as module
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.flag_item import flag_item
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.join_campaign import InvitationNotValid, join_by_invitation
from annotation.use_cases.publish_consent import publish_consent
from annotation.use_cases.skip_assignment import skip_assignment
from tests.annotation.people.working import given, joined, judged
from tests.factories import PREFERENCE, make_campaign, make_item, make_respondent, make_user, new_key
from tests.foundation.threads import run_together

pytestmark = pytest.mark.django_db

LIST = reverse("campaign-people", args=["trial"])
LINK = re.compile(r'value="(https?://[^"]*/join/[^"]+)"')
PLENTY, LIMIT = 8, 3


@pytest.fixture
def campaign():
    return make_campaign(slug="trial", questions=[PREFERENCE])


@pytest.fixture
def admin():
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    return client


def sent(**values):
    return {"name": "Nurses", "kind": "annotator", "groups": "nurses, night", "key": new_key(), **values}


def skip(campaign, respondent):
    held = given(campaign, respondent)
    token, reason = held.lease_token, "not my field"
    skip_assignment(assignment_id=held.pk, lease_token=token, respondent=respondent, reason=reason, now=timezone.now())


def test_a_link_is_shown_once_and_lets_people_in(campaign, admin):
    form = sent(most_uses="2")
    answer = admin.post(LIST, form)
    link = LINK.search(answer.content.decode())[1]
    token = link.rsplit("/", 1)[1]
    assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (200, True)
    guest = Client()
    guest.force_login(make_user())
    assert guest.post(f"/join/{token}").status_code == 302
    respondent = Respondent.objects.get()
    assert (respondent.groups, respondent.kind, respondent.invitation.name) == (
        ["night", "nurses"],
        "annotator",
        "Nurses",
    )
    shown = admin.get(LIST).content.decode()
    assert ("1 of 2" in shown, LINK.search(shown), token in shown) == (True, None, False)


def test_the_same_form_again_makes_no_second_link_and_tells_none(campaign, admin):
    form = sent()
    admin.post(LIST, form)
    again = admin.post(LIST, form, follow=True)
    assert again.redirect_chain == [(LIST, 302)]
    page = again.content.decode()
    assert ("was made before" in page, LINK.search(page)) == (True, None)
    other = admin.post(LIST, form | {"name": "Doctors"})
    assert (other.status_code, "sent a moment ago" in other.content.decode()) == (422, True)
    renewed = re.search(r'name="key" value="([^"]+)"', other.content.decode())[1]
    assert admin.post(LIST, form | {"name": "Doctors", "key": renewed}).status_code == 200
    assert sorted(Invitation.objects.values_list("name", flat=True)) == ["Doctors", "Nurses"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"kind": "simulated"}, "kind"),
        ({"most_uses": "0"}, "most_uses"),
        ({"most_uses": "many"}, "most_uses"),
        ({"groups": "x" * 81}, "groups"),
        ({"expires_at": "2020-01-01T00:00"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"key": ""}, "key"),
    ],
)
def test_a_wrong_invitation_is_422_and_names_the_field(campaign, admin, wrong, field):
    answer = admin.post(LIST, sent(**wrong))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Invitation.objects.exists()


def test_nobody_is_invited_to_what_is_closed_or_a_template(campaign, admin):
    closed = campaign
    change_campaign_state(campaign_id=closed.pk, to="closed", actor=None, reason="over", now=timezone.now())
    template = make_campaign(slug="pattern", running=False)
    type(template).objects.filter(pk=template.pk).update(is_template=True)
    for slug in ("trial", "pattern"):
        address = reverse("campaign-people", args=[slug])
        assert "Make a link" not in admin.get(address).content.decode()
        assert admin.post(address, sent()).status_code == 422
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("state", RespondentState)
def test_the_list_and_the_page_of_a_person_show_every_state(campaign, admin, state):
    respondent = joined(campaign)
    Respondent.objects.filter(pk=respondent.pk).update(state=state)
    for address in (LIST, f"{LIST}?state={state}", reverse("campaign-person", args=["trial", respondent.pk])):
        answer = admin.get(address)
        assert (answer.status_code, str(state.label) in answer.content.decode()) == (200, True), address


def test_a_revoked_link_lets_nobody_in_and_says_so(campaign, admin):
    admin.post(LIST, sent())
    invitation = Invitation.objects.get()
    address = reverse("campaign-invitation-revoke", args=["trial", invitation.pk])
    assert [admin.post(address)["Location"] for _twice in range(2)] == [LIST, LIST]
    shown = admin.get(LIST).content.decode()
    assert ("Revoked" in shown, f'action="{address}"' in shown) == (True, False)
    assert Event.objects.filter(subject="annotation.invitation", verb="revoked").count() == 1
    elsewhere = make_campaign()
    assert admin.post(reverse("campaign-invitation-revoke", args=[elsewhere.slug, invitation.pk])).status_code == 404


def test_the_list_says_what_became_of_each_link(campaign, admin):
    now = timezone.now()
    for name, values in (
        ("endless", {}),
        ("over", {"expires_at": now + timedelta(days=1)}),
        ("full", {"most_uses": 1}),
    ):
        invite_people(campaign_id=campaign.pk, name=name, actor=None, now=now, **values)
    Invitation.objects.filter(name="over").update(expires_at=now)
    Invitation.objects.filter(name="full").update(uses=1)
    rows = admin.get(LIST).context["invitations"]
    assert {row.invitation.name: row.state for row in rows} == {"endless": "open", "over": "run_out", "full": "used_up"}


def race(campaign, monkeypatch):
    """Eight people at once on a link for three; each takes a moment between looking and joining."""
    _invitation, token = invite_people(
        campaign_id=campaign.pk, name="Few", actor=None, now=timezone.now(), most_uses=LIMIT
    )
    people = [person_of_user(user=make_user(), now=timezone.now()) for _ in range(PLENTY)]
    enrol = module.enrol_respondent

    def slow_enrol(**values):
        time.sleep(0.2)
        return enrol(**values)

    monkeypatch.setattr(module, "enrol_respondent", slow_enrol)
    return run_together(
        *[partial(join_by_invitation, token=token, person=person, now=timezone.now()) for person in people]
    )


@pytest.mark.django_db(transaction=True)
def test_a_link_for_three_takes_three_however_many_come_at_once(campaign, monkeypatch):
    outcomes = race(campaign, monkeypatch)
    assert sum(isinstance(each, Respondent) for each in outcomes) == LIMIT, outcomes
    assert sum(isinstance(each, InvitationNotValid) for each in outcomes) == PLENTY - LIMIT, outcomes
    assert (Respondent.objects.count(), Invitation.objects.get().uses) == (LIMIT, LIMIT)


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_and_the_constraint_more_get_in(campaign, monkeypatch):
    monkeypatch.setattr(QuerySet, "select_for_update", lambda found, **options: found)
    name, check = "invitation_not_used_more_often", "most_uses IS NULL OR uses <= most_uses"
    run_as_owner(f"ALTER TABLE annotation_invitation DROP CONSTRAINT {name}")
    try:
        race(campaign, monkeypatch)
        came = Respondent.objects.count()
    finally:
        Invitation.objects.update(most_uses=None)
        run_as_owner(f"ALTER TABLE annotation_invitation ADD CONSTRAINT {name} CHECK ({check})")
    assert came > LIMIT


def run_as_owner(statement):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(statement)


def test_the_list_shows_each_person_with_their_figures(campaign, admin):
    for _ in range(4):
        make_item(campaign)
    consent = publish_consent(campaign_id=campaign.pk, text="You may stop.", now=timezone.now())
    quick = joined(campaign, username="quick", groups=["nurses"])
    joined(campaign, username="idle")
    make_respondent(campaign, kind="visitor")
    Respondent.objects.filter(pk=quick.pk).update(consent=consent, consented_at=timezone.now())
    for seconds in (4, 10, 7):
        judged(campaign, quick, seconds=seconds)
    skip(campaign, quick)
    page = admin.get(LIST)
    listed = {row.username: row for row in page.context["listed"]}
    assert set(listed) == {"quick", "idle"}
    row = listed["quick"]
    assert (row.judgments, row.skips, row.median_seconds, row.taken_out) == (3, 1, 7.0, 0)
    assert row.seen_at > quick.created_at
    assert (listed["idle"].judgments, listed["idle"].median_seconds) == (0, None)
    assert quick.pseudonym in page.content.decode()


def test_the_list_is_filtered_by_group_and_state(campaign, admin):
    joined(campaign, username="nurse", groups=["nurses"])
    blocked = joined(campaign, username="doctor", groups=["doctors"])
    Respondent.objects.filter(pk=blocked.pk).update(state="blocked")

    def names(**asked):
        return {row.username for row in admin.get(LIST, asked).context["listed"]}

    assert names(group="nurses") == {"nurse"}
    assert names(state="blocked") == {"doctor"}
    assert names(group="nurses", state="blocked") == set()
    assert names(group="no such group", state="odd") == {"nurse", "doctor"}


def test_the_list_takes_as_many_queries_for_ten_as_for_one(campaign, admin):
    def queries(address):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert admin.get(address).status_code == 200
        return len(captured)

    make_item(campaign, slots=20)
    judged(campaign, joined(campaign, groups=["nurses"]))
    queries(LIST)  # what is cached for good is cached now
    one = [queries(LIST), queries(f"{LIST}?format=csv")]
    for number in range(9):
        judged(campaign, joined(campaign, groups=[f"group {number}"]))
    assert [queries(LIST), queries(f"{LIST}?format=csv")] == one


def test_the_table_downloads_with_formulas_defused(campaign, admin):
    make_item(campaign)
    judged(campaign, joined(campaign, username="+ada", groups=["=SUM(A1:A9)", "b"]), seconds=2.5)
    answer = admin.get(LIST, {"format": "csv", "group": "b"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="trial-people.csv"'
    (row,) = csv.DictReader(StringIO(answer.content.decode()))
    told = {name: row[name] for name in ("username", "groups", "judgments", "median_seconds", "came_by", "state")}
    assert told == {
        "username": "'+ada",
        "groups": "'=SUM(A1:A9), b",
        "judgments": "1",
        "median_seconds": "2.5",
        "came_by": "Everybody",
        "state": "active",
    }


def test_a_person_is_shown_with_days_skips_flags_and_history(campaign, admin):
    for _ in range(3):
        make_item(campaign)
    respondent = joined(campaign, username="ada")
    judged(campaign, respondent, seconds=6)
    skip(campaign, respondent)
    held = given(campaign, respondent)
    flag_item(
        assignment_id=held.pk,
        lease_token=held.lease_token,
        respondent=respondent,
        reason="personal",
        words="A phone number <b>stands</b> in it.",
        now=timezone.now(),
    )
    answer = admin.get(reverse("campaign-person", args=["trial", respondent.pk]))
    page = answer.content.decode()
    assert [(day.judgments, day.median_seconds) for day in answer.context["days"]] == [(1, 6.0)]
    assert [(skip.reason, skip.is_flag) for skip in answer.context["skips"]] == [
        ("It holds somebody's personal data", True),
        ("not my field", False),
    ]
    assert "A phone number &lt;b&gt;stands&lt;/b&gt; in it." in page
    assert "Joined by an invitation" in page
    assert "1 judgment is taken out." in page
    elsewhere = make_campaign()
    assert admin.get(reverse("campaign-person", args=[elsewhere.slug, respondent.pk])).status_code == 404
    visitor = make_respondent(campaign, kind="visitor")
    assert admin.get(reverse("campaign-person", args=["trial", visitor.pk])).status_code == 404


def test_groups_are_changed_with_an_event_and_once(campaign, admin):
    respondent = joined(campaign, groups=["nurses"])
    address = reverse("campaign-person-groups", args=["trial", respondent.pk])
    for _twice in range(2):
        assert admin.post(address, {"groups": " night ,doctors, night,"}).status_code == 302
    respondent.refresh_from_db()
    assert respondent.groups == ["doctors", "night"]
    event = Event.objects.get(subject="annotation.respondent", verb="groups_changed")
    assert event.data == {"before": ["nurses"], "after": ["doctors", "night"]}
    assert "nurses → doctors, night" in admin.get(address.removesuffix("/groups")).content.decode()
    refused = admin.post(address, {"groups": ",".join(str(number) for number in range(21))})
    assert (refused.status_code, list(refused.context["groups_form"].errors)) == (422, ["groups"])
    assert admin.post(address, {"groups": ""}).status_code == 302
    respondent.refresh_from_db()
    assert respondent.groups == []


def test_group_names_are_single_words_between_commas():
    assert group_names([" b  c ", "a", "a", "", "\x00"]) == ["a", "b c"]
    assert group_names(["Nurses", "nurses", "NURSES"]) == ["nurses"]
    for wrong in (["a,b"], ["x" * 81], [str(number) for number in range(21)]):
        with pytest.raises(BadGroups):
            group_names(wrong)
