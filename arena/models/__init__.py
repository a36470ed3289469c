"""The public face in tables: arenas, who takes part in them, battles, and what guards them."""

from arena.models.arenas import Arena, only_hidden
from arena.models.battles import Battle, Share
from arena.models.classifiers import PromptClassifier
from arena.models.entries import EnteredRevision, Entry
from arena.models.moderation import Moderation, Moderator
from arena.models.people import BlockAppeal, KeptModel
from arena.models.pool import PoolPrompt, PromptDraw
from arena.models.rules import HouseRule, RuleFinding

__all__ = [
    "Arena",
    "Battle",
    "BlockAppeal",
    "EnteredRevision",
    "Entry",
    "HouseRule",
    "KeptModel",
    "Moderation",
    "Moderator",
    "PoolPrompt",
    "PromptClassifier",
    "PromptDraw",
    "RuleFinding",
    "Share",
    "only_hidden",
]
