"""What else is asked of a board's errors: resampling, watching while votes come in, planning, influence."""
