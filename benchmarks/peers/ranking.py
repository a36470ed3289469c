"""Other programs that rate contestants, each through its own public calls, timed where they live.

Runs in the peers' environment and knows nothing of ours. Reads one JSON request a line, answers one JSON line:
{"load": FILE} takes votes from an .npz (a, b, code: 0 = B won, 1 = tie, 2 = A won; count), {"time": NAME} runs that
task and answers seconds and points. What a task is given stands ready before the clock starts; where a peer
takes names, it gets names.
"""

import ast
import gc
import importlib.util
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

PATIENCE = 0.1  # seconds in which a fast task is run again and again; the fastest counts, as on our side
LOG_10 = float(np.log(10.0))
OUTCOMES = np.array(["model_b", "tie", "model_a"])


class Votes:
    """One set of votes in the shapes that the peers take."""

    def __init__(self, file):
        held = np.load(file)
        self.a, self.b, self.code = held["a"], held["b"], held["code"]
        self.count = int(held["count"])
        self.covariates = held.get("covariates")
        self.grade = held.get("grade")
        self.masks = held.get("masks")
        self.names = np.array([f"model-{number:04}" for number in range(self.count)])
        self._frame = None
        self._lists = None
        self._rows = None

    @property
    def frame(self):
        if self._frame is None:
            columns = {"model_a": self.names[self.a], "model_b": self.names[self.b], "winner": OUTCOMES[self.code]}
            self._frame = pd.DataFrame(columns)
        return self._frame

    @property
    def lists(self):
        """For evalica: names on both sides and its winners."""
        if self._lists is None:
            from evalica import Winner

            winners = [Winner.Y, Winner.Draw, Winner.X]
            self._lists = (
                self.names[self.a].tolist(),
                self.names[self.b].tolist(),
                [winners[code] for code in self.code.tolist()],
            )
        return self._lists

    @property
    def rows(self):
        """Unique rows with how often each came, which is the counts in the form evalica takes."""
        if self._rows is None:
            from evalica import Winner

            key = (self.a * self.count + self.b) * 3 + self.code
            unique, times = np.unique(key, return_counts=True)
            pair, code = np.divmod(unique, 3)
            first, second = np.divmod(pair, self.count)
            winners = [Winner.Y, Winner.Draw, Winner.X]
            self._rows = (
                self.names[first].tolist(),
                self.names[second].tolist(),
                [winners[each] for each in code.tolist()],
                times.astype(float).tolist(),
            )
        return self._rows

    def wins(self):
        """(M, M) wins, a tie as half a win for each."""
        size = self.count * self.count
        ahead = self.a * self.count + self.b
        table = np.bincount(ahead, weights=self.code / 2.0, minlength=size).reshape(self.count, self.count)
        behind = self.b * self.count + self.a
        return table + np.bincount(behind, weights=1.0 - self.code / 2.0, minlength=size).reshape(table.shape)


votes = None


def points(strengths):
    """Logits to points with mean 1000."""
    values = np.asarray(strengths, dtype=float)
    return 1000.0 + 400.0 / LOG_10 * (values - values.mean())


def of_names(index, values):
    order = pd.Series(np.asarray(values, dtype=float), index=index).reindex(votes.names)
    return order.to_numpy()


# -- arena-rank


def arena_rank_prepared():
    from arena_rank.utils.data_utils import PairDataset

    data = PairDataset.from_pandas(votes.frame)
    return lambda: arena_rank_of(data, intervals=True)


def arena_rank_fit_prepared():
    from arena_rank.utils.data_utils import PairDataset

    data = PairDataset.from_pandas(votes.frame)
    return lambda: arena_rank_of(data, intervals=False)


def arena_rank_whole():
    from arena_rank.utils.data_utils import PairDataset

    frame = votes.frame
    return lambda: arena_rank_of(PairDataset.from_pandas(frame), intervals=True)


def arena_rank_of(data, *, intervals):
    from arena_rank.models.bradley_terry import BradleyTerry

    model = BradleyTerry(data.n_competitors)
    if intervals:
        found = model.compute_ratings_and_cis(data)
        ratings = np.asarray(found["ratings"])
        np.asarray(found["rating_lower"]), np.asarray(found["rating_upper"])
    else:
        model.fit(data)
        ratings = np.asarray(model.params["ratings"]) * 400.0 / LOG_10
    return of_names(data.competitors, ratings)


def arena_rank_slices():
    from arena_rank.utils.data_utils import PairDataset

    frames = [votes.frame[mask] for mask in votes.masks]
    return lambda: [arena_rank_of(PairDataset.from_pandas(frame), intervals=True) for frame in frames][-1]


def arena_rank_style():
    from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry
    from arena_rank.utils.data_utils import ContextualPairDataset

    columns = [f"x{number}" for number in range(votes.covariates.shape[1])]
    frame = pd.concat([votes.frame, pd.DataFrame(votes.covariates, columns=columns)], axis=1)

    def run():
        data = ContextualPairDataset.from_pandas(frame, columns, reweighted=False)
        model = ContextualBradleyTerry(data.n_competitors, data.n_features)
        found = model.compute_ratings_and_cis(data)
        return of_names(data.competitors, np.asarray(found["ratings"]))

    return run


# -- evalica


def evalica_whole():
    import evalica

    xs, ys, winners = votes.lists

    def run():
        scores = evalica.bradley_terry(xs, ys, winners).scores
        return of_names(scores.index, np.log(scores.to_numpy()) * 400.0 / LOG_10)

    return run


def evalica_counts():
    import evalica

    xs, ys, winners, weights = votes.rows

    def run():
        scores = evalica.bradley_terry(xs, ys, winners, weights=weights).scores
        return of_names(scores.index, np.log(scores.to_numpy()) * 400.0 / LOG_10)

    return run


def evalica_ties():
    import evalica

    xs, ys, winners, weights = votes.rows

    def run():
        scores = evalica.newman(xs, ys, winners, weights=weights).scores
        return of_names(scores.index, np.log(scores.to_numpy()) * 400.0 / LOG_10)

    return run


def evalica_elo():
    import evalica

    xs, ys, winners = votes.lists

    def run():
        scores = evalica.elo(xs, ys, winners).scores
        return of_names(scores.index, scores.to_numpy())

    return run


# -- choix


def choix_counts():
    import choix

    wins = votes.wins()
    return lambda: points(choix.ilsr_pairwise_dense(wins))


# -- FastChat, the function that its package has: logistic regression over all battles, each written down twice


def package_function(name):
    """A function of fastchat.serve.monitor.elo_analysis as it is installed, without the dashboards it stands among."""
    folder = importlib.util.find_spec("fastchat").submodule_search_locations[0]
    tree = ast.parse((Path(folder) / "serve" / "monitor" / "elo_analysis.py").read_text())
    body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    held = {"np": np, "pd": pd, "math": math}
    exec(compile(ast.Module(body, type_ignores=[]), "elo_analysis.py", "exec"), held)
    return held[name]


def fastchat_whole():
    frame, rate = votes.frame, package_function("compute_elo_mle_with_tie")

    def run():
        found = rate(frame)
        return of_names(found.index, found.to_numpy())

    return run


# -- FastChat's notebook: logistic regression over the pairs of a table, weighted by how often each came out how


def notebook_rows(frame):
    """Both orders of every pair that met, with its wins and half its ties, from tables as the notebook makes them."""
    won = pd.crosstab(frame.model_a, frame.model_b, values=(frame.winner == "model_a") + 0.0, aggfunc="sum")
    lost = pd.crosstab(frame.model_a, frame.model_b, values=(frame.winner == "model_b") + 0.0, aggfunc="sum")
    tied = pd.crosstab(frame.model_a, frame.model_b, values=(frame.winner == "tie") + 0.0, aggfunc="sum")
    names = won.index.union(won.columns)
    won, lost, tied = (table.reindex(index=names, columns=names).fillna(0.0).to_numpy() for table in (won, lost, tied))
    wins = 2.0 * won + 2.0 * lost.T + tied + tied.T
    first, second = np.nonzero((wins + wins.T) * (1.0 - np.eye(len(names))))
    return names, first, second, wins[first, second]


def notebook_fit(names, first, second, weight):
    from sklearn.linear_model import LogisticRegression

    rows = np.arange(len(first))
    design = np.zeros((2 * len(first), len(names)))
    for sign, part in ((1.0, slice(0, len(first))), (-1.0, slice(len(first), None))):
        design[part][rows, first] = sign * LOG_10
        design[part][rows, second] = -sign * LOG_10
    target = np.repeat([1.0, 0.0], len(first))
    weights = np.concatenate([weight, weight])
    found = LogisticRegression(fit_intercept=False, C=np.inf, tol=1e-6).fit(design, target, sample_weight=weights)
    return 400.0 * found.coef_[0] + 1000.0


def notebook_whole():
    frame = votes.frame

    def run():
        names, *table = notebook_rows(frame)
        return of_names(names, notebook_fit(names, *table))

    return run


def notebook_slices():
    frames = [votes.frame[mask] for mask in votes.masks]

    def run():
        for frame in frames:
            names, *table = notebook_rows(frame)
            found = notebook_fit(names, *table)
        return of_names(names, found)

    return run


def notebook_bootstrap():
    frame = votes.frame
    rng = np.random.default_rng(1)

    def run():
        found = []
        for _ in range(100):
            names, *table = notebook_rows(frame.iloc[rng.integers(len(frame), size=len(frame))])
            found.append(of_names(names, notebook_fit(names, *table)))
        return np.median(found, axis=0)

    return run


def notebook_style():
    """All rows, the covariates beside the models, as the notebook on style control has it."""
    from sklearn.linear_model import LogisticRegression

    def run():
        rows = np.arange(len(votes.a))
        decided = np.concatenate([rows, rows[votes.code == 1]])
        design = np.zeros((len(decided), votes.count + votes.covariates.shape[1]))
        place = np.arange(len(decided))
        design[place, votes.a[decided]] = LOG_10
        design[place, votes.b[decided]] = -LOG_10
        design[:, votes.count :] = votes.covariates[decided]
        target = (votes.code[decided] == 2) + 0.0
        tied = votes.code[decided] == 1
        target[len(rows) :] = 1.0
        weight = np.where(tied, 1.0, 2.0)
        found = LogisticRegression(fit_intercept=False, C=np.inf, tol=1e-6).fit(design, target, sample_weight=weight)
        return 400.0 * found.coef_[0][: votes.count] + 1000.0

    return run


# -- statsmodels


def statsmodels_ordinal():
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    design = np.zeros((len(votes.a), votes.count))
    place = np.arange(len(votes.a))
    design[place, votes.a] += 1.0
    design[place, votes.b] -= 1.0

    def run():
        # The first contestant is the level: dropped, as its column is the others' negative sum.
        found = OrderedModel(votes.grade, design[:, 1:], distr="logit").fit(method="bfgs", maxiter=500, disp=False)
        return points(np.concatenate([[0.0], np.asarray(found.params)[: votes.count - 1]]))

    return run


def main():
    global votes
    ready = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "load" in request:
            votes, ready = Votes(request["load"]), {}
            answer = {}
        else:
            name = request["time"]
            if name not in ready:
                ready[name] = globals()[name]()
            gc.collect()
            fastest, spent = float("inf"), 0.0
            while spent < PATIENCE:
                begun = time.perf_counter()
                found = ready[name]()
                taken = time.perf_counter() - begun
                fastest, spent = min(fastest, taken), spent + taken
            answer = {"seconds": fastest, "points": np.asarray(found, dtype=float).tolist()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
