using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Weir.Http2.Transport;

namespace Weir.Rpc.Channels;

/// <summary>Makes a channel's transports: a socket, with TLS or without.</summary>
internal static class SocketConnector
{
    /// <summary>Connects to an address. Throws SocketException, AuthenticationException, IOException or OperationCanceledException.</summary>
    public static async ValueTask<IDuplexPipe> ConnectAsync(RpcAddress address, ChannelTarget target, RpcChannelOptions options, CancellationToken cancellationToken)
    {
        var socket = address.EndPoint switch
        {
            UnixDomainSocketEndPoint => new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified),
            IPEndPoint ip => new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
            _ => new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
        };
        try
        {
            if (options.Http2.KeepAliveTime is { } keepAlive && keepAlive != Timeout.InfiniteTimeSpan)
            {
                TcpUserTimeout.Set(socket, options.Http2.KeepAliveTimeout);
            }

            if (!target.IsSecure)
            {
                return await SocketPipe.ConnectAsync(socket, address.EndPoint, cancellationToken).ConfigureAwait(false);
            }

            await socket.ConnectAsync(address.EndPoint, cancellationToken).ConfigureAwait(false);
            var stream = new NetworkStream(socket, ownsSocket: true);
            return new StreamTransport(await AuthenticateAsync(stream, target, options.Tls, cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async ValueTask<SslStream> AuthenticateAsync(NetworkStream inner, ChannelTarget target, SslClientAuthenticationOptions? tls, CancellationToken cancellationToken)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = tls?.TargetHost ?? target.Host,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
        };
        if (tls is not null)
        {
            Copy(tls, options);
        }

        var handshake = new HandshakeStream(inner);
        var stream = new SslStream(handshake);
        try
        {
            try
            {
                await stream.AuthenticateAsClientAsync(options, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (error is AuthenticationException or IOException && handshake.Explain() is { } explanation)
            {
                throw new AuthenticationException($"{explanation} ({error.Message})", error);
            }

            return stream.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2
                ? stream
                : throw new AuthenticationException("the server did not agree on HTTP/2 (ALPN \"h2\")");
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static void Copy(SslClientAuthenticationOptions from, SslClientAuthenticationOptions to)
    {
        to.RemoteCertificateValidationCallback = from.RemoteCertificateValidationCallback;
        to.LocalCertificateSelectionCallback = from.LocalCertificateSelectionCallback;
        to.ClientCertificates = from.ClientCertificates;
        to.ClientCertificateContext = from.ClientCertificateContext;
        to.CertificateChainPolicy = from.CertificateChainPolicy;
        to.CertificateRevocationCheckMode = from.CertificateRevocationCheckMode;
        to.EnabledSslProtocols = from.EnabledSslProtocols;
        to.CipherSuitesPolicy = from.CipherSuitesPolicy;
        to.EncryptionPolicy = from.EncryptionPolicy;
        to.AllowTlsResume = from.AllowTlsResume;
    }
}
