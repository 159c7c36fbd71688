namespace Weir.Rpc.Interception;

/// <summary>The one message of a stream that has exactly one.</summary>
internal static class SingleMessage
{
    /// <summary>A stream of one message; may be enumerated any number of times.</summary>
#pragma warning disable CS1998 // it gives its message without waiting
    public static async IAsyncEnumerable<T> Of<T>(T message)
#pragma warning restore CS1998
    {
        yield return message;
    }

    /// <summary>Takes the one message. Throws <see cref="RpcException"/> (Internal) when there is none, or a second.</summary>
    /// <param name="messages">The stream.</param>
    /// <param name="what">What the message is: "request" or "response".</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async ValueTask<T> TakeAsync<T>(IAsyncEnumerable<T> messages, string what, CancellationToken cancellationToken)
        where T : class
    {
        T? single = null;
        await foreach (var message in messages.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (single is not null)
            {
                throw new RpcException(StatusCode.Internal, $"the interceptors gave a second {what} to a call that has one");
            }

            single = message;
        }

        return single ?? throw new RpcException(StatusCode.Internal, $"the interceptors gave no {what} to a call that has one");
    }
}
