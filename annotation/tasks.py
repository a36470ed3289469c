from celery import shared_task
from django.utils import timezone

from annotation.use_cases.accrue_fees import sweep_fees
from annotation.use_cases.advance_boards import advance_boards
from annotation.use_cases.advance_generation import advance_generation, note_generated
from annotation.use_cases.advance_judging import advance_judging, sweep_judgings
from annotation.use_cases.build_dataset import build_dataset, sweep_datasets
from annotation.use_cases.expire_assignments import expire_assignments
from annotation.use_cases.import_items import import_items
from annotation.use_cases.label_prompt import label_prompts
from annotation.use_cases.make_gold import make_gold
from annotation.use_cases.refresh_boards import refresh_boards
from annotation.use_cases.refresh_selection import refresh_selections
from annotation.use_cases.sequence_log import sequence_log
from annotation.use_cases.sum_tallies import sum_tallies
from annotation.use_cases.summarise_quality import summarise_quality
from annotation.use_cases.sweep_generations import sweep_generations
from annotation.use_cases.sweep_media import sweep_media
from annotation.use_cases.sweep_uploads import sweep_uploads


@shared_task(name="annotation.sequence_log", ignore_result=True)
def number_judgments() -> None:
    now = timezone.now()
    sequence_log(now=now, wait=False)
    advance_boards(now=now)


@shared_task(name="annotation.expire_assignments", ignore_result=True)
def give_back_expired() -> None:
    expire_assignments(now=timezone.now())


@shared_task(name="annotation.sweep_fees", ignore_result=True)
def write_fees() -> None:
    sweep_fees(now=timezone.now())


@shared_task(name="annotation.refresh_boards", ignore_result=True)
def bring_boards_up() -> None:
    refresh_boards(now=timezone.now())


@shared_task(name="annotation.refresh_selections", ignore_result=True)
def learn_what_to_ask() -> None:
    refresh_selections(now=timezone.now())
    sum_tallies()


@shared_task(name="annotation.build_dataset", ignore_result=True)
def build(version_id: int) -> None:
    build_dataset(version_id=version_id, now=timezone.now())


@shared_task(name="annotation.sweep_datasets", ignore_result=True)
def sweep_builds() -> None:
    sweep_datasets(now=timezone.now())


# A large file takes longer than other tasks may; its lease shows that the worker lives.
@shared_task(name="annotation.import_items", ignore_result=True, soft_time_limit=7140, time_limit=7200)
def read_upload(upload_id: int) -> None:
    import_items(upload_id=upload_id, now=timezone.now())


@shared_task(name="annotation.sweep_uploads", ignore_result=True)
def sweep_imports() -> None:
    sweep_uploads(now=timezone.now())


@shared_task(name="annotation.sweep_media", ignore_result=True)
def sweep_files() -> None:
    sweep_media(now=timezone.now())


@shared_task(name="annotation.summarise_quality", ignore_result=True)
def summarise(campaign_id: int) -> None:
    summarise_quality(campaign_id=campaign_id, now=timezone.now())


@shared_task(name="annotation.advance_generation", ignore_result=True)
def advance(generation_id: int) -> None:
    advance_generation(generation_id=generation_id, now=timezone.now())


@shared_task(name="annotation.note_generated", ignore_result=True)
def note_response(item_id: int) -> None:
    note_generated(item_id=item_id, now=timezone.now())


@shared_task(name="annotation.advance_judging", ignore_result=True)
def judge_on(judging_id: int) -> None:
    advance_judging(judging_id=judging_id, now=timezone.now())


@shared_task(name="annotation.sweep_judgings", ignore_result=True)
def sweep_judged() -> None:
    sweep_judgings(now=timezone.now())


@shared_task(name="annotation.make_gold", ignore_result=True)
def make_gold_items(generation_id: int) -> None:
    make_gold(generation_id=generation_id, now=timezone.now())


@shared_task(name="annotation.sweep_generations", ignore_result=True)
def sweep_generated() -> None:
    sweep_generations(now=timezone.now())


@shared_task(name="annotation.label_prompts", ignore_result=True)
def label() -> None:
    label_prompts(now=timezone.now())
