using System.IO.Pipelines;
using Weir.Rpc;

namespace Weir.AspNetCore;

/// <summary>What this layer needs of <see cref="RpcServer"/>; tests put their own in its place.</summary>
internal interface IConnectionServer
{
    Task ServeAsync(IDuplexPipe transport, string peer, ClientIdentity? clientIdentity, CancellationToken abort);

    void BeginDrain();

    void Abort();
}

/// <summary>The real one.</summary>
internal sealed class RpcConnectionServer(RpcServer server) : IConnectionServer
{
    public Task ServeAsync(IDuplexPipe transport, string peer, ClientIdentity? clientIdentity, CancellationToken abort) =>
        server.ServeAsync(transport, peer, clientIdentity, abort);

    public void BeginDrain() => server.BeginDrain();

    public void Abort() => server.Abort();
}
