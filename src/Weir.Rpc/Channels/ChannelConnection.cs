using System.IO.Pipelines;
using Weir.Http2;

namespace Weir.Rpc.Channels;

/// <summary>One connection of a channel, from its transport to the end of its loops.</summary>
internal sealed class ChannelConnection
{
    private readonly IDuplexPipe _transport;

    private ChannelConnection(IDuplexPipe transport, Http2Options options, TimeSpan? keepAliveTime)
    {
        _transport = transport;
        Http2 = Http2Connection.CreateClient(transport, options, keepAliveTime);
        Completion = RunAsync();
    }

    /// <summary>The connection itself.</summary>
    public Http2Connection Http2 { get; }

    /// <summary>Whether a call was opened on it. Written by any thread, only ever to true.</summary>
    public bool HasServed { get; set; }

    /// <summary>Completes when the connection has ended and its transport is disposed of.</summary>
    public Task Completion { get; }

    /// <summary>Connects and waits for the server's settings. Throws what the transport throws, IOException when the connection ended before it
    /// was ready, and TimeoutException.</summary>
    public static async Task<ChannelConnection> OpenAsync(RpcAddress address, ChannelCore channel, TimeSpan limit, TimeSpan? keepAliveTime, CancellationToken stop)
    {
        var options = channel.Options;
        using var timeout = new CancellationTokenSource(limit, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, timeout.Token);
        try
        {
            var transport = await ConnectAsync(address, channel, either.Token).ConfigureAwait(false);
            var connection = new ChannelConnection(transport, options.Http2, keepAliveTime);
            try
            {
                if (!await connection.Http2.Ready.WaitAsync(either.Token).ConfigureAwait(false))
                {
                    throw new IOException(connection.Http2.CloseReason ?? "the connection ended before the server's settings arrived");
                }

                return connection;
            }
            catch
            {
                await connection.CloseAsync().ConfigureAwait(false);
                throw;
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new TimeoutException($"not connected after {limit.TotalSeconds:0.###} s (ConnectTimeout)");
        }
    }

    /// <summary>Ends the connection and waits for it.</summary>
    public async Task CloseAsync()
    {
        await Http2.DisposeAsync().ConfigureAwait(false);
        await Completion.ConfigureAwait(false);
    }

    private static ValueTask<IDuplexPipe> ConnectAsync(RpcAddress address, ChannelCore channel, CancellationToken cancellationToken) =>
        channel.Options.ConnectTransport is { } connect ? connect(cancellationToken)
        : channel.Options.ConnectAddress is { } connectAddress ? connectAddress(address, cancellationToken)
        : SocketConnector.ConnectAsync(address, channel.Address, channel.Options, cancellationToken);

    private async Task RunAsync()
    {
        await Http2.RunAsync().ConfigureAwait(false);
        if (_transport is IAsyncDisposable disposable)
        {
            await disposable.DisposeAsync().ConfigureAwait(false);
        }
    }
}
