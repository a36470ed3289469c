"""What one annotator's judgments say about them, as the table of annotators says it, on their own page."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from annotation.models import Campaign, Respondent
from annotation.policies.flags import reasons_to_look
from annotation.queries.blocked import blocked_people
from annotation.queries.sessions import deviations_in
from annotation.use_cases.summarise_quality import summary_for
from annotation.web.tables import cell_of
from annotation.web.watching_tables import annotators_table, blocked_first

# Named above the figures, by themselves.
ELSEWHERE = {"annotator", "look", "state"}


def figures_context(campaign: Campaign, respondent: Respondent) -> dict[str, Any]:
    """`figures` is empty before they are computed, and of who has nothing that stands."""
    summary = summary_for(campaign=campaign, now=timezone.now())
    found = next((each for each in summary.annotators if each.respondent == respondent.pk), None) if summary else None
    reasons = reasons_to_look(found, pass_mark=campaign.pass_mark) if found else []
    block = blocked_people(campaign).get(respondent.pk) if respondent.state == "blocked" else None
    look = {respondent.pk: blocked_first(block, reasons)}
    table = annotators_table(campaign, [], {respondent.pk: respondent}, look, deviations_in(campaign))
    columns = [column for column in table.columns if column.key not in ELSEWHERE]
    queue = reverse("review-queue", args=[campaign.slug])
    return {
        "reasons": look[respondent.pk],
        "figures": [(column, cell_of(column, found)) for column in columns] if found else [],
        "made_at": summary.made_at if summary else None,
        "judgments_url": f"{queue}?{urlencode({'annotator': respondent.pseudonym})}",
    }
