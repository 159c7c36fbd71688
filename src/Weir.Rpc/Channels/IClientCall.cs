namespace Weir.Rpc.Channels;

/// <summary>What the public kinds of call are views of: one call on a stream, or something around one. Safe for use by any number of threads.</summary>
internal interface IClientCall : IAsyncDisposable
{
    /// <summary>Whether the status is decided.</summary>
    bool IsFinished { get; }

    /// <summary>Whether no policy tries the call again any more.</summary>
    bool IsCommitted { get; }

    /// <summary>How many of the responses received so far came compressed.</summary>
    int CompressedResponses { get; }

    /// <summary>The trailers; throws InvalidOperationException before the call has ended.</summary>
    Metadata Trailers { get; }

    /// <summary>The response's headers, once they are here.</summary>
    Task<Metadata> GetResponseHeadersAsync();

    /// <summary>Ends the call with Cancelled if it has not ended, and lets go of its stream.</summary>
    void Leave(string reason);
}

/// <summary>A call with its messages.</summary>
internal interface IClientCall<TRequest, TResponse> : IClientCall
    where TRequest : class
    where TResponse : class
{
    /// <summary>The responses, to be enumerated once.</summary>
    IAsyncEnumerable<TResponse> Responses { get; }

    /// <summary>Sends a message, as it is when <paramref name="uncompressed"/>, waiting while there is no room.</summary>
    ValueTask SendAsync(TRequest message, bool uncompressed, CancellationToken cancellationToken);

    /// <summary>Sends a message, as it is when <paramref name="uncompressed"/>, if there is room now.</summary>
    bool TrySend(TRequest message, bool uncompressed);

    /// <summary>Ends this side's half after all sends made before.</summary>
    void Complete();

    /// <summary>Reads the one response and its end, instead of <see cref="Responses"/>.</summary>
    Task<TResponse> ReadSingleAsync();
}

/// <summary>A call of a channel, which can be ended with any status.</summary>
internal interface IChannelCall<TRequest, TResponse> : IClientCall<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    /// <summary>Ends the call with a status of this side's making, if it has not ended.</summary>
    void Stop(Status status);
}
