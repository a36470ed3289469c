"""Where somebody stands in a campaign: what they see next, from facts alone."""

from dataclasses import dataclass
from enum import StrEnum

from annotation.enums import CampaignState, RespondentState


class Stage(StrEnum):
    """What a person does next in a campaign, in the order in which they get there."""

    CONSENT = "consent"
    GUIDELINES = "guidelines"
    TRAINING = "training"
    QUALIFICATION = "qualification"
    WORK = "work"
    # From here on there is nothing to do.
    NOT_STARTED = "not_started"
    PAUSED = "paused"
    CLOSED = "closed"
    SCREENED_OUT = "screened_out"
    BLOCKED = "blocked"
    WITHDRAWN = "withdrawn"


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


@dataclass(frozen=True)
class Standing:
    """What is known of one respondent and their campaign. Ids are those of the newest texts and of those agreed to."""

    campaign_state: str
    respondent_state: str
    deadline_passed: bool
    consent: int | None
    consented: int | None
    guidelines: int | None
    read: int | None
    qualified_under: int | None
    training_left: int
    tests_left: int


def stage_of(standing: Standing) -> Stage:
    """The next step. New guidelines are read anew, and what is left of the test is taken anew; who passed all of it
    before has nothing left to be tested with."""
    if standing.respondent_state in BY_RESPONDENT:
        return BY_RESPONDENT[RespondentState(standing.respondent_state)]
    if standing.campaign_state in BY_CAMPAIGN:
        return BY_CAMPAIGN[CampaignState(standing.campaign_state)]
    if standing.deadline_passed:
        return Stage.CLOSED
    if standing.consent is not None and standing.consented != standing.consent:
        return Stage.CONSENT
    if standing.guidelines is not None and standing.read != standing.guidelines:
        return Stage.GUIDELINES
    if standing.training_left:
        return Stage.TRAINING
    if standing.tests_left and (standing.qualified_under is None or standing.qualified_under != standing.guidelines):
        return Stage.QUALIFICATION
    return Stage.WORK


def share_right(outcomes: list[bool]) -> float:
    """Of the test items answered; 0 before the first."""
    return sum(outcomes) / len(outcomes) if outcomes else 0.0
