using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Weir.Rpc.Protocol;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

public sealed class MessageReaderTests
{
    [Fact]
    public void Messages_that_lie_whole_in_the_buffer_are_taken_in_order()
    {
        var source = new FakeInput([.. Frame("one"), .. Frame(""), .. Frame("three")], completed: true);
        Assert.Equal(["one", "", "three"], ReadAll(source));
        Assert.Equal(0, source.Left);
    }

    [Fact]
    public void Any_split_into_two_segments_gives_the_same_messages()
    {
        byte[] input = [.. Frame("one"), .. Frame("twotwo"), .. Frame("three")];
        for (var at = 0; at <= input.Length; at++)
        {
            Assert.Equal(["one", "twotwo", "three"], ReadAll(new FakeInput(input, completed: true, splitAt: at)));
        }
    }

    [Fact]
    public void Octets_that_come_one_by_one_give_the_same_messages()
    {
        byte[] input = [.. Frame("one"), .. Frame(new string('x', 3000)), .. Frame("")];
        var source = new FakeInput([], completed: false);
        var reader = new MessageReader<string, FakeInput.Source>(TextMarshaller.Instance, 10_000);
        List<string> messages = [];
        foreach (var octet in input)
        {
            source.Append([octet]);
            if (reader.Pull(source.AsSource) == Availability.Message)
            {
                Assert.True(reader.TryTake(out var message));
                messages.Add(message);
            }
        }

        source.Complete();
        Assert.Equal(Availability.End, reader.Pull(source.AsSource));
        Assert.Equal(["one", new string('x', 3000), ""], messages);
        Assert.Equal(0, source.Left);
    }

    [Fact]
    public void An_input_cut_off_anywhere_within_a_message_is_an_error_and_at_its_end_is_none()
    {
        byte[] input = [.. Frame("one"), .. Frame(new string('x', 2000))];
        for (var length = 0; length <= input.Length; length++)
        {
            var source = new FakeInput(input[..length], completed: true);
            var reader = new MessageReader<string, FakeInput.Source>(TextMarshaller.Instance, 10_000);
            Availability found;
            while ((found = reader.Pull(source.AsSource)) == Availability.Message)
            {
                Assert.True(reader.TryTake(out _));
            }

            var isWhole = length is 0 or 8 || length == input.Length;
            Assert.Equal(isWhole ? Availability.End : Availability.Failed, found);
            if (!isWhole)
            {
                Assert.Equal(StatusCode.Internal, reader.Failure.Code);
            }
        }
    }

    [Fact]
    public void A_message_above_the_limit_names_both_sizes_before_it_has_arrived()
    {
        var source = new FakeInput(Prefix(0, 5_000_000), completed: false);
        var reader = new MessageReader<string, FakeInput.Source>(TextMarshaller.Instance, 4_194_304);
        Assert.Equal(Availability.Failed, reader.Pull(source.AsSource));
        Assert.Equal(new Status(StatusCode.ResourceExhausted, "received message of 5000000 bytes; the limit is 4194304 (MaxReceiveMessageBytes)"), reader.Failure);
    }

    [Fact]
    public void A_length_above_two_gigabytes_is_above_the_limit()
    {
        var reader = new MessageReader<string, FakeInput.Source>(TextMarshaller.Instance, RpcLimits.LargestMessageBytes);
        Assert.Equal(Availability.Failed, reader.Pull(new FakeInput(Prefix(0, 0xffffffff), completed: false).AsSource));
        Assert.Equal(StatusCode.ResourceExhausted, reader.Failure.Code);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_compressed_flag_without_an_encoding_is_Internal(byte flag)
    {
        var reader = new MessageReader<string, FakeInput.Source>(TextMarshaller.Instance, 100);
        Assert.Equal(Availability.Failed, reader.Pull(new FakeInput([.. Prefix(flag, 1), 7], completed: false).AsSource));
        Assert.Equal(StatusCode.Internal, reader.Failure.Code);
    }

    [Theory]
    [InlineData(10, 15)]
    [InlineData(1_000_000, 1_000_005)]
    [InlineData(int.MaxValue - 5, int.MaxValue)]
    public void An_incomplete_message_is_waited_for_as_a_whole(int size, int wanted)
    {
        var source = new FakeInput(Prefix(0, (uint)size), completed: false);
        var reader = new MessageReader<string, FakeInput.Source>(TextMarshaller.Instance, int.MaxValue);
        Assert.Equal(Availability.NeedMore, reader.Pull(source.AsSource));
        Assert.Equal(wanted, reader.WantedBytes);
        Assert.Equal(5, source.Left);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(5000)]
    public void A_single_message_is_shown_with_its_end_or_with_what_follows_it(int size)
    {
        var text = new string('x', size);
        foreach (var octet in new byte?[] { null, 0 })
        {
            var source = new FakeInput([], completed: false);
            var reader = new MessageReader<string, FakeInput.Source>(TextMarshaller.Instance, 10_000);
            foreach (var (more, wanted) in new (byte[] More, int Wanted)[] { ([], 5), (Frame(text)[..4], 5), (Frame(text)[4..5], size + 6), (Frame(text)[5..], size + 6) })
            {
                source.Append(more);
                Assert.Equal((Availability.NeedMore, wanted), (reader.Pull(source.AsSource, single: true), reader.WantedBytes));
            }

            if (octet is { } next)
            {
                source.Append([next]);
            }
            else
            {
                source.Complete();
            }

            Assert.Equal(Availability.Message, reader.Pull(source.AsSource, single: true));
            Assert.True(reader.TryTake(out var message));
            Assert.Equal(text, message);
        }
    }

    [Fact]
    public void A_single_message_above_the_limit_is_known_from_its_prefix()
    {
        var source = new FakeInput(Prefix(0, 11)[..4], completed: false);
        var reader = new MessageReader<string, FakeInput.Source>(TextMarshaller.Instance, 10);
        Assert.Equal((Availability.NeedMore, 5), (reader.Pull(source.AsSource, single: true), reader.WantedBytes));
        source.Append(Prefix(0, 11)[4..]);
        Assert.Equal(Availability.Failed, reader.Pull(source.AsSource, single: true));
        Assert.Equal(StatusCode.ResourceExhausted, reader.Failure.Code);
    }

    [Fact]
    public void Taking_messages_gives_octets_back_in_batches()
    {
        var source = new FakeInput([.. Enumerable.Range(0, 10_000).SelectMany(_ => Frame("0123456789"))], completed: true);
        Assert.Equal(10_000, ReadAll(source).Count);
        Assert.InRange(source.Consumptions, 1, 6); // 150,000 octets in batches of 32 KiB
    }

    [Fact]
    public void Taking_a_message_allocates_nothing()
    {
        var marshaller = new ConstantMarshaller();
        var source = new FakeInput([.. Enumerable.Range(0, 10_000).SelectMany(_ => Frame("0123456789"))], completed: true);
        var reader = new MessageReader<string, FakeInput.Source>(marshaller, 100);
        reader.Pull(source.AsSource);
        Assert.True(reader.TryTake(out _));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var taken = 1;
        do
        {
            while (reader.TryTake(out _))
            {
                taken++;
            }
        }
        while (reader.Pull(source.AsSource) == Availability.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000); // what is left of a thread's buffer counts too at a collection
        Assert.Equal(10_000, taken);
    }

    private static List<string> ReadAll(FakeInput source)
    {
        var reader = new MessageReader<string, FakeInput.Source>(TextMarshaller.Instance, 10_000);
        List<string> messages = [];
        while (true)
        {
            if (reader.TryTake(out var message))
            {
                messages.Add(message);
                continue;
            }

            var found = reader.Pull(source.AsSource);
            if (found == Availability.End)
            {
                return messages;
            }

            Assert.Equal(Availability.Message, found);
        }
    }

    private static byte[] Frame(string text) => [.. Prefix(0, (uint)text.Length), .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Prefix(byte flag, uint length)
    {
        var prefix = new byte[5];
        prefix[0] = flag;
        BinaryPrimitives.WriteUInt32BigEndian(prefix.AsSpan(1), length);
        return prefix;
    }

    private sealed class ConstantMarshaller : Marshaller<string>
    {
        public override int GetSize(string message) => 0;

        public override void Write(string message, Span<byte> destination)
        {
        }

        public override string Read(ReadOnlySpan<byte> payload) => "";

        public override string Read(in ReadOnlySequence<byte> payload) => "";
    }
}
