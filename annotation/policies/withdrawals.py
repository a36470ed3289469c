"""Until when somebody may withdraw, by what they agreed to and by what the campaign says now."""

from datetime import UTC, date, datetime

from annotation.models import Campaign, ConsentText


def last_day(campaign: Campaign, agreed: ConsentText | None) -> date | None:
    """The later of the two, so that nobody loses time that they were promised; None for any time."""
    if agreed is None:
        return campaign.withdrawal_until
    if agreed.withdrawal_until is None or campaign.withdrawal_until is None:
        return None
    return max(agreed.withdrawal_until, campaign.withdrawal_until)


def is_open(last: date | None, now: datetime) -> bool:
    """The last day counts to its end, in UTC."""
    return last is None or now.astimezone(UTC).date() <= last
