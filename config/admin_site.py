from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy as _


class CardinalAdminSite(AdminSite):
    site_header = _("Cardinal administration")
    site_title = _("Cardinal administration")
    index_title = _("Models, campaigns and people")
    enable_nav_sidebar = False
