"""Forms: what people answer, and what admins set up for them to answer."""

from annotation.forms.judgment import RENDERED_AT, JudgmentForm

__all__ = ["RENDERED_AT", "JudgmentForm"]
