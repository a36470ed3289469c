"""The same votes by other methods: each one's board, what it takes for granted, and what forbids to read it."""
