"""What visitors are told where nothing begins, and with which status."""

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.errors import PersonErased
from arena.models import Arena
from arena.queries.moderation import moderator_of, unseen
from arena.use_cases.ask_models import TextErased
from arena.use_cases.demand_work import WorkWanted
from arena.use_cases.keep_picture import NoPictures
from arena.use_cases.start_battle import (
    ArenaClosed,
    NamedTwice,
    NoSuchModel,
    NotEnoughModels,
    SetTooSmall,
    TakeNoPictures,
    TextNotAgreed,
    TooBusy,
    TooFewTakePictures,
    TooManyBattles,
    VisitorGone,
    VotesSetApart,
)
from inference_workers.enums import Output

ERASED = gettext_lazy(
    "What this browser had here was deleted a moment ago, perhaps in another tab, so nothing was begun. Send it again"
    " to begin as somebody new."
)
SENTENCES = {
    PersonErased: ERASED,
    TextErased: ERASED,
    ArenaClosed: gettext_lazy("This arena takes no battles at the moment."),
    NotEnoughModels: gettext_lazy("A battle needs more models than are set up. An admin can add one."),
    TooManyBattles: gettext_lazy("That is as many battles as one visitor can start for now. Come back later."),
    VisitorGone: gettext_lazy("Your part in this arena has ended: it was withdrawn, or somebody stopped it."),
    VotesSetApart: gettext_lazy(
        "Your votes in this arena are set apart, so nothing can be begun here now. “Your battles” says why, and there"
        " you can appeal."
    ),
    NoSuchModel: gettext_lazy("One of these models cannot be chosen now. Choose again."),
    NamedTwice: gettext_lazy("Choose a different model for each side, or leave one to chance."),
    SetTooSmall: gettext_lazy("Too few of your models take part now. Add some to your set."),
    TooFewTakePictures: gettext_lazy(
        "Fewer models take pictures now than a battle needs. Send the prompt without one, or come back later."
    ),
    NoPictures: gettext_lazy("No picture can be added here. Send the words alone."),
    TextNotAgreed: gettext_lazy(
        "What is said here about the use of prompts and votes has changed. Read it below and start again."
    ),
}
PICTURE_USE = gettext_lazy(
    "A picture that you add goes to the models with your words, and perhaps to other companies’ machines. It is made"
    " anew without what its file says of place, time and camera, is encrypted with your key, goes when you delete your"
    " data, and is in no dataset. House rules do not look into it. Show nobody who has not agreed."
)
PICTURE_CHECKED = gettext_lazy("A moderation model looks at it first; what that stops is not kept.")
STATUS = {
    PersonErased: 409,
    TextErased: 409,
    ArenaClosed: 503,
    NotEnoughModels: 503,
    TooBusy: 429,
    TooManyBattles: 429,
    VisitorGone: 403,
    VotesSetApart: 403,
    TextNotAgreed: 422,
    NoSuchModel: 422,
    NamedTwice: 422,
    SetTooSmall: 422,
    TooFewTakePictures: 422,
    NoPictures: 422,
    TakeNoPictures: 422,
    WorkWanted: 429,
}


def checked_words(arena: Arena) -> dict[str, str]:
    """What visitors read of the use of their pictures, and of what an arena's moderation model is not shown."""
    if not arena.takes_images and arena.output == Output.TEXT:
        return {"picture_use": "", "unchecked": ""}
    moderator = moderator_of(arena)
    use = str(PICTURE_USE) if arena.takes_images else ""
    if use and moderator is not None and moderator.takes_images:
        use = f"{use} {PICTURE_CHECKED}"
    missing = [str(kind.label) for kind in unseen(moderator)] if moderator is not None else []
    words = _("A moderation model checks the words here. It is not shown: %(kinds)s.")
    return {"picture_use": use, "unchecked": words % {"kinds": ", ".join(missing)} if missing else ""}


def blind_words(refused: TakeNoPictures) -> str:
    words = _("%(names)s cannot look at pictures. Choose other models, or leave the picture out.")
    return words % {"names": get_text_list(list(refused.names), _("and"))}
