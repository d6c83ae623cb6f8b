"""How one function becomes a method of both clients."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from perigee.client.transport import Transport

P = ParamSpec("P")
T = TypeVar("T")


class Asynchronous:
    """A client whose methods are coroutines. Belongs to the event loop of its first call."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    async def close(self) -> None:
        await self.transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Blocking:
    """A client whose methods wait for their answer. It keeps an event loop in a thread of its own, so it also
    works where a loop already runs (a notebook), and several threads may share it."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="perigee client", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C here must end the call there
            raise

    def close(self) -> None:
        if self._loop.is_closed():
            return
        self.run(self.transport.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class method(Generic[P, T]):  # reads like classmethod
    """A function whose first argument is a transport, as a method of `Asynchronous` and `Blocking` clients."""

    def __init__(self, function: Callable[Concatenate[Transport, P], Coroutine[Any, Any, T]]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Asynchronous, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, T]: ...
    def __get__(self, client: Asynchronous | Blocking | None, owner: type) -> Any:
        if client is None:
            return self
        if isinstance(client, Asynchronous):
            return functools.partial(self._function, client.transport)

        def waiting(*args: P.args, **kwargs: P.kwargs) -> T:
            return client.run(self._function(client.transport, *args, **kwargs))

        return functools.update_wrapper(waiting, self._function)
