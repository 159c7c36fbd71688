"""The server of gRPC's interop tests on Debian's grpcio, with the official flags; prints "listening PORT".

grpcio does not show a handler whether a message came compressed, so expect_compressed cannot be refused here.
"""
import argparse
import time
from concurrent import futures

import grpc

from interop_contract import (
    INITIAL_KEY, TEST_DATA, TRAILING_KEY, Empty, SimpleResponse, StreamingInputCallResponse, StreamingOutputCallResponse, handler, read, zeros)

CODES = {code.value[0]: code for code in grpc.StatusCode}


def echo(context):
    received = dict(context.invocation_metadata())
    if TRAILING_KEY in received:
        context.set_trailing_metadata(((TRAILING_KEY, received[TRAILING_KEY]),))
    if INITIAL_KEY in received:
        context.send_initial_metadata(((INITIAL_KEY, received[INITIAL_KEY]),))


def end_as_wanted(request, context):
    if request.response_status.code != 0:
        context.abort(CODES[request.response_status.code], request.response_status.message)


class TestService:
    def EmptyCall(self, request, context):
        return Empty()

    def UnaryCall(self, request, context):
        context.set_compression(grpc.Compression.Gzip if request.response_compressed.value else grpc.Compression.NoCompression)
        echo(context)
        end_as_wanted(request, context)
        return SimpleResponse(payload=zeros(request.response_size))

    def CacheableUnaryCall(self, request, context):
        context.send_initial_metadata((("cache-control", "max-age=60, public"),))
        response = SimpleResponse()
        response.payload.body = str(time.time_ns()).encode()
        return response

    def StreamingOutputCall(self, request, context):
        if any(wanted.compressed.value for wanted in request.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        yield from self._answers(request, context)

    def StreamingInputCall(self, requests, context):
        return StreamingInputCallResponse(aggregated_payload_size=sum(len(request.payload.body) for request in requests))

    def FullDuplexCall(self, requests, context):
        echo(context)
        for request in requests:
            yield from self._answers(request, context)

    def HalfDuplexCall(self, requests, context):
        for request in list(requests):
            yield from self._answers(request, context)

    def _answers(self, request, context):
        end_as_wanted(request, context)
        for wanted in request.response_parameters:
            time.sleep(wanted.interval_us / 1e6)
            if not wanted.compressed.value:
                context.disable_next_message_compression()
            yield StreamingOutputCallResponse(payload=zeros(wanted.size))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=10000)
    parser.add_argument("--use_tls", nargs="?", const="true", default="false")
    parser.add_argument("--tls_cert_file", default=TEST_DATA + "server1.pem")
    parser.add_argument("--tls_key_file", default=TEST_DATA + "server1.key")
    flags = parser.parse_args()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8), options=(("grpc.so_reuseport", 0),))
    server.add_generic_rpc_handlers((handler(TestService(), "TestService"),))
    address = f"[::]:{flags.port}"
    if flags.use_tls == "true":
        port = server.add_secure_port(address, grpc.ssl_server_credentials(((read(flags.tls_key_file), read(flags.tls_cert_file)),)))
    else:
        port = server.add_insecure_port(address)
    server.start()
    print(f"listening {port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
