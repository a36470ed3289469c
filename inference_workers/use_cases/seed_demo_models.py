from datetime import datetime

from django.db import transaction

from inference_workers.enums import Backend
from inference_workers.models import Endpoint, LanguageModel
from inference_workers.policies.folders import SMOLLM2
from inference_workers.use_cases.edit_endpoint import EndpointSettings, add_endpoint
from inference_workers.use_cases.edit_language_model import Card, Recipe, add_language_model

ENDPOINT = "This machine"
ORGANISATION = "Hugging Face"
LICENCE = "Apache-2.0"
ALIASES = ("SmolLM", "SmolLM2", "SmolLM2-135M", "SmolLM2-135M-Instruct", "HuggingFaceTB")

# One small model, asked in four ways: it needs no download and no key, and its answers really differ. Each has a system
# prompt of its own, because the model's default one makes it say its name. Of 48 answers 3 reach the limits, which are
# those of a machine with two cores: one that does is asked for anew.
CONTESTANTS: dict[str, dict[str, object]] = {
    "SmolLM2 plain": {
        "system_prompt": "You are a helpful assistant.",
        "temperature": 0.2,
        "top_p": 0.9,
        "repetition_penalty": 1.1,
        "max_tokens": 640,
    },
    "SmolLM2 brief": {
        "system_prompt": "You answer with one short sentence and nothing else.",
        "temperature": 0.1,
        "top_p": 0.9,
        "repetition_penalty": 1.1,
        "max_tokens": 256,
        "stop": ("\n\n",),
    },
    "SmolLM2 teacher": {
        "system_prompt": (
            "You are a patient teacher. Explain step by step, with a numbered list and one example from daily life."
        ),
        "temperature": 0.3,
        "top_p": 0.9,
        "repetition_penalty": 1.1,
        "max_tokens": 640,
    },
    "SmolLM2 lively": {
        "system_prompt": "You are a cheerful storyteller. Answer with warmth, vivid pictures and a little humour.",
        "temperature": 0.7,
        "top_p": 0.95,
        "top_k": 40,
        "repetition_penalty": 1.1,
        "max_tokens": 640,
    },
}


def seed_demo_models(*, now: datetime) -> list[LanguageModel]:
    """The demo's language models, made where they are missing. Rows that are there stay as an operator left them."""
    with transaction.atomic():
        endpoint = Endpoint.objects.filter(name=ENDPOINT).first() or add_endpoint(
            settings=EndpointSettings(name=ENDPOINT, backend=Backend.TRANSFORMERS), now=now
        )
        models = []
        for name, settings in CONTESTANTS.items():
            slug = name.lower().replace(" ", "-")
            card = Card(name=name, slug=slug, aliases=ALIASES, organisation=ORGANISATION, licence=LICENCE)
            recipe = Recipe(endpoint=endpoint, provider_model=SMOLLM2, **settings)  # type: ignore[arg-type]
            found = LanguageModel.objects.filter(slug=slug).select_related("current").first()
            models.append(found or add_language_model(card=card, recipe=recipe, now=now))
    return models
