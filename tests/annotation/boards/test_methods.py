"""Methods on votes whose truth is known: what is planted is found, and each warning has votes that do not earn it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from annotation.boards.methods.declared import METHODS, REFUSED, computed
from annotation.boards.methods.evidence import Evidence
from annotation.boards.methods.words import DIAGNOSTICS, FORBIDS, UNITS, WARNINGS, WHY_NOT
from annotation.ratings import CANNOT_COMPARE, TIE, A, B
from ranking import fit_cyclic, generator, maximal_lottery
from tests.annotation.boards.factories import pair_rows

LINE = np.array([0.9, 0.3, -0.3, -0.9])
CIRCLE = 1.2


def evidence_of(
    seed: int = 1, *, votes: int = 3000, people: int = 60, nu: float = 0.0, circle: float = 0.0, **how
) -> Evidence:
    """Of four models on a line; with `nu` ties as Davidson has them, with `circle` each beats the next of 1, 2, 3 more
    than the line says."""
    dice = np.random.default_rng(seed)
    a = dice.integers(0, 4, votes)
    b = (a + dice.integers(1, 4, votes)) % 4
    gap = (0.0 if circle else 1.0) * (LINE[a] - LINE[b])
    turn = np.where((a < 3) & (b < 3), np.where((b - a) % 3 == 1, 1.0, -1.0), np.where(b == 3, 1.0, -1.0))
    gap = gap + circle * turn
    weights = np.stack((np.exp(gap / 2), np.full(votes, nu), np.exp(-gap / 2)))
    drawn = (dice.random(votes) > np.cumsum(weights / weights.sum(axis=0), axis=0)).sum(axis=0)
    pairs = pair_rows(
        contestants=[11, 12, 13, 14],
        a=a,
        b=b,
        amount=np.full(votes, np.nan),
        preference=np.array([A, TIE, B], dtype=np.int8)[drawn],
        respondent=dice.integers(1, people + 1, votes),
        prompt=dice.integers(0, 500, votes),
    )
    unsaid = np.full(votes, -1)
    values = {"strength": unsaid, "scale": np.zeros(votes, np.int64), "category": np.full(votes, "")}
    return Evidence(pairs=pairs, method="bradley_terry", seed=seed, **(values | how))


def said(name: str, evidence: Evidence) -> dict:
    return computed(METHODS[name], evidence)


def lottery(found: dict) -> list[float]:
    return [each["value"] for each in sorted(found["rows"], key=lambda each: each["contestant"])]


def test_planted_ties_are_told_by_davidson_and_its_points_lie_further_apart_than_the_boards():
    evidence = evidence_of(nu=0.8)
    found, plain = said("davidson", evidence), said("bradley-terry", evidence)
    assert found["diagnostics"]["nu_lower"] < 0.8 < found["diagnostics"]["nu_upper"]
    assert found["diagnostics"]["tie_chance"] == pytest.approx(0.8 / 2.8, abs=0.03)
    points = {each["contestant"]: each["value"] for each in found["rows"]}
    assert points[11] - points[14] == pytest.approx(400 / np.log(10) * 1.8, rel=0.1)
    assert found["rows"][0]["value"] > plain["rows"][0]["value"]


def test_a_planted_circle_gets_its_warning_its_names_and_its_lottery():
    found = said("cyclic", evidence_of(circle=CIRCLE))
    assert "circles" in found["warnings"]
    assert [sorted(cycle) for cycle in found["cycles"]] == [[11, 12, 13]]
    assert lottery(found) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0.0], abs=0.08)
    assert found["diagnostics"]["held_out_gain"] > 2 * found["diagnostics"]["held_out_error"]
    assert "pairs_misfit" in said("bradley-terry", evidence_of(circle=CIRCLE))["warnings"]


def test_a_line_of_models_gets_no_circle_and_the_first_has_the_whole_lottery():
    for seed in range(10):
        found = said("cyclic", evidence_of(seed, votes=800))
        assert ("circles" in found["warnings"], found["cycles"]) == (False, [])
        assert lottery(found) == [1.0, 0.0, 0.0, 0.0]
    assert "pairs_misfit" not in said("bradley-terry", evidence_of())["warnings"]


def test_graded_votes_say_what_their_grades_were_made_of():
    evidence = evidence_of()
    cut = np.random.default_rng(3).logistic(size=3000)
    gap = LINE[evidence.pairs.a] - LINE[evidence.pairs.b] + cut
    grade = np.sign(gap) * np.digitize(np.abs(gap), [0.4, 1.2, 2.2])
    preference = np.select([grade > 0, grade < 0], [A, B], TIE).astype(np.int8)
    evidence = replace(
        evidence,
        pairs=replace(evidence.pairs, preference=preference),
        strength=np.abs(grade).astype(np.int64),
        scale=np.full(3000, 3),
    )
    found = said("graded", evidence)
    points = {each["contestant"]: each["value"] for each in found["rows"]}
    assert points[11] - points[14] == pytest.approx(400 / np.log(10) * 1.8, rel=0.1)
    assert (found["diagnostics"]["levels"], found["diagnostics"]["graded_share"]) == (3, 1.0)
    assert "part_of_votes" not in found["warnings"]
    half = replace(evidence, strength=np.where(np.arange(3000) < 1500, evidence.strength, -1))
    assert "part_of_votes" in said("graded", half)["warnings"]


def test_groups_of_one_taste_are_not_told_apart_and_two_tastes_are():
    people = np.arange(1, 61)
    groups = {"odd": people[::2], "even": people[1::2]}
    equal = [said("max-min-groups", evidence_of(seed, votes=600, groups=groups)) for seed in range(20)]
    assert sum("groups_differ" in each["warnings"] for each in equal) <= 4  # .997 of Binomial(20, .05)
    evidence = evidence_of(groups=groups)
    odd = np.isin(evidence.pairs.respondent, groups["odd"])
    other = np.where(evidence.pairs.preference == A, B, A).astype(np.int8)
    torn = replace(evidence, pairs=replace(evidence.pairs, preference=np.where(odd, other, evidence.pairs.preference)))
    found = said("max-min-groups", torn)
    assert "groups_differ" in found["warnings"]
    assert {each["contestant"] for each in found["rows"][:2]} == {12, 13}  # nobody's favourite, nobody's worst


def test_each_warning_comes_where_it_must_and_not_elsewhere():
    plenty = said("bradley-terry", evidence_of())
    assert plenty["warnings"] == []
    assert "few_votes" in said("bradley-terry", evidence_of(votes=99))["warnings"]
    assert "few_votes" not in said("bradley-terry", evidence_of(votes=100))["warnings"]
    assert "few_annotators" in said("bradley-terry", evidence_of(people=12))["warnings"]
    evidence = evidence_of()
    apart = (evidence.pairs.a < 2) == (evidence.pairs.b < 2)
    preference = np.where(apart, evidence.pairs.preference, CANNOT_COMPARE).astype(np.int8)
    found = said("bradley-terry", replace(evidence, pairs=replace(evidence.pairs, preference=preference)))
    assert "not_connected" in found["warnings"]
    assert {each["group"] for each in found["rows"]} == {1, 2}
    assert found["diagnostics"]["parts"] == 2


def test_votes_that_do_not_carry_a_method_get_its_reason_and_not_an_order():
    evidence = evidence_of()
    reasons = {name: said(name, evidence)["reason"] for name in METHODS}
    assert reasons == {
        "bradley-terry": None,
        "davidson": "no_ties",
        "graded": "no_strengths",
        "worth": "no_worth",
        "outside-option": "no_acceptable",
        "cyclic": None,
        "max-min-groups": "no_groups",
        "categories": "no_categories",
    }
    nothing = replace(evidence, pairs=replace(evidence.pairs, preference=np.full(3000, CANNOT_COMPARE, np.int8)))
    assert said("bradley-terry", nothing)["reason"] == "no_votes"
    assert all(said(name, nothing)["rows"] == [] for name in METHODS)


def test_whatever_a_method_says_has_words():
    people = np.arange(1, 61)
    groups = {"odd": people[::2], "even": people[1::2]}
    categories = np.where(np.arange(3000) % 2, "code", "prose")
    evidence = evidence_of(nu=0.5, groups=groups, category=categories)
    for name in METHODS:
        found = said(name, evidence)
        assert found["diagnostics"].keys() <= DIAGNOSTICS.keys()
        assert set(found["warnings"]) <= WARNINGS.keys()
        assert found["reason"] is None or found["reason"] in WHY_NOT
        assert found["reason"] or found["unit"] in UNITS
    assert set(REFUSED.values()) <= WHY_NOT.keys()


def test_control_without_held_out_votes_models_that_are_alike_would_be_given_circles(monkeypatch):
    """Majorities of four models between whom people toss a coin often go round, by chance alone."""

    def circles() -> int:
        found = 0
        for seed in range(6):
            level = evidence_of(seed, votes=400)
            coin = np.where(np.random.default_rng(seed).random(400) < 0.5, A, B).astype(np.int8)
            level = replace(level, pairs=replace(level.pairs, preference=coin))
            found += len(said("cyclic", level)["cycles"])
        return found

    assert circles() == 0
    believed = SimpleNamespace(chosen=1, significant=True, gain=[0.0, 1.0], gain_error=[0.0, 0.1])
    monkeypatch.setattr("annotation.boards.methods.cycles.choose_cyclic_rank", lambda *votes, **how: believed)
    assert circles() > 0


def test_the_lottery_is_that_of_the_fit_with_as_many_terms_as_unseen_votes_speak_for():
    for circle, rank in ((0.0, 0), (CIRCLE, 1)):
        evidence = evidence_of(circle=circle)
        fit = fit_cyclic(evidence.comparisons(), rank=rank, rng=generator(evidence.seed), starts=2)
        found = said("cyclic", evidence)
        assert found["diagnostics"]["circular_terms"] == rank
        assert lottery(found) == pytest.approx(maximal_lottery(fit.probability).probability.tolist(), abs=1e-6)


def test_categories_whose_majorities_go_round_are_told_and_those_that_agree_are_not():
    evidence = evidence_of()
    category = np.arange(3000) % 3
    orders = np.array([[3, 2, 1, 0], [1, 3, 2, 0], [2, 1, 3, 0]])  # each puts another of the first three on top
    ahead = orders[category, evidence.pairs.a] > orders[category, evidence.pairs.b]
    unlikely = np.random.default_rng(2).random(3000) < 0.1
    round_ = replace(evidence.pairs, preference=np.where(ahead ^ unlikely, A, B).astype(np.int8))
    names = np.array(["code", "prose", "sums"])[category]
    torn = said("categories", replace(evidence, pairs=round_, category=names))
    assert "slices_part_ways" in torn["warnings"]
    assert torn["diagnostics"]["largest_knot"] == 3
    whole = said("categories", replace(evidence, category=names))
    assert "slices_part_ways" not in whole["warnings"]
    assert (whole["diagnostics"]["kemeny_agreement"], [row["rank"] for row in whole["rows"]]) == (1.0, [1, 2, 3, 4])
    assert "part_of_votes" in said("categories", replace(evidence, category=np.where(category, names, "")))["warnings"]


def test_a_model_that_some_group_never_met_is_left_out_of_the_regrets_and_said():
    people = np.arange(1, 61)
    groups = {"odd": people[::2], "even": people[1::2]}
    evidence = evidence_of(groups=groups)
    odd = np.isin(evidence.pairs.respondent, groups["odd"])
    last = (evidence.pairs.a == 3) | (evidence.pairs.b == 3)
    kept = np.where(odd & last, CANNOT_COMPARE, evidence.pairs.preference).astype(np.int8)
    found = said("max-min-groups", replace(evidence, pairs=replace(evidence.pairs, preference=kept)))
    assert "not_in_all_groups" in found["warnings"]
    assert {each["contestant"] for each in found["rows"]} == {11, 12, 13}
    assert "not_in_all_groups" not in said("max-min-groups", evidence)["warnings"]


@pytest.mark.parametrize("heavy", [True, False])
def test_a_heavy_tail_forbids_to_read_the_worths(heavy):
    worth = {"value": 0.1, "lower": 0.0, "upper": 0.2}
    entries = [
        {"contestant": pk, "group": 1, "rank": rank, "worth": worth | {"value": 0.1 * pk}}
        for rank, pk in enumerate((11, 12), 1)
    ]
    block = {"heavy_tailed": heavy, "answers_used": 500, "people": 40, "notes": [], "tail_share": 0.3}
    found = said("worth", evidence_of(worth=block, entries=entries))
    assert [each["contestant"] for each in found["rows"]] == [12, 11]
    assert found["warnings"] == (["heavy_tailed"] if heavy else [])
    assert "heavy_tailed" in FORBIDS
