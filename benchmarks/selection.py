"""How many votes each selection policy needs, side by side, in the worlds of `worlds.py` with their reporting seeds.

"Votes to tau .95": votes at which Kendall's tau between the estimated and the true order, averaged over repetitions,
first reaches .95, interpolated between checkpoints. Every policy's votes are fitted alike. A ratio's interval is the
2.5 % to 97.5 % range over 400 bootstraps of the repetitions. Ours and the peer's run in the same world with the same
seeds; nothing here is timed but the rows of `costs.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.answers import designed_and_random, graded_and_binary, paid_and_binary
from benchmarks.claims import false_claims
from benchmarks.costs import cost_against_asap, cost_of_a_choice, cost_of_a_refit
from benchmarks.duels import DoubleThompson, Ours, copeland_winner
from benchmarks.many_boards import (
    Boards,
    Curve,
    Policy,
    arena_rule,
    d_optimal,
    established,
    least_met,
    order_aware,
    play,
    scored,
    uniform,
    weighted,
)
from benchmarks.rows import Row
from benchmarks.worlds import (
    REPORTING,
    World,
    clean,
    cyclic,
    flipped,
    heteroscedastic,
    kendall_tau,
    spammed,
)
from ranking import (
    ArenaRulePolicy,
    BalancedPolicy,
    Candidates,
    DOptimalPolicy,
    DoubleThompsonPolicy,
    RobustPolicy,
    SelectionState,
    certification_policy,
    generator,
)

Floats = NDArray[np.float64]

# The settings of the library's policies: `RobustPolicy()`, `DOptimalPolicy()`, `ArenaRulePolicy()`, `BalancedPolicy()`.
ROBUST = scored(order_aware, eta=8.0, newcomer_share=0.5)
PEERS = {
    "uniform": uniform,
    "Chatbot Arena's rule": scored(arena_rule, eta=1.0),
    "weighted D-optimal": scored(d_optimal, eta=64.0),
    "balanced": scored(least_met, eta=np.inf),
}
LEVEL = 0.95
CHECKPOINTS = 80


def run(quick: bool) -> list[Row]:
    """Quick runs have fewer repetitions and leave out the large and the slow worlds."""
    rows = twenty_models(80 if quick else 300, quick)
    rows += noisy_annotators(30 if quick else 100, quick)
    rows += richer_answers(30 if quick else 120, quick)
    rows += training_pairs(3 if quick else 10)
    rows += false_claims(ROBUST, 60 if quick else 300, 1_500 if quick else 4_000)
    rows += cost_of_a_choice()
    rows += cost_of_a_refit(quick)
    rows += cost_against_asap(quick)
    rows += every_draw_replays(40 if quick else 300)
    if not quick:
        rows += many_models()
        rows += late_answers(300)
        rows += cycles(100)
        rows += best_model(120)
        rows += newcomer(20)
    return rows


# -- votes to an order


def twenty_models(runs: int, quick: bool) -> list[Row]:
    """Rows 1 to 3 and 7."""
    boards = Boards(runs, 20)
    ours = curve(clean(20), ROBUST, boards, most=12_000)
    rows = []
    for name, policy in list(PEERS.items())[: 2 if quick else None]:
        peer = curve(clean(20), policy, Boards(runs, 20), most=12_000)
        rows.append(against("votes to tau .95", f"20 models, {name}", ours, peer, LEVEL))
    return rows + calibration(boards, clean(20).strength)


def many_models() -> list[Row]:
    """Row 4."""
    rows = []
    for count, runs, most in ((50, 40, 30_000), (100, 20, 60_000)):
        ours = curve(clean(count), ROBUST, Boards(runs, count), most=most)
        peer = curve(clean(count), uniform, Boards(runs, count), most=most)
        rows.append(against("votes to tau .95", f"{count} models, uniform", ours, peer, LEVEL))
    return rows


def noisy_annotators(runs: int, quick: bool) -> list[Row]:
    """Row 5."""
    worlds = {"20 % spam": spammed(20), "15 % flipped": flipped(20), "unequal annotators": heteroscedastic(20)}
    rows = []
    for name, world in list(worlds.items())[2 if quick else 0 :]:
        ours = curve(world, ROBUST, Boards(runs, 20), most=20_000)
        peer = curve(world, uniform, Boards(runs, 20), most=20_000)
        rows.append(against("votes to tau .95", f"20 models, {name}, uniform", ours, peer, LEVEL))
    return rows


def late_answers(runs: int) -> list[Row]:
    """Row 12: ours with 100 pairs always out, against ours with none."""
    late = curve(clean(20), ROBUST, Boards(runs, 20), most=12_000, outstanding=100)
    prompt = curve(clean(20), ROBUST, Boards(runs, 20), most=12_000)
    return [against("votes to tau .95", "20 models, 100 outstanding, none", late, prompt, LEVEL)]


def cycles(runs: int) -> list[Row]:
    """Row 6: the order of fitted Borda scores against that of the true ones."""
    rows = []
    for gamma in (0.25, 0.5, 1.0):
        world = cyclic(20, gamma, runs, REPORTING[0])
        truth = world.borda()
        tau = []
        for policy in (ROBUST, uniform):
            boards = Boards(runs, 20)
            play(world, boards, policy, [6000], np.random.default_rng(REPORTING))
            tau.append(kendall_tau(boards.borda(), truth))
        gain = tau[0] - tau[1]
        low, high = interval([float(resampled.mean()) for resampled in bootstraps(gain)])
        note = f"({low:.3f} to {high:.3f}, {runs} runs; ours {tau[0].mean():.3f}, uniform {tau[1].mean():.3f})"
        rows.append(Row("tau with Borda over uniform's", f"cycles {gamma:g}", gain.mean(), "tau", note=note))
    return rows


def calibration(boards: Boards, truth: Floats) -> list[Row]:
    """Row 7, on the boards as RO left them: do gaps come out right, and do 95 % intervals of gaps cover them?"""
    row, column = np.triu_indices(boards.count, 1)
    gap = boards.mean[:, row] - boards.mean[:, column]
    own = np.diagonal(boards.covariance, axis1=1, axis2=2)
    error = np.sqrt(own[:, row] + own[:, column] - 2.0 * boards.covariance[:, row, column])
    true_gap = truth[row] - truth[column]
    slope = (gap @ true_gap) / (true_gap @ true_gap)
    covered = (np.abs(gap - true_gap) <= 1.96 * error).mean(axis=1)
    rows = []
    for name, values in (("slope of gaps", slope), ("coverage of 95 % intervals", covered)):
        low, high = interval([float(resampled.mean()) for resampled in bootstraps(values)])
        note = f"({low:.3f} to {high:.3f}, {len(values)} runs, {boards.votes} votes)"
        rows.append(Row(name, "20 models", float(values.mean()), "", note=note))
    return rows


# -- the best, and the new


def best_model(runs: int) -> list[Row]:
    """Row 14: votes until the one named best is the best in 95 of 100 runs."""

    def right(boards: Boards) -> Floats:
        return (boards.mean.argmax(axis=1) == boards.count - 1).astype(np.float64)

    def copeland_right(boards: Boards) -> Floats:
        return (copeland_winner(boards) == boards.count - 1).astype(np.float64)

    rows = []
    for count, peers in ((20, ("uniform", "D-TS")), (50, ("uniform", "D-TS", "D-TS with our fit"))):
        ours = curve(clean(count), Ours(), Boards(runs, count), most=2_000, measure=right, until=0.98)
        for name in peers:
            measure = copeland_right if name == "D-TS" else right
            policy = uniform if name == "uniform" else DoubleThompson()
            peer = curve(clean(count), policy, Boards(runs, count), most=8_000, measure=measure, until=0.98)
            row = against("votes to the best, 95 %", f"{count} models, {name}", ours, peer, LEVEL)
            said = "" if name == "uniform" else " D-TS as duelpy has it, transcribed in duels.py"
            rows.append(replace(row, note=row.note + said))
    return rows


def newcomer(runs: int) -> list[Row]:
    """Row 13: votes of the board until the newcomer's rank is off by 1 on average; the peer boosts it fivefold."""
    policies = {
        "uncapped": scored(order_aware, eta=8.0),
        "at most half": ROBUST,
    }
    peer = newcomers_curve(None, runs, most=20_000)
    return [
        against("votes to rank a newcomer", f"50 models, {name}", newcomers_curve(policy, runs, most=8_000), peer, -1.0)
        for name, policy in policies.items()
    ]


def newcomers_curve(policy: Policy | None, runs: int, *, most: int) -> Curve:
    """Newcomers at a fifth, half and four fifths of the field; None draws by weight, five times for the newcomer."""
    world, curves = clean(50), []
    for place in (10, 25, 40):

        def closeness(boards: Boards, place: int = place) -> Floats:
            above = (boards.mean > boards.mean[:, [place]]).sum(axis=1)
            return -np.abs(above - (boards.count - 1 - place)).astype(np.float64)

        rng = np.random.default_rng([*REPORTING, place])
        boards = established(world, place, runs, 40_000, rng)
        boosted = weighted(np.where(np.arange(50) == place, 5.0, 1.0))
        curves.append(play(world, boards, policy or boosted, checkpoints(20, most), rng, measure=closeness))
    return Curve(curves[0].votes, np.concatenate([each.value for each in curves]))


# -- what is asked, and of what


def richer_answers(runs: int, quick: bool) -> list[Row]:
    """Rows 15 and 16."""
    rows = []
    for spread, most in ((2.0, 3_000),) if quick else ((1.0, 6_000), (2.0, 3_000)):
        places = [int(each) for each in np.geomspace(200, most, 24)]
        graded, binary = graded_and_binary(spread, runs, places, REPORTING)
        rows.append(against("votes to tau .95, 7 grades or 2", f"20 models, spread {spread:g}", graded, binary, LEVEL))
    paid, voted = paid_and_binary(20_000, max(runs // 4, 5), REPORTING)
    low, high = interval([float(resampled.mean()) for resampled in bootstraps(paid - voted)])
    note = f"({low:.3f} to {high:.3f}, {len(paid)} runs; amounts {paid.mean():.3f}, votes {voted.mean():.3f})"
    gain = float((paid - voted).mean())
    return [*rows, Row("tau with worth, amounts over votes", "20 models, 20,000 answers", gain, "tau", note=note)]


def training_pairs(runs: int) -> list[Row]:
    """Row 18: labels until a reward model orders fresh pairs as well as with 600 random ones."""
    chosen, random = designed_and_random(runs, 600, REPORTING)
    level = float(random.value[:, -1].mean())
    rng = np.random.default_rng(0)
    resampled = [chosen.votes_until(level, rng.integers(0, runs, runs)) / 600 for _ in range(400)]
    low, high = interval(resampled)
    note = f"({low:.3f} to {high:.3f}, {runs} runs; {100 * level:.1f} % of fresh pairs ordered rightly)"
    needed = chosen.votes_until(level)
    return [Row("labels for what 600 random ones teach", "9,000 pairs, 64 features", needed, "labels", 600.0, note)]


# -- probabilities


def every_draw_replays(draws: int) -> list[Row]:
    """Row 19, on the library itself: a log of seeds and votes is played again, policy by policy."""
    policies = [
        BalancedPolicy(),
        ArenaRulePolicy(),
        DOptimalPolicy(),
        RobustPolicy(),
        RobustPolicy(name="per cost", cost_power=1.0),
        certification_policy(),
        DoubleThompsonPolicy(),
    ]
    same, least = [], np.inf
    for count in (12, 70):
        candidates, world = Candidates(np.arange(count)), clean(count)
        for policy in policies:
            first, again = SelectionState.of(range(count)), SelectionState.of(range(count))
            rng = np.random.default_rng(REPORTING)
            for seed in range(draws):
                choice = policy.choose(first, candidates, generator(seed))
                same.append(choice == policy.choose(again, candidates, generator(seed)))
                least = min(least, choice.p_pair * candidates.pairs / policy.epsilon)
                a, b = (np.array([name]) for name in choice.order)
                outcome = float(world.votes(a, b, rng)[0])
                for state in (first, again):
                    state.record(*choice.order, outcome)
    note = f"({len(same)} draws, {len(policies)} policies, 12 and 70 models)"
    return [
        Row("draws replayed bit for bit", "all policies", float(np.mean(same)), "share", note=note),
        Row("least probability over its floor", "all policies", float(least) + 1e-9, "", note=note),
    ]


# -- arithmetic


def curve(
    world: World,
    policy: Policy,
    boards: Boards,
    *,
    most: int,
    outstanding: int = 0,
    measure: Callable[[Boards], Floats] | None = None,
    until: float = LEVEL + 0.004,
) -> Curve:
    """From an empty board until its mean measure is past the level."""
    places = checkpoints(2 * boards.count, most)
    rng = np.random.default_rng(REPORTING)
    return play(world, boards, policy, places, rng, measure=measure, outstanding=outstanding, until=until)


def checkpoints(first: int, most: int) -> list[int]:
    return [int(each) for each in np.unique(np.geomspace(first, most, CHECKPOINTS).astype(int))]


def against(name: str, size: str, ours: Curve, peer: Curve, level: float) -> Row:
    """Votes to `level`, ours and the peer's, with the interval of their ratio."""
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(400):
        mine, theirs = (rng.integers(0, len(each.value), len(each.value)) for each in (ours, peer))
        ratios.append(ours.votes_until(level, mine) / peer.votes_until(level, theirs))
    low, high = interval([ratio for ratio in ratios if np.isfinite(ratio)])
    note = f"({low:.3f} to {high:.3f}, {len(ours.value)} runs)"
    return Row(name, size, ours.votes_until(level), "votes", peer.votes_until(level), note)


def bootstraps(values: Floats) -> list[Floats]:
    rng = np.random.default_rng(0)
    return [values[rng.integers(0, len(values), len(values))] for _ in range(400)]


def interval(values: Sequence[float]) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
