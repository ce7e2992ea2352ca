"""Marketing, segments, recommendations and exports read people by purpose, or fail here.

The modules are found by rule: all of the room `marketing`, and whatever elsewhere has a name that
speaks of reading many people. In them `Customer.objects` is followed by `processable`, another
model about people by a filter on such people, and no way round is taken.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from customers.models import Customer
from customers.personal_data import personal_models

BOUND_ROOMS = ("marketing",)
BOUND_NAMES = re.compile(r"audience|campaign|export|newsletter|recommend|segment|statistic|survey")
OURS = [
    config for config in apps.get_app_configs() if Path(config.path).parent == settings.BASE_DIR
]

MODELS = {model.__name__ for model in apps.get_models()}
PERSONAL = {model.__name__ for model, _data in personal_models()} - {"Customer"}
GATE_ASKED = "asks the gate about everybody, those it is shut for too"
# What gives the rows of every person without asking; raw SQL asks nobody at all.
WAYS_ROUND = {
    "_default_manager": "takes another manager",
    "_base_manager": "takes another manager",
    "get_model": "fetches a model by its name",
    "get_user_model": "fetches a model by its name",
    "get_object_or_404": "fetches a row past the manager",
    "get_list_or_404": "fetches rows past the manager",
    "cursor": "speaks SQL",
    "raw": "speaks SQL",
    "extra": "speaks SQL",
    "RawSQL": "speaks SQL",
    "connection": "speaks SQL",
    "connections": "speaks SQL",
    "customer": "goes from a row to its person",
    "gate": GATE_ASKED,
    "GateQuerySet": GATE_ASKED,
    "union": "puts others beside people of a purpose",
    "import_module": "fetches a model by its name",
    "__import__": "fetches a model by its name",
    "eval": "hides what it reads",
    "exec": "hides what it reads",
    "globals": "hides what it reads",
    "vars": "hides what it reads",
    "__dict__": "hides what it reads",
}
INTO_A_PERSON = re.compile(r"(^|__)customer(__(?!in$)|$)")
KEEPS_PEOPLE = re.compile(r"^((\w+__)?customer|customer_id|pk|id)__in$")


def bound_modules() -> Iterator[Path]:
    """Yield the files that must read by purpose."""
    for config in OURS:
        for path in sorted(Path(config.path).rglob("*.py")):
            inside = path.relative_to(settings.BASE_DIR)
            if "migrations" in inside.parts:
                continue
            if config.name in BOUND_ROOMS or BOUND_NAMES.search(path.stem):
                yield path


class Reading(ast.NodeVisitor):
    """One module: what it calls people, which of them are bound to a purpose, what is wrong."""

    def __init__(self, source: str) -> None:
        self.wrong: list[str] = []
        self.names: dict[str, str] = {}
        self.bound: set[str] = set()
        tree = ast.parse(source)
        self.parents = {
            child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)
        }
        self.visit(tree)

    def refuse(self, node: ast.AST, why: str) -> None:
        self.wrong.append(f"line {getattr(node, 'lineno', 0)}: {why}")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self.names[alias.asname or alias.name] = alias.name
            if alias.name in WAYS_ROUND:
                self.refuse(node, WAYS_ROUND[alias.name])

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            if isinstance(target, ast.Name):
                bound = self.is_bound(node.value)
                (self.bound.add if bound else self.bound.discard)(target.id)
                if self.is_model(node.value):
                    self.names[target.id] = self.model(node.value)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        if node.attr in WAYS_ROUND:
            self.refuse(node, WAYS_ROUND[node.attr])
        if node.attr.endswith("_set"):
            self.refuse(node, "goes from a thing to the rows of every person")
        if node.attr == "objects":
            if self.is_model(node.value):
                self.ask_of_manager(node, self.model(node.value))
            elif self.model(node.value) not in MODELS:
                self.refuse(node, "asks the manager of a model that it does not name")

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        called = getattr(node.func, "id", "")
        if called in WAYS_ROUND:
            self.refuse(node, WAYS_ROUND[called])
        if self.model(node.func).endswith("QuerySet"):
            self.refuse(node, "makes a query of its own")
        words = [k.arg or "" for k in node.keywords]
        words += [a.value for a in node.args if isinstance(a, ast.Constant) and a.value is not None]
        for word in words:
            if called == "getattr" and word in ("objects", *WAYS_ROUND):
                self.refuse(node, "hides the manager behind its name")
            looks_inside = isinstance(node.func, ast.Attribute) or called in ("F", "Q", "OuterRef")
            if looks_inside and isinstance(word, str) and INTO_A_PERSON.search(word):
                self.refuse(node, f"goes from a row to its person by {word}")

    def ask_of_manager(self, node: ast.Attribute, model: str) -> None:
        """Refuse a manager that is not asked for the people of a purpose at once."""
        after = self.parents[node]
        verb = after.attr if isinstance(after, ast.Attribute) else ""
        if model == "Customer":
            if verb != "processable":
                self.refuse(node, f"Customer.objects.{verb} and not processable")
            return
        call = self.parents.get(after)
        if verb == "filter" and isinstance(call, ast.Call) and call.func is after:
            kept = [k for k in call.keywords if KEEPS_PEOPLE.match(k.arg or "")]
            if any(self.is_bound(k.value) for k in kept):
                return
        self.refuse(node, f"{model}.objects without people of a purpose")

    def is_model(self, node: ast.AST) -> bool:
        return self.model(node) in PERSONAL | {"Customer"}

    def model(self, node: ast.AST) -> str:
        """Return the name of the model behind `Customer`, an alias of it or `models.Customer`."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        return node.attr if isinstance(node, ast.Attribute) else ""

    def is_bound(self, node: ast.AST) -> bool:
        """Say whether an expression is people of a purpose, however narrowed afterwards."""
        if isinstance(node, ast.Name):
            return node.id in self.bound
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        source = node.func.value
        if node.func.attr == "processable":
            is_manager = isinstance(source, ast.Attribute) and source.attr == "objects"
            return is_manager or self.is_bound(source)
        return node.func.attr in NARROWS and self.is_bound(source)


# What keeps people of a purpose people of a purpose; a union with others does not.
NARROWS = {
    "distinct",
    "exclude",
    "filter",
    "identified",
    "only",
    "order_by",
    "prefetch_related",
    "values",
    "values_list",
}


def wrong_in(source: str) -> list[str]:
    return Reading(source).wrong


@pytest.mark.parametrize(
    "planted",
    [
        "Customer.objects.all()",
        "Customer.objects.filter(email='x').processable('H', 'email')",
        "people = Customer.objects",
        "Customer.objects.get(pk=1)",
        "list(Customer.objects)",
        "from customers.models import Customer as Person\nPerson.objects.identified()",
        "from customers import models\nmodels.Customer.objects.all()",
        "import customers.models\ncustomers.models.Customer.objects.all()",
        "Who = Customer\nWho.objects.all()",
        "Customer._default_manager.all()",
        "Customer._base_manager.all()",
        "getattr(Customer, 'objects').all()",
        "apps.get_model('customers', 'Customer')",
        "from django.shortcuts import get_object_or_404\nget_object_or_404(Customer, pk=1)",
        "from django.db import connection",
        "from django.db import connections as lines",
        "django.db.connection.cursor()",
        "people.raw('SELECT * FROM customers_customer')",
        "from django.db.models.expressions import RawSQL",
        "people.extra(where=['true'])",
        "Order.objects.all()",
        "Order.objects.filter(product=1)",
        "Order.objects.filter(customer__in=everybody)",
        "everybody = other()\nOrder.objects.filter(customer__in=everybody)",
        "Order.objects.filter(customer__in=Customer.objects.all())",
        "Standing.objects.filter(customer_id__in=[1, 2])",
        "Event.objects.count()",
        "Outbox.objects.filter(batch=1)",
        "p = Customer.objects.processable('H', 'email') | q; Order.objects.filter(customer__in=p)",
        "row.customer.email",
        "rows.values_list('customer__email')",
        "rows.select_related('customer')",
        "rows.filter(customer__email='x')",
        "F('customer__email')",
        "from consent.rules import gate\ngate(Use('H', 'email'))",
        "from consent import rules\nrules.gate(use).values_list('email')",
        "GateQuerySet(Customer)",
        "from django.db.models import QuerySet\nQuerySet(Customer).all()",
        "Who: Any = Customer\nWho.objects.all()",
        "(Who := Customer).objects.all()",
        "Customer.objects.processable('H', 'email').model.objects.all()",
        "import customers.models as m\nm.people.Customer.objects.all()",
        "importlib.import_module('customers.models').Customer.objects.all()",
        "__import__('customers.models')",
        "eval('Cust' + 'omer').objects.all()",
        "vars(models)['Customer'].objects.all()",
        "product.order_set.all()",
        "Product.objects.filter(orders__customer=1)",
        "people = Customer.objects.processable('H', 'email').union(others)",
        "for who in [Customer]:\n    who.objects.all()",
        "from customers.models import Customer\nprint(Customer.objects)",
    ],
)
def test_a_way_round_the_gate_is_seen(planted: str) -> None:
    assert wrong_in(planted), planted


@pytest.mark.parametrize(
    "allowed",
    [
        "Customer.objects.processable('H', 'email')",
        "Customer.objects.processable('F', 'internal').filter(language='sv').count()",
        "Order.objects.filter(customer__in=Customer.objects.processable('I', 'portal'))",
        "p = Customer.objects.processable('H', 'post'); Order.objects.filter(customer__in=p)",
        "Customer.objects.processable('F', 'internal').processable('H', 'email')",
        "Campaign.objects.all()",
        "Product.objects.all()",
        "def address(to: Customer) -> str:\n    return to.email",
    ],
)
def test_a_read_by_purpose_is_allowed(allowed: str) -> None:
    assert wrong_in(allowed) == []


def test_the_rule_finds_the_modules() -> None:
    found = {str(path.relative_to(settings.BASE_DIR)) for path in bound_modules()}
    assert {"marketing/actions.py", "marketing/rules.py", "marketing/admin.py"} <= found
    assert all(BOUND_NAMES.search(name) for name in ("exports", "segments", "recommendations"))


@pytest.mark.parametrize(
    "path", list(bound_modules()), ids=lambda path: str(path.relative_to(settings.BASE_DIR))
)
def test_it_reads_people_by_purpose(path: Path) -> None:
    wrong = wrong_in(path.read_text())
    if path.stem == "statistics" and path.parent.name == "consent":
        wrong = [said for said in wrong if GATE_ASKED not in said]  # it counts, and names nobody
    assert wrong == [], path


def test_a_model_about_people_is_known_by_its_map() -> None:
    assert {"Order", "Outbox", "Standing", "Address"} <= PERSONAL
    assert "Campaign" not in PERSONAL
    assert Customer.__name__ not in PERSONAL
