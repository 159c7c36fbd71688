using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Weir.Bench;

/// <summary>What loopback itself can do: the workloads' octets over bare sockets, no framing, no messages. One connection a stream. Both ends block in Send
/// and Receive on a thread of their own, which is the fastest; the mode tcp-ping-async waits as .NET programs usually do.</summary>
internal static class TcpLimit
{
    // A connection begins with an order: what the server shall do, the octets of a block, how many blocks.
    private const int OrderBytes = 1 + sizeof(int) + sizeof(int);
    private const byte Take = (byte)'t';
    private const byte Give = (byte)'g';
    private const byte Echo = (byte)'e';
    private const byte EchoAsync = (byte)'a';

    // On the wire: the frame's header, the message's prefix and the message.
    private static readonly int PingBytes = 9 + 5 + Payload.Message(Payload.Echo).CalculateSize();

    /// <summary>The workload of tcp-upload-KIB, tcp-download-KIB (blocks of so many), tcp-ping or tcp-ping-async; null where there is no such mode.</summary>
    public static Func<Round, Task>? Find(string mode, int port) => mode switch
    {
        "tcp-upload-64" or "tcp-upload-128" or "tcp-upload-256" => Blocking(port, Take, Kibibytes(mode)),
        "tcp-download-64" or "tcp-download-128" or "tcp-download-256" => Blocking(port, Give, Kibibytes(mode)),
        "tcp-ping" => Blocking(port, Echo, PingBytes),
        "tcp-ping-async" => round => round.SpreadAsync(share => PingAsync(round, port, share)),
        _ => null,
    };

    /// <summary>Serves on 127.0.0.1 until the process is ended.</summary>
    public static void Serve(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        Console.WriteLine($"listening {port}");
        while (true)
        {
            var connection = listener.AcceptSocket();
            new Thread(() => Answer(connection)).Start();
        }
    }

    private static void Answer(Socket accepted)
    {
        using var connection = accepted;
        connection.NoDelay = true;
        var order = new byte[OrderBytes];
        ReceiveAll(connection, order);
        var block = new byte[BinaryPrimitives.ReadInt32LittleEndian(order.AsSpan(1))];
        var blocks = BinaryPrimitives.ReadInt32LittleEndian(order.AsSpan(5));
        switch (order[0])
        {
            case Take:
                while (connection.Receive(block) > 0)
                {
                }

                connection.Send(block.AsSpan(0, 1)); // all is here
                break;
            case Give:
                for (var i = 0; i < blocks; i++)
                    SendAll(connection, block);
                break;
            case Echo:
                for (int received; (received = connection.Receive(block)) > 0;)
                    SendAll(connection, block.AsSpan(0, received));
                break;
            case EchoAsync:
                EchoAllAsync(connection, block).GetAwaiter().GetResult();
                break;
        }
    }

    private static async Task EchoAllAsync(Socket connection, byte[] block)
    {
        for (int received; (received = await connection.ReceiveAsync(block)) > 0;)
            await SendAllAsync(connection, block.AsMemory(0, received));
    }

    private static int Kibibytes(string mode) => int.Parse(mode.AsSpan(mode.LastIndexOf('-') + 1)) << 10;

    private static Func<Round, Task> Blocking(int port, byte what, int blockBytes) => round => round.SpreadAsync(share => Task.Factory.StartNew(
        () =>
        {
            using var connection = Connect(port, what, blockBytes, share);
            var block = new byte[blockBytes];
            switch (what)
            {
                case Take:
                    Upload(round, connection, block, share);
                    break;
                case Give:
                    Download(round, connection, block, share);
                    break;
                default:
                    Ping(round, connection, block, share);
                    break;
            }

            round.Done(share, blockBytes);
        },
        TaskCreationOptions.LongRunning));

    private static void Upload(Round round, Socket connection, byte[] block, int blocks)
    {
        for (var i = 0; i < blocks; i++)
            SendAll(connection, block);
        connection.Shutdown(SocketShutdown.Send);
        ReceiveAll(connection, block.AsSpan(0, 1));
        round.Answered();
    }

    private static void Download(Round round, Socket connection, byte[] block, int blocks)
    {
        for (var left = (long)blocks * block.Length; left > 0;)
        {
            var received = connection.Receive(block);
            if (received == 0)
                throw new InvalidDataException($"the connection ended {left} bytes early");
            round.Answered();
            left -= received;
        }
    }

    private static void Ping(Round round, Socket connection, byte[] ping, int pings)
    {
        for (var i = 0; i < pings; i++)
        {
            SendAll(connection, ping);
            ReceiveAll(connection, ping);
            round.Answered();
        }
    }

    private static async Task PingAsync(Round round, int port, int pings)
    {
        using var connection = Connect(port, EchoAsync, PingBytes, pings);
        var ping = new byte[PingBytes];
        for (var i = 0; i < pings; i++)
        {
            await SendAllAsync(connection, ping);
            await ReceiveAllAsync(connection, ping);
            round.Answered();
        }

        round.Done(pings, ping.Length);
    }

    private static Socket Connect(int port, byte what, int blockBytes, int blocks)
    {
        var connection = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        connection.Connect(IPAddress.Loopback, port);
        var order = new byte[OrderBytes];
        order[0] = what;
        BinaryPrimitives.WriteInt32LittleEndian(order.AsSpan(1), blockBytes);
        BinaryPrimitives.WriteInt32LittleEndian(order.AsSpan(5), blocks);
        SendAll(connection, order);
        return connection;
    }

    private static void SendAll(Socket connection, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[connection.Send(bytes)..];
    }

    private static void ReceiveAll(Socket connection, Span<byte> into)
    {
        while (!into.IsEmpty)
            into = into[Some(connection.Receive(into), into.Length)..];
    }

    private static async ValueTask SendAllAsync(Socket connection, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await connection.SendAsync(bytes)..];
    }

    private static async ValueTask ReceiveAllAsync(Socket connection, Memory<byte> into)
    {
        while (!into.IsEmpty)
            into = into[Some(await connection.ReceiveAsync(into), into.Length)..];
    }

    private static int Some(int received, int wanted) =>
        received > 0 ? received : throw new InvalidDataException($"the connection ended {wanted} bytes early");
}
