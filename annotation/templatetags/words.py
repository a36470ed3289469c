from django import template

register = template.Library()


@register.filter
def in_words(name: str) -> str:
    """A name of a program that no page has words for: "dry_run" is "Dry run"."""
    return name.replace("_", " ").capitalize()
