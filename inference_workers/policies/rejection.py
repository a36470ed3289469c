"""Why a text may not be shown."""

from inference_workers.enums import Rejection
from inference_workers.errors import InferenceError


class RejectedText(InferenceError):
    """The completion may not be shown; nothing that gives it away has been given out."""

    def __init__(self, code: Rejection, said: str = "") -> None:
        super().__init__(said or code.label)
        self.code = code
