"""What must be true of the personal-data map before the program starts."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from customers.models import Customer
from customers.personal_data import Clock, Impersonal, PersonalData, declaration

TEXT_FIELDS = (models.CharField, models.TextField, models.JSONField, models.BinaryField)


def _columns(model: type[models.Model]) -> list[Any]:
    return list(model._meta.local_concrete_fields)


def _spoken_for(model: type[models.Model], data: PersonalData) -> set[str]:
    """Return the columns that need no line: an automatic key and the first step of the path."""
    names = {f.name for f in _columns(model) if f.primary_key and isinstance(f, models.AutoField)}
    if data.path:
        names.add(data.path.split("__")[0])
    return names


@register("personal_data")
def check_map(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a model or a column that is not on the personal-data map (policy P02)."""
    found: list[CheckMessage] = []
    for model in apps.get_models(include_auto_created=True):
        data = declaration(model)
        if data is None:
            found.append(_undeclared_model(model))
        elif isinstance(data, Impersonal):
            found += _check_columns(model, set(data.columns), set(), "columns")
        else:
            found += _check_personal(model, data)
    return found


def _undeclared_model(model: type[models.Model]) -> CheckMessage:
    names = ", ".join(f'"{f.name}"' for f in _columns(model))
    has_text = any(isinstance(f, TEXT_FIELDS) for f in _columns(model))
    to_person = [f.name for f in _columns(model) if f.related_model is Customer]
    if to_person or has_text:
        path = to_person[0] if to_person else "whose?"
        line = (
            f'personal_data = PersonalData(name=_("..."), path="{path}", '
            f"columns={{Category.IDENTITY: ({names},)}})"
        )
    else:
        line = f"personal_data = Impersonal(columns=({names},))"
    return Error(
        f"{model._meta.label} is not on the personal-data map.",
        hint=f"Paste into {model.__name__} and correct: {line}",
        obj=model,
        id="customers.E001",
    )


def _check_personal(model: type[models.Model], data: PersonalData) -> Iterable[CheckMessage]:
    declared = {c for columns in data.columns.values() for c in columns}
    yield from _check_columns(
        model, declared | set(data.impersonal), _spoken_for(model, data), "impersonal"
    )
    if not data.link and data.path and not _reaches_customer(model, data.path):
        yield Error(
            f'The path "{data.path}" of {model._meta.label} does not lead to a customer.',
            hint='Write a lookup path that ends at Customer, such as "order__customer".',
            obj=model,
            id="customers.E003",
        )
    names = {f.name for f in _columns(model)}
    if data.clock is not Clock.SCHEDULE and not data.clock_of and "retain_until" not in names:
        yield Error(
            f"{model._meta.label} has a clock of its own but no column retain_until.",
            hint="Add a generated, indexed retain_until, or use Clock.SCHEDULE.",
            obj=model,
            id="customers.E004",
        )
    yield from _check_cascade(model, data)


def _check_columns(
    model: type[models.Model], declared: set[str], spoken_for: set[str], where: str
) -> Iterable[CheckMessage]:
    names = [f.name for f in _columns(model)]
    automatic = {
        f.name for f in _columns(model) if f.primary_key and isinstance(f, models.AutoField)
    }
    missing = [n for n in names if n not in declared | spoken_for | automatic]
    if missing:
        line = ", ".join(f'"{n}"' for n in missing)
        yield Error(
            f"{model._meta.label} has columns that are not on the personal-data map: "
            f"{', '.join(missing)}.",
            hint=f"Paste into personal_data of {model.__name__}: {where}=({line},), "
            "or name their category in columns={Category.…: (…)}.",
            obj=model,
            id="customers.E001",
        )
    for name in sorted(declared - set(names)):
        yield Error(
            f'{model._meta.label} declares "{name}", which is not one of its columns.',
            hint=f'Remove "{name}" from personal_data of {model.__name__}.',
            obj=model,
            id="customers.E002",
        )


def _reaches_customer(model: type[models.Model], path: str) -> bool:
    current: Any = model
    for part in path.split("__"):
        try:
            current = current._meta.get_field(part).related_model
        except FieldDoesNotExist:
            return False
        if current is None:
            return False
    return current is Customer


def _check_cascade(model: type[models.Model], data: PersonalData) -> Iterable[CheckMessage]:
    """Refuse a child that would outlive the parent row it points to."""
    for column in _columns(model):
        parent = column.related_model
        if column.name != data.path.split("__")[0] or parent is Customer:
            continue
        above = declaration(parent)
        if not isinstance(above, PersonalData):
            continue
        same_clock = data.clock is Clock.SCHEDULE and above.clock is Clock.SCHEDULE
        if same_clock and data.mask & ~above.mask:
            yield Error(
                f"{model._meta.label} may outlive {parent._meta.label}, which it points to.",
                hint="Give the child no category that its parent does not have.",
                obj=model,
                id="customers.E005",
            )
