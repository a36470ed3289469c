"""The starting points that come with Cardinal: questions, guidelines and consent to begin a campaign from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotation.policies.drafts import all_as_asked
from annotation.questions import InvalidSettings, UnknownQuestionType, check_instrument

Question = Mapping[str, Any]

# What is in {braces} is filled in from the campaign's settings, what is in [brackets] by the admin.
CONSENT = _("""You are asked to judge responses that were written by people or by language models.

- **Time and pay.** {time} {pay}
- **Your choice.** You may skip any item and stop at any time, without loss.
- **Content.** Some responses may be wrong, rude or unpleasant. Flag what you do not want to look at.
- **Your answers** are kept under a pseudonym and may be published under it.
- **Withdrawal.** {withdrawal}
- **Your own words**, such as reasons, are published only if you say so where you agree.
- **Contact.** {contact}

By going on you confirm that you are of age and agree.""")
CONSENT_AMOUNTS = _("""You are asked to judge responses that were written by people or by language models, and to say what the better one is worth to you in money.

- **Time and pay.** {time} {pay}
- **Money.** {money}
- **Topics.** The responses are about [topics]. Some may be wrong, rude or unpleasant.
- **Your choice.** You may skip any item, with a reason from a list, and stop at any time, without loss.
- **Your answers** are kept under a pseudonym and may be published under it.
- **Withdrawal.** {withdrawal}
- **Your own words**, such as reasons, are published only if you say so where you agree.
- **Contact.** {contact}
- **Ethics.** [Who approved this, under which number, or why no approval was needed.]

By going on you confirm that you are [18] or older and agree.""")  # noqa: E501
COMPARE = _("""# What to do

Read the prompt as if it were your own. Read **both responses to the end** before you choose.

# How to decide

- Prefer the response that helps the person who asked more: right, complete, and to the point.
- A correct short response is better than a long one with a mistake.
- Who may have written it does not matter, and neither does its length by itself.
- Say that there is no difference where you would not care which one you got.""")
RATE_FACES = _("""# What to do

Read the prompt and both responses before you rate the first one. Rate each by itself, then say which is better.

# What the ratings mean

- **Helpfulness**: how much it helps with what was asked, all in all.
- **Correctness**: 5 has everything that matters and nothing wrong; 1 is wrong throughout.
- **Coherence**: 5 is clear from end to end; 1 contradicts itself or cannot be followed.
- **Complexity**: 5 could be written by an expert alone, 1 by anybody. Neither end is better.
- **Verbosity**: 5 says much more than was asked for, 1 is as short as can be. Neither end is better.

Use the whole scale: the ends are for what is as much, or as little, of it as it gets.""")
RATE_ASPECTS = _("""# What to do

Read the prompt and every response before you rate the first one. Rate each response by itself, each time on one thing.

# What the ratings mean

- **Instruction following**: whether it does what was asked, in the form that was asked for.
- **Truthfulness**: whether what it says is so. Check what you can check.
- **Honesty**: whether it says how sure it is, and is no surer than it can be.
- **Helpfulness**: how much it helps whoever asked.

Use the whole scale: the ends are for what is as good or as bad as it gets.""")
CHOOSE = _("""# What to do

Read the prompt as if it were your own. Read **all responses to the end** before you choose.

# How to decide

- First find the best: the response that helps the person who asked most. Then find the worst of the others.
- A correct short response is better than a long one with a mistake.
- Who may have written it does not matter, and neither does its length by itself.
- Where two seem alike, choose the one you would rather have got. What lies between best and worst is not asked.""")
THUMB = _("""# What to do

Read the prompt as if it were your own, and the response to its end. Then say up or down.

# How to decide

- Up: you would be glad to have got it. It is right, and it does what was asked.
- Down: it is wrong, misses the point, or would mislead somebody.
- Judge it by itself, not against the one you saw before.
- Check what you can check. Say in the reason what you could not.""")
STEP = _("""# What to do

Read the prompt, then the response step by step. Go no further than you must: you look for the **first** wrong step.

# How to decide

- A step is wrong if it states, computes or concludes something false, or does not follow from what is before it.
- A detour, a repetition or a clumsy sentence is no fault, as long as it is true.
- A step that builds on an earlier mistake is not the first.
- Say that there is none where every step holds. A right result can stand on a wrong step, and a wrong one on none.
- Check what you can check. Say in the reason what you could not.""")
LOOK = _("""# What to do

Look at both responses at full size before you choose.

- Does it show what was asked for, all of it and nothing else?
- Is it well made: hands, faces, text, light, edges?
- Skip what does not load, and say so.""")
LISTEN = _("""# What to do

Use headphones, and play both responses to the end before you choose.

- Does it say what it should, with nothing missing and nothing added?
- Does it sound natural: pace, stress, pauses?
- Is there noise, clicking or a cut?""")

PREFERENCE: Question = {"name": "preference", "type": "preference", "settings": {"strength": "required"}}
WHY: Question = {"name": "why", "type": "rationale", "required": False}
FACES = ("Helpfulness", "Correctness", "Coherence", "Complexity", "Verbosity")
ASPECTS = ("Instruction following", "Truthfulness", "Honesty", "Helpfulness")

# What both ends mean of every one of them: how much of it there is, not whether that is good.
LOW, HIGH = "not at all", "very much"


def rating(*attributes: str, name: str = "ratings", low: str = "", high: str = "") -> Question:
    settings = {"attributes": list(attributes), "points": 5, "low": low, "high": high}
    return {"name": name, "type": "rating", "settings": settings}


@dataclass(frozen=True)
class StartingPoint:
    """What a new campaign begins with; `sample` is what its preview shows while there is no item."""

    slug: str
    name: str | Promise
    summary: str | Promise
    questions: Sequence[Question] = ()
    guidelines: str | Promise = ""
    consent: str | Promise = CONSENT
    responses: int = 2
    sample: str = "text"
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def draft(self) -> dict[str, Any]:
        """In the language of whoever starts the campaign."""
        return {
            "questions": [dict(question) for question in self.questions],
            "guidelines": str(self.guidelines),
            "consent": str(self.consent),
            "sample": self.sample,
        }

    @property
    def is_available(self) -> bool:
        """Whether this version can ask all of its questions."""
        if not self.questions:
            return True
        try:
            check_instrument(all_as_asked(self.questions))
        except (UnknownQuestionType, InvalidSettings):
            return False
        return True


BLANK = StartingPoint("blank", _("Blank"), _("Nothing is asked yet."), consent="")
ALL = (
    BLANK,
    StartingPoint(
        "pairwise",
        _("Pairwise"),
        _("Which of two responses is better, how much better, and why."),
        [PREFERENCE, {"name": "acceptable", "type": "acceptable", "required": False}, WHY],
        COMPARE,
    ),
    StartingPoint(
        "helpsteer",
        _("Ratings and preference"),
        _("Five attributes of each response, then which is better: in the manner of HelpSteer."),
        [rating(*FACES, low=LOW, high=HIGH), PREFERENCE, WHY],
        RATE_FACES,
    ),
    StartingPoint(
        "worth",
        _("Willingness to pay"),
        _("Which response is better, and what the better one is worth in money."),
        [PREFERENCE, {"name": "worth", "type": "amount"}, {"name": "acceptable", "type": "acceptable"}, WHY],
        COMPARE,
        consent=CONSENT_AMOUNTS,
    ),
    StartingPoint(
        "ultrafeedback",
        _("Four responses, four ratings"),
        _("Four responses to each prompt, rated on four aspects: in the manner of UltraFeedback."),
        [rating(*ASPECTS, low=LOW, high=HIGH), WHY],
        RATE_ASPECTS,
        responses=4,
    ),
    StartingPoint(
        "best-worst",
        _("Best and worst"),
        _("The best and the worst of four responses."),
        [{"name": "order", "type": "ranking", "settings": {"mode": "best_worst"}}, WHY],
        CHOOSE,
        responses=4,
    ),
    StartingPoint(
        "thumbs",
        _("Thumbs"),
        _("One response at a time: up or down."),
        [{"name": "thumbs", "type": "thumbs"}, WHY],
        THUMB,
        responses=1,
    ),
    StartingPoint(
        "steps",
        _("Step marking"),
        _("The first wrong step of a response that reasons step by step."),
        [{"name": "steps", "type": "steps", "settings": {"mode": "first_fault"}}, WHY],
        STEP,
        responses=1,
        sample="steps",
    ),
    StartingPoint(
        "images",
        _("Image pairs"),
        _("Which of two images is better, and how much better."),
        [PREFERENCE, {"name": "acceptable", "type": "acceptable", "required": False}, WHY],
        LOOK,
        sample="image",
    ),
    StartingPoint(
        "audio",
        _("Audio pairs"),
        _("Which of two recordings is better, and how much better."),
        [PREFERENCE, {"name": "acceptable", "type": "acceptable", "required": False}, WHY],
        LISTEN,
        sample="audio",
    ),
    StartingPoint(
        "chat",
        _("Side-by-side chat"),
        _("Two conversations of several turns beside each other."),
        [PREFERENCE, {"name": "acceptable", "type": "acceptable", "required": False}, WHY],
        COMPARE,
        sample="chat",
    ),
)


def starting_points() -> list[StartingPoint]:
    """Those that can be asked in full."""
    return [each for each in ALL if each.is_available]
