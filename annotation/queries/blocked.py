"""Who may not go on in a campaign, and what was said when they were stopped."""

from annotation.enums import RespondentState
from annotation.models import Campaign, Event, Respondent

MOST = 1_000


def blocked_people(campaign: Campaign) -> dict[int, str]:
    """The reason of the last block by respondent, the newest people first; in two queries."""
    blocked = Respondent.objects.filter(campaign=campaign, state=RespondentState.BLOCKED).order_by("-pk")
    people = list(blocked.values_list("pk", flat=True)[:MOST])
    events = Event.objects.filter(
        subject=Respondent._meta.label_lower, subject_id__in=[str(pk) for pk in people], verb="blocked"
    )
    reasons = dict(events.order_by("pk").values_list("subject_id", "reason"))
    return {pk: reasons.get(str(pk), "") for pk in people}
