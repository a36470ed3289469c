"""Who may see which pages of campaigns."""

from accounts.enums import Role
from accounts.web.access import for_roles

for_researchers = for_roles(Role.RESEARCHER)
for_campaign_admins = for_roles(Role.CAMPAIGN_ADMIN)
for_reviewers = for_roles(Role.REVIEWER, Role.CAMPAIGN_ADMIN)
for_signed_in = for_roles()
