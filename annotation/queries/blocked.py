"""Who may not go on in a campaign, and what was said when they were stopped."""

from collections import Counter

from annotation.enums import RespondentState
from annotation.models import Campaign, Event, Respondent

MOST = 1_000


def reasons_of_blocks(campaign: Campaign) -> list[tuple[str, int]]:
    """Why people are blocked now, each with how many judgments that took out; the most first."""
    blocked = Respondent.objects.filter(campaign=campaign, state=RespondentState.BLOCKED).order_by("-pk")
    people = [str(pk) for pk in blocked.values_list("pk", flat=True)[:MOST]]
    events = Event.objects.filter(subject=Respondent._meta.label_lower, subject_id__in=people, verb="blocked")
    last = {
        pk: (reason, data) for pk, reason, data in events.order_by("pk").values_list("subject_id", "reason", "data")
    }
    counts: Counter[str] = Counter()
    for reason, data in last.values():
        counts[reason] += len((data or {}).get("taken", []))
    return counts.most_common()


def blocked_people(campaign: Campaign) -> dict[int, str]:
    """The reason of the last block by respondent, the newest people first; in two queries."""
    blocked = Respondent.objects.filter(campaign=campaign, state=RespondentState.BLOCKED).order_by("-pk")
    people = list(blocked.values_list("pk", flat=True)[:MOST])
    events = Event.objects.filter(
        subject=Respondent._meta.label_lower, subject_id__in=[str(pk) for pk in people], verb="blocked"
    )
    reasons = dict(events.order_by("pk").values_list("subject_id", "reason"))
    return {pk: reasons.get(str(pk), "") for pk in people}
