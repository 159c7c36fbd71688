"""The client of gRPC's interop tests on Debian's grpcio, with the official flags.

Exit code: 0 passed, 1 failed, 2 no such case. A case that passed but could not look at everything says on standard output what it did not see.
"""
import argparse
import queue
import sys
import time

import grpc

from interop_contract import (
    INITIAL_KEY, TEST_DATA, TRAILING_KEY, EchoStatus, Empty, SimpleRequest, StreamingInputCallRequest, StreamingOutputCallRequest, Stub, read, zeros)

LARGE_REQUEST, LARGE_RESPONSE = 271828, 314159
REQUESTS = (27182, 8, 1828, 45904)
RESPONSES = (31415, 9, 2653, 58979)
METADATA = ((INITIAL_KEY, "test_initial_metadata_value"), (TRAILING_KEY, b"\xab\xab\xab"))
SOAK_LATENCY_SECONDS = 1
PLAIN = grpc.Compression.NoCompression
ALGORITHMS = (grpc.Compression.Gzip, grpc.Compression.Deflate)
NOT_CACHED = "no proxy has kept the first response: gRPC sends its calls with POST, whose answers caches do not keep"
UNSEEN = "grpcio does not show whether a response came compressed"


class Failed(Exception):
    pass


def expect(actual, expected, what):
    if actual != expected:
        raise Failed(f"{what}: {expected!r} expected, got {actual!r}")


def check(payload, size):
    if payload.body != bytes(size):
        raise Failed(f"{size} zeros expected, got a payload of {len(payload.body)} bytes")


def ends(call, code, message=None):
    """Expects that a call ends with a status."""
    try:
        call()
    except grpc.RpcError as error:
        expect(error.code(), code, "status")
        if message is not None:
            expect(error.details(), message, "message")
        return
    raise Failed(f"{code} expected, got a response")


def request(size, *responses):
    made = StreamingOutputCallRequest(payload=zeros(size))
    for response in responses:
        made.response_parameters.add(size=response)
    return made


class Outgoing:
    """The requests of a stream, sent as they are put."""

    def __init__(self):
        self._queue = queue.SimpleQueue()

    def __iter__(self):
        return iter(self._queue.get, None)

    def put(self, message):
        self._queue.put(message)

    def end(self):
        self._queue.put(None)


class Cases:
    def __init__(self, flags):
        self._flags = flags
        self.notes = []
        self._channel = self._connect()
        self._service = Stub(self._channel, "TestService")

    def _connect(self):
        target = f"{self._flags.server_host}:{self._flags.server_port}"
        options = [("grpc.use_local_subchannel_pool", 1)]  # a channel has a connection of its own
        if self._flags.use_tls != "true":
            return grpc.insecure_channel(target, options)
        roots = read(self._flags.ca_file) if self._flags.use_test_ca == "true" else None
        if self._flags.server_host_override:
            options.append(("grpc.ssl_target_name_override", self._flags.server_host_override))
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(roots), options)

    def empty_unary(self):
        expect(self._service.EmptyCall(Empty()), Empty(), "response")

    def cacheable_unary(self):
        made = SimpleRequest()
        made.payload.body = str(time.time_ns()).encode()
        bodies = []
        for _ in range(2):
            response, call = self._service.CacheableUnaryCall.with_call(made, metadata=(("x-user-ip", "1.2.3.4"),))
            expect("max-age=" in dict(call.initial_metadata()).get("cache-control", ""), True, "max-age in cache-control")
            bodies.append(response.payload.body)
        if bodies[0] != bodies[1]:
            self.notes.append(NOT_CACHED)

    def large_unary(self, service=None, **options):
        response, call = (service or self._service).UnaryCall.with_call(
            SimpleRequest(response_size=LARGE_RESPONSE, payload=zeros(LARGE_REQUEST)), **options)
        check(response.payload, LARGE_RESPONSE)
        return call

    def _unary_expecting(self, compressed, compression):
        made = SimpleRequest(response_size=LARGE_RESPONSE, payload=zeros(LARGE_REQUEST))
        made.expect_compressed.value = compressed
        return self._service.UnaryCall(made, compression=compression)

    def client_compressed_unary(self):
        ends(lambda: self._unary_expecting(True, PLAIN), grpc.StatusCode.INVALID_ARGUMENT)
        for algorithm in ALGORITHMS:
            check(self._unary_expecting(True, algorithm).payload, LARGE_RESPONSE)
            ends(lambda: self._unary_expecting(False, algorithm), grpc.StatusCode.INVALID_ARGUMENT)
        check(self._unary_expecting(False, PLAIN).payload, LARGE_RESPONSE)

    def server_compressed_unary(self):
        for compressed in (True, False):
            made = SimpleRequest(response_size=LARGE_RESPONSE, payload=zeros(LARGE_REQUEST))
            made.response_compressed.value = compressed
            check(self._service.UnaryCall(made).payload, LARGE_RESPONSE)
        self.notes.append(UNSEEN)

    def client_streaming(self):
        response = self._service.StreamingInputCall(StreamingInputCallRequest(payload=zeros(size)) for size in REQUESTS)
        expect(response.aggregated_payload_size, sum(REQUESTS), "aggregated size")

    def _input_expecting(self, compression, *sizes):
        made = [StreamingInputCallRequest(payload=zeros(size)) for size in sizes]
        for one in made:
            one.expect_compressed.value = True
        return self._service.StreamingInputCall(iter(made), compression=compression)

    def client_compressed_streaming(self):
        ends(lambda: self._input_expecting(PLAIN, REQUESTS[0]), grpc.StatusCode.INVALID_ARGUMENT)
        for algorithm in ALGORITHMS:
            response = self._input_expecting(algorithm, REQUESTS[0], REQUESTS[3])
            expect(response.aggregated_payload_size, REQUESTS[0] + REQUESTS[3], "aggregated size")
        self.notes.append("grpcio compresses all requests of a stream or none")

    def server_streaming(self):
        responses = list(self._service.StreamingOutputCall(request(0, *RESPONSES)))
        expect(len(responses), len(RESPONSES), "responses")
        for response, size in zip(responses, RESPONSES):
            check(response.payload, size)

    def server_compressed_streaming(self):
        sizes = (31415, 92653)
        made = request(0, *sizes)
        for parameters, compressed in zip(made.response_parameters, (True, False)):
            parameters.compressed.value = compressed
        responses = list(self._service.StreamingOutputCall(made))
        expect(len(responses), len(sizes), "responses")
        for response, size in zip(responses, sizes):
            check(response.payload, size)
        self.notes.append(UNSEEN)

    def ping_pong(self):
        outgoing = Outgoing()
        call = self._service.FullDuplexCall(iter(outgoing))
        for size, response in zip(REQUESTS, RESPONSES):
            outgoing.put(request(size, response))
            check(next(call).payload, response)
        outgoing.end()
        expect(list(call), [], "responses after the last request")

    def empty_stream(self):
        expect(list(self._service.FullDuplexCall(iter(()))), [], "responses")

    def _check_metadata(self, call):
        expect(dict(call.initial_metadata()).get(INITIAL_KEY), METADATA[0][1], INITIAL_KEY)
        expect(dict(call.trailing_metadata()).get(TRAILING_KEY), METADATA[1][1], TRAILING_KEY)

    def custom_metadata(self):
        self._check_metadata(self.large_unary(metadata=METADATA))
        call = self._service.FullDuplexCall(iter((request(LARGE_REQUEST, LARGE_RESPONSE),)), metadata=METADATA)
        check(next(call).payload, LARGE_RESPONSE)
        expect(list(call), [], "responses after the last request")
        self._check_metadata(call)

    def _unary_ends(self, message):
        status = EchoStatus(code=grpc.StatusCode.UNKNOWN.value[0], message=message)
        ends(lambda: self._service.UnaryCall(SimpleRequest(response_status=status)), grpc.StatusCode.UNKNOWN, message)
        return status

    def status_code_and_message(self):
        status = self._unary_ends("test status message")
        call = self._service.FullDuplexCall(iter((StreamingOutputCallRequest(response_status=status),)))
        ends(lambda: list(call), grpc.StatusCode.UNKNOWN, status.message)

    def special_status_message(self):
        self._unary_ends("\t\ntest with whitespace\r\nand Unicode BMP \N{WHITE SMILING FACE} and non-BMP \N{SMILING FACE WITH HORNS}\t\n")

    def unimplemented_method(self):
        ends(lambda: self._service.UnimplementedCall(Empty()), grpc.StatusCode.UNIMPLEMENTED)

    def unimplemented_service(self):
        ends(lambda: Stub(self._channel, "UnimplementedService").UnimplementedCall(Empty()), grpc.StatusCode.UNIMPLEMENTED)

    def cancel_after_begin(self):
        outgoing = Outgoing()
        call = self._service.StreamingInputCall.future(iter(outgoing))
        call.cancel()
        expect(call.code(), grpc.StatusCode.CANCELLED, "status")
        outgoing.end()

    def cancel_after_first_response(self):
        outgoing = Outgoing()
        call = self._service.FullDuplexCall(iter(outgoing))
        outgoing.put(request(REQUESTS[0], RESPONSES[0]))
        check(next(call).payload, RESPONSES[0])
        call.cancel()
        ends(lambda: next(call), grpc.StatusCode.CANCELLED)
        outgoing.end()

    def timeout_on_sleeping_server(self):
        outgoing = Outgoing()
        call = self._service.FullDuplexCall(iter(outgoing), timeout=0.001)
        outgoing.put(request(REQUESTS[0]))
        ends(lambda: list(call), grpc.StatusCode.DEADLINE_EXCEEDED)
        outgoing.end()

    def _soak(self, call):
        for i in range(self._flags.soak_iterations):
            begin = time.monotonic()
            call()
            if time.monotonic() - begin > SOAK_LATENCY_SECONDS:
                raise Failed(f"call {i} took more than {SOAK_LATENCY_SECONDS} s")

    def rpc_soak(self):
        self._soak(self.large_unary)

    def channel_soak(self):
        def call():
            with self._connect() as channel:
                self.large_unary(Stub(channel, "TestService"))

        self._soak(call)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server_host", default="localhost")
    parser.add_argument("--server_port", type=int, default=10000)
    parser.add_argument("--test_case", default="large_unary")
    parser.add_argument("--use_tls", nargs="?", const="true", default="false")
    parser.add_argument("--use_test_ca", nargs="?", const="true", default="false")
    parser.add_argument("--ca_file", default=TEST_DATA + "ca.pem")
    parser.add_argument("--server_host_override", default="")
    parser.add_argument("--soak_iterations", type=int, default=10)
    flags = parser.parse_args()
    name = flags.test_case
    run = None if name.startswith("_") or name == "notes" else getattr(Cases, name, None)
    if run is None:
        print(f"{name}: this client does not have the case", file=sys.stderr)
        return 2
    cases = Cases(flags)
    try:
        run(cases)
    except (Failed, grpc.RpcError) as error:
        text = f"{error.code()} {error.details()}" if isinstance(error, grpc.RpcError) else str(error)
        print(f"{name}: {text}", file=sys.stderr)
        return 1
    for note in cases.notes:
        print(note)
    return 0


if __name__ == "__main__":
    sys.exit(main())
