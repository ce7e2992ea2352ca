"""What staff see of this room; Django looks for all of it here."""

from customers.admin import people, purchases  # noqa: F401  they register what they show
