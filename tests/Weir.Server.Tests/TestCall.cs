using Weir.Rpc;

namespace Weir.Server.Tests;

/// <summary>A call without a wire: tests cancel and drain it themselves.</summary>
internal sealed class TestCall(string method = "/test/Test", CancellationToken cancellationToken = default) : ServerCall, IDisposable
{
    private readonly CancellationTokenSource _cancelled = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly CancellationTokenSource _draining = new();

    public override string Method => method;

    public override string Peer => "127.0.0.1:1";

    public override Metadata RequestHeaders { get; } = [];

    public override Metadata ResponseTrailers { get; } = [];

    public override DateTimeOffset? Deadline => null;

    public override CancellationToken CancellationToken => _cancelled.Token;

    public override CancellationToken Draining => _draining.Token;

    public void Cancel() => _cancelled.Cancel();

    public void Drain() => _draining.Cancel();

    public override ValueTask SendHeadersAsync(Metadata headers) => ValueTask.CompletedTask;

    public override void Run(Func<CancellationToken, Task> work) => throw new NotSupportedException("These handlers start no tasks.");

    public override ResponseSender<TResponse> GetSender<TResponse>() => throw new NotSupportedException("These handlers send what they return.");

    public void Dispose()
    {
        _cancelled.Dispose();
        _draining.Dispose();
    }
}
