"""Requests that never become an operation."""


class HttpError(Exception):
    """Answered with a status, a code and a message before any GraphQL."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        """`headers` with `_` for `-`."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
