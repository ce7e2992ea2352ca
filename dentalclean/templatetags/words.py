"""Template filters for dates and numbers in words; what they say is decided in customers.words."""

from django import template

from customers import words

register = template.Library()

register.filter("day", words.day)
register.filter("full_day", words.full_day)
register.filter("night", words.night)
register.filter("until", words.until)
register.filter("clock", words.clock)
register.filter("moment", words.moment)
register.filter("figures", words.figures)
register.filter("in_words", words.in_words)
register.filter("listed", words.listed)
register.filter("file_size", words.file_size)
