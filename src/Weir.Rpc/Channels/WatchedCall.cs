using Weir.Rpc.Protocol;

namespace Weir.Rpc.Channels;

/// <summary>A call whose waits for a message, or for room to send one, have limits of their own.</summary>
internal sealed class WatchedCall<TRequest, TResponse> : IClientCall<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    private readonly IChannelCall<TRequest, TResponse> _call;
    private readonly MessageWatch? _receives;
    private readonly MessageWatch? _sends;

    public WatchedCall(IChannelCall<TRequest, TResponse> call, TimeProvider time, TimeSpan? messageTimeout, TimeSpan? sendTimeout)
    {
        _call = call;
        _receives = MessageWatch.Create(time, messageTimeout, () => call.Stop(new Status(
            StatusCode.DeadlineExceeded, $"no message came for {messageTimeout?.TotalSeconds:0.###} s (MessageTimeout)")));
        _sends = MessageWatch.Create(time, sendTimeout, () => call.Stop(new Status(
            StatusCode.DeadlineExceeded, $"no message could be sent for {sendTimeout?.TotalSeconds:0.###} s (SendTimeout)")));
        Responses = _receives is null ? call.Responses : new WatchedMessages<TResponse>(call.Responses, _receives);
    }

    /// <inheritdoc/>
    public bool IsFinished => _call.IsFinished;

    /// <inheritdoc/>
    public bool IsCommitted => _call.IsCommitted;

    /// <inheritdoc/>
    public int CompressedResponses => _call.CompressedResponses;

    /// <inheritdoc/>
    public Metadata Trailers => _call.Trailers;

    /// <inheritdoc/>
    public IAsyncEnumerable<TResponse> Responses { get; }

    /// <inheritdoc/>
    public Task<Metadata> GetResponseHeadersAsync() => _call.GetResponseHeadersAsync();

    /// <inheritdoc/>
    public void Leave(string reason) => _call.Leave(reason);

    /// <inheritdoc/>
    public ValueTask SendAsync(TRequest message, bool uncompressed, CancellationToken cancellationToken)
    {
        var send = _call.SendAsync(message, uncompressed, cancellationToken);
        return _sends is null ? send : _sends.WatchAsync(send);
    }

    /// <inheritdoc/>
    public bool TrySend(TRequest message, bool uncompressed) => _call.TrySend(message, uncompressed);

    /// <inheritdoc/>
    public void Complete() => _call.Complete();

    /// <inheritdoc/>
    public async Task<TResponse> ReadSingleAsync()
    {
        _receives?.Begin();
        try
        {
            return await _call.ReadSingleAsync().ConfigureAwait(false);
        }
        finally
        {
            _receives?.End();
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _call.DisposeAsync();
}
