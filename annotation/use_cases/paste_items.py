from datetime import datetime

from accounts.models import User
from annotation.models import ItemUpload
from annotation.use_cases.receive_upload import receive_upload


def paste_items(*, campaign_id: int, text: str, key: str, actor: User, now: datetime) -> ItemUpload:
    """Take typed or pasted rows as a file: JSON lines, cells from a table (separated by tabs), or CSV.

    Raises what `receive_upload` raises.
    """
    name = f"pasted{_suffix(text)}"
    content = [text.encode(errors="replace")]
    return receive_upload(campaign_id=campaign_id, name=name, content=content, key=key, actor=actor, now=now)


def _suffix(text: str) -> str:
    if text.lstrip().startswith(("{", "[")):
        return ".jsonl"
    header = text.lstrip("\r\n").split("\n", 1)[0]
    return ".tsv" if "\t" in header else ".csv"
