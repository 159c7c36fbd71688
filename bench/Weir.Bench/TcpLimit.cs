using System.Net;
using System.Net.Sockets;

namespace Weir.Bench;

/// <summary>What loopback itself can do: bytes of the workloads over bare sockets, no framing, no messages. One connection a stream.</summary>
internal static class TcpLimit
{
    // The first byte of a connection says what the server does with the rest.
    private const byte TakeAll = (byte)'t';
    private const byte EchoBack = (byte)'e';

    // On the wire: the frame's header, the message's prefix and the message.
    private static readonly int PingBytes = 9 + 5 + Payload.Message(Payload.Echo).CalculateSize();

    public static Func<Round, Task>? Find(string mode, int port) => mode switch
    {
        "tcp-upload" => round => round.SpreadAsync(share => UploadAsync(round, port, share)),
        "tcp-ping" => round => round.SpreadAsync(share => PingAsync(round, port, share)),
        _ => null,
    };

    /// <summary>Serves on 127.0.0.1 until the process is ended.</summary>
    public static async Task ServeAsync(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        Console.WriteLine($"listening {port}");
        var connections = new List<Task>();
        while (true)
        {
            connections.Add(AnswerAsync(await listener.AcceptSocketAsync()));
            foreach (var ended in connections.Where(task => task.IsCompleted).ToArray())
            {
                await ended; // a failure ends the server
                connections.Remove(ended);
            }
        }
    }

    private static async Task AnswerAsync(Socket socket)
    {
        using var connection = socket;
        connection.NoDelay = true;
        var buffer = new byte[Payload.ChunkBytes];
        await connection.ReceiveAsync(buffer.AsMemory(0, 1));
        var echo = buffer[0] == EchoBack;
        int received;
        while ((received = await connection.ReceiveAsync(buffer)) > 0)
        {
            if (echo)
                await connection.SendAsync(buffer.AsMemory(0, received));
        }

        if (!echo)
            await connection.SendAsync(buffer.AsMemory(0, 1)); // all is here
    }

    private static async Task UploadAsync(Round round, int port, int blocks)
    {
        using var connection = await ConnectAsync(port, TakeAll);
        var block = new byte[Payload.ChunkBytes];
        for (var i = 0; i < blocks; i++)
            await SendAllAsync(connection, block);
        connection.Shutdown(SocketShutdown.Send);
        await ReceiveAllAsync(connection, block.AsMemory(0, 1));
        round.Answered();
        round.Done(blocks, block.Length);
    }

    private static async Task PingAsync(Round round, int port, int pings)
    {
        using var connection = await ConnectAsync(port, EchoBack);
        var ping = new byte[PingBytes];
        for (var i = 0; i < pings; i++)
        {
            await SendAllAsync(connection, ping);
            await ReceiveAllAsync(connection, ping);
            round.Answered();
        }

        round.Done(pings, ping.Length);
    }

    private static async Task<Socket> ConnectAsync(int port, byte what)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        await socket.SendAsync(new[] { what });
        return socket;
    }

    private static async ValueTask SendAllAsync(Socket connection, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await connection.SendAsync(bytes)..];
    }

    private static async ValueTask ReceiveAllAsync(Socket connection, Memory<byte> into)
    {
        while (!into.IsEmpty)
        {
            var received = await connection.ReceiveAsync(into);
            if (received == 0)
                throw new InvalidDataException($"the connection ended {into.Length} bytes early");
            into = into[received..];
        }
    }
}
