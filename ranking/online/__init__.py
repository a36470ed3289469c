"""Ratings that follow the log vote by vote: Elo, Glicko-2, and live Bradley-Terry strengths."""
