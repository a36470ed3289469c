from annotation.errors import AnnotationError
from annotation.models import Judgment


class AlreadySuperseded(AnnotationError):
    """A newer row stands in this judgment's place; correct or take back that one."""


def supersede(judgment: Judgment, **changes: object) -> Judgment:
    """Insert the row that stands in `judgment`'s place: the same person, item and showing, with these changes.

    A row of kind retraction takes the judgment out of every view; the judgment itself stays in the log. In the caller's
    transaction. Raises IntegrityError where another row stands there already.
    """
    carried = {
        name: getattr(judgment, name)
        for name in (
            "campaign_id",
            "item_id",
            "respondent_id",
            "source_id",
            "impression_id",
            "assignment_id",
            "instrument_id",
            "guidelines_id",
            "order",
            "contestants",
        )
    }
    return Judgment.objects.create(**{**carried, "supersedes": judgment, **changes})
