"""What of a model's output may be shown, decided while it streams: pure rules, no database and no clock.

What was given out is never taken back, so text that could still turn into something forbidden is held until it cannot.
"""
