namespace Weir.Rpc.Protocol;

/// <summary>How a call ends whose peer sent no message, or more than one, where the method has exactly one: gRPC's statuscodes name UNIMPLEMENTED for both
/// directions, since the two ends do not mean the same method. (grpc-go says INTERNAL.)</summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/statuscodes.md</remarks>
internal static class Cardinality
{
    /// <summary>The client's half ended without a request.</summary>
    public static Status NoRequest => new(StatusCode.Unimplemented, "the call ended without the request message");

    /// <summary>The client sent something behind the request.</summary>
    public static Status SecondRequest => new(StatusCode.Unimplemented, "the client sent a second request message to a call that has one");

    /// <summary>The server's status is OK, but there is no response.</summary>
    public static Status NoResponse => new(StatusCode.Unimplemented, "the call ended with OK but without the response message");

    /// <summary>The server sent something behind the response.</summary>
    public static Status SecondResponse => new(StatusCode.Unimplemented, "the server sent a second response message to a call that has one");
}
