"""How dates are written where the words of `customers.words` do not reach."""
