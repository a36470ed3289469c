"""Training and tests: taken anew where guidelines ask for it, put off by a skip, and not in the way of who declines."""

from functools import partial

import pytest
from django.utils import timezone

from annotation.models import Assignment, Campaign, Item, Respondent
from annotation.policies.stages import Stage
from annotation.queries.work import position_of
from annotation.use_cases.agree_to_texts import read_guidelines
from annotation.use_cases.decline_content import decline_content
from annotation.use_cases.flag_item import flag_item
from annotation.use_cases.next_assignment import Given, NotNow, next_assignment
from annotation.use_cases.publish_guidelines import publish_guidelines
from annotation.use_cases.save_draft import save_draft
from annotation.use_cases.skip_assignment import skip_assignment
from annotation.use_cases.submit_work import submit_work
from tests.factories import PREFERENCE, make_campaign, make_item, make_respondent, new_key

pytestmark = pytest.mark.django_db

NOW = timezone.now
A_IS_RIGHT = [{"question": "preference", "values": ["a"]}]


def make_tested(*, tests: int = 2, training: int = 0, warnings: tuple[str, ...] = ()) -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE])
    Campaign.objects.filter(pk=campaign.pk).update(pass_mark=0.5, warned_content=["blood", "spiders"])
    publish_guidelines(campaign_id=campaign.pk, text="Judge facts.", now=NOW())
    for number in range(tests):
        words = list(warnings) if number == 0 else []
        make_item(campaign, purpose="qualification", expected=A_IS_RIGHT, slots=0, warnings=words)
    for _ in range(training):
        make_item(campaign, purpose="training", expected=A_IS_RIGHT, slots=0)
    for _ in range(4):
        make_item(campaign)
    campaign.refresh_from_db()
    return campaign


def reading(campaign: Campaign) -> Respondent:
    """Somebody new who has read the guidelines."""
    person = make_respondent(campaign)
    return read_guidelines(respondent_id=person.pk, guidelines_id=campaign.guidelines_id, now=NOW())


def take(campaign: Campaign, person: Respondent) -> Given:
    campaign.refresh_from_db()
    return next_assignment(campaign=campaign, respondent=person, now=NOW())


def answer(campaign: Campaign, person: Respondent, *, right: bool = True) -> str:
    """Answers what comes, rightly or not; returns what that finished."""
    return finish(person, take(campaign, person), right=right)


def finish(person: Respondent, given: Given, *, right: bool = True) -> str:
    order = given.impression.order
    side = "ab"[order.index(0)] if right else "ab"[order.index(1)]
    return submit_work(
        assignment_id=given.assignment.pk,
        lease_token=given.assignment.lease_token,
        key=new_key(),
        respondent=person,
        answers={"preference": {"choice": side, "strength": None}},
        now=NOW(),
    ).finished


def stage(person: Respondent) -> Stage:
    return position_of(person).stage


def test_an_item_that_was_fetched_ahead_waits_for_new_guidelines_and_is_given_anew_under_them():
    campaign = make_tested(tests=0)
    person = reading(campaign)
    on_screen = take(campaign, person)
    ahead = next_assignment(campaign=campaign, respondent=person, now=NOW(), ahead=True)
    version = publish_guidelines(campaign_id=campaign.pk, text="Judge manners.", now=NOW())
    finish(person, on_screen)
    with pytest.raises(NotNow, match="guidelines"):
        take(campaign, person)
    read_guidelines(respondent_id=person.pk, guidelines_id=version.pk, now=NOW())
    ahead.assignment.refresh_from_db()
    assert (ahead.assignment.state, ahead.assignment.slot.state) == ("expired", "open")
    assert take(campaign, person).impression.guidelines_id == version.pk


def test_what_somebody_began_stays_theirs_while_they_read_new_guidelines():
    campaign = make_tested(tests=0)
    person = reading(campaign)
    held = take(campaign, person)
    values = {"preference": "a"}
    lease = held.assignment.lease_token
    save_draft(
        assignment_id=held.assignment.pk, lease_token=lease, respondent=person, version=0, values=values, now=NOW()
    )
    version = publish_guidelines(campaign_id=campaign.pk, text="Judge manners.", now=NOW())
    read_guidelines(respondent_id=person.pk, guidelines_id=version.pk, now=NOW())
    assert take(campaign, person).assignment == held.assignment


def put_back(person: Respondent, given: Given, *, use_case=skip_assignment, reason: str = "language", **values) -> None:
    use_case(
        assignment_id=given.assignment.pk,
        lease_token=given.assignment.lease_token,
        respondent=person,
        reason=reason,
        now=NOW(),
        **values,
    )


def requalify(campaign: Campaign, person: Respondent, **values) -> None:
    version = publish_guidelines(campaign_id=campaign.pk, text="Judge manners.", now=NOW(), requalify=True, **values)
    read_guidelines(respondent_id=person.pk, guidelines_id=version.pk, now=NOW())


def test_a_change_that_asks_for_it_tests_everybody_anew_with_fresh_items():
    campaign = make_tested()
    person = reading(campaign)
    assert [answer(campaign, person) for _ in range(2)] == ["", "qualified"]
    assert stage(person) == Stage.WORK
    requalify(campaign, person)
    tests = Item.objects.filter(campaign=campaign, purpose="qualification")
    assert stage(person) == Stage.QUALIFICATION
    assert tests.filter(test_of=campaign.guidelines_versions.get(number=2)).count() == 2
    assert [answer(campaign, person) for _ in range(2)] == ["", "qualified"]
    assert stage(person) == Stage.WORK
    assert Respondent.objects.get(pk=person.pk).qualified_under.number == 2


def test_a_change_that_does_not_ask_leaves_who_passed_at_work():
    campaign = make_tested()
    person = reading(campaign)
    for _ in range(2):
        answer(campaign, person)
    version = publish_guidelines(campaign_id=campaign.pk, text="Judge manners.", now=NOW())
    assert stage(person) == Stage.GUIDELINES
    read_guidelines(respondent_id=person.pk, guidelines_id=version.pk, now=NOW())
    assert stage(person) == Stage.WORK


def test_a_version_with_answers_alone_stops_nobody_and_a_change_after_it_does():
    campaign = make_tested(tests=0)
    person = reading(campaign)
    publish_guidelines(campaign_id=campaign.pk, text="Judge facts. Yes.", now=NOW(), answers_only=True)
    assert stage(person) == Stage.WORK
    publish_guidelines(campaign_id=campaign.pk, text="Judge manners. Yes.", now=NOW())
    publish_guidelines(campaign_id=campaign.pk, text="Judge manners. Yes. No.", now=NOW(), answers_only=True)
    assert stage(person) == Stage.GUIDELINES


def test_who_fails_the_second_test_is_screened_out_as_by_the_first():
    campaign = make_tested()
    person = reading(campaign)
    for _ in range(2):
        answer(campaign, person)
    requalify(campaign, person)
    assert [answer(campaign, person, right=False) for _ in range(2)] == ["", "screened_out"]
    assert stage(person) == Stage.SCREENED_OUT


def test_what_is_left_of_the_first_test_is_no_longer_asked():
    campaign = make_tested()
    person = reading(campaign)
    answer(campaign, person, right=False)
    requalify(campaign, person)
    assert [answer(campaign, person) for _ in range(2)] == ["", "qualified"]


def test_training_is_taken_again_only_where_it_was_asked_for():
    campaign = make_tested(training=1)
    person = reading(campaign)
    for _ in range(3):
        answer(campaign, person)
    requalify(campaign, person)
    assert stage(person) == Stage.QUALIFICATION
    newcomer = reading(campaign_now(campaign))
    assert stage(newcomer) == Stage.TRAINING
    requalify(campaign, person, retrain=True)
    assert stage(person) == Stage.TRAINING
    read_guidelines(respondent_id=newcomer.pk, guidelines_id=campaign_now(campaign).guidelines_id, now=NOW())
    assert position_of(newcomer).stage == Stage.TRAINING
    assert answer(campaign, newcomer) == ""
    assert stage(newcomer) == Stage.QUALIFICATION


def campaign_now(campaign: Campaign) -> Campaign:
    return Campaign.objects.get(pk=campaign.pk)


def test_a_skipped_test_item_comes_back_last_and_nobody_passes_by_skipping():
    campaign = make_tested()
    person = reading(campaign)
    first = take(campaign, person)
    put_back(person, first)
    second = take(campaign, person)
    assert second.assignment.item_id != first.assignment.item_id
    put_back(person, second)
    put_back(person, take(campaign, person))
    assert stage(person) == Stage.QUALIFICATION
    assert [answer(campaign, person) for _ in range(2)] == ["", "qualified"]


def test_a_flag_on_the_last_test_item_settles_the_test_by_the_others():
    campaign = make_tested()
    person = reading(campaign)
    answer(campaign, person, right=False)
    put_back(person, take(campaign, person), use_case=partial(flag_item, words=""), reason="broken")
    assert stage(person) == Stage.SCREENED_OUT


@pytest.mark.parametrize(("right", "ends"), [(True, Stage.WORK), (False, Stage.SCREENED_OUT)])
def test_who_declines_what_is_left_of_the_test_is_judged_by_the_rest(right, ends):
    campaign = make_tested(warnings=("blood",))
    person = reading(campaign)
    held = take(campaign, person)
    assert held.assignment.item.warnings == ["blood"]
    put_back(person, held)
    assert answer(campaign, person, right=right) == ""
    decline_content(respondent_id=person.pk, declined=["blood"], now=NOW())
    assert stage(person) == ends
    assert (Respondent.objects.get(pk=person.pk).qualified_under is not None) == right


def test_who_declines_all_of_the_test_is_not_stuck():
    campaign = make_tested(tests=1, warnings=("blood",))
    person = reading(campaign)
    held = take(campaign, person)
    decline_content(respondent_id=person.pk, declined=["blood"], now=NOW())
    assert Assignment.objects.get(pk=held.assignment.pk).state == "expired"
    assert stage(person) == Stage.WORK
    assert take(campaign, person).assignment.item.purpose == "work"
