using Weir.Rpc;

namespace Weir.Interop.Client;

/// <summary>All cases by name.</summary>
internal sealed class Cases
{
    private readonly Dictionary<string, Func<CallInvoker, CancellationToken, Task>> _byName;

    public Cases(Soak soak, Func<RpcChannel> connect) => _byName = new(StringComparer.Ordinal)
    {
        ["empty_unary"] = UnaryCases.EmptyUnaryAsync,
        ["cacheable_unary"] = NotSupported("the case is about a caching proxy, which keeps no answers to POST; gRPC has no GET any more"),
        ["large_unary"] = UnaryCases.LargeUnaryAsync,
        ["client_compressed_unary"] = CompressionCases.ClientUnaryAsync,
        ["server_compressed_unary"] = CompressionCases.ServerUnaryAsync,
        ["client_streaming"] = StreamCases.ClientStreamingAsync,
        ["client_compressed_streaming"] = CompressionCases.ClientStreamingAsync,
        ["server_streaming"] = StreamCases.ServerStreamingAsync,
        ["server_compressed_streaming"] = CompressionCases.ServerStreamingAsync,
        ["ping_pong"] = StreamCases.PingPongAsync,
        ["empty_stream"] = StreamCases.EmptyStreamAsync,
        ["custom_metadata"] = MetadataCase.RunAsync,
        ["status_code_and_message"] = EndingCases.StatusCodeAndMessageAsync,
        ["special_status_message"] = EndingCases.SpecialStatusMessageAsync,
        ["unimplemented_method"] = UnaryCases.UnimplementedMethodAsync,
        ["unimplemented_service"] = UnaryCases.UnimplementedServiceAsync,
        ["cancel_after_begin"] = EndingCases.CancelAfterBeginAsync,
        ["cancel_after_first_response"] = EndingCases.CancelAfterFirstResponseAsync,
        ["timeout_on_sleeping_server"] = EndingCases.TimeoutOnSleepingServerAsync,
        ["rpc_soak"] = soak.RunAsync,
        ["channel_soak"] = (_, stop) => soak.RunAsync(connect, stop),
        ["goaway"] = NegativeCases.GoAwayAsync,
        ["rst_after_header"] = NegativeCases.ResetAsync,
        ["rst_during_data"] = NegativeCases.ResetAsync,
        ["rst_after_data"] = NegativeCases.ResetAsync,
        ["ping"] = UnaryCases.LargeUnaryAsync,
        ["max_streams"] = NegativeCases.MaxStreamsAsync,
    };

    public IEnumerable<string> Names => _byName.Keys;

    /// <summary>Runs a case that is in <see cref="Names"/>.</summary>
    /// <exception cref="CaseFailedException">The peer did something else than the case asks for.</exception>
    /// <exception cref="NotSupportedCaseException">Weir cannot run the case.</exception>
    /// <exception cref="RpcException">A call failed that was not to fail.</exception>
    public Task RunAsync(string name, CallInvoker channel, CancellationToken stop) => _byName[name](channel, stop);

    private static Func<CallInvoker, CancellationToken, Task> NotSupported(string reason) => (_, _) => throw new NotSupportedCaseException(reason);
}
