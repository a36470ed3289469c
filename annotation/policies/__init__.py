"""Rules that decide and write nothing: what may happen next, and why not."""
