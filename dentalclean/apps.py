from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class DentalcleanConfig(AppConfig):
    """The project itself, as the last room of the house."""

    default = True
    name = "dentalclean"
    verbose_name = _("Dentalclean")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dentalclean.third_party import put_on_the_map

        put_on_the_map()


class StaffAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site in it."""

    default = False
    default_site = "dentalclean.staff.StaffSite"
