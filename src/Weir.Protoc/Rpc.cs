namespace Weir.Protoc;

/// <summary>One method of a service, as the writers need it.</summary>
/// <param name="Name">Its name in the .proto.</param>
/// <param name="Member">Its name in C#.</param>
/// <param name="StreamsRequests">Whether it takes a stream.</param>
/// <param name="StreamsResponses">Whether it answers with a stream.</param>
/// <param name="Request">The C# type of a request.</param>
/// <param name="Response">The C# type of a response.</param>
/// <param name="Comment">The lines of its documentation.</param>
/// <param name="Deprecated">Whether the .proto marks it so.</param>
internal sealed record Rpc(
    string Name,
    string Member,
    bool StreamsRequests,
    bool StreamsResponses,
    string Request,
    string Response,
    string[] Comment,
    bool Deprecated)
{
    /// <summary>Its kind by the name that Weir.Rpc gives it in <c>MethodKind</c>, the binder, the invoker and the call types.</summary>
    public string Kind => (StreamsRequests, StreamsResponses) switch
    {
        (false, false) => "Unary",
        (true, false) => "ClientStreaming",
        (false, true) => "ServerStreaming",
        (true, true) => "DuplexStreaming",
    };
}
