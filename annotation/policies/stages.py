"""Where somebody stands in a campaign: what they see next, from facts alone."""

from dataclasses import dataclass
from enum import StrEnum

from annotation.enums import CampaignState, RespondentState, WorthState


class Stage(StrEnum):
    """What a person does next in a campaign, in the order in which they get there."""

    CONSENT = "consent"
    GUIDELINES = "guidelines"
    CHECK = "check"
    PRACTICE = "practice"
    TRAINING = "training"
    QUALIFICATION = "qualification"
    WORK = "work"
    # The answers of a paid session are locked; its draw waits, or was held.
    LOCKED = "locked"
    DRAWN = "drawn"
    # From here on there is nothing to do.
    NOT_STARTED = "not_started"
    PAUSED = "paused"
    CLOSED = "closed"
    SCREENED_OUT = "screened_out"
    BLOCKED = "blocked"
    WITHDRAWN = "withdrawn"


# Texts that come before anything else is shown.
READS = frozenset({Stage.CONSENT, Stage.GUIDELINES})
TAKES_WORK = frozenset({Stage.TRAINING, Stage.QUALIFICATION, Stage.WORK})
BY_RESPONDENT = {
    RespondentState.SCREENED_OUT: Stage.SCREENED_OUT,
    RespondentState.BLOCKED: Stage.BLOCKED,
    RespondentState.WITHDRAWN: Stage.WITHDRAWN,
}
BY_CAMPAIGN = {
    CampaignState.DRAFT: Stage.NOT_STARTED,
    CampaignState.PAUSED: Stage.PAUSED,
    CampaignState.CLOSED: Stage.CLOSED,
}
# Where a session was locked nothing else comes, whatever became of the campaign.
BY_SESSION = {WorthState.LOCKED: Stage.LOCKED, WorthState.DRAWN: Stage.DRAWN}


@dataclass(frozen=True)
class Standing:
    """What is known of one respondent and their campaign. Ids are those of the newest texts and of those agreed to.

    `incentive` is that of the amounts that this person is asked for, None where there are none; `session` is the state
    of their session, None before it began.
    """

    campaign_state: str
    respondent_state: str
    deadline_passed: bool
    consent: int | None
    consented: int | None
    guidelines: int | None
    read: int | None
    qualified_under: int | None
    test_of: int | None
    training_left: int
    tests_left: int
    incentive: str | None = None
    session: str | None = None


def stage_of(standing: Standing) -> Stage:
    """The next step. New guidelines are read anew. Where they ask for it the test is taken anew, by whoever passed it
    before them too; else a test that was passed stays passed. Items of declined content are never left.
    """
    if standing.respondent_state in BY_RESPONDENT:
        return BY_RESPONDENT[RespondentState(standing.respondent_state)]
    if standing.session in BY_SESSION:
        return BY_SESSION[WorthState(standing.session)]
    if standing.campaign_state in BY_CAMPAIGN:
        return BY_CAMPAIGN[CampaignState(standing.campaign_state)]
    if standing.deadline_passed:
        return Stage.CLOSED
    if standing.consent is not None and standing.consented != standing.consent:
        return Stage.CONSENT
    if standing.guidelines is not None and (standing.read or 0) < standing.guidelines:
        return Stage.GUIDELINES
    if standing.incentive is not None and standing.session in (None, WorthState.CHECK):
        return Stage.CHECK
    if standing.session == WorthState.PRACTICE:
        return Stage.PRACTICE
    if standing.training_left:
        return Stage.TRAINING
    if standing.tests_left and not is_qualified(standing.qualified_under, standing.test_of):
        return Stage.QUALIFICATION
    return Stage.WORK


def takes_answers(standing: Standing) -> bool:
    """Whether what somebody holds may be answered. Past the deadline it may: only nothing new comes."""
    ended = standing.respondent_state in BY_RESPONDENT or standing.session in BY_SESSION
    return not ended and standing.campaign_state not in BY_CAMPAIGN


def is_qualified(qualified_under: int | None, test_of: int | None) -> bool:
    """Whether the test was passed, and under guidelines as new as those that asked for it last. Ids ascend."""
    return qualified_under is not None and qualified_under >= (test_of or 0)


def share_right(outcomes: list[bool]) -> float:
    """Of the test items answered; 0 before the first."""
    return sum(outcomes) / len(outcomes) if outcomes else 0.0
