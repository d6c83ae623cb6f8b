"""Python client of a Perigee server.

    with Client("http://127.0.0.1:8025", key) as perigee:
        print(perigee.account_info().organisation_name)

    async with AsyncClient("http://127.0.0.1:8025", key) as perigee:
        print((await perigee.account_info()).organisation_name)

Both have the same methods (`methods.py`), written once. `ApiError` is a refusal of the server, `Unreachable` means
that there was no answer.
"""

from perigee.client.clients import AsyncClient, Client
from perigee.client.errors import ApiError, ClientError, Unreachable

__all__ = ["ApiError", "AsyncClient", "Client", "ClientError", "Unreachable"]
