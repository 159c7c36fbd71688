using System.Collections.Concurrent;
using Google.Protobuf;
using Weir.Classic;

namespace Weir.Bench;

/// <summary>What the messages themselves cost: users serialised into blocks and parsed out of them, with nothing between.</summary>
internal static class ParseLimit
{
    private const int BlockUsers = 1500; // about 64 KiB
    private const int Blocks = 4; // between the two threads

    private static readonly User Sent = Payload.User();
    private static readonly int UserBytes = Sent.CalculateSize();

    /// <summary>One thread serialises a block, then parses it.</summary>
    public static Task OneThread(Round round)
    {
        var block = new byte[BlockUsers * UserBytes];
        for (var left = round.Count; left > 0; left -= BlockUsers)
            Parse(round, Serialise(block, left));
        return Task.CompletedTask;
    }

    /// <summary>One thread serialises, the other parses, a block at a time.</summary>
    public static async Task TwoThreads(Round round)
    {
        using var free = new BlockingCollection<byte[]>();
        using var full = new BlockingCollection<ArraySegment<byte>>();
        for (var i = 0; i < Blocks; i++)
            free.Add(new byte[BlockUsers * UserBytes]);
        var serialising = Task.Factory.StartNew(
            () =>
            {
                for (var left = round.Count; left > 0; left -= BlockUsers)
                    full.Add(Serialise(free.Take(), left));
                full.CompleteAdding();
            },
            TaskCreationOptions.LongRunning);
        foreach (var block in full.GetConsumingEnumerable())
        {
            Parse(round, block);
            free.Add(block.Array!);
        }

        await serialising;
    }

    private static ArraySegment<byte> Serialise(byte[] block, int most)
    {
        var users = Math.Min(most, BlockUsers);
        var used = 0;
        for (var i = 0; i < users; i++)
        {
            var bytes = Sent.CalculateSize();
            Sent.WriteTo(block.AsSpan(used, bytes));
            used += bytes;
        }

        return new ArraySegment<byte>(block, 0, used);
    }

    private static void Parse(Round round, ArraySegment<byte> block)
    {
        for (var rest = block.AsSpan(); !rest.IsEmpty; rest = rest[UserBytes..])
        {
            if (User.Parser.ParseFrom(rest[..UserBytes]).Id != Sent.Id)
                throw new InvalidDataException("a user came out of its bytes as another");
        }

        round.Answered();
        round.Done(block.Count / UserBytes, UserBytes);
    }
}
