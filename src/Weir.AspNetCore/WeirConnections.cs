using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Weir.AspNetCore.Transport;
using Weir.Http2.Transport;

namespace Weir.AspNetCore;

/// <summary>Decides for every new connection between Weir's engine and the rest of Kestrel's pipeline. Safe for use by any number of threads.</summary>
internal sealed class WeirConnections(IConnectionServer server, OpenConnections open, IOptions<WeirOptions> options, TimeProvider time, ILogger<WeirConnections> logger)
{
    /// <summary>Reads, without taking, as much as decides; then serves the connection or passes it to <paramref name="next"/>.</summary>
    public async Task OnConnectedAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        switch (await PeekAsync(connection).ConfigureAwait(false))
        {
            case PrefaceMatch.Http2:
                LimitUnacknowledged(connection);
                using (open.Enter())
                    await server.ServeAsync(connection.Transport, NameOf(connection.RemoteEndPoint), ClientChain.IdentityOf(connection), connection.ConnectionClosed).ConfigureAwait(false);
                break;
            case PrefaceMatch.Other:
                (connection as SocketConnection)?.BeginReadAhead();
                await next(connection).ConfigureAwait(false);
                break;
            default:
                break; // closed or too slow before it said anything
        }
    }

    // Not for HTTP/1.1, whose client may leave its window shut for as long as it likes.
    private void LimitUnacknowledged(ConnectionContext connection)
    {
        var http2 = options.Value.Rpc.Http2;
        if (http2.KeepAliveTime != Timeout.InfiniteTimeSpan && connection.Features.Get<IConnectionSocketFeature>() is { Socket: var socket })
            TcpUserTimeout.Set(socket, http2.KeepAliveTimeout);
    }

    private async Task<PrefaceMatch> PeekAsync(ConnectionContext connection)
    {
        var input = connection.Transport.Input;
        var timeout = options.Value.HandshakeTimeout;
        using var late = new CancellationTokenSource(timeout, time);
        try
        {
            while (true)
            {
                var result = await input.ReadAsync(late.Token).ConfigureAwait(false);
                var match = Http2Preface.Match(result.Buffer);
                if (match != PrefaceMatch.Partial)
                {
                    // Nothing is consumed and nothing is examined: the next reader sees every octet at once.
                    input.AdvanceTo(result.Buffer.Start);
                    return match;
                }

                var ended = result.IsCompleted || result.IsCanceled;
                input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                if (ended)
                    return PrefaceMatch.Partial;
            }
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            Log.HandshakeTimeout(logger, connection.ConnectionId, timeout);
            connection.Abort(new ConnectionAbortedException($"No HTTP request and no complete HTTP/2 preface within {timeout.TotalSeconds} s."));
            return PrefaceMatch.Partial;
        }
        catch (Exception gone) when (gone is IOException or ConnectionAbortedException)
        {
            Log.ConnectionLost(logger, connection.ConnectionId, gone.Message);
            return PrefaceMatch.Partial;
        }
    }

    private static string NameOf(EndPoint? remote) => remote is IPEndPoint address ? address.ToString() : "unix";
}
