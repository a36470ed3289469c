"""What an admin writes about a campaign, section by section."""

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.enums import CampaignState
from annotation.forms.fields import AmountField, GroupQuotasField, PercentField
from annotation.models import Campaign
from annotation.policies.drafts import (
    ABOUT,
    COLUMNS,
    CONTESTANTS_IN_ARENAS,
    DESIGN,
    FIXED_IN_ARENAS,
    FIXED_WITH_QUESTIONS,
    PAY,
    TERMS,
    section_version,
)
from annotation.policies.templates import StartingPoint
from annotation.policies.withdrawals import is_open
from annotation.selection import POLICIES

LONGEST_TEXT = 50_000
LONGEST_WORDS = 2_000
SHORTEST_LEASE, LONGEST_LEASE = 60, 7 * 24 * 3600
NUMERIC = {"inputmode": "numeric", "autocomplete": "off"}
CURRENCY = r"\A[A-Za-z]{1,8}\Z"
LETTERS_ONLY = {"invalid": gettext_lazy("Letters only, such as USD.")}
EXTRA_SHARES = ("gold_share", "attention_share", "repeat_share")
# Or no work would be left to do.
MOST_EXTRA = 0.9
AT_LEAST_ONE = MinValueValidator(1, gettext_lazy("At least 1."))
NOT_NEGATIVE = MinValueValidator(0, gettext_lazy("Not below 0."))
POLICY_NAMES = {
    "uniform": gettext_lazy("Uniform: every pair of models alike"),
    "balanced": gettext_lazy("Balanced: the pair that was asked about least"),
    "robust": gettext_lazy("Whole order: the pair that tells most about who stands where"),
    "certification": gettext_lazy("Certify: as before, and goes on where the order is clear"),
    "double_thompson": gettext_lazy("Best model: the pair that may hold it"),
    "d_optimal": gettext_lazy("D-optimal: the pair that tells most about all strengths"),
    "arena_rule": gettext_lazy("Chatbot Arena’s rule"),
}


# A draft may be saved without them; a launch asks for them.
TO_LAUNCH = gettext_lazy("(before a launch)")
TO_PAY = gettext_lazy("(before a launch that pays)")
IF_NAMED = gettext_lazy("(before a launch whose text names it)")


class VersionedForm(forms.BaseForm):
    """A form that knows on which version of its section it was opened, and what a launch asks for."""

    needed_for: ClassVar[Mapping[str, str | Promise]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, words in self.needed_for.items():
            self.fields[name].needed_for = words  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not cleaned.get("version"):
            self.add_error(None, _("This form does not say what it was opened on. Load the page again."))
        return cleaned

    def opened_on(self, version: str) -> None:
        """Say from now on that this version was seen: what it holds stands beside what was typed."""
        self.data = {**{name: self.data[name] for name in self.data}, "version": version}


class SectionForm(VersionedForm, forms.ModelForm):  # type: ignore[type-arg]
    """One section of columns. `version` is that of the section as it was opened; nothing is saved from here."""

    version = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    section: ClassVar[str]

    def __init__(self, campaign: Campaign, data: Any = None, *, frozen: bool = False) -> None:
        # A refused value never shows as the campaign's own, in its heading for one.
        super().__init__(data, instance=copy(campaign), initial={"version": section_version(campaign, self.section)})
        fixed = (*(FIXED_WITH_QUESTIONS if frozen else ()), *(FIXED_IN_ARENAS if campaign.is_arena else ()))
        for name in fixed:
            if name in self.fields:
                self.fields[name].disabled = True

    @property
    def values(self) -> dict[str, Any]:
        """Of a valid form, by column."""
        return {name: self.cleaned_data[name] for name in COLUMNS[self.section]}


class AboutForm(SectionForm):
    section = ABOUT
    needed_for = {"purpose": TO_LAUNCH}

    class Meta:
        model = Campaign
        fields = COLUMNS[ABOUT]
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "purpose": forms.Textarea(attrs={"rows": 3, "maxlength": LONGEST_WORDS}),
            "standard": forms.Textarea(attrs={"rows": 5, "maxlength": LONGEST_WORDS}),
        }
        help_texts = {
            "purpose": gettext_lazy("What the judgments are for. Annotators read it before they join."),
            "standard": gettext_lazy("As whom to judge, and by what: “You are a teacher who checks homework.”"),
        }

    def __init__(self, campaign: Campaign, data: Any = None, *, frozen: bool = False) -> None:
        super().__init__(campaign, data, frozen=frozen)
        for name in ("purpose", "standard"):
            self.fields[name].validators.append(MaxLengthValidator(LONGEST_WORDS))


class DesignForm(SectionForm):
    section = DESIGN
    group_quotas = GroupQuotasField(
        label=gettext_lazy("Most judgments per group"),
        required=False,
        help_text=gettext_lazy("One group a line: “nurses: 200”."),
    )
    share_per_annotator = PercentField(
        label=gettext_lazy("Largest share of one person, in percent"), required=False, low=0.1
    )
    gold_share = PercentField(label=gettext_lazy("Share of gold items, in percent"), high=50)
    attention_share = PercentField(
        label=gettext_lazy("Share of attention checks, in percent"),
        high=50,
        help_text=gettext_lazy("Whoever fails two is screened out."),
    )
    repeat_share = PercentField(label=gettext_lazy("Share of repeated items, in percent"), high=50)
    pass_mark = PercentField(
        label=gettext_lazy("Pass mark of the qualification test, in percent"), required=False, low=1
    )
    played_share = PercentField(
        label=gettext_lazy("Sounds and films to be played, in percent"),
        required=False,
        low=1,
        help_text=gettext_lazy(
            "An item is answered only when so much of each was played, as browsers tell. Empty: nothing is asked for."
        ),
    )
    lease_seconds = forms.IntegerField(
        label=gettext_lazy("Time for one item, in seconds"),
        min_value=SHORTEST_LEASE,
        max_value=LONGEST_LEASE,
        widget=forms.TextInput(attrs=NUMERIC),
        help_text=gettext_lazy("Then an item that was not answered goes to somebody else."),
    )
    policy = forms.ChoiceField(
        label=gettext_lazy("Which item comes next"),
        choices=[(slug, POLICY_NAMES.get(slug, slug)) for slug in POLICIES],
        help_text=gettext_lazy(
            "Of items with two models. The draw’s probability is kept with each showing; a tenth of the draws of those"
            " that learn is uniform. Other items come in random order."
        ),
    )
    currency = forms.RegexField(
        CURRENCY, label=gettext_lazy("Unit of amounts"), max_length=8, error_messages=LETTERS_ONLY
    )
    deadline = forms.DateTimeField(
        label=gettext_lazy("Deadline, in UTC"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    class Meta:
        model = Campaign
        fields = COLUMNS[DESIGN]
        field_classes: ClassVar = {"budget_money": AmountField}
        numbers = ("responses_per_item", "overlap", "overlap_limit", "quota_per_annotator", "budget_judgments")
        widgets = {name: forms.TextInput(attrs=NUMERIC) for name in (*numbers, "budget_money")}
        help_texts = {
            "pool": gettext_lazy(
                "“Every annotator” is whoever was given that role; an account that an invitation made has none."
                " Invitations hold besides."
            ),
            "overlap": gettext_lazy("How many people judge each item."),
            "order_design": gettext_lazy(
                "Balanced: over the judgments of an item each response stands in each place as often as it can. The"
                " probability of every order is kept."
            ),
            "overlap_limit": gettext_lazy(
                "Items on which answers lie far apart, another side or two steps of five, get more, up to this many."
            ),
        }

    def __init__(self, campaign: Campaign, data: Any = None, *, frozen: bool = False) -> None:
        super().__init__(campaign, data, frozen=frozen)
        # What a campaign was given before this version had it stays choosable.
        policy: Any = self.fields["policy"]
        if campaign.policy not in POLICIES:
            policy.choices = [*policy.choices, (campaign.policy, campaign.policy)]
        for name in ("quota_per_annotator", "budget_judgments", "budget_money"):
            self.fields[name].validators.append(AT_LEAST_ONE)
        if campaign.is_arena:
            self._ask_for_contestants(campaign)

    def _ask_for_contestants(self, campaign: Campaign) -> None:
        """How many models answer each prompt of an arena: for good, once it was launched."""
        field: Any = self.fields["responses_per_item"]
        fewest, most = CONTESTANTS_IN_ARENAS
        field.label = _("Hidden models in a battle")
        field.help_text = _("Two to four. Questions must fit: a preference asks about two, a ranking about more.")
        words = _("An arena’s battles have %(fewest)d to %(most)d.") % {"fewest": fewest, "most": most}
        field.validators = [MinValueValidator(fewest, words), MaxValueValidator(most, words)]
        field.disabled = field.disabled or campaign.state != CampaignState.DRAFT

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        overlap, limit = cleaned.get("overlap"), cleaned.get("overlap_limit")
        if overlap and limit and limit < overlap:
            self.add_error("overlap_limit", _("At least the judgments per item, %(least)d.") % {"least": overlap})
        if sum(cleaned.get(name) or 0 for name in EXTRA_SHARES) > MOST_EXTRA:
            self.add_error(
                EXTRA_SHARES[-1],
                _("Gold items, attention checks and repeated items come to at most %(most)d percent together.")
                % {"most": round(MOST_EXTRA * 100)},
            )
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        # Said at the field by `clean`; the constraint's own words name none.
        return {*super()._get_validation_exclusions(), "overlap_limit"}  # type: ignore[misc]


class PayForm(SectionForm):
    section = PAY
    needed_for = {"expected_seconds": TO_PAY}
    pay_currency = forms.RegexField(
        CURRENCY, label=gettext_lazy("Currency of pay"), max_length=8, error_messages=LETTERS_ONLY
    )

    class Meta:
        model = Campaign
        fields = COLUMNS[PAY]
        field_classes = dict.fromkeys(("pay_per_judgment", "pay_floor", "screen_out_pay"), AmountField)
        widgets = {
            "pay_per_judgment": forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            "pay_floor": forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            "screen_out_pay": forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            "expected_seconds": forms.TextInput(attrs=NUMERIC),
        }
        help_texts = {
            "pay_floor": gettext_lazy("A campaign that comes to less is not launched."),
            "expected_seconds": gettext_lazy("Reading included. The pilot shows how long it really takes."),
            "screen_out_pay": gettext_lazy(
                "Once, to whoever fails the test or two checks, beside the pay for what they judged."
            ),
        }

    def __init__(self, campaign: Campaign, data: Any = None, *, frozen: bool = False) -> None:
        super().__init__(campaign, data, frozen=frozen)
        for name in ("pay_per_judgment", "pay_floor", "screen_out_pay"):
            self.fields[name].validators.append(NOT_NEGATIVE)
        self.fields["expected_seconds"].validators.append(AT_LEAST_ONE)


class TextForm(VersionedForm, forms.Form):
    """Guidelines or a consent text, in Markdown."""

    needed_for = {"text": TO_LAUNCH}
    text = forms.CharField(
        required=False, max_length=LONGEST_TEXT, strip=False, widget=forms.Textarea(attrs={"rows": 18})
    )
    version = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, campaign: Campaign, section: str, text: str, label: str | Promise, data: Any = None) -> None:
        super().__init__(data, initial={"text": text, "version": section_version(campaign, section)})
        self.fields["text"].label = str(label)


class ConsentForm(TextForm):
    """With what the text takes from here, and the page of whoever withdraws too."""

    needed_for = {"text": TO_LAUNCH, "contact": IF_NAMED}
    withdrawal_until = forms.DateField(
        label=gettext_lazy("Last day on which people may withdraw, in UTC"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy(
            "Empty: at any time. What was published before cannot be recalled. Who agreed to a later day keeps it."
        ),
    )
    contact = forms.CharField(
        label=gettext_lazy("Whom people write to"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
        help_text=gettext_lazy("Name and address of who is responsible."),
    )

    def __init__(self, campaign: Campaign, section: str, text: str, label: str | Promise, data: Any = None) -> None:
        super().__init__(campaign, section, text, label, data)
        for name in TERMS:
            self.fields[name].initial = getattr(campaign, name)

    def clean_withdrawal_until(self) -> date | None:
        day: date | None = self.cleaned_data["withdrawal_until"]
        if day is not None and day != self.fields["withdrawal_until"].initial and not is_open(day, timezone.now()):
            raise forms.ValidationError(_("This day has passed."))
        return day

    @property
    def terms(self) -> dict[str, Any]:
        """Of a valid form, by column."""
        return {name: self.cleaned_data[name] for name in TERMS}


class GuidelinesForm(TextForm):
    """With what a change asks of those who passed the test before it."""

    requalify = forms.BooleanField(
        label=gettext_lazy("People take the test again"),
        required=False,
        help_text=gettext_lazy("Everybody meets fresh copies of its items. Who fails is screened out, and paid."),
    )
    retrain = forms.BooleanField(label=gettext_lazy("People take the training again"), required=False)

    def offer(self, *, test: bool, training: bool) -> None:
        """Only what there is to take again can be asked for."""
        for name, offered in (("requalify", test), ("retrain", training)):
            if not offered:
                del self.fields[name]


class NewCampaignForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    start = forms.ChoiceField(
        label=gettext_lazy("Begin with"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what to begin with.")},
    )

    def __init__(self, points: Sequence[StartingPoint], templates: Sequence[Campaign], data: Any = None) -> None:
        super().__init__(data)
        self.points = {f"point-{point.slug}": point for point in points}
        self.templates = {f"template-{template.pk}": template for template in templates}
        start: Any = self.fields["start"]
        start.choices = [
            *((key, template.name) for key, template in self.templates.items()),
            *((key, point.name) for key, point in self.points.items()),
        ]


class NameForm(forms.Form):
    """What a copy or a template is called."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class StateForm(forms.Form):
    """Where a campaign goes. Whoever closes it says why."""

    to = forms.CharField(max_length=10)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Say why the campaign is closed: it cannot be opened again.")},
    )

    def full_clean(self) -> None:
        """Only where it is closed; the page asks for a reason nowhere else."""
        reason = self.fields["reason"]
        reason.required = self.data.get("to") == "closed"
        super().full_clean()
        reason.required = True
