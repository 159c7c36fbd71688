using Google.Protobuf;
using Weir.Classic;

namespace Weir.Bench;

/// <summary>What the messages themselves cost: users serialised into a block and parsed out of the same block, with nothing between.</summary>
internal static class ParseLimit
{
    private const int BlockUsers = 400; // about 15 KiB: it stays in the cache that serialised it
    private const int Blocks = 16; // between the two threads

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

    /// <summary>One thread serialises, the other parses, a block at a time. A thread that waits for the other stays awake: a wake-up costs more than a
    /// block does.</summary>
    public static async Task TwoThreads(Round round)
    {
        var blocks = Enumerable.Range(0, Blocks).Select(_ => new byte[BlockUsers * UserBytes]).ToArray();
        var used = new int[Blocks]; // octets of each block that is full
        var (full, free) = (new Counter(), new Counter()); // blocks handed over so far, in each direction
        var serialising = Task.Factory.StartNew(
            () =>
            {
                for (var (left, block) = (round.Count, 0); left > 0; left -= BlockUsers, block++)
                {
                    free.WaitFor(block + 1 - Blocks);
                    used[block % Blocks] = Serialise(blocks[block % Blocks], left).Length;
                    full.Add();
                }
            },
            TaskCreationOptions.LongRunning);
        for (var (left, block) = (round.Count, 0); left > 0; left -= BlockUsers, block++)
        {
            full.WaitFor(block + 1);
            Parse(round, blocks[block % Blocks].AsSpan(0, used[block % Blocks]));
            free.Add();
        }

        await serialising;
    }

    private static Span<byte> Serialise(byte[] block, int most)
    {
        var used = 0;
        for (var i = Math.Min(most, BlockUsers); i > 0; i--)
        {
            var bytes = Sent.CalculateSize();
            Sent.WriteTo(block.AsSpan(used, bytes));
            used += bytes;
        }

        return block.AsSpan(0, used);
    }

    private static void Parse(Round round, ReadOnlySpan<byte> block)
    {
        for (var rest = block; !rest.IsEmpty; rest = rest[UserBytes..])
        {
            if (User.Parser.ParseFrom(rest[..UserBytes]).Id != Sent.Id)
                throw new InvalidDataException("a user came out of its bytes as another");
        }

        round.Answered();
        round.Done(block.Length / UserBytes, UserBytes);
    }

    /// <summary>Counted up by one thread, watched by the other.</summary>
    private sealed class Counter
    {
        private long _count;

        public void Add() => Volatile.Write(ref _count, _count + 1);

        public void WaitFor(long count)
        {
            var spin = default(SpinWait);
            while (Volatile.Read(ref _count) < count)
                spin.SpinOnce(sleep1Threshold: -1);
        }
    }
}
