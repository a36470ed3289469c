"""Who may be named where everybody reads. The one place that says so: boards, battles, lists and files ask here."""

from datetime import datetime

from inference_workers.enums import Visibility


def may_be_named(*, visibility: str, released_at: datetime | None) -> bool:
    """A language model that is hidden has no name, whatever it once had; one that was retired has the name that
    everybody could read before, and none where nobody ever could."""
    return visibility == Visibility.PUBLIC or (visibility == Visibility.RETIRED and released_at is not None)
