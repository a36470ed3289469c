"""Fields that the forms of admins share."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MOST_GROUPS = 100
LONGEST_GROUP = 80


class PercentField(forms.FloatField):
    """A share between 0 and 1 that people read and type in percent, `low` to `high`."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def __init__(self, *, low: float = 0, high: float = 100, **options: Any) -> None:
        bounds = {"low": low, "high": high}
        message = gettext_lazy("From %(low)g to %(high)g percent.") % bounds
        validators = [MinValueValidator(low / 100, message), MaxValueValidator(high / 100, message)]
        super().__init__(validators=validators, **options)

    def prepare_value(self, value: Any) -> Any:
        return f"{round(value * 100, 6):g}" if isinstance(value, float | int) else value

    def to_python(self, value: Any) -> float | None:  # type: ignore[override]
        found = super().to_python(value)
        return None if found is None else round(found / 100, 8)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(super().has_changed(self.prepare_value(initial), data))


class AmountField(forms.DecimalField):
    """An amount of money, in digits: 1e3 is a slip, or would be read as one."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and "e" in value.lower():
            raise ValidationError(_("Write the amount in digits, such as 12.50."))
        return super().to_python(value)


class LinesField(forms.CharField):
    """A list of short texts, one a line, each once."""

    widget = forms.Textarea(attrs={"rows": 5, "autocomplete": "off"})

    def __init__(self, *, most: int, longest: int, **options: Any) -> None:
        super().__init__(**options)
        self._most, self._longest = most, longest

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        lines = [" ".join(line.split()) for line in str(super().clean(value)).splitlines()]
        found = list(dict.fromkeys(line for line in lines if line))
        if len(found) > self._most:
            raise ValidationError(_("At most %(count)d lines.") % {"count": self._most})
        long = next((line for line in found if len(line) > self._longest), None)
        if long is not None:
            text = _("“%(line)s…” is longer than %(count)d characters.")
            raise ValidationError(text % {"line": long[:40], "count": self._longest})
        return found


class GroupQuotasField(forms.CharField):
    """{"group": most judgments}, typed as lines of `group: number`."""

    widget = forms.Textarea(attrs={"rows": 3, "autocomplete": "off"})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return "\n".join(f"{group}: {most}" for group, most in sorted(value.items()))
        return value

    def clean(self, value: Any) -> Any:
        found: dict[str, int] = {}
        lines = [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]
        if len(lines) > MOST_GROUPS:
            raise ValidationError(_("At most %(count)d groups.") % {"count": MOST_GROUPS})
        for line in lines:
            group, _colon, most = (part.strip() for part in line.lower().rpartition(":"))
            digits = most.isascii() and most.isdigit() and len(most) <= 9
            if not group or len(group) > LONGEST_GROUP or not digits or group in found:
                raise ValidationError(
                    _("“%(line)s” is not a group of its own, a colon and a whole number.") % {"line": line[:60]}
                )
            found[group] = int(most)
        return found
