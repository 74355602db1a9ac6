"""Unpack an archive of pictures into a folder: completely or not at all, and nowhere else.

Archives are read in place if possible; only a data set whose parts come as two archives is
unpacked. :mod:`tellapart.data.sources.zips` reads the archive: it refuses bombs, counts and passes
over unsafe names and links, and never inflates a member beyond the size it declares. Here nothing
is passed over: an archive with anything unsafe is refused as a whole.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tellapart.core.errors import PictureError, SourceError
from tellapart.data.sources.archive_basics import bomb, damaged
from tellapart.data.sources.base import MAX_BYTES, Listing
from tellapart.data.sources.zips import ZipStore

_HARMLESS = frozenset({"hidden", "system leftovers"})


def unpack(archive: Path, folder: Path, *, most_files: int, most_bytes: int) -> int:
    """Unpack a zip into a folder that does not exist yet.

    Hidden files and leftovers of systems (``__MACOSX``) are not unpacked. Permissions and dates in
    the archive are ignored.

    Args:
        archive: The zip.
        folder: The folder for its content; it appears at the end, complete.
        most_files: Largest number of files.
        most_bytes: Largest number of unpacked bytes, all together.

    Returns:
        The number of files.

    Raises:
        SourceError: It is damaged, too large, or has unsafe members; nothing is left behind.
    """
    store = ZipStore(str(archive))
    try:
        listing = store.listing()
        _refuse_unsafe(archive, listing, most_files, most_bytes)
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            for member in listing.members:
                target = partial / member.name
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with target.open("xb") as file:
                        file.write(store.read(member))
                except PictureError as error:
                    raise damaged(str(archive), error.message.rstrip(".")) from error
                except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
                    raise damaged(
                        str(archive), f"two members have the same place ({member.name})"
                    ) from error
            partial.chmod(0o755)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    finally:
        store.close()
    return len(listing.members)


def _refuse_unsafe(archive: Path, listing: Listing, most_files: int, most_bytes: int) -> None:
    unsafe = [reason for reason in listing.passed_over if reason not in _HARMLESS]
    if unsafe:
        raise SourceError(
            f"The archive '{archive}' is not unpacked: it has {', '.join(unsafe)}.",
            remedy="Download it again from its provider.",
            code="unsafe_archive",
        )
    if len(listing.members) > most_files:
        raise bomb(str(archive), f"it has more than {most_files:,} files")
    if sum(member.size for member in listing.members) > most_bytes:
        raise bomb(str(archive), f"it would have more than {most_bytes / 1e6:,.0f} MB unpacked")
    for member in listing.members:
        if member.fault or member.size > MAX_BYTES:
            raise damaged(str(archive), member.fault or f"'{member.name}' is too large")
