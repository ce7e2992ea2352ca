"""Dentalclean: a privacy policy that executes itself."""

from dentalclean.celery import app as celery_app

__all__ = ["celery_app"]
