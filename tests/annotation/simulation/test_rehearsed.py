"""What a dry run took, carried to the whole campaign: figures that can be checked by hand."""

from dataclasses import replace
from decimal import Decimal

from annotation.policies.rehearsed import Plan, Took, forecast

# Six people, 16 items that all rose from three judgments to five, with checks and repeats: 136 judgments.
TOOK = Took(finished=16, of_finished=80, work=80, repeats=10, checks=22, first=24, anchors=0, people=6, screened_out=0)
PLAN = Plan(items=16, overlap=3, check_items=4, pay=Decimal("0.25"), seconds=60)


def test_a_dry_run_of_all_items_forecasts_what_it_took():
    found = forecast(TOOK, PLAN)
    assert (found.work, found.total, found.cost) == (80, 136, Decimal("34.00"))
    assert found.seconds == 136 * 60
    assert found.stops_at is None
    assert found.work_at_stop == 80


def test_work_grows_with_the_items_training_with_the_people_and_checks_are_met_once():
    found = forecast(TOOK, replace(PLAN, items=160))
    assert (found.work, found.repeats, found.first) == (800, 100, 24)
    assert found.checks == 24  # six people and four items: 220 in proportion
    more = forecast(TOOK, replace(PLAN, items=160, per_person=20))
    assert (more.people, more.first, more.checks) == (40, 160, 160)


def test_the_budget_ends_it_where_one_more_could_not_be_paid():
    found = forecast(TOOK, replace(PLAN, budget_money=Decimal("5.00")))
    assert (found.stops_at, found.stopped_by, found.work_at_stop) == (20, "money", 80 * 20 // 136)
    by_count = forecast(TOOK, replace(PLAN, budget_money=Decimal("5.00"), budget_judgments=12))
    assert (by_count.stops_at, by_count.stopped_by) == (12, "judgments")
    assert forecast(TOOK, replace(PLAN, budget_money=Decimal("34.00"))).stops_at is None


def test_whoever_is_screened_out_is_paid_and_replaced():
    took = replace(TOOK, people=8, screened_out=2, first=32)
    found = forecast(took, replace(PLAN, items=160, per_person=20, screen_out_pay=Decimal("0.50")))
    assert (found.people, found.screened_out, found.first) == (54, 14, 216)
    assert found.cost == Decimal("0.25") * found.total + Decimal("0.50") * 14


def test_where_no_item_was_finished_the_plan_is_what_is_set():
    found = forecast(Took(0, 0, 0, 0, 0, 0, 0, 0, 0), PLAN)
    assert (found.work, found.total, found.cost) == (48, 48, Decimal("12.00"))
