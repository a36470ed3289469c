"""Orders and winners from majorities alone, and one order from many: no model of strengths."""
