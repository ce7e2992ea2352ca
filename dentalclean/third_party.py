"""Third-party models on the personal-data map; only this room knows what is installed."""

from allauth.account.models import EmailAddress, EmailConfirmation
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext_lazy as _

from customers.models import User
from customers.personal_data import Category, Impersonal, PersonalData, declare

# The admin log points at whatever it tells of by type and key in text; of a person it holds the
# customer number (`Customer.__str__`) and the names of the fields that changed.
ABOUT_A_CUSTOMER = (
    "{row}.object_id = {person}.id::text AND {row}.content_type_id IN "
    "(SELECT id FROM django_content_type WHERE app_label = 'customers' AND model = 'customer')"
)


def put_on_the_map() -> None:
    """Declare every model that is not ours."""
    declare(
        EmailAddress,
        PersonalData(
            name=_("E-postadresser för inloggning"),
            path="user__customer",
            columns={Category.ACCOUNT: ("email", "verified", "primary")},
        ),
    )
    declare(
        EmailConfirmation,
        PersonalData(
            name=_("Bekräftelser av e-postadress"),
            path="email_address__user__customer",
            columns={Category.ACCOUNT: ("created", "sent")},
            impersonal=("key",),
        ),
    )
    declare(
        LogEntry,
        PersonalData(
            name=_("Vad vi har ändrat i registret"),
            path="",
            link=ABOUT_A_CUSTOMER,
            columns={
                Category.STAFF_LOG: ("action_time", "object_repr", "action_flag", "change_message")
            },
            impersonal=("user", "content_type", "object_id"),
        ),
    )
    declare(
        User.groups.through,
        PersonalData(
            name=_("Kontots roller"),
            path="user__customer",
            columns={Category.ACCOUNT: ("group",)},
        ),
    )
    declare(
        User.user_permissions.through,
        PersonalData(
            name=_("Kontots behörigheter"),
            path="user__customer",
            columns={Category.ACCOUNT: ("permission",)},
        ),
    )
    declare(Group, Impersonal(columns=("name",)))
    declare(
        Group.permissions.through,
        Impersonal(columns=("group", "permission")),
    )
    declare(Permission, Impersonal(columns=("name", "content_type", "codename")))
    declare(ContentType, Impersonal(columns=("app_label", "model")))
