using System.Buffers;
using System.IO.Pipelines;

namespace Weir.AspNetCore.Tests;

/// <summary>Stands where the RPC server stands: answers every connection with "weir" and keeps it until the client leaves or it is told to end.</summary>
internal sealed class FakeConnectionServer : IConnectionServer
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource<string> Received { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource<string> Peer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Draining { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Aborted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether a connection ends by itself when the server drains, as one without calls does.</summary>
    public bool EndsOnDrain { get; init; } = true;

    public async Task ServeAsync(IDuplexPipe transport, string peer, Weir.Rpc.ClientIdentity? clientIdentity, CancellationToken abort)
    {
        Peer.TrySetResult(peer);
        var first = await transport.Input.ReadAtLeastAsync(Http2Preface.Octets.Length, CancellationToken.None);
        Received.TrySetResult(System.Text.Encoding.ASCII.GetString(first.Buffer.ToArray()));
        transport.Input.AdvanceTo(first.Buffer.End);
        await transport.Output.WriteAsync("weir"u8.ToArray(), CancellationToken.None);
        using var gone = abort.Register(() => _end.TrySetResult());
        await _end.Task;
    }

    public void BeginDrain()
    {
        Draining.TrySetResult();
        if (EndsOnDrain)
            _end.TrySetResult();
    }

    public void Abort()
    {
        Aborted.TrySetResult();
        _end.TrySetResult();
    }
}
