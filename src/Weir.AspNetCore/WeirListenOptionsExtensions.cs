using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Weir.AspNetCore;

/// <summary>Puts Weir on a Kestrel endpoint.</summary>
public static class WeirListenOptionsExtensions
{
    /// <summary>Gives connections that begin with the HTTP/2 preface to Weir and passes all others on, untouched. <c>AddWeir</c> does this by itself
    /// except for endpoints made in code with TLS: there call it after <c>UseHttps</c>, so that it sees what TLS decrypted.</summary>
    /// <exception cref="InvalidOperationException">When the endpoint is bound: <c>AddWeir</c> was not called.</exception>
    public static ListenOptions UseWeir(this ListenOptions listen)
    {
        ArgumentNullException.ThrowIfNull(listen);
        listen.Use(next =>
        {
            var connections = listen.ApplicationServices.GetService<WeirConnections>()
                ?? throw new InvalidOperationException("UseWeir() needs AddWeir() on the application's builder or services.");
            return connection => connections.OnConnectedAsync(connection, next);
        });
        return listen;
    }
}
