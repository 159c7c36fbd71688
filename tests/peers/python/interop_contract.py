"""grpc.testing's messages, stubs and handlers, made from the descriptors that tests/peers/build compiles."""
import os

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message_factory import MessageFactory

TEST_DATA = "/usr/share/gocode/src/google.golang.org/grpc/testdata/"
INITIAL_KEY = "x-grpc-test-echo-initial"
TRAILING_KEY = "x-grpc-test-echo-trailing-bin"

_PROTOSET = os.path.join(os.path.dirname(__file__), "..", "..", "..", "artifacts", "peers", "python", "interop.protoset")
_pool = descriptor_pool.DescriptorPool()
_factory = MessageFactory(_pool)
with open(_PROTOSET, "rb") as _file:
    for _proto in descriptor_pb2.FileDescriptorSet.FromString(_file.read()).file:
        _pool.Add(_proto)


def message(name):
    """The class of a message of grpc.testing."""
    return _factory.GetPrototype(_pool.FindMessageTypeByName(f"grpc.testing.{name}"))


Empty = message("Empty")
Payload = message("Payload")
EchoStatus = message("EchoStatus")
SimpleRequest = message("SimpleRequest")
SimpleResponse = message("SimpleResponse")
StreamingInputCallRequest = message("StreamingInputCallRequest")
StreamingInputCallResponse = message("StreamingInputCallResponse")
StreamingOutputCallRequest = message("StreamingOutputCallRequest")
StreamingOutputCallResponse = message("StreamingOutputCallResponse")


def zeros(size):
    return Payload(body=bytes(size))


def _methods(service):
    descriptor = _pool.FindServiceByName(f"grpc.testing.{service}")
    proto = descriptor_pb2.ServiceDescriptorProto()
    descriptor.CopyToProto(proto)
    for method, declared in zip(descriptor.methods, proto.method):
        kind = ("stream" if declared.client_streaming else "unary") + "_" + ("stream" if declared.server_streaming else "unary")
        yield method.name, kind, _factory.GetPrototype(method.input_type), _factory.GetPrototype(method.output_type)


class Stub:
    """A callable for each method of a service, under the method's name."""

    def __init__(self, channel, service):
        for name, kind, request, response in _methods(service):
            call = getattr(channel, kind)(f"/grpc.testing.{service}/{name}", request.SerializeToString, response.FromString)
            setattr(self, name, call)


def handler(implementation, service):
    """A generic handler whose behaviours are the methods of implementation, named as in the contract; those it lacks are unimplemented."""
    table = {}
    for name, kind, request, response in _methods(service):
        if hasattr(implementation, name):
            make = getattr(grpc, f"{kind}_rpc_method_handler")
            table[name] = make(getattr(implementation, name), request.FromString, response.SerializeToString)
    return grpc.method_handlers_generic_handler(f"grpc.testing.{service}", table)


def read(path):
    with open(path, "rb") as file:
        return file.read()
