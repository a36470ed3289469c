"""Which arm of a randomised instrument somebody is in: drawn once for each person, stored with each answer."""

from hashlib import sha256


def price_direction(respondent_id: int) -> str:
    """Up or down, half of the people each: how their price lists run. Always the same for one respondent."""
    return "up" if sha256(f"price list {respondent_id}".encode()).digest()[0] % 2 else "down"
