"""Serves the classic contract from memory, for Weir's client to be tested against.

classic_server.py ADDR      ADDR may end in :0; "listening PORT" on standard output says that it is ready

Metadata named echo or echo-bin comes back in the headers and in the trailers of every call. The special symbols are those of the
Go server (tests/peers/go/classic-server/main.go).
"""
import itertools
import queue
import sys
import threading
import time
from concurrent import futures

import grpc

from contract import handlers, pb

SEEDED_USERS = 1000
QUEUE_MESSAGES = 256
TICK_SECONDS = 0.02
TICKS = 5
END = object()


class Service:
    """Every call of the contract; safe from several threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._users = []
        self._rooms = {}
        self._files = itertools.count(1)
        self._left = 0
        for number in range(1, SEEDED_USERS + 1):
            self._add(f"User {number}", f"user{number}@example.com")

    def GetUserList(self, request, context):
        echo(context)
        size = request.page_size if request.page_size > 0 else 10
        start = 0
        while True:
            with self._lock:
                page = self._users[start:start + size]
            if not page:
                return
            yield from page
            start += len(page)

    def CreateUsers(self, requests, context):
        echo(context)
        created = 0
        for user in requests:
            self._add(user.name, user.email)
            created += 1
        return pb.CreateUsersResponse(created=created)

    def UploadFile(self, requests, context):
        echo(context)
        total, name, numbered, expected = 0, "", True, 0
        for count, chunk in enumerate(requests):
            if count == 0:
                name = chunk.file_name
            elif count == 1 and expected == 1 and chunk.chunk_number == 0:
                numbered = False  # all zero: not numbered
            if count > 0 and numbered and chunk.chunk_number != expected:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"chunk {expected} expected, got {chunk.chunk_number}")
            expected = chunk.chunk_number + 1
            total += len(chunk.data)
        return pb.UploadResponse(file_id=f"file-{next(self._files)}", total_size=total, message=f"stored {name}")

    def GetStockPrices(self, request, context):
        echo(context)
        symbol = request.symbol
        if not symbol:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Symbol fehlt: „“ 取引 100 %")
        if symbol == "CANCELLED":
            yield price(symbol, self._left)
            return
        gone, complete = threading.Event(), threading.Event()

        def ended():
            gone.set()
            if not complete.is_set():
                with self._lock:
                    self._left += 1

        # Counted here, since grpc drops the generator of a cancelled call without running it to its end.
        context.add_callback(ended)
        if symbol == "SILENT":
            gone.wait()
        for number in itertools.count():
            if gone.is_set():
                return
            if symbol != "FOREVER" and number == TICKS:
                complete.set()
                return
            yield price(symbol, 100 + number)
            gone.wait(TICK_SECONDS)

    GetRealTimePrices = GetStockPrices

    def Chat(self, requests, context):
        first = next(requests, None)
        if first is None:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the first message joins a room: there was none")
        room, own = first.room_id, queue.Queue(QUEUE_MESSAGES + 1)
        with self._lock:
            self._rooms.setdefault(room, []).append(own)
        echo(context)
        reader = threading.Thread(target=self._read, args=(room, own, first, requests), daemon=True)
        reader.start()
        yield from iter(own.get, END)
        reader.join()

    def _read(self, room, own, first, requests):
        try:
            for message in itertools.chain([first], requests):
                if message.content:
                    self._broadcast(room, own, message)
        except grpc.RpcError:
            pass  # the client left in the middle; the call has ended with that status already
        finally:
            with self._lock:
                self._rooms[room].remove(own)
            own.put(END)

    def _broadcast(self, room, own, message):
        """Drops a message for a member whose queue is full, so that one slow member delays nobody."""
        with self._lock:
            for member in self._rooms[room]:
                if (member is own) == (room == "echo") and member.qsize() < QUEUE_MESSAGES:
                    member.put(message)

    def _add(self, name, email):
        with self._lock:
            self._users.append(pb.User(id=len(self._users) + 1, name=name, email=email))


def price(symbol, value):
    return pb.StockPrice(symbol=symbol, price=value, timestamp=int(time.time()))


def echo(context):
    """Gives the metadata echo and echo-bin back in the headers and in the trailers, and sends the headers."""
    echoed = tuple((key, value) for key, value in context.invocation_metadata() if key in ("echo", "echo-bin"))
    context.set_trailing_metadata(echoed)
    context.send_initial_metadata(echoed)


def main(arguments):
    if len(arguments) != 1:
        print("usage: classic_server.py ADDR", file=sys.stderr)
        return 2
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=32))
    server.add_generic_rpc_handlers(tuple(handlers(Service())))
    port = server.add_insecure_port(arguments[0])
    server.start()
    print(f"listening {port}", flush=True)
    server.wait_for_termination()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
