using System.Buffers;
using Weir.Rpc.Protocol;

namespace Weir.Rpc.Tests.Support;

/// <summary>A stream's read side with what the test puts in, in one segment or in two.</summary>
internal sealed class FakeInput(byte[] input, bool completed, int splitAt = -1)
{
    private byte[] _input = input;
    private bool _completed = completed;
    private int _consumed;

    public int Left => _input.Length - _consumed;

    public int Consumptions { get; private set; }

    public Source AsSource => new(this);

    public void Append(byte[] more) => _input = [.. _input, .. more];

    public void Complete() => _completed = true;

    internal readonly struct Source(FakeInput input) : IMessageSource
    {
        public bool IsInputCompleted => input._completed;

        public bool TryRead(int minimum, out ReadOnlySequence<byte> data)
        {
            data = default;
            if (input.Left < Math.Max(minimum, 1))
            {
                return false;
            }

            var whole = input._input.AsMemory();
            if (input.SplitAt <= input._consumed || input.SplitAt >= whole.Length)
            {
                data = new ReadOnlySequence<byte>(whole[input._consumed..]);
                return true;
            }

            var first = new Segment(whole[input._consumed..input.SplitAt], null);
            var second = new Segment(whole[input.SplitAt..], first);
            data = new ReadOnlySequence<byte>(first, 0, second, second.Memory.Length);
            return true;
        }

        public void Consume(int bytes)
        {
            if (bytes < 1 || bytes > input.Left)
            {
                throw new ArgumentOutOfRangeException(nameof(bytes), bytes, $"{input.Left} are there");
            }

            input._consumed += bytes;
            input.Consumptions++;
        }
    }

    private int SplitAt { get; } = splitAt;

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
