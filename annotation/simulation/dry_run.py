"""A dry run: simulated people work through a campaign's shadow, and what it would cost and tell is computed."""

from collections.abc import Callable
from datetime import datetime

import numpy as np

from annotation.enums import RespondentState
from annotation.models import Campaign, Contestant, Judgment, Respondent, Source
from annotation.questions import simulate_answers
from annotation.simulation.people import Truth, situation_of
from annotation.simulation.report import report_of
from annotation.use_cases.next_assignment import NoWork, next_assignment
from annotation.use_cases.note_dry_run import end_dry_run, note_dry_run, take_dry_run
from annotation.use_cases.refresh_selection import refresh_selection
from annotation.use_cases.sequence_log import sequence_log
from annotation.use_cases.submit_work import submit_work


def dry_run(*, source_id: int, clock: Callable[[], datetime]) -> Source:
    """Work through the shadow that `source_id` belongs to and keep the report with it. Cut off, it goes on later."""
    if take_dry_run(source_id=source_id, now=clock()) is None:
        return Source.objects.get(pk=source_id)
    source = Source.objects.select_related("campaign__shadow_of", "campaign__instrument").get(pk=source_id)
    shadow = source.campaign
    contestants = Contestant.objects.filter(responses__item__campaign=shadow).distinct()
    truth = Truth.drawn([*contestants.values_list("pk", flat=True)], source.details["seed"])
    rng = np.random.Generator(np.random.PCG64([source.details["seed"], 1]))
    people = list(Respondent.objects.filter(source=source).order_by("pk"))
    while people:
        sequence_log(now=clock())
        refresh_selection(campaign=shadow, now=clock())
        people = [person for person in people if _answer_one(shadow, person, truth, rng, clock())]
        note_dry_run(source_id=source.pk, now=clock(), state="running", judgments=_count(source))
    sequence_log(now=clock())
    return end_dry_run(source_id=source.pk, report=report_of(shadow, source, truth), now=clock())


def _answer_one(shadow: Campaign, person: Respondent, truth: Truth, rng: np.random.Generator, now: datetime) -> bool:
    """Whether there was anything for this person."""
    person.refresh_from_db(fields=["state"])
    if person.state != RespondentState.ACTIVE:
        return False
    try:
        given = next_assignment(campaign=shadow, respondent=person, now=now)
    except NoWork:
        return False
    assignment, shown = given.assignment, given.impression
    asked, situation = situation_of(person, shown, shadow.currency)
    contestants = list(assignment.item.responses.order_by("position").values_list("contestant", flat=True))
    utilities = truth.utilities(assignment, shown, contestants, rng)
    submit_work(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        key=f"dry-run-{assignment.pk}",
        respondent=person,
        answers=simulate_answers(asked, rng=rng, utilities=utilities, situation=situation),
        now=now,
    )
    return True


def _count(source: Source) -> int:
    return Judgment.objects.filter(source=source).count()
