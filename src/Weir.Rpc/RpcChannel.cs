using System.Runtime.CompilerServices;
using Weir.Rpc.Channels;

namespace Weir.Rpc;

/// <summary>A client's logical endpoint: connects when first used, again after a loss. Safe for use by any number of threads.</summary>
/// <remarks>
/// Addresses: "http://host:port" and "https://host:port"; "dns:///host:port" (all addresses of a name); "static:///host:port,host:port"; "unix:/path" or
/// "unix:///path"; and those of <see cref="RpcChannelOptions.Resolvers"/>. A missing port is 80, with TLS 443.
///
/// A call that ends with an error throws <see cref="RpcException"/>, whatever ended it: also when the caller's own token fired (Cancelled) or its
/// deadline passed (DeadlineExceeded, at once, without waiting for the server). OperationCanceledException is only thrown by a send whose own token
/// fired before the message was queued; the call goes on then.
/// </remarks>
public sealed class RpcChannel : CallInvoker, IAsyncDisposable
{
    private readonly ChannelCore _core;
    private readonly ChannelInvoker _calls;
    private readonly CallInvoker _invoker; // what calls go through first: the interceptors, or the calls themselves

    private RpcChannel(ChannelCore core)
    {
        _core = core;
        _calls = new ChannelInvoker(core);
        _invoker = core.Options.Interceptors.Count == 0 ? _calls : _calls.Intercept([.. core.Options.Interceptors]);
    }

    /// <inheritdoc/>
    internal override RpcChannelOptions? ChannelOptions => _core.Options;

    private Connectivity Connectivity => _core.Pool.Connectivity;

    /// <summary>Creates a channel; nothing connects before the first call.</summary>
    /// <exception cref="ArgumentException">The address is of none of the known forms, or no policy of the options is known.</exception>
    public static RpcChannel ForAddress(string address, RpcChannelOptions? options = null)
    {
        options ??= new RpcChannelOptions();
        _ = options.CreatePolicy();
        return new RpcChannel(new ChannelCore(ChannelTarget.Parse(address, options), options));
    }

    /// <summary>How the channel stands to its servers now.</summary>
    public ConnectivityState State => Connectivity.States.Last.State;

    /// <summary>Begins to connect if the channel is Idle, as a call would. Returns at once.</summary>
    /// <exception cref="ObjectDisposedException">The channel was disposed of.</exception>
    public void Connect()
    {
        ObjectDisposedException.ThrowIf(_calls.IsDisposed, this);
        Connectivity.Wake();
    }

    /// <summary>Connects, as often as it takes, and completes when the channel is Ready.</summary>
    /// <exception cref="ObjectDisposedException">The channel was disposed of.</exception>
    /// <exception cref="OperationCanceledException">The token fired; the channel goes on connecting.</exception>
    public async Task ConnectAsync(CancellationToken cancellationToken = default)
    {
        for (var state = Connectivity.States.Last; state.State != ConnectivityState.Ready; state = await state.Next.WaitAsync(cancellationToken).ConfigureAwait(false))
        {
            ObjectDisposedException.ThrowIf(state.State == ConnectivityState.Shutdown, this);
            Connectivity.Wake();
        }
    }

    /// <summary>Completes when the channel's state is another than <paramref name="from"/>, which may be at once, with the first such state. Never after
    /// Shutdown.</summary>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<ConnectivityState> WaitForStateChangeAsync(ConnectivityState from, CancellationToken cancellationToken = default)
    {
        var state = Connectivity.States.Last;
        while (state.State == from)
        {
            state = await state.Next.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        return state.State;
    }

    /// <summary>The channel's states: the present one, then every one after it in its order, none left out however slowly they are read, to Shutdown.</summary>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async IAsyncEnumerable<ConnectivityState> WatchStateAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var state = Connectivity.States.Last;
        yield return state.State;
        while (state.State != ConnectivityState.Shutdown)
        {
            state = await state.Next.WaitAsync(cancellationToken).ConfigureAwait(false);
            yield return state.State;
        }
    }

    /// <inheritdoc/>
    public override void ResetConnectBackoff() => Connectivity.ResetBackoff();

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The channel was disposed of.</exception>
    public override UnaryCall<TResponse> Unary<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken) =>
        _invoker.Unary(method, request, options, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The channel was disposed of.</exception>
    public override ServerStreamingCall<TResponse> ServerStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken) =>
        _invoker.ServerStreaming(method, request, options, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The channel was disposed of.</exception>
    public override ClientStreamingCall<TRequest, TResponse> ClientStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken) =>
        _invoker.ClientStreaming(method, options, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The channel was disposed of.</exception>
    public override DuplexStreamingCall<TRequest, TResponse> DuplexStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken) =>
        _invoker.DuplexStreaming(method, options, cancellationToken);

    /// <summary>How many servers calls may go to now. For tests.</summary>
    internal int CountReadyServers() => _core.Pool.CountReadyServers();

    /// <summary>The keepalive times of the connections that calls may go to. For tests.</summary>
    internal TimeSpan[] KeepAliveTimes() => _core.Pool.KeepAliveTimes();

    /// <summary>Cancels open calls, closes the connections and waits for them.</summary>
    public async ValueTask DisposeAsync()
    {
        _calls.IsDisposed = true;
        await _core.Pool.DisposeAsync().ConfigureAwait(false);
    }
}
