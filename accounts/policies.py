"""Who may make an account: whoever opened a valid invitation in this browser, for as long as a form takes."""

from datetime import datetime, timedelta

from django.contrib.sessions.backends.base import SessionBase

KEY = "may_sign_up_until"
FOR = timedelta(hours=2)


def allow_sign_up(session: SessionBase, *, now: datetime) -> None:
    session[KEY] = (now + FOR).isoformat()


def may_sign_up(session: SessionBase, *, now: datetime) -> bool:
    until = session.get(KEY)
    return until is not None and datetime.fromisoformat(until) > now
