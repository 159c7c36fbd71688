using Weir.Rpc;

namespace Weir.Interop.Client;

/// <summary>All cases by name.</summary>
internal sealed class Cases
{
    private const string NeedsCloud = "the case is about credentials of Google's cloud, which Weir has no helpers for";
    private const string NeedsOrca = "the case is about ORCA load reports, which Weir does not have";

    private readonly Dictionary<string, Func<CallInvoker, CancellationToken, Task>> _byName;

    public Cases(Soak soak, Func<RpcChannel> connect) => _byName = new(StringComparer.Ordinal)
    {
        ["empty_unary"] = UnaryCases.EmptyUnaryAsync,
        ["cacheable_unary"] = CacheableCase.RunAsync,
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
        ["concurrent_large_unary"] = UnaryCases.ConcurrentLargeUnaryAsync,
        ["rpc_soak"] = soak.RunAsync,
        ["channel_soak"] = (_, stop) => soak.RunAsync(connect, stop),
        ["goaway"] = NegativeCases.GoAwayAsync,
        ["rst_after_header"] = NegativeCases.ResetAsync,
        ["rst_during_data"] = NegativeCases.ResetAsync,
        ["rst_after_data"] = NegativeCases.ResetAsync,
        ["ping"] = UnaryCases.LargeUnaryAsync,
        ["max_streams"] = NegativeCases.MaxStreamsAsync,
        ["compute_engine_creds"] = NotSupported(NeedsCloud),
        ["compute_engine_channel_credentials"] = NotSupported(NeedsCloud),
        ["jwt_token_creds"] = NotSupported(NeedsCloud),
        ["oauth2_auth_token"] = NotSupported(NeedsCloud),
        ["per_rpc_creds"] = NotSupported(NeedsCloud),
        ["google_default_credentials"] = NotSupported(NeedsCloud),
        ["orca_per_rpc"] = NotSupported(NeedsOrca),
        ["orca_oob"] = NotSupported(NeedsOrca),
    };

    public IEnumerable<string> Names => _byName.Keys;

    /// <summary>Runs a case that is in <see cref="Names"/>.</summary>
    /// <remarks>A case that passes but could not look at everything says so on standard output.</remarks>
    /// <exception cref="CaseFailedException">The peer did something else than the case asks for.</exception>
    /// <exception cref="NotSupportedCaseException">Weir cannot run the case.</exception>
    /// <exception cref="RpcException">A call failed that was not to fail.</exception>
    public Task RunAsync(string name, CallInvoker channel, CancellationToken stop) => _byName[name](channel, stop);

    private static Func<CallInvoker, CancellationToken, Task> NotSupported(string reason) => (_, _) => throw new NotSupportedCaseException(reason);
}
