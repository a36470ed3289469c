from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from accounts.models import Person
from annotation.models import Respondent, Turn
from arena.enums import JudgedText, ModerationState
from arena.models import Arena, Battle, HouseRule, Moderation, RuleFinding
from arena.policies import PromptRefused
from arena.queries.house_rules import rules_in_force
from arena.use_cases.moderate import moderate
from foundation.media.anew import NewPicture
from inference_workers.models import Completion, RuleSet
from inference_workers.policies.house_rules import REMOVES, Hit, Rule, RuleBook, as_data, digest_of, rule_book


class HouseRuleBroken(PromptRefused):
    """What a visitor wrote breaks a house rule and is not taken; the message is the rule in the house's words."""


class Moderated(HouseRuleBroken):
    """The moderation model is against what a visitor wrote, or said nothing where the arena then takes nothing."""


@dataclass(frozen=True)
class Held:
    """A visitor's text that is taken, with the rules that it breaks all the same, and that the model was shown it."""

    rule_set: RuleSet | None
    hits: Sequence[Hit]
    moderations: Sequence[Moderation] = ()


def hold_to_rules(
    texts: Iterable[str],
    *,
    arena: Arena,
    person: Person,
    about: JudgedText,
    now: datetime,
    battle: Battle | None = None,
    picture: NewPicture | None = None,
) -> Held:
    """Hold what a visitor wrote to the house rules, and then show it to the arena's moderation model, with the picture
    that goes with it. What must not be
    is noted, without the text, and raises HouseRuleBroken, which Moderated is too; so call it outside of a transaction
    that the refusal rolls back. What else is found is noted by `note_hits` once there is something to note it of.
    """
    said = list(texts)
    held = _hold_to_list(said, arena, person, about, now, battle)
    shown = moderate(said, arena=arena, person=person, about=about, now=now, battle=battle, picture=picture)
    for each in shown:
        if each.state == ModerationState.STOPPED:
            raise Moderated(f"This arena does not take this: {', '.join(each.found)}.")
        if each.state == ModerationState.HELD_BACK:
            raise Moderated("What is written here is checked first, and that does not work right now. Try again soon.")
    return replace(held, moderations=shown)


def _hold_to_list(
    texts: Sequence[str], arena: Arena, person: Person, about: JudgedText, now: datetime, battle: Battle | None
) -> Held:
    rules = rules_in_force(arena)
    if not rules:
        return Held(None, ())
    book = _book_of(rules)
    hits = [hit for text in texts for hit in book.hits(text, of_model=False)]
    found = list({hit.rule.id: hit for hit in hits}.values())
    rule_set = _stored(rules) if found else None
    refused = next((hit for hit in found if hit.rule.action in REMOVES), None)
    if refused is not None and rule_set is not None:
        respondent = Respondent.objects.filter(campaign=arena.campaign_id, person=person).first()
        about_it = {"arena": arena, "about": about, "battle": battle, "respondent": respondent}
        _note([refused.as_data()], rule_set, now, **about_it)
        rule = HouseRule.objects.get(pk=refused.rule.id)
        raise HouseRuleBroken(f"A house rule is against this: {rule.says or rule.name}")
    return Held(rule_set, found)


def note_hits(held: Held, *, battle: Battle, about: JudgedText, now: datetime) -> None:
    """Of a text that was taken, in the caller's transaction."""
    Moderation.objects.filter(pk__in=[each.pk for each in held.moderations]).update(
        battle=battle, respondent=battle.assignment.respondent_id
    )
    if held.rule_set is not None and held.hits:
        respondent = battle.assignment.respondent
        about_it = {"arena": battle.arena, "about": about, "battle": battle, "respondent": respondent}
        _note([hit.as_data() for hit in held.hits], held.rule_set, now, **about_it)


def note_answer(battle: Battle, turn: Turn, now: datetime) -> None:
    """What the workers found of the house rules in a turn's completion, in the caller's transaction."""
    completion: Completion = turn.job
    if completion.house_rules and completion.rule_set is not None:
        about_it = {"arena": battle.arena, "about": JudgedText.ANSWER, "battle": battle, "completion": completion}
        _note(completion.house_rules, completion.rule_set, now, **about_it)


def current_rule_set(arena: Arena) -> RuleSet | None:
    """What answers are held to from now on; None where nothing is forbidden."""
    rules = rules_in_force(arena)
    return _stored(rules) if rules else None


def _stored(rules: Sequence[Rule]) -> RuleSet:
    found, _made = RuleSet.objects.get_or_create(digest=digest_of(rules), defaults={"rules": as_data(rules)})
    return found


def _book_of(rules: Sequence[Rule]) -> RuleBook:
    return rule_book(as_data(rules))


def _note(found: Iterable[dict[str, Any]], rule_set: RuleSet, now: datetime, **about: Any) -> None:
    for each in found:
        values = {"rule_id": each["rule"], "action": each["action"], "rule_set": rule_set, "created_at": now}
        RuleFinding.objects.create(**values, **about)
