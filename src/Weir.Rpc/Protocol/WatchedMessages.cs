namespace Weir.Rpc.Protocol;

/// <summary>The messages of a call, each wait for the next one watched. To be enumerated once.</summary>
internal sealed class WatchedMessages<T>(IAsyncEnumerable<T> messages, MessageWatch watch) : IAsyncEnumerable<T>, IAsyncEnumerator<T>
{
    private IAsyncEnumerator<T>? _enumerator;

    /// <inheritdoc/>
    public T Current => _enumerator!.Current;

    /// <inheritdoc/>
    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        _enumerator = messages.GetAsyncEnumerator(cancellationToken); // throws the second time
        return this;
    }

    /// <inheritdoc/>
    public ValueTask<bool> MoveNextAsync() => watch.WatchAsync(_enumerator!.MoveNextAsync());

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _enumerator!.DisposeAsync();
}
