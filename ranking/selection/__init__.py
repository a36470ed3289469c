"""Choosing the next pair to ask about: policies behind one interface, each draw with its exact probability."""
