using System.Buffers.Binary;

namespace Weir.Http2;

/// <summary>The first octets of a server: tells one that speaks another protocol from one that breaks HTTP/2, because "HTTP" read as the header of a frame
/// says only that the frame is too long. Nothing is kept of a server that begins as HTTP/2 does. Owned by the read loop.</summary>
internal sealed class ServerGreeting
{
    // What is quoted of a status line at most; also what a server may send of one before it is judged.
    private const int MostBytes = 128;

    // A record of TLS begins with its content type and the version 3.x (RFC 8446 §5.1): an alert, or a handshake's.
    private const byte TlsAlert = 0x15;
    private const byte TlsHandshake = 0x16;

    private byte[] _octets = [];
    private int _count;

    private const string Advice = "Is it the port of an HTTP/1.1 server, is the scheme of the address right, or does a proxy stand between?";

    private static ReadOnlySpan<byte> Http1 => "HTTP/"u8; // RFC 9112 §4: a status line begins so

    /// <summary>What came so far and may be HTTP/2; to be parsed before anything else, once <see cref="TryJudge"/> has said so.</summary>
    public ReadOnlySpan<byte> Kept => _octets.AsSpan(0, _count);

    /// <summary>Takes octets as they came. True when the server may speak HTTP/2: <see cref="Kept"/> and then <paramref name="input"/> are to be parsed.
    /// False when more octets decide.</summary>
    /// <exception cref="Http2ConnectionException">It speaks something else.</exception>
    public bool TryJudge(ref ReadOnlySpan<byte> input)
    {
        while (!input.IsEmpty)
        {
            if (_count == 0 && input[0] != Http1[0] && input[0] is not (TlsAlert or TlsHandshake))
            {
                return true; // nothing is copied
            }

            if (_octets.Length == 0)
            {
                _octets = new byte[MostBytes];
            }

            _octets[_count++] = input[0];
            input = input[1..];
            if (_octets[0] == Http1[0] ? IsNotHttp1() : IsNotTls())
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The input has ended.</summary>
    /// <exception cref="Http2ConnectionException">It ended before anything came, or within a status line.</exception>
    public void End()
    {
        if (_count == 0)
        {
            throw new Http2ConnectionException(
                Http2ErrorCode.NoError, "The peer closed the connection before it sent anything, as a server with TLS does to a client without: should the address begin with https?");
        }

        if (Kept.StartsWith(Http1))
        {
            throw SpeaksHttp1();
        }
    }

    /// <summary>Checks the first frame for what a server says that speaks HTTP/1.1 alone but knows HTTP/2's preface, as Kestrel does.</summary>
    /// <exception cref="Http2ConnectionException">It is that.</exception>
    public static void CheckFirstFrame(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.Type == FrameType.GoAway && payload.Length >= 8 && BinaryPrimitives.ReadUInt32BigEndian(payload[4..]) == (uint)Http2ErrorCode.Http11Required)
        {
            throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, $"The server answered that it speaks HTTP/1.1 here, not HTTP/2 (GOAWAY with HTTP_1_1_REQUIRED). {Advice}");
        }
    }

    private bool IsNotHttp1()
    {
        if (_count <= Http1.Length)
        {
            return _octets[_count - 1] != Http1[_count - 1];
        }

        return _octets[_count - 1] == '\n' || _count == MostBytes ? throw SpeaksHttp1() : false;
    }

    private bool IsNotTls()
    {
        if (_count < 3)
        {
            return _count == 2 && _octets[1] != 3;
        }

        throw new Http2ConnectionException(
            Http2ErrorCode.ProtocolError,
            $"The server answered with TLS ({(_octets[0] == TlsAlert ? "an alert" : "a handshake")}), but the connection to it is without: should the address begin with https?");
    }

    private Http2ConnectionException SpeaksHttp1()
    {
        var line = Kept.TrimEnd("\r\n"u8);
        var text = string.Create(line.Length, line, static (text, line) =>
        {
            for (var i = 0; i < line.Length; i++)
            {
                text[i] = line[i] is >= 0x20 and < 0x7f ? (char)line[i] : '?';
            }
        });
        return new Http2ConnectionException(Http2ErrorCode.ProtocolError, $"The server answered in HTTP/1.x, not HTTP/2: \"{text}\". {Advice}");
    }
}
