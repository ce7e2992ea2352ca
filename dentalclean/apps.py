from django.apps import AppConfig, apps
from django.contrib.admin import apps as admin_apps
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class DentalcleanConfig(AppConfig):
    """The project itself, as the last room of the house."""

    default = True
    name = "dentalclean"
    verbose_name = _("Dentalclean")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dentalclean import database_roles
        from dentalclean.celery import GatedTask
        from dentalclean.third_party import put_on_the_map
        from retention.restore import demand_open

        put_on_the_map()
        GatedTask.gate = staticmethod(demand_open)
        register(database_roles.check, Tags.database)
        # Both signals come once per app that has models; once is enough, and all tables are there.
        once = apps.get_app_config("customers")
        pre_migrate.connect(database_roles.before_migrate, sender=once)
        post_migrate.connect(database_roles.after_migrate, sender=once)


class StaffAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site in it."""

    default = False
    default_site = "dentalclean.staff.StaffSite"
