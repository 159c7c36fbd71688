"""A server of gRPC's negative HTTP/2 interop cases, on Debian's python3-h2: misbehaving_http2_server.py --port=PORT --test_case=CASE

https://github.com/grpc/grpc/blob/master/doc/negative-http2-interop-test-descriptions.md. It answers UnaryCall with 314159 zeros, each case in
its own wrong way. Prints "listening PORT". The end of its standard input ends it: exit code 0, or 1 with what the client did wrong.
"""
import argparse
import socket
import struct
import sys
import threading

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (ConnectionTerminated, DataReceived, PingAckReceived, RequestReceived, StreamEnded, StreamReset)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame

RESPONSE_BYTES = 314159
HEADERS = [(":status", "200"), ("content-type", "application/grpc")]
TRAILERS = [("grpc-status", "0")]
CASES = ("goaway", "rst_after_header", "rst_during_data", "rst_after_data", "ping", "max_streams")


def varint(number):
    octets = bytearray()
    while number > 0x7f:
        octets.append(0x80 | number & 0x7f)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def field(number, value):
    """A length-delimited field of a protobuf message."""
    return bytes([number << 3 | 2]) + varint(len(value)) + value


def response():
    """SimpleResponse {payload {body}}, with its prefix."""
    message = field(1, field(2, bytes(RESPONSE_BYTES)))
    return struct.pack(">BI", 0, len(message)) + message


class Verdict:
    """What the client did wrong, and the calls so far; shared by all connections."""

    def __init__(self):
        self._lock = threading.Lock()
        self.failures = []
        self.calls = []  # (connection number, stream id)

    def fail(self, text):
        with self._lock:
            self.failures.append(text)

    def add_call(self, connection, stream):
        with self._lock:
            self.calls.append((connection, stream))


class Connection:
    """One connection, on a thread of its own."""

    def __init__(self, sock, number, case, verdict):
        self._socket = sock
        self._number = number
        self._case = case
        self._verdict = verdict
        self._http2 = H2Connection(config=H2Configuration(client_side=False))
        self._left = {}  # stream -> octets of its response that wait for a window
        self._open = set()
        self._pings = 0

    def run(self):
        try:
            self._http2.initiate_connection()
            if self._case == "max_streams":
                self._http2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 1})
            self._flush()
            while True:
                data = self._socket.recv(65536)
                if not data:
                    break
                for event in self._http2.receive_data(data):
                    self._on_event(event)
                self._send_waiting()
                self._flush()
        except ProtocolError as error:
            self._verdict.fail(f"connection {self._number}: the client broke HTTP/2: {error!r}")
        except OSError as error:
            if self._case == "ping" and self._pings:
                self._verdict.fail(f"connection {self._number}: {error}")
        finally:
            self._socket.close()
        if self._pings:
            self._verdict.fail(f"connection {self._number}: {self._pings} pings were not acknowledged")

    def _on_event(self, event):
        if isinstance(event, RequestReceived):
            self._on_request(event.stream_id)
        elif isinstance(event, DataReceived):
            self._http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded):
            self._answer(event.stream_id)
        elif isinstance(event, PingAckReceived):
            self._pings -= 1
        elif isinstance(event, StreamReset):
            self._left.pop(event.stream_id, None)
            self._open.discard(event.stream_id)
        elif isinstance(event, ConnectionTerminated) and event.error_code != 0:
            self._verdict.fail(f"connection {self._number}: the client left with error {event.error_code}")

    def _on_request(self, stream):
        self._verdict.add_call(self._number, stream)
        self._open.add(stream)
        if self._case == "max_streams" and len(self._open) > 1:
            self._verdict.fail(f"connection {self._number}: {len(self._open)} streams are open; one is allowed")
        if self._case == "goaway" and self._number == 0:
            # Past the library, which would send nothing after it: the call below goes on.
            self._flush()
            self._socket.sendall(GoAwayFrame(0, last_stream_id=stream, error_code=0).serialize())

    def _answer(self, stream):
        self._ping()
        self._http2.send_headers(stream, HEADERS)
        self._ping()
        if self._case == "rst_after_header":
            self._reset(stream)
            return
        body = response()
        self._ping()
        self._left[stream] = body[:len(body) // 2] if self._case == "rst_during_data" else body

    def _send_waiting(self):
        for stream, body in list(self._left.items()):
            while body:
                room = min(self._http2.local_flow_control_window(stream), self._http2.max_outbound_frame_size)
                if room <= 0:
                    break
                self._http2.send_data(stream, body[:room])
                body = body[room:]
            self._left[stream] = body
            if not body:
                del self._left[stream]
                self._end(stream)

    def _end(self, stream):
        self._ping()
        if self._case in ("rst_during_data", "rst_after_data"):
            self._reset(stream)
        else:
            self._http2.send_headers(stream, TRAILERS, end_stream=True)
            self._open.discard(stream)

    def _reset(self, stream):
        self._http2.reset_stream(stream, error_code=0)
        self._open.discard(stream)

    def _ping(self):
        if self._case == "ping":
            self._pings += 1
            self._http2.ping(struct.pack(">Q", self._pings))

    def _flush(self):
        self._socket.sendall(self._http2.data_to_send())


def check_calls(case, calls, fail):
    if case == "goaway" and [connection for connection, _ in calls] != [0, 1]:
        fail(f"two calls on two connections are expected; (connection, stream) of the calls were {calls}")
    if case == "max_streams" and len(calls) != 11:
        fail(f"11 calls are expected; {len(calls)} came")
    if not calls:
        fail("no call came")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=10000)
    parser.add_argument("--test_case", choices=CASES, required=True)
    arguments = parser.parse_args()
    verdict = Verdict()
    threads = []
    listener = socket.create_server(("localhost", arguments.port))

    def accept():
        while True:
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(sock, len(threads), arguments.test_case, verdict)
            threads.append(threading.Thread(target=connection.run, daemon=True))
            threads[-1].start()

    threading.Thread(target=accept, daemon=True).start()
    print(f"listening {listener.getsockname()[1]}", flush=True)
    sys.stdin.read()
    for thread in threads:
        thread.join(10)
        if thread.is_alive():
            verdict.fail("a connection is still open")
    check_calls(arguments.test_case, verdict.calls, verdict.fail)
    for failure in verdict.failures:
        print(failure, file=sys.stderr)
    sys.exit(1 if verdict.failures else 0)


main()
