"""What admins bring into an arena from lines of text and files."""
