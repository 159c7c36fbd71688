"""Runs one case of the classic contract against a server; exits with 1 and a sentence when anything is wrong.

classic_client.py ADDR CASE [ARGUMENTS]
"""
import os
import sys
import threading
import time

import grpc

from contract import Client, pb

CASE_SECONDS = 60
CHUNK_BYTES = 64 * 1024
TICKS = 3


class Wrong(Exception):
    """The server did something that the contract does not allow."""


def check(condition, message):
    if not condition:
        raise Wrong(message)


def users(client):
    """Every user of the server, checked one by one."""
    seen = []
    for user in client.get_user_list(pb.GetUserListRequest(page_size=7), timeout=CASE_SECONDS):
        check(not seen or user.id > seen[-1].id, f"user {user.id} follows another id that is not smaller")
        check(user.name and "@" in user.email, f"user {user.id} has name {user.name!r} and e-mail {user.email!r}")
        seen.append(user)
    return seen


def list_users(client, at_least=1):
    seen = users(client)
    check(len(seen) >= int(at_least), f"got {len(seen)} users, want at least {at_least}")
    print(f"{len(seen)} users")


def create(client, count=250):
    count = int(count)
    mark = f"py-{os.getpid()}-{time.time_ns()}"
    wanted = {f"{mark}-{i}@example.com": f"Jürgen {i}" for i in range(count)}
    answer = client.create_users((pb.User(name=name, email=email) for email, name in wanted.items()), timeout=CASE_SECONDS)
    check(answer.created == count, f"created {answer.created}, want {count}")
    found = {user.email: user.name for user in users(client)}
    missing = [email for email, name in wanted.items() if found.get(email) != name]
    check(not missing, f"{len(missing)} of {count} created users are not in the list")
    print(f"created {count}")


def check_prices(call, symbol):
    last = 0
    for number in range(TICKS):
        price = next(call)
        check(price.symbol == symbol, f"got a price of {price.symbol!r}, asked for {symbol!r}")
        check(price.price > 0, f"price {price.price} is not positive")
        check(abs(time.time() - price.timestamp) < 60, f"timestamp {price.timestamp} is far from now: Unix seconds expected")
        check(price.timestamp >= last, f"timestamp {price.timestamp} of price {number} follows {last}")
        last = price.timestamp
    call.cancel()
    print(f"{TICKS} prices of {symbol}")


def stocks(client, symbol="AAPL"):
    check_prices(client.get_stock_prices(pb.StockRequest(symbol=symbol), timeout=CASE_SECONDS), symbol)


def realtime(client, symbol="AAPL"):
    check_prices(client.get_real_time_prices(pb.StockRequest(symbol=symbol), timeout=CASE_SECONDS), symbol)


def chunks(size, chunk_bytes):
    for number, offset in enumerate(range(0, size, chunk_bytes)):
        data = bytes([number % 256]) * min(chunk_bytes, size - offset)
        yield pb.FileChunk(file_name="python ✓.bin", data=data, chunk_number=number)


def send(client, size, chunk_bytes):
    answer = client.upload_file(chunks(size, chunk_bytes), timeout=CASE_SECONDS)
    check(answer.total_size == size, f"the server counts {answer.total_size} bytes, {size} were sent")
    check(answer.file_id, "the answer has no file_id")
    print(f"uploaded {size} bytes")


def upload(client, size=5 * 1024 * 1024 + 321):
    send(client, int(size), CHUNK_BYTES)


def large(client):
    send(client, 3 * 1024 * 1024, 3 * 1024 * 1024)


def ends_with(code, call):
    """Reads a call to its end, which must be an error with this code; gives its message."""
    try:
        for _ in call:
            pass
    except grpc.RpcError as error:
        check(error.code() == code, f"ended with {error.code().name} ({error.details()}), want {code.name}")
        return error.details()
    raise Wrong(f"ended well, want {code.name}")


def gap(client):
    numbers = [0, 1, 7]
    requests = (pb.FileChunk(file_name="gap.bin", data=b"x", chunk_number=number) for number in numbers)
    message = ends_with(grpc.StatusCode.INVALID_ARGUMENT, client.upload_file_call(requests, timeout=CASE_SECONDS))
    check("2" in message and "7" in message, f"the message {message!r} does not name chunk 2 and chunk 7")
    print("gap refused")


def invalid(client):
    message = ends_with(
        grpc.StatusCode.INVALID_ARGUMENT, client.get_real_time_prices(pb.StockRequest(), timeout=CASE_SECONDS))
    check(message, "the status has no message")
    print(f"refused: {message}")


def deadline(client):
    ends_with(grpc.StatusCode.DEADLINE_EXCEEDED, client.get_real_time_prices(pb.StockRequest(symbol="FOREVER"), timeout=0.5))
    print("ended with DEADLINE_EXCEEDED")


def cancel(client):
    call = client.get_real_time_prices(pb.StockRequest(symbol="FOREVER"), timeout=CASE_SECONDS)
    timer = threading.Timer(0.3, call.cancel)
    timer.start()
    ends_with(grpc.StatusCode.CANCELLED, call)
    users(client)
    print("ended with CANCELLED")


def unimplemented(client):
    for path in ("/StreamService/NoSuchMethod", "/no.such.Service/Method"):
        ends_with(grpc.StatusCode.UNIMPLEMENTED, client.unknown(path)(pb.StockRequest(symbol="AAPL"), timeout=CASE_SECONDS))
    print("unknown methods refused")


def chat(client, room, user):
    """Prints "joined", sends the lines of standard input, prints what others say as "user: content"."""
    joined = threading.Event()

    def messages():
        yield pb.ChatMessage(user_id=user, room_id=room)
        joined.wait()
        for line in sys.stdin:
            yield pb.ChatMessage(user_id=user, content=line.rstrip("\n"), timestamp=int(time.time()), room_id=room)

    call = client.chat(messages(), timeout=CASE_SECONDS)
    call.initial_metadata()
    print("joined", flush=True)
    joined.set()
    for message in call:
        check(message.room_id == room, f"got a message of room {message.room_id!r} in room {room!r}")
        check(message.user_id != user, f"got an own message back: {message.content!r}")
        print(f"{message.user_id}: {message.content}", flush=True)


CASES = {
    "list": list_users, "create": create, "stocks": stocks, "realtime": realtime, "upload": upload, "large": large, "gap": gap,
    "chat": chat, "invalid": invalid, "deadline": deadline, "cancel": cancel, "unimplemented": unimplemented,
}


def main(arguments):
    if len(arguments) < 2 or arguments[1] not in CASES:
        print(f"usage: classic_client.py ADDR CASE [ARGUMENTS]; CASE is one of {', '.join(sorted(CASES))}", file=sys.stderr)
        return 2
    address, case, *rest = arguments
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=10)
            CASES[case](Client(channel), *rest)
        except grpc.FutureTimeoutError:
            print(f"{case}: cannot connect to {address} within 10 s", file=sys.stderr)
            return 1
        except grpc.RpcError as error:
            print(f"{case}: {error.code().name}: {error.details()}", file=sys.stderr)
            return 1
        except (Wrong, StopIteration) as error:
            print(f"{case}: {str(error) or 'the stream ended early'}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
