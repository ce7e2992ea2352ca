"""How old a backup may be, and which ones are older (ERA-05, L04).

What the night erased is in every backup from before it; it is gone for good when the last of those
is. Nothing here makes or removes backups.
"""

from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

MOST_DAYS = 35


def too_old(now: datetime | None = None) -> list[Path]:
    """Return the files in the folder of the backups that should be gone; none if it is unset."""
    folder: Path | None = settings.BACKUPS_DIR
    if folder is None:
        return []
    limit = ((now or timezone.now()) - timedelta(days=settings.BACKUP_DAYS)).timestamp()
    return sorted(
        file for file in folder.rglob("*") if file.is_file() and file.stat().st_mtime < limit
    )
