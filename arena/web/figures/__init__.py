"""The pictures of a board: one table of figures, by which the page, the files and their tests go."""
