"""What a preview shows while a campaign has no item: a prompt and responses made up here."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.queries import ShownItem, ShownResponse, ShownTurn
from annotation.queries.shown import ShownMedia
from annotation.questions.base import side_letter
from annotation.web.sample_media import HEIGHT, SECONDS, WIDTH

MEDIA_PROMPTS = {
    "image": gettext_lazy("A lighthouse at dusk, whose lamp is lit"),
    "audio": gettext_lazy("Three bells, for the end of a message"),
}


def sample_item(sample: str, responses: int) -> ShownItem:
    """An item in the manner of `sample`: text, steps, chat, image or audio; anything else is text."""
    if sample in MEDIA_PROMPTS:
        return _media_item(sample, responses)
    prompt, follow_ups, texts = _conversation(sample)
    shown = [
        ShownResponse(side_letter(index), [ShownTurn(number, "text", text) for number, text in enumerate(turns)])
        for index, turns in enumerate(texts[index % len(texts)] for index in range(responses))
    ]
    said = [{"role": "user", "content": text} for text in follow_ups]
    return ShownItem([{"role": "user", "content": prompt}], said, shown)


def _media_item(sample: str, responses: int) -> ShownItem:
    """Files that are made on the spot; there are two of each kind."""
    shown = []
    for index in range(responses):
        letter = side_letter(index)
        address = reverse("sample-media", args=[f"{sample}-{'ab'[index % 2]}"])
        is_image = sample == "image"
        media = ShownMedia(
            pk=0,
            kind=sample,
            content_type="image/png" if is_image else "audio/wav",
            width=WIDTH if is_image else None,
            height=HEIGHT if is_image else None,
            seconds=None if is_image else SECONDS,
            place=f"{letter}-0",
            address=address,
        )
        shown.append(ShownResponse(letter, [ShownTurn(0, "file", file=address, media=media)]))
    return ShownItem([{"role": "user", "content": str(MEDIA_PROMPTS[sample])}], [], shown)


def _conversation(sample: str) -> tuple[str, list[str], list[list[str]]]:
    """A prompt, what was said next, and each response's turns."""
    if sample == "steps":
        return _("A train covers 180 km in 2 hours. How far does it come in 5 hours?"), [], [[_steps()]]
    if sample == "chat":
        return (
            _("I sleep badly before exams. What helps?"),
            [_("And on the morning itself?")],
            [
                [_("Keep your usual bedtime, and stop learning an hour before it."), _("Eat something and go early.")],
                [_("Try to relax."), _("Read your notes once more, then leave them at home.")],
            ],
        )
    return _("Why is the sky blue?"), [], [[_long()], [_short()], [_wrong()], [_rude()]]


def _long() -> str:
    return _(
        "Sunlight holds all colours. In the air it meets molecules that are much smaller than its wavelength, and these"
        " scatter **short waves far more than long ones**:\n\n- blue light goes off in every direction,\n- red light"
        " passes nearly straight.\n\nSo blue reaches us from all over the sky. At dusk the way through the air is long,"
        " the blue is gone, and what is left is red."
    )


def _short() -> str:
    return _("Because air scatters blue light more than red light.")


def _wrong() -> str:
    return _("The sky mirrors the sea, which is blue. Where there is no sea nearby, it mirrors lakes.")


def _rude() -> str:
    return _("You could have looked that up. It is Rayleigh scattering.")


def _steps() -> str:
    return _(
        "1. The speed is 180 km / 2 h = 90 km/h.\n2. In 5 hours it covers 90 + 5 = 95 km.\n3. So it comes 95 km far."
    )
