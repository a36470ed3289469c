"""Users, the persons behind them and behind anonymous visits, and the texts only their key can read."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.enums import LinkPurpose, PersonKind, Role


class User(AbstractUser):
    email = models.EmailField(_("e-mail address"), unique=True)

    def has_role(self, *roles: str) -> bool:
        """Whether any of the roles was granted; superusers hold all."""
        return self.is_superuser or bool(self.role_names & set(roles))

    @property
    def role_names(self) -> set[str]:
        if not hasattr(self, "_role_names"):
            self._role_names = set(self.role_grants.values_list("role", flat=True))
        return self._role_names


class RoleGrant(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_grants")
    role = models.CharField(max_length=20, choices=Role)
    granted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    granted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="one_grant_per_role")]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"


class Person(models.Model):
    """A human being as far as Cardinal knows one: a user, or a browser that voted.

    `wrapped_key` seals everything this person wrote; erasing the person destroys it, and with it the texts,
    while judgments and standings stay as they are. An account that wrote anything is erased, never deleted.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=PersonKind)
    user = models.OneToOneField(User, on_delete=models.PROTECT, null=True, blank=True, related_name="person")
    # Digest of the visitor's cookie, so that a copy of the database cannot vote in their name.
    visitor_digest = models.CharField(max_length=64, unique=True, null=True, blank=True)
    wrapped_key = models.BinaryField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="erased_person_has_no_key_or_link",
                condition=models.Q(erased_at__isnull=True, wrapped_key__isnull=False)
                | models.Q(
                    erased_at__isnull=False,
                    wrapped_key__isnull=True,
                    visitor_digest__isnull=True,
                    user__isnull=True,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {str(self.id)[:8]}"


class PersonalText(models.Model):
    """Free text of one person, sealed under that person's key. `accounts.texts` reads and writes it."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="texts")
    sealed = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"text {self.pk}"


class PersonalFile(models.Model):
    """A file of one person, sealed under that person's key and emptied with it. `accounts.files` is its way in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="files")
    sealed = models.BinaryField()
    content_type = models.CharField(max_length=40)
    # In bytes, before it was sealed.
    size = models.PositiveIntegerField()
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"file {self.pk}"


class PersonLink(models.Model):
    """A way to one's own data without the browser that holds the cookie. Only the digest of its token is kept: the link
    is shown once, works once, and a new one for the same purpose takes its place.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="links")
    purpose = models.CharField(max_length=10, choices=LinkPurpose)
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "purpose"], name="one_link_per_person_and_purpose"),
            models.CheckConstraint(
                name="link_expires_after_it_was_made", condition=models.Q(expires_at__gt=models.F("created_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"link {self.pk} to {self.purpose}"
