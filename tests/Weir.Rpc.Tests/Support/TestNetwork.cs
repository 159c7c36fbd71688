using System.IO.Pipelines;
using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace Weir.Rpc.Tests.Support;

/// <summary>A network on which each attempt to connect waits until the test says how it ends, and a clock that the test moves.</summary>
internal sealed class TestNetwork
{
    private readonly Channel<Attempt> _attempts = Channel.CreateUnbounded<Attempt>();

    public FakeTimeProvider Time { get; } = new();

    /// <summary>Whether an attempt was made that the test has not taken yet.</summary>
    public bool HasAttempt => _attempts.Reader.TryPeek(out _);

    public RpcChannel CreateChannel(string address, Action<RpcChannelOptions>? configure = null)
    {
        var options = new RpcChannelOptions { TimeProvider = Time, ConnectAddress = ConnectAsync };
        configure?.Invoke(options);
        return RpcChannel.ForAddress(address, options);
    }

    /// <summary>The next attempt.</summary>
    public Task<Attempt> AttemptAsync() => _attempts.Reader.ReadAsync().SoonAsync("an attempt to connect");

    /// <summary>The next attempts, as many as there are servers, each to its own.</summary>
    public async Task ConnectAllAsync(IReadOnlyDictionary<string, TestHost> servers)
    {
        for (var i = 0; i < servers.Count; i++)
        {
            var attempt = await AttemptAsync();
            await attempt.AcceptAsync(servers[attempt.Address]);
        }
    }

    private async ValueTask<IDuplexPipe> ConnectAsync(RpcAddress address, CancellationToken cancellationToken)
    {
        var attempt = new Attempt(address.ToString(), Time.GetUtcNow(), cancellationToken);
        _attempts.Writer.TryWrite(attempt);
        return await attempt.Transport.Task.WaitAsync(cancellationToken);
    }

    internal sealed record Attempt(string Address, DateTimeOffset At, CancellationToken Cancelled)
    {
        public TaskCompletionSource<IDuplexPipe> Transport { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task AcceptAsync(TestHost server) => Transport.SetResult(await server.ConnectAsync());

        public void Fail(string reason) => Transport.SetException(new IOException(reason));
    }
}
