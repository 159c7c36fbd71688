using System.Net;
using System.Net.Sockets;
using Weir.Http2.Tests.Engine;
using Weir.Http2.Transport;

namespace Weir.Http2.Tests.Transport;

/// <summary>Sockets that pollers wait for.</summary>
public sealed class PollerTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Applications_that_block_on_their_pollers_thread_stall_no_other_connection()
    {
        const int Blocked = 24; // more than all pollers of a small machine let be stuck
        using var release = new ManualResetEventSlim();
        List<SocketPipe> pipes = [];
        List<Task> blocked = [];
        for (var i = 0; i < Blocked; i++)
        {
            (SocketPipe near, SocketPipe far) = await ConnectAsync();
            pipes.AddRange([near, far]);
            var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            blocked.Add(BlockAsync(near, begun));
            await far.Output.WriteAsync(new byte[] { 1 }, Stop);
            await begun.Task.Within($"reader {i} to be told");
        }

        for (var i = 0; i < 8; i++)
        {
            (SocketPipe near, SocketPipe far) = await ConnectAsync();
            pipes.AddRange([near, far]);
            for (var round = 0; round < 5; round++)
            {
                await far.Output.WriteAsync(new byte[] { 2 }, Stop);
                var read = await near.Input.ReadAsync(Stop).AsTask().Within("an octet beside readers that block");
                near.Input.AdvanceTo(read.Buffer.End);
            }
        }

        release.Set();
        await Task.WhenAll(blocked).Within("the readers that blocked");
        foreach (SocketPipe pipe in pipes)
        {
            await pipe.Output.CompleteAsync();
            await pipe.Input.CompleteAsync();
        }

        async Task BlockAsync(SocketPipe pipe, TaskCompletionSource begun)
        {
            var read = await pipe.Input.ReadAsync(Stop).ConfigureAwait(false);
            begun.SetResult();
            release.Wait(TimeSpan.FromMinutes(5), Stop);
            pipe.Input.AdvanceTo(read.Buffer.End);
        }
    }

    [Fact]
    public async Task Connect_that_is_refused_says_so_and_one_that_is_cancelled_ends()
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound and not listening
        SocketException refused = await Assert.ThrowsAsync<SocketException>(() => SocketPipe.ConnectAsync(NewSocket(), closed.LocalEndPoint!, Stop).AsTask());
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SocketPipe.ConnectAsync(NewSocket(), closed.LocalEndPoint!, stop.Token).AsTask());
    }

    [Fact]
    public async Task Reset_of_the_peer_fails_a_read_that_waits()
    {
        (SocketPipe near, Socket far) = await ConnectToSocketAsync();
        Task<System.IO.Pipelines.ReadResult> read = near.Input.ReadAsync(Stop).AsTask();
        far.LingerState = new LingerOption(true, 0);
        far.Close();
        await Assert.ThrowsAsync<IOException>(() => read.Within("the reset"));
        await near.Output.CompleteAsync();
        await near.Input.CompleteAsync();
    }

    static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    static async Task<(SocketPipe Near, SocketPipe Far)> ConnectAsync()
    {
        (SocketPipe near, Socket far) = await ConnectToSocketAsync();
        return (near, new SocketPipe(far));
    }

    static async Task<(SocketPipe Near, Socket Far)> ConnectToSocketAsync()
    {
        using var listener = NewSocket();
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        SocketPipe near = await SocketPipe.ConnectAsync(NewSocket(), listener.LocalEndPoint!, Stop);
        return (near, await listener.AcceptAsync(Stop));
    }
}
