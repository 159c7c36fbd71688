using System.Buffers;
using System.Text;

namespace Weir.AspNetCore.Tests;

public sealed class PrefaceTests
{
    private static readonly byte[] Preface = Encoding.ASCII.GetBytes(Wire.Preface);

    [Fact]
    public void The_preface_cut_off_at_every_length_is_Partial()
    {
        for (var length = 0; length < Preface.Length; length++)
            Assert.Equal(PrefaceMatch.Partial, Http2Preface.Match(new ReadOnlySequence<byte>(Preface, 0, length)));
        Assert.Equal(PrefaceMatch.Http2, Http2Preface.Match(new ReadOnlySequence<byte>(Preface)));
        Assert.Equal(PrefaceMatch.Http2, Http2Preface.Match(new ReadOnlySequence<byte>([.. Preface, 0, 0, 0, 4])));
    }

    [Fact]
    public void A_wrong_octet_anywhere_is_Other_at_once()
    {
        for (var index = 0; index < Preface.Length; index++)
        {
            var wrong = Preface[..(index + 1)];
            wrong[index] ^= 1;
            Assert.Equal(PrefaceMatch.Other, Http2Preface.Match(new ReadOnlySequence<byte>(wrong)));
        }
    }

    [Fact]
    public void The_preface_split_at_every_boundary_is_Http2()
    {
        for (var index = 0; index <= Preface.Length; index++)
            Assert.Equal(PrefaceMatch.Http2, Http2Preface.Match(Split(Preface[..index], Preface[index..])));
    }

    private static ReadOnlySequence<byte> Split(byte[] first, byte[] second)
    {
        var start = new Piece(first, null);
        var end = new Piece(second, start);
        return new ReadOnlySequence<byte>(start, 0, end, second.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(byte[] memory, Piece? before)
        {
            Memory = memory;
            if (before is null)
                return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
