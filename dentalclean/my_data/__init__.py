"""Vad vet ni om mig: the page, its rows in words, and what each row says of itself."""
