"""Every address of the site, what it answers to whom, and a world in which to ask it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.enums import LinkPurpose, Role
from accounts.models import Person, User
from accounts.use_cases.create_person import person_of_user, person_of_visitor
from accounts.use_cases.link_person import link_person
from annotation.enums import EntryKind
from annotation.imports.prompts import prompts_of_lines
from annotation.models import Board, Campaign, DatasetVersion, Draw, Respondent
from annotation.policies.templates import starting_points
from annotation.use_cases.agree_to_texts import read_guidelines
from annotation.use_cases.ask_question import ask_question
from annotation.use_cases.create_board import create_board
from annotation.use_cases.hold_draw import hold_draw
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.join_campaign import join_by_invitation
from annotation.use_cases.make_batch import make_batch
from annotation.use_cases.make_payouts import make_payouts
from annotation.use_cases.next_assignment import next_assignment
from annotation.use_cases.paste_items import paste_items
from annotation.use_cases.publish_guidelines import publish_guidelines
from annotation.use_cases.record_entry import record_entry
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.save_study import make_study
from annotation.use_cases.start_campaign import start_campaign
from annotation.use_cases.start_generation import start_generation
from annotation.use_cases.start_judging import start_judging
from annotation.use_cases.submit_work import submit_work
from arena.enums import JudgedText, Mode, ModerationState
from arena.models import Arena, Moderation, PoolPrompt, RuleFinding
from arena.use_cases.hold_to_rules import HouseRuleBroken
from arena.use_cases.share_battle import share_battle
from arena.use_cases.start_battle import start_battle
from arena.web.visitors import COOKIE
from foundation.media.anew import made_anew
from inference_workers.models import LanguageModel, LanguageModelRevision
from inference_workers.use_cases.ask_for_test import ask_for_test
from tests.annotation.datasets.rows import build, judged
from tests.annotation.media.files import one, picture
from tests.annotation.worth.bidding import bids, paid_campaign, prepared
from tests.arena.factories import make_arena, make_models, votable
from tests.arena.voting import voted
from tests.factories import PREFERENCE, make_campaign, make_contestant, make_item, make_person, make_user, new_key

ROLES = ("anonymous", "annotator", "reviewer", "researcher", "campaign_admin", "operator", "superuser")
# Django's and allauth's own pages: told by groups, in the tests themselves.
GROUPS = ("admin/", "account/")
# Status of an answer: one for everybody, or by role with "else" for the others.
Status = int | Mapping[str, int]

READ = {"GET": 200, "POST": 405}


def researchers(status: int) -> Status:
    """Others are refused, or asked to sign in, before anything is looked up."""
    return {"researcher": status, "superuser": status, "anonymous": 302, "else": 403}


def admins(status: int) -> Status:
    """Likewise, of campaign admins."""
    return {"campaign_admin": status, "superuser": status, "anonymous": 302, "else": 403}


def signed_in(status: int) -> Status:
    """Who is not signed in is asked to."""
    return {"anonymous": 302, "else": status}


def campaign_admins(status: int) -> Status:
    """Others are refused, or asked to sign in, before anything is looked up."""
    return {"campaign_admin": status, "superuser": status, "anonymous": 302, "else": 403}


def operators(status: int) -> Status:
    """Likewise, of operators."""
    return {"operator": status, "superuser": status, "anonymous": 302, "else": 403}


def reviewers(status: int) -> Status:
    """Likewise, of reviewers and campaign admins."""
    may = dict.fromkeys(("reviewer", "campaign_admin", "superuser"), status)
    return {**may, "anonymous": 302, "else": 403}


SEES_HIDDEN = {"researcher": 200, "campaign_admin": 200, "operator": 200, "superuser": 200, "else": 404}
# The arena’s own board, "public" below, is nobody’s to hide.
MAY_PUBLISH = {"campaign_admin": 302, "superuser": 302, "else": 404}
MAY_RETIRE = {"campaign_admin": 302, "operator": 302, "superuser": 302, "else": 404}

# By the resolver's pattern; what is asked, of which object where the pattern names one, and the answer's status.
# A POST is an empty form.
TABLE: dict[str, dict[str, Status]] = {
    "": READ,
    "workers": READ,
    "suggestions": READ,
    "battles": {"GET": 302, "POST": 422},
    "battles/any": {"GET": 302, "POST": 422},
    "choose": {"GET": 200, "POST": 422},
    "own-models": {"GET": 200, "POST": 422},
    "own-models/set": {"GET": 200, "POST": 302},
    "battles/<uuid:battle_id>": {"GET own": 200, "GET another's": 404, "POST own": 405, "POST another's": 405},
    "battles/<uuid:battle_id>/waiting": {"GET own": 200, "GET another's": 404, "POST own": 405, "POST another's": 405},
    "battles/<uuid:battle_id>/pictures/<uuid:picture_id>": {
        "GET own": 200,
        "GET another's": 404,
        "POST own": 405,
        "POST another's": 405,
    },
    # The world's battles are of texts; those of files have tests of their own.
    "battles/<uuid:battle_id>/files/<slug:place>": {
        "GET own": 404,
        "GET another's": 404,
        "POST own": 405,
        "POST another's": 405,
    },
    "battles/<uuid:battle_id>/follow-up": {
        "GET own": 405,
        "GET another's": 405,
        "POST own": 422,
        "POST another's": 404,
    },
    "battles/<uuid:battle_id>/regenerate": {
        "GET own": 405,
        "GET another's": 405,
        "POST own": 409,
        "POST another's": 404,
    },
    "battles/<uuid:battle_id>/reactions": {
        "GET own": 405,
        "GET another's": 405,
        "POST own": 422,
        "POST another's": 404,
    },
    "battles/<uuid:battle_id>/go-on": {"GET own": 405, "GET another's": 405, "POST own": 422, "POST another's": 404},
    "battles/<uuid:battle_id>/show": {"GET own": 405, "GET another's": 405, "POST own": 409, "POST another's": 404},
    "battles/<uuid:battle_id>/stop": {"GET own": 405, "GET another's": 405, "POST own": 409, "POST another's": 404},
    "battles/<uuid:battle_id>/vote": {"GET own": 405, "GET another's": 405, "POST own": 422, "POST another's": 404},
    "battles/<uuid:battle_id>/share": {
        "GET shared": {"superuser": 200, "else": 404},
        "GET another's": 404,
        "POST shared": {"superuser": 200, "else": 404},
        "POST another's": 404,
    },
    "battles/<uuid:battle_id>/share/revoke": {
        "GET shared": 405,
        "GET another's": 405,
        "POST shared": {"superuser": 302, "else": 404},
        "POST another's": 404,
    },
    # Whoever holds the link reads it.
    "shared/<str:token>": {"GET shared": 200, "GET missing": 404, "POST shared": 405},
    "shared/<str:token>/files/<slug:place>": {"GET shared": 404, "GET missing": 404, "POST shared": 405},
    "shared/<str:token>/models": {"GET shared": 200, "GET missing": 404, "POST shared": 405},
    "shared/<str:token>/pictures/<uuid:picture_id>": {"GET shared": 200, "GET missing": 404, "POST shared": 405},
    "mine": READ,
    "mine/appeals/<int:respondent_id>": {"GET missing": 405, "POST missing": 404},
    "mine/board": READ,
    "mine/data": READ,
    "mine/data/download": READ,
    "mine/data/link": {"GET": 405, "POST": 422},
    "mine/data/erase": {"GET": 405, "POST": 422},
    "mine/erased": READ,
    # Whoever holds the link deletes with it.
    "mine/link/<str:token>": {"GET linked": 200, "GET missing": 404, "POST linked": 422, "POST missing": 404},
    "arenas": READ,
    "arenas/new": {"GET": admins(200), "POST": admins(422)},
    "arenas/<slug:slug>": {"GET arena": 200, "GET missing": 404, "POST arena": 405},
    "arenas/<slug:slug>/battles": {"GET arena": 302, "POST arena": 422, "POST missing": 404},
    "arenas/<slug:slug>/battles/any": {"GET arena": 302, "POST arena": 422, "POST missing": 404},
    "arenas/<slug:slug>/suggestions": {"GET arena": 200, "GET missing": 404, "POST arena": 405},
    "arenas/<slug:slug>/prompts": {
        "GET arena": admins(200),
        "GET missing": admins(404),
        "POST arena": admins(422),
        "POST missing": admins(404),
    },
    "arenas/<slug:slug>/prompts/<int:prompt_id>/offered": {
        "GET arena": 405,
        "POST arena": admins(422),
        "POST missing": admins(404),
    },
    "arenas/<slug:slug>/prompts/classifier": {
        "GET arena": 405,
        "POST arena": admins(422),
        "POST missing": admins(404),
    },
    "arenas/<slug:slug>/choose": {"GET arena": 200, "GET missing": 404, "POST arena": 422, "POST missing": 404},
    "arenas/<slug:slug>/own-models": {"GET arena": 200, "GET missing": 404, "POST arena": 422, "POST missing": 404},
    "arenas/<slug:slug>/own-models/set": {"GET arena": 200, "GET missing": 404, "POST arena": 302, "POST missing": 404},
    "arenas/<slug:slug>/settings": {
        "GET arena": admins(200),
        "GET missing": admins(404),
        "POST arena": admins(422),
        "POST missing": admins(404),
    },
    "arenas/<slug:slug>/selection": {
        "GET arena": admins(200),
        "GET missing": admins(404),
        "POST arena": admins(422),
        "POST missing": admins(404),
    },
    "arenas/<slug:slug>/integrity": {"GET arena": admins(200), "GET missing": admins(404), "POST arena": 405},
    "arenas/<slug:slug>/visitors/<int:respondent_id>": {
        "GET arena": admins(200),
        "GET missing": admins(404),
        "POST arena": admins(422),
        "POST missing": admins(404),
    },
    "arenas/<slug:slug>/appeals/<int:appeal_id>": {"GET arena": 405, "POST missing": admins(404)},
    "arenas/<slug:slug>/rules": {"GET arena": admins(200), "GET missing": admins(404), "POST arena": 405},
    "arenas/<slug:slug>/rules/add": {"GET arena": 405, "POST arena": admins(422), "POST missing": admins(404)},
    "arenas/<slug:slug>/rules/try": {"GET arena": 405, "POST arena": admins(422), "POST missing": admins(404)},
    "arenas/<slug:slug>/rules/model": {"GET arena": 405, "POST arena": admins(422), "POST missing": admins(404)},
    "arenas/<slug:slug>/rules/model/remove": {
        "GET arena": 405,
        "POST arena": admins(302),
        "POST missing": admins(404),
    },
    "arenas/<slug:slug>/rules/<int:rule_id>/switch": {
        "GET arena": 405,
        "POST arena": admins(422),
        "POST missing": admins(404),
    },
    "arenas/<slug:slug>/findings/<int:finding_id>": {
        "GET arena": 405,
        "POST arena": admins(422),
        "POST missing": admins(404),
    },
    "arenas/<slug:slug>/moderations/<int:moderation_id>": {
        "GET arena": 405,
        "POST arena": admins(422),
        "POST missing": admins(404),
    },
    "arenas/<slug:slug>/models": {"GET arena": admins(200), "GET missing": admins(404), "POST arena": 405},
    "arenas/<slug:slug>/models/enter": {"GET arena": 405, "POST arena": admins(422), "POST missing": admins(404)},
    "arenas/<slug:slug>/models/<int:entry_id>/state": {
        "GET arena": 405,
        "POST arena": admins(422),
        "POST missing": admins(404),
    },
    "arenas/<slug:slug>/models/<int:entry_id>/weight": {
        "GET arena": 405,
        "POST arena": admins(422),
        "POST missing": admins(404),
    },
    "leaderboard": READ,
    "leaderboard/<slug:slug>": {"GET public": 200, "GET hidden": SEES_HIDDEN, "POST public": 405, "POST hidden": 405},
    "leaderboard/<slug:slug>.<slug:kind>": {
        "GET public": 200,
        "GET hidden": SEES_HIDDEN,
        "GET missing": 404,
        "POST public": 405,
        "POST hidden": 405,
    },
    "leaderboard/<slug:slug>/<int:number>.<slug:kind>": {
        "GET public": 200,
        "GET hidden": SEES_HIDDEN,
        "GET missing": 404,
        "POST public": 405,
        "POST hidden": 405,
    },
    "leaderboard/<slug:slug>/history.<slug:kind>": {
        "GET public": 200,
        "GET hidden": SEES_HIDDEN,
        "GET missing": 404,
        "POST public": 405,
        "POST hidden": 405,
    },
    "leaderboard/<slug:slug>/feed": {
        "GET public": 200,
        "GET hidden": SEES_HIDDEN,
        "GET missing": 404,
        "POST public": 405,
        "POST hidden": 405,
    },
    "leaderboard/<slug:slug>/snapshots": {
        "GET public": 200,
        "GET hidden": SEES_HIDDEN,
        "POST public": 405,
        "POST hidden": 405,
    },
    "leaderboard/<slug:slug>/<int:number>": {
        "GET public": 200,
        "GET hidden": SEES_HIDDEN,
        "GET missing": 404,
        "POST public": 405,
        "POST hidden": 405,
    },
    "leaderboard/<slug:slug>/figures": {
        "GET public": 200,
        "GET hidden": SEES_HIDDEN,
        "GET missing": 404,
        "POST public": 405,
        "POST hidden": 405,
    },
    # Nobody has voted there: there is nothing to draw. tests/arena/test_figures.py opens pictures of hidden boards.
    "leaderboard/<slug:slug>/figures/<slug:figure>.svg": {
        "GET public": 404,
        "GET hidden": 404,
        "POST public": 405,
        "POST hidden": 405,
    },
    "leaderboard/<slug:slug>/figures/<slug:figure>.csv": {
        "GET public": 200,
        "GET hidden": SEES_HIDDEN,
        "GET missing": 404,
        "POST public": 405,
        "POST hidden": 405,
    },
    "leaderboard/<slug:slug>/methods": {
        "GET public": 200,
        "GET hidden": SEES_HIDDEN,
        "GET missing": 404,
        "POST public": 405,
        "POST hidden": 405,
    },
    "leaderboard/<slug:slug>/methods/<slug:method>": {
        "GET public": 200,
        "GET hidden": SEES_HIDDEN,
        "GET missing": 404,
        "POST public": 405,
        "POST hidden": 405,
    },
    # Nobody has voted there: no method has a board. tests/arena/test_methods.py opens files of hidden boards.
    "leaderboard/<slug:slug>/methods/<slug:method>.<slug:kind>": {
        "GET public": 404,
        "GET hidden": 404,
        "POST public": 405,
        "POST hidden": 405,
    },
    "leaderboard/<slug:slug>/compare": {
        "GET public": 200,
        "GET hidden": SEES_HIDDEN,
        "POST public": 405,
        "POST hidden": 405,
    },
    "leaderboard/<slug:slug>/slices": {
        "GET public": admins(200),
        "GET hidden": admins(200),
        "POST public": admins(422),
        "POST hidden": admins(422),
    },
    "leaderboard/<slug:slug>/publish": {
        "GET public": 405,
        "GET hidden": 405,
        "POST public": 404,
        "POST hidden": MAY_PUBLISH,
    },
    "leaderboard/<slug:slug>/hide": {
        "GET public": 405,
        "GET hidden": 405,
        "POST public": 404,
        "POST hidden": MAY_PUBLISH,
    },
    "leaderboard/<slug:slug>/retire-simulated": {
        "GET public": 405,
        "GET hidden": 405,
        "POST public": MAY_RETIRE,
        "POST hidden": MAY_RETIRE,
    },
    "leaderboard/<slug:slug>/restore-simulated": {
        "GET public": 405,
        "GET hidden": 405,
        "POST public": MAY_RETIRE,
        "POST hidden": MAY_RETIRE,
    },
    "campaigns": {"GET": admins(200), "POST": 405},
    "campaigns/new": {"GET": admins(200), "POST": admins(422)},
    "campaigns/<slug:slug>": {"GET drafted": admins(200), "GET missing": admins(404), "POST drafted": 405},
    "campaigns/<slug:slug>/state": {
        "GET drafted": 405,
        "POST drafted": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/copy": {
        "GET drafted": admins(200),
        "GET missing": admins(404),
        "POST drafted": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/make-template": {
        "GET drafted": admins(200),
        "GET missing": admins(404),
        "POST drafted": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/discard": {
        "GET drafted": admins(200),
        "GET missing": admins(404),
        "POST drafted": admins(302),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/edit/questions": {
        "GET drafted": admins(200),
        "GET missing": admins(404),
        "POST drafted": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/edit/<slug:section>": {
        "GET drafted": admins(200),
        "GET missing": admins(404),
        "POST drafted": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/preview": {
        "GET drafted": admins(200),
        "GET missing": admins(404),
        "POST drafted": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/preview/questions": {
        "GET drafted": 405,
        "POST drafted": admins(200),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/preview/text": {
        "GET drafted": 405,
        "POST drafted": admins(200),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/results": {
        "GET drafted": admins(404),
        "GET missing": admins(404),
        "POST drafted": 405,
    },
    "campaigns/<slug:slug>/selection": {
        "GET drafted": admins(200),
        "GET arena": admins(404),
        "GET missing": admins(404),
        "POST drafted": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/dry-run": {
        "GET drafted": admins(200),
        "GET missing": admins(404),
        "POST drafted": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/dry-run/state": {
        "GET drafted": admins(200),
        "GET missing": admins(404),
        "POST drafted": 405,
    },
    "campaigns/<slug:slug>/asked": {"GET own": admins(200), "GET missing": admins(404), "POST own": 405},
    "campaigns/<slug:slug>/asked/<int:question_id>": {
        "GET own": 405,
        "POST own": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/people": {
        "GET own": admins(200),
        "GET missing": admins(404),
        "POST own": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/people/invitations/<int:invitation_id>/revoke": {
        "GET own": 405,
        "POST own": admins(302),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/people/<int:respondent_id>": {
        "GET own": admins(200),
        "GET missing": admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/people/<int:respondent_id>/block": {
        "GET own": 405,
        "POST own": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/people/<int:respondent_id>/unblock": {
        "GET own": 405,
        "POST own": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/people/<int:respondent_id>/withdraw": {
        "GET own": 405,
        "POST own": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/people/<int:respondent_id>/groups": {
        "GET own": 405,
        "POST own": admins(302),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/payments": {"GET own": admins(200), "GET missing": admins(404), "POST own": 405},
    "campaigns/<slug:slug>/payments/bonus": {
        "GET own": 405,
        "POST own": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/payments/bonuses": {
        "GET own": 405,
        "POST own": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/payments/entries": {"GET own": admins(200), "GET missing": admins(404), "POST own": 405},
    "campaigns/<slug:slug>/payments/entries/<int:entry_id>/reverse": {
        "GET own": admins(200),
        "GET missing": admins(404),
        "POST own": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/payments/payouts": {
        "GET own": 405,
        "POST own": admins(302),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/payments/payouts/<int:number>": {
        "GET own": admins(200),
        "GET missing": admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/payments/payouts/<int:number>/paid": {
        "GET own": 405,
        "POST own": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/studies": {
        "GET own": admins(200),
        "GET missing": admins(404),
        "POST own": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/studies/<int:study_id>": {
        "GET own": admins(200),
        "GET missing": admins(404),
        "POST own": admins(422),
        "POST missing": admins(404),
    },
    # Without the names of who is sent and by which study there is nothing behind it.
    "study/<slug:slug>": {"GET own": 404, "GET missing": 404, "POST own": 404, "POST missing": 404},
    "annotate/<slug:slug>/leave": {
        "GET own": signed_in(404),
        "GET missing": signed_in(404),
        "POST own": signed_in(404),
        "POST missing": signed_in(404),
    },
    "annotate/<slug:slug>/earnings": {"GET own": signed_in(200), "GET missing": signed_in(404), "POST own": 405},
    "datasets": {"GET": researchers(200), "POST": 405},
    "datasets/<slug:slug>/new": {
        "GET exported": researchers(200),
        "GET missing": researchers(404),
        "POST exported": researchers(422),
        "POST missing": researchers(404),
    },
    "datasets/<slug:slug>/preview": {
        "GET exported": researchers(200),
        "GET missing": researchers(404),
        "POST exported": 405,
    },
    "datasets/<slug:slug>/v<int:number>": {
        "GET exported": researchers(200),
        "GET missing": researchers(404),
        "POST exported": 405,
    },
    "datasets/<slug:slug>/v<int:number>/status": {
        "GET exported": researchers(200),
        "GET missing": researchers(404),
        "POST exported": 405,
    },
    "datasets/<slug:slug>/v<int:number>/files/<path:name>": {
        "GET exported": researchers(200),
        "GET missing": researchers(404),
        "GET unlisted": researchers(404),
        "POST exported": 405,
    },
    "campaigns/<slug:slug>/items": {
        "GET own": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/items/<int:item_id>": {
        "GET own": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/items/<int:item_id>/void": {
        "GET own": 405,
        "POST own": campaign_admins(422),
        "POST missing": campaign_admins(404),
    },
    "campaigns/<slug:slug>/generate": {
        "GET own": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": campaign_admins(422),
        "POST missing": campaign_admins(404),
    },
    "campaigns/<slug:slug>/generations/<int:generation_id>": {
        "GET own": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/generations/<int:generation_id>/status": {
        "GET own": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/generations/<int:generation_id>/change": {
        "GET own": 405,
        "POST own": campaign_admins(422),
        "POST missing": campaign_admins(404),
    },
    "campaigns/<slug:slug>/alike": {
        "GET own": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": campaign_admins(422),
        "POST missing": campaign_admins(404),
    },
    "campaigns/<slug:slug>/judges": {
        "GET own": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": campaign_admins(422),
        "POST missing": campaign_admins(404),
    },
    "campaigns/<slug:slug>/judges/status": {
        "GET own": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/judges/figures": {
        "GET own": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/judges/<int:judging_id>/change": {
        "GET own": 405,
        "POST own": campaign_admins(422),
        "POST missing": campaign_admins(404),
    },
    "campaigns/<slug:slug>/gold": {
        "GET own": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": campaign_admins(422),
        "POST missing": campaign_admins(404),
    },
    "campaigns/<slug:slug>/gold/status": {
        "GET own": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/gold/check": {
        "GET own": 405,
        "POST own": campaign_admins(422),
        "POST missing": campaign_admins(404),
    },
    "campaigns/<slug:slug>/media": {
        "GET own": admins(200),
        "GET missing": admins(404),
        "POST own": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/media/insert": {
        "GET own": 405,
        "POST own": admins(422),
        "POST missing": admins(404),
    },
    "campaigns/<slug:slug>/media/<int:media_id>/file": {
        "GET own": reviewers(200),
        "GET missing": reviewers(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/media/<int:media_id>/remove": {
        "GET own": 405,
        "POST own": admins(422),
        "POST missing": admins(404),
    },
    "samples/<slug:name>": {"GET own": admins(200), "GET missing": 404, "POST own": 405},
    "campaigns/<slug:slug>/watch": {
        "GET own": campaign_admins(200),
        "GET drafted": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/watch/agreement": {
        "GET own": campaign_admins(200),
        "GET drafted": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/watch/annotators": {
        "GET own": campaign_admins(200),
        "GET drafted": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/watch/items": {
        "GET own": campaign_admins(200),
        "GET drafted": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/watch/rationales": {
        "GET own": campaign_admins(200),
        "GET drafted": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/uploads": {
        "GET own": 405,
        "POST own": campaign_admins(422),
        "POST missing": campaign_admins(404),
    },
    "campaigns/<slug:slug>/uploads/paste": {
        "GET own": 405,
        "POST own": campaign_admins(422),
        "POST missing": campaign_admins(404),
    },
    "campaigns/<slug:slug>/uploads/<int:upload_id>": {
        "GET own": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/uploads/<int:upload_id>/status": {
        "GET own": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/uploads/<int:upload_id>/preview": {
        "GET own": campaign_admins(200),
        "GET missing": campaign_admins(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/uploads/<int:upload_id>/import": {
        "GET own": 405,
        "POST own": campaign_admins(422),
        "POST missing": campaign_admins(404),
    },
    "campaigns/<slug:slug>/uploads/<int:upload_id>/retire": {
        "GET own": 405,
        "POST own": campaign_admins(422),
        "POST missing": campaign_admins(404),
    },
    "review": {"GET": reviewers(200), "POST": 405},
    "campaigns/<slug:slug>/review": {
        "GET own": reviewers(200),
        "GET missing": reviewers(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/review/flags": {
        "GET own": reviewers(200),
        "GET missing": reviewers(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/review/<int:judgment_id>": {
        "GET own": reviewers(200),
        "GET missing": reviewers(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/review/<int:judgment_id>/decide": {
        "GET own": 405,
        "POST own": reviewers(422),
        "POST missing": reviewers(404),
    },
    "campaigns/<slug:slug>/review/<int:judgment_id>/others": {
        "GET own": 405,
        "POST own": reviewers(302),
        "POST missing": reviewers(404),
    },
    "campaigns/<slug:slug>/review/<int:judgment_id>/comment": {
        "GET own": 405,
        "POST own": reviewers(422),
        "POST missing": reviewers(404),
    },
    "campaigns/<slug:slug>/review/<int:judgment_id>/ask": {
        "GET own": 405,
        "POST own": reviewers(422),
        "POST missing": reviewers(404),
    },
    "campaigns/<slug:slug>/items/<int:item_id>/comment": {
        "GET own": 405,
        "POST own": campaign_admins(422),
        "POST missing": campaign_admins(404),
    },
    "campaigns/<slug:slug>/items/<int:item_id>/flags": {
        "GET own": reviewers(200),
        "GET missing": reviewers(404),
        "POST own": reviewers(422),
        "POST missing": reviewers(404),
    },
    # Nobody has begun to settle that item.
    "campaigns/<slug:slug>/adjudicate/<int:item_id>": {
        "GET own": reviewers(404),
        "GET missing": reviewers(404),
        "POST own": reviewers(404),
    },
    "campaigns/<slug:slug>/adjudicate/<int:item_id>/start": {
        "GET own": 405,
        "POST own": reviewers(302),
        "POST missing": reviewers(404),
    },
    "campaigns/<slug:slug>/adjudicate/<int:item_id>/leave": {
        "GET own": 405,
        "POST own": reviewers(302),
        "POST missing": reviewers(404),
    },
    "campaigns/<slug:slug>/batches": {
        "GET own": reviewers(200),
        "GET missing": reviewers(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/batches/new": {
        "GET own": 405,
        "POST own": campaign_admins(302),
        "POST missing": campaign_admins(404),
    },
    "campaigns/<slug:slug>/batches/<int:number>": {
        "GET own": reviewers(200),
        "GET missing": reviewers(404),
        "POST own": 405,
    },
    "campaigns/<slug:slug>/batches/<int:number>/accept": {
        "GET own": 405,
        "POST own": campaign_admins(302),
        "POST missing": campaign_admins(404),
    },
    "campaigns/<slug:slug>/batches/<int:number>/return": {
        "GET own": 405,
        "POST own": campaign_admins(422),
        "POST missing": campaign_admins(404),
    },
    "annotate/<slug:slug>/history/<int:judgment_id>/appeal": {
        "GET own": 405,
        "GET another's": 405,
        "POST own": signed_in(422),
        "POST another's": signed_in(404),
    },
    "annotate": {"GET": signed_in(200), "POST": 405},
    "join/<str:token>": {
        "GET public": 200,
        "GET missing": 404,
        "POST public": {"anonymous": 200, "else": 302},
        "POST missing": 404,
    },
    "annotate/own/key": {"GET": signed_in(200), "POST": 405},
    "annotate/<slug:slug>": {"GET own": signed_in(200), "GET missing": signed_in(404), "POST own": 405},
    "annotate/<slug:slug>/join": {"GET own": 405, "POST own": signed_in(404), "POST missing": signed_in(404)},
    "annotate/<slug:slug>/agree/<str:what>": {
        "GET own": 405,
        "POST own": signed_in(422),
        "POST missing": signed_in(404),
    },
    "annotate/<slug:slug>/guidelines": {"GET own": signed_in(200), "GET missing": signed_in(404), "POST own": 405},
    "annotate/<slug:slug>/questions": {
        "GET own": signed_in(200),
        "GET missing": signed_in(404),
        "POST own": signed_in(422),
        "POST missing": signed_in(404),
    },
    "annotate/<slug:slug>/break": {
        "GET own": signed_in(200),
        "GET missing": signed_in(404),
        "POST own": signed_in(302),
        "POST missing": signed_in(404),
    },
    "annotate/<slug:slug>/content": {
        "GET own": 405,
        "POST own": signed_in(302),
        "POST missing": signed_in(404),
    },
    "annotate/<slug:slug>/item": {"GET own": signed_in(200), "GET missing": signed_in(404), "POST own": 405},
    "annotate/<slug:slug>/ahead": {"GET own": signed_in(200), "GET missing": signed_in(404), "POST own": 405},
    **{
        f"annotate/<slug:slug>/amounts/{step}": {
            "GET own": 405,
            "POST own": signed_in(409),
            "POST missing": signed_in(404),
        }
        for step in ("check", "practice", "lock", "draw")
    },
    # Whoever holds the link reads it.
    "receipts/<str:receipt>": {"GET own": 200, "GET missing": 404, "POST own": 405},
    "campaigns/<slug:slug>/draws": {"GET drawn": admins(200), "GET missing": admins(404), "POST drawn": 405},
    "campaigns/<slug:slug>/draws/<int:draw_id>": {
        "GET drawn": admins(200),
        "GET missing": admins(404),
        "POST drawn": admins(302),
        "POST missing": admins(404),
    },
    "annotate/<slug:slug>/withdraw": {
        "GET own": signed_in(200),
        "GET missing": signed_in(404),
        "POST own": signed_in(422),
        "POST missing": signed_in(404),
    },
    "annotate/<slug:slug>/own-texts": {
        "GET own": 405,
        "POST own": signed_in(302),
        "POST missing": signed_in(404),
    },
    "annotate/<slug:slug>/history": {"GET own": signed_in(200), "GET missing": signed_in(404), "POST own": 405},
    "annotate/<slug:slug>/history/<int:judgment_id>": {
        "GET own": signed_in(200),
        "GET another's": signed_in(404),
        "POST own": signed_in(422),
        "POST another's": signed_in(404),
    },
    "annotate/<slug:slug>/history/<int:judgment_id>/undo": {
        "GET own": 405,
        "GET another's": 405,
        "POST own": signed_in(302),
        "POST another's": signed_in(404),
    },
    "annotate/<slug:slug>/items/<int:assignment_id>": {
        "GET own": 405,
        "GET another's": 405,
        "POST own": signed_in(422),
        "POST another's": signed_in(404),
    },
    "annotate/<slug:slug>/items/<int:assignment_id>/draft": {
        "GET own": 405,
        "GET another's": 405,
        "POST own": signed_in(410),
        "POST another's": signed_in(404),
    },
    "annotate/<slug:slug>/items/<int:assignment_id>/media/<slug:place>": {
        "GET own": signed_in(200),
        "GET another's": signed_in(404),
        "GET missing": signed_in(404),
        "POST own": 405,
    },
    "annotate/<slug:slug>/texts/<slug:digest>": {
        "GET own": signed_in(200),
        "GET missing": signed_in(404),
        "POST own": 405,
    },
    "annotate/<slug:slug>/items/<int:assignment_id>/skip": {
        "GET own": 405,
        "GET another's": 405,
        "POST own": signed_in(422),
        "POST another's": signed_in(404),
    },
    "annotate/<slug:slug>/items/<int:assignment_id>/flag": {
        "GET own": 405,
        "GET another's": 405,
        "POST own": signed_in(422),
        "POST another's": signed_in(404),
    },
    "models": {"GET": operators(200), "POST": 405},
    "models/new": {"GET": operators(200), "POST": operators(422)},
    "models/<int:model_id>": {"GET served": operators(200), "GET missing": operators(404), "POST served": 405},
    "models/<int:model_id>/edit": {
        "GET served": operators(200),
        "GET missing": operators(404),
        "POST served": operators(422),
        "POST missing": operators(404),
    },
    "models/<int:model_id>/test": {
        "GET served": 405,
        "POST served": operators(302),
        "POST missing": operators(404),
    },
    "models/<int:model_id>/tests/<uuid:completion_id>": {
        "GET served": operators(200),
        "GET missing": operators(404),
        "POST served": 405,
    },
    "endpoints/new": {"GET": operators(200), "POST": operators(422)},
    "endpoints/<int:endpoint_id>": {
        "GET served": operators(200),
        "GET missing": operators(404),
        "POST served": operators(422),
        "POST missing": operators(404),
    },
    "about": READ,
    "about/notices": READ,
    "privacy": READ,
    "terms": READ,
    "robots.txt": READ,
    "favicon.ico": {"GET": 301, "POST": 405},
    "api/v1/boards": READ,
    "api/v1/boards/<slug:slug>": {
        "GET public": 200,
        "GET hidden": SEES_HIDDEN,
        "POST public": 405,
        "POST hidden": 405,
    },
    "api/v1/boards/<slug:slug>/snapshots": {
        "GET public": 200,
        "GET hidden": SEES_HIDDEN,
        "GET missing": 404,
        "POST public": 405,
        "POST hidden": 405,
    },
    "api/v1/boards/<slug:slug>/snapshots/<int:number>": {
        "GET public": 200,
        "GET hidden": SEES_HIDDEN,
        "GET missing": 404,
        "POST public": 405,
        "POST hidden": 405,
    },
    "api/schema": READ,
    "api/docs": READ,
}


def patterns(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """Every pattern of the resolver, as one text from the root."""
    for each in (resolver or get_resolver()).url_patterns:
        whole = before + str(each.pattern)
        if isinstance(each, URLPattern):
            yield whole
        else:
            yield from patterns(each, whole)


def expected(status: Status, role: str) -> int:
    return status if isinstance(status, int) else status.get(role, status.get("else", 0))


@dataclass
class World:
    """A person in every role, each with a battle that can be voted on, and boards to see and not to see."""

    users: dict[str, User] = field(default_factory=dict)
    persons: dict[str, Person] = field(default_factory=dict)
    values: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def know(self, role: str, which: str, **values: str) -> None:
        """What addresses hold for this role where they name `which` object."""
        self.values |= {(name, which, role): value for name, value in values.items()}

    def client(self, role: str) -> Client:
        """A browser of that role, which sends what browsers send."""
        client = Client(headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        if role == "anonymous":
            client.cookies[COOKIE] = TOKEN
        else:
            client.force_login(self.users[role])
        return client

    def address(self, pattern: str, *, role: str, which: str = "") -> str:
        """`which` says whose or what kind of object is meant, where the pattern names one."""

        def value(match: re.Match[str]) -> str:
            return self.values[match[1], which, role]

        return "/" + re.sub(r"<\w+:(\w+)>", value, pattern)


TOKEN = "cookie-of-a-visitor-in-the-matrix"


def make_finding(arena: Arena) -> RuleFinding:
    """Of a prompt that was refused."""
    prompt = {"prompt": "Tell me where this girl lives.", "key": new_key(), "network": ""}
    with pytest.raises(HouseRuleBroken):
        start_battle(arena=arena, person=make_person(), now=timezone.now(), **prompt)
    return RuleFinding.objects.get(arena=arena)


def make_stopped(arena: Arena) -> Moderation:
    """Of a prompt that the moderation model was against."""
    return Moderation.objects.create(
        arena=arena,
        about=JudgedText.PROMPT,
        state=ModerationState.STOPPED,
        revision=LanguageModelRevision.objects.first(),
        digest="0" * 64,
        limits={"*": 0.5},
        scores={"violence": 0.9},
        found=["violence"],
        asked_at=timezone.now(),
        ended_at=timezone.now(),
    )


def make_world() -> World:
    make_models(2)
    LanguageModel.objects.update(takes_images=True)
    arena = make_arena(modes=Mode.values, takes_images=True)
    world = World()
    battles, pictures = {}, {}
    for role in ROLES:
        if role == "anonymous":
            world.persons[role] = person_of_visitor(token=TOKEN, now=timezone.now())
        else:
            is_super = role == "superuser"
            world.users[role] = make_user(role=None if is_super else role, is_superuser=is_super, is_staff=is_super)
            world.persons[role] = person_of_user(user=world.users[role], now=timezone.now())
        battles[role] = str(votable(world.persons[role], picture=made_anew(picture(), "sky.png")).pk)
        pictures[role] = str(world.persons[role].files.get().pk)
    public = create_board(slug="public-board", name="Public", campaign=arena.campaign, now=timezone.now())
    hidden = create_board(slug="hidden-board", name="Hidden", campaign=arena.campaign, now=timezone.now())
    Board.objects.filter(pk=hidden.pk).update(is_public=False)
    for each in (public, hidden):
        refresh_board(board_id=each.pk, now=timezone.now())
    dataset = make_dataset()
    media = make_media()
    work = make_work(world)
    items = make_items(world)
    paid = make_paid()
    pairwise = next(point for point in starting_points() if point.slug == "pairwise")
    draw = make_draw()
    shared = make_shared(world.persons["superuser"])
    served = make_served()
    poems = make_arena("poems", modes=Mode.values)
    pooled = PoolPrompt.objects.create(arena=poems, text="Write a haiku.", digest="0" * 64, category="poems")
    finding, stopped = make_finding(poems), make_stopped(poems)
    visitor = votable(arena=poems).assignment.respondent_id
    drafted = start_campaign(name="Drafted", draft=pairwise.draft, settings={}, actor=None, now=timezone.now())
    for number, role in enumerate(ROLES):
        world.know(role, "own", battle_id=battles[role], **work[role], **items, **media)
        world.know(role, "another's", battle_id=battles[ROLES[number - 1]], **work[ROLES[number - 1]], place="P-0")
        world.know(role, "own", picture_id=pictures[role])
        world.know(role, "another's", picture_id=pictures[ROLES[number - 1]])
        world.know(role, "missing", picture_id=str(uuid4()))
        world.know(role, "public", slug=public.slug, number="1", kind="json", token=work[role]["token"])
        world.know(role, "hidden", slug=hidden.slug, number="1", kind="json")
        world.know(role, "drawn", slug=draw.session.campaign.slug, draw_id=str(draw.pk))
        world.know(role, "own", receipt=draw.token)
        world.know(role, "shared", **shared, place="A-0-0")
        world.know(role, "arena", slug="poems", entry_id=str(poems.entries.values_list("pk", flat=True)[0]))
        world.know(role, "arena", prompt_id=str(pooled.pk))
        world.know(role, "arena", rule_id=str(finding.rule_id), finding_id=str(finding.pk))
        world.know(role, "arena", moderation_id=str(stopped.pk))
        world.know(role, "missing", moderation_id="7777777")
        world.know(role, "arena", respondent_id=str(visitor), appeal_id="7777777")
        world.know(role, "linked", token=link_to(world.persons[role]))
        world.know(role, "missing", receipt="no-such-receipt", draw_id="7")
        world.know(role, "exported", slug=dataset.campaign.slug, number=str(dataset.number), name="README.md")
        world.know(role, "drafted", slug=drafted.slug, section="about")
        world.know(role, "unlisted", slug=dataset.campaign.slug, number=str(dataset.number), name="../dataset.json")
        world.know(role, "missing", slug="no-such-thing", number="7", name="README.md", battle_id=str(uuid4()))
        world.know(role, "missing", kind="json", figure="intervals", method="davidson")
        world.know(role, "public", figure="intervals", method="davidson")
        world.know(role, "hidden", figure="intervals", method="davidson")
        world.know(role, "missing", section="about", media_id="7", place="P-9", digest="0" * 64)
        world.know(role, "missing", token="no-such-token", what="consent", assignment_id="7", judgment_id="7")
        world.know(role, "missing", item_id="7", upload_id="7", generation_id="7", judging_id="7")
        world.know(role, "missing", invitation_id="7", respondent_id="7", question_id="7")
        world.know(role, "own", **paid)
        world.know(role, "missing", entry_id="7", study_id="7", prompt_id="7")
        world.know(role, "missing", rule_id="7777777", finding_id="7777777", appeal_id="7777777")
        world.know(role, "served", **served)
        world.know(role, "missing", model_id="700", endpoint_id="700", completion_id=str(uuid4()))
    return world


def make_served() -> dict[str, str]:
    """A language model that was tested, and where it runs."""
    model = LanguageModel.objects.select_related("current").order_by("pk")[0]
    tested = ask_for_test(language_model_id=model.pk, now=timezone.now())
    return {
        "model_id": str(model.pk),
        "endpoint_id": str(model.serves.endpoint_id),
        "completion_id": str(tested.pk),
    }


def make_shared(person: Person) -> dict[str, str]:
    """A battle that was voted on, and the link to it."""
    battle = voted(person, picture=made_anew(picture(shade=30), "sky.png"))
    token = share_battle(battle_id=battle.pk, person=person, now=timezone.now())
    return {"battle_id": str(battle.pk), "token": token, "picture_id": str(person.files.latest("created_at").pk)}


def link_to(person: Person) -> str:
    """The token of a link that deletes what is theirs."""
    return link_person(person_id=person.pk, purpose=LinkPurpose.ERASE, now=timezone.now())


def make_draw() -> Draw:
    """That of somebody who bid in a paid session."""
    campaign = paid_campaign(items=1)
    respondent = prepared(campaign)
    bids(campaign, respondent, "4.00")
    return hold_draw(respondent_id=respondent.pk, now=timezone.now())


def make_media() -> dict[str, str]:
    """A picture, which the guidelines of the campaign of all show, and its items."""
    campaign = make_campaign(slug="campaign-of-all", questions=[PREFERENCE])
    publish_guidelines(campaign_id=campaign.pk, text="![It](media:it.png)", now=timezone.now())
    media = one(campaign, "it.png", picture(size=(4, 4)))
    return {"media_id": str(media.pk), "place": "P-0", "digest": media.sha256, "name": "image-a"}


def make_work(world: World) -> dict[str, dict[str, str]]:
    """Everybody who can sign in has answered one item of a campaign and holds another. By role, as addresses say it."""
    campaign = Campaign.objects.get(slug="campaign-of-all")
    (media,) = campaign.media.all()
    for _ in range(4):
        make_item(campaign, slots=len(ROLES), prompt=f"What is it? ![It](media:{media.sha256})")
    invitation, token = invite_people(campaign_id=campaign.pk, name="All", actor=None, now=timezone.now())
    shared = {"slug": campaign.slug, "token": token, "what": "consent", "invitation_id": str(invitation.pk)}
    work = {"anonymous": shared | {"assignment_id": "1", "judgment_id": "1", "respondent_id": "1"}}
    for role, user in world.users.items():
        person = person_of_user(user=user, now=timezone.now())
        respondent = join_by_invitation(token=token, person=person, now=timezone.now())
        read_guidelines(respondent_id=respondent.pk, guidelines_id=campaign.guidelines_id or 0, now=timezone.now())
        respondent.refresh_from_db()
        answered = next_assignment(campaign=campaign, respondent=respondent, now=timezone.now()).assignment
        judgment = submit_work(
            assignment_id=answered.pk,
            lease_token=answered.lease_token,
            key=new_key(),
            respondent=respondent,
            answers={"preference": {"choice": "a", "strength": None}},
            now=timezone.now(),
        ).judgment
        held = next_assignment(campaign=campaign, respondent=respondent, now=timezone.now()).assignment
        ids = {"assignment_id": held.pk, "judgment_id": judgment.pk, "respondent_id": respondent.pk}
        work[role] = shared | {name: str(value) for name, value in ids.items()}
    # One of several, so that there are more to gather.
    make_batch(campaign_id=campaign.pk, most=1, actor=world.persons["superuser"], now=timezone.now())
    return work


def make_items(world: World) -> dict[str, str]:
    """An item of the campaign of all that nobody has judged, and a file whose columns nobody has told."""
    campaign = Campaign.objects.get(slug="campaign-of-all")
    upload = paste_items(
        campaign_id=campaign.pk,
        text="prompt,response_1,response_2\np,x,y\n",
        key=new_key(),
        actor=world.users["superuser"],
        now=timezone.now(),
    )
    generation = start_generation(
        campaign_id=campaign.pk,
        prompts=prompts_of_lines("What is it?"),
        models=list(LanguageModel.objects.values_list("pk", flat=True)),
        key=new_key(),
        actor=None,
        now=timezone.now(),
    )
    item = make_item(campaign)
    judging = start_judging(
        campaign_id=campaign.pk,
        model_id=LanguageModel.objects.filter(current__isnull=False).earliest("pk").pk,
        which="all",
        count=None,
        key=new_key(),
        actor=None,
        now=timezone.now(),
    )
    ids = {"item_id": item.pk, "upload_id": upload.pk, "generation_id": generation.pk, "judging_id": judging.pk}
    return {name: str(pk) for name, pk in ids.items()}


def make_paid() -> dict[str, str]:
    """Somebody of the campaign of all has a bonus, it is in a payout, they ask a question; and a study sends people."""
    respondent = Respondent.objects.filter(campaign__slug="campaign-of-all", person__isnull=False).latest("pk")
    entry = record_entry(
        respondent=respondent, kind=EntryKind.BONUS, amount=Decimal(1), currency="USD", now=timezone.now()
    )
    (payout,) = make_payouts(campaign_id=respondent.campaign_id, actor=None, now=timezone.now())
    codes = {"completion_code": "A1", "screen_out_code": "B2", "over_quota_code": "C3"}
    study = make_study(
        campaign_id=respondent.campaign_id,
        external_id="study1",
        values=codes | {"places": None, "judgments": None},
        actor=None,
        now=timezone.now(),
    )
    paid = {"entry_id": str(entry.pk), "number": str(payout.number), "study_id": str(study.pk)}
    question = ask_question(respondent_id=respondent.pk, words="What is one?", now=timezone.now())
    return paid | {"question_id": str(question.pk)}


def make_dataset() -> DatasetVersion:
    campaign = make_campaign(slug="exported-campaign")
    models = [make_contestant(campaign) for _ in range(2)]
    for prefer in (0, 1, 0):
        judged(campaign, models, prefer)
    version: DatasetVersion = build(campaign)
    return version


assert set(Role.values) < set(ROLES)
