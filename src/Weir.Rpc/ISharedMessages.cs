namespace Weir.Rpc;

/// <summary>
/// Messages of which each goes to many calls, such as the items of a feed. A handler that returns them as its responses has them sent in runs,
/// without serialising any of them again; everybody else enumerates them one by one.
/// </summary>
/// <typeparam name="T">The messages' type.</typeparam>
public interface ISharedMessages<T> : IAsyncEnumerable<T>
{
    /// <summary>The same messages in the same order, as many at a time as there are without waiting. A run is valid until the next one is asked for; it
    /// is never empty.</summary>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    IAsyncEnumerable<ReadOnlyMemory<SharedMessage<T>>> InRuns(CancellationToken cancellationToken);
}
