"""Where the bytes of files live: a folder by default, S3-compatible and other stores by URL."""

import asyncio
from collections.abc import AsyncIterator
from functools import cached_property
from pathlib import Path
from typing import IO

import obstore
from obstore.exceptions import BaseError as StorageError
from obstore.store import LocalStore, ObjectStore, from_url

__all__ = ["Storage", "StorageError"]

_CHUNK = 256 * 1024


class Storage:
    """Objects by key. The store's own calls run in threads: its asynchronous ones outlive their event loop."""

    def __init__(self, url: str) -> None:
        """`url` is a folder, made when first used, or `s3://bucket/prefix` or another URL that `obstore` knows."""
        self._url = url

    @cached_property
    def _store(self) -> ObjectStore:
        if "://" in self._url:
            return from_url(self._url)
        folder = Path(self._url).resolve()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # files about clients are nobody else's on this machine
        return LocalStore(folder)

    async def put(self, key: str, content: IO[bytes]) -> None:
        """Store everything in `content` under `key`."""
        await asyncio.to_thread(obstore.put, self._store, key, content)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """The object piece by piece; `FileNotFoundError` before the first if there is none."""
        found = await asyncio.to_thread(obstore.get, self._store, key)
        pieces = iter(found.stream(min_chunk_size=_CHUNK))

        async def stream() -> AsyncIterator[bytes]:
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                yield bytes(piece)

        return stream()

    async def delete(self, key: str) -> None:
        """Remove the object; one that is gone already is no error."""
        try:
            await asyncio.to_thread(obstore.delete, self._store, key)
        except FileNotFoundError:
            return
