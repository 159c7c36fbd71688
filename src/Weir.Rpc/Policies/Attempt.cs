using System.Globalization;
using Weir.Rpc.Channels;
using Weir.Rpc.Protocol;

namespace Weir.Rpc.Policies;

/// <summary>One attempt of a call.</summary>
internal sealed class Attempt<TResponse>(ClientCall<byte[], TResponse> call)
    where TResponse : class
{
    /// <summary>The attempt's own call.</summary>
    public ClientCall<byte[], TResponse> Call { get; } = call;

    /// <summary>How many messages it has sent; under the retrying call's lock.</summary>
    public long Sent { get; set; }

    /// <summary>Why it sends no more, or null; under the retrying call's lock.</summary>
    public Exception? SendFailure { get; set; }

    /// <summary>Completes when the response has begun, or the attempt has ended. Never fails.</summary>
    public async Task WaitForResponseAsync()
    {
        try
        {
            await Call.GetResponseHeadersAsync().ConfigureAwait(false);
        }
        catch (RpcException)
        {
            // It has ended: its status says how.
        }
    }

    /// <summary>What the server said about a further attempt: after which time, or not at all. Null: nothing.</summary>
    public TimeSpan? GetPushback(out bool isRefused)
    {
        isRefused = false;
        if (Call.Trailers.GetValue(GrpcNames.RetryPushback) is not { } text)
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds))
        {
            return TimeSpan.FromMilliseconds(milliseconds);
        }

        isRefused = true; // negative, or nonsense, which the specification says to take for the same
        return null;
    }
}
