using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Weir.Rpc.Compression;
using Weir.Rpc.Protocol;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Decompressing one message: limits, memory, and data cut off anywhere.</summary>
public sealed class DecompressionTests
{
    private const int Limit = 1024 * 1024;

    public static TheoryData<string> Names => ["gzip", "deflate", "br"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Data_cut_off_anywhere_is_refused_and_whole_data_read_in_any_two_pieces(string name)
    {
        var compression = Named(name);
        var text = string.Join(' ', Enumerable.Range(0, 60));
        var whole = Compress(compression, Encoding.UTF8.GetBytes(text));
        for (var length = 1; length < whole.Length; length++)
        {
            using var buffer = new PooledBuffer(Limit);
            Assert.Throws<InvalidDataException>(() => compression.Decompress(new ReadOnlySequence<byte>(whole, 0, length), buffer));
            Assert.Equal(text, Read(compression, Frame(whole), splitAt: length + 5));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Octets_that_come_one_by_one_give_the_same_message(string name)
    {
        var compression = Named(name);
        var text = Convert.ToHexString(RandomOctets(5000));
        var source = new FakeInput([], completed: false);
        var reader = new MessageReader<string, FakeInput.Source>(TextMarshaller.Instance, Limit, new Owner(compression));
        var found = Availability.NeedMore;
        foreach (var octet in Frame(Compress(compression, Encoding.UTF8.GetBytes(text))))
        {
            Assert.Equal(Availability.NeedMore, found);
            source.Append([octet]);
            found = reader.Pull(source.AsSource);
        }

        Assert.Equal(Availability.Message, found);
        Assert.True(reader.TryTake(out var message));
        Assert.Equal(text, message);
        Assert.Equal(Availability.NeedMore, reader.Pull(source.AsSource)); // gives back what was taken
        Assert.Equal(0, source.Left);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_message_of_exactly_the_limit_passes_and_one_octet_more_does_not(string name)
    {
        var compression = Named(name);
        Assert.Equal(Limit, Read(compression, Frame(Compress(compression, new byte[Limit])), splitAt: -1).Length);
        var error = Assert.Throws<RpcException>(() => Read(compression, Frame(Compress(compression, new byte[Limit + 1])), splitAt: -1));
        Assert.Equal(new Status(StatusCode.ResourceExhausted, $"received a message that has more than {Limit} bytes when decompressed; the limit is {Limit} (MaxReceiveMessageBytes)"), error.Status);
    }

    [Fact]
    public void A_gigabyte_in_a_megabyte_costs_no_more_than_the_limit()
    {
        // 64 gzip members of 16 MiB each: gzip data may be several members (RFC 1952 §2.2).
        var member = Compress(MessageCompression.CreateGzip(CompressionLevel.SmallestSize), new byte[16 * 1024 * 1024]);
        var bomb = Frame([.. Enumerable.Repeat(member, 64).SelectMany(octets => octets)]);
        Read(MessageCompression.Gzip, Frame(Compress(MessageCompression.Gzip, new byte[1000])), splitAt: -1); // warm

        var source = new FakeInput(bomb, completed: true);
        var reader = new MessageReader<string, FakeInput.Source>(TextMarshaller.Instance, 8 * Limit, new Owner(MessageCompression.Gzip));
        Assert.Equal(Availability.Message, reader.Pull(source.AsSource));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<RpcException>(() => reader.TryTake(out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2 * 8 * Limit); // the buffer, and the halves that it grew through
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }

    [Fact]
    public void Decompression_that_would_never_end_stops_at_the_limit()
    {
        var endless = new Endless();
        var error = Assert.Throws<RpcException>(() => Read(endless, Frame([1]), splitAt: -1));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.InRange(endless.Written, Limit - 4096, Limit);
    }

    [Fact]
    public void Several_members_of_gzip_are_one_message()
    {
        byte[] both = [.. Compress(MessageCompression.Gzip, "one"u8.ToArray()), .. Compress(MessageCompression.Gzip, "two"u8.ToArray())];
        Assert.Equal("onetwo", Read(MessageCompression.Gzip, Frame(both), splitAt: -1));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_follows_the_end_of_the_data_is_refused(string name)
    {
        var compression = Named(name);
        byte[][] messages = ["one"u8.ToArray(), RandomOctets(8192 - 18), RandomOctets(100_000), new byte[200_000]]; // 8192: the framework's buffer
        byte[][] tails = [[0], [1], [0x1f], [0x1f, 0x8b], [0x1f, 0x8b, 8, 0], [0xff], [0, 0, 0, 0], new byte[10_000], RandomOctets(20_000)];
        foreach (var message in messages)
        {
            var whole = Compress(compression, message);
            foreach (var tail in tails)
            {
                foreach (var splitAt in new[] { -1, 5 + whole.Length, 5 + whole.Length - 1, 5 + whole.Length + tail.Length - 1 })
                {
                    var error = Assert.Throws<RpcException>(() => Read(compression, Frame([.. whole, .. tail]), splitAt));
                    Assert.Equal(StatusCode.Internal, error.StatusCode);
                    Assert.StartsWith($"a received message cannot be decompressed with {name}: ", error.Status.Detail, StringComparison.Ordinal);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Data_of_every_length_ends_where_it_ends(string name)
    {
        var compression = Named(name);
        var octets = RandomOctets(9000);
        for (var length = 1; length <= octets.Length; length += length < 300 || length > 8100 ? 1 : 97)
        {
            var whole = Compress(compression, octets[..length]);
            using var buffer = new PooledBuffer(Limit);
            compression.Decompress(new ReadOnlySequence<byte>(whole), buffer);
            Assert.True(buffer.Written.SequenceEqual(octets.AsSpan(0, length)), $"{length} octets");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_compressed_message_without_data_is_refused(string name)
    {
        var error = Assert.Throws<RpcException>(() => Read(Named(name), Frame([]), splitAt: -1));
        Assert.Equal(new Status(StatusCode.Internal, $"a received message cannot be decompressed with {name}: there is no data"), error.Status);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_level_gives_what_the_framework_reads(string name)
    {
        var text = string.Concat(Enumerable.Range(0, 2000));
        foreach (var level in new[] { CompressionLevel.Fastest, CompressionLevel.Optimal, CompressionLevel.SmallestSize, CompressionLevel.NoCompression })
        {
            var compression = name switch
            {
                "gzip" => MessageCompression.CreateGzip(level),
                "deflate" => MessageCompression.CreateDeflate(level),
                _ => MessageCompression.CreateBrotli(level),
            };
            Assert.Equal(name, compression.Name);
            var data = new MemoryStream(Compress(compression, Encoding.UTF8.GetBytes(text)));
            using Stream framework = name switch
            {
                "gzip" => new GZipStream(data, CompressionMode.Decompress),
                "deflate" => new ZLibStream(data, CompressionMode.Decompress),
                _ => new BrotliStream(data, CompressionMode.Decompress),
            };
            using var reader = new StreamReader(framework);
            Assert.Equal(text, reader.ReadToEnd());
        }
    }

    [Theory]
    [InlineData("gzip", 700)]
    [InlineData("deflate", 700)]
    [InlineData("br", 350)]
    public void A_small_message_costs_a_few_small_objects_each_way(string name, int mostBytes)
    {
        const int Messages = 200;
        var compression = Named(name);
        var text = new string('x', 500);
        var frame = Frame(Compress(compression, Encoding.UTF8.GetBytes(text)));
        var input = new FakeInput([.. Enumerable.Repeat(frame, 2 * Messages).SelectMany(octets => octets)], completed: true);
        var reader = new MessageReader<string, FakeInput.Source>(LengthMarshaller.Instance, Limit, new Owner(compression));
        var destination = new byte[1000];
        Assert.Equal(Availability.Message, reader.Pull(input.AsSource));
        RoundTrip(Messages); // warm
        var before = GC.GetAllocatedBytesForCurrentThread();
        RoundTrip(Messages);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / Messages, 0, 2 * mostBytes);

        void RoundTrip(int count)
        {
            for (var i = 0; i < count; i++)
            {
                Assert.True(reader.TryTake(out _));
                var payload = MessagePayload<string>.CreateCompressed(TextMarshaller.Instance, text, Limit, compression);
                payload.WriteTo(destination.AsSpan(0, payload.Length));
                payload.Release();
            }
        }
    }

    [Fact]
    public void A_payload_writes_itself_as_often_as_it_is_asked_and_not_after_its_release()
    {
        var payload = MessagePayload<string>.CreateCompressed(TextMarshaller.Instance, new string('x', 500), Limit, MessageCompression.Gzip);
        var first = new byte[payload.Length];
        var second = new byte[payload.Length];
        payload.WriteTo(first);
        payload.WriteTo(second);
        Assert.Equal(first, second);
        Assert.Equal(1, first[0]);
        payload.Release();
        payload.Release();
        Assert.Throws<ObjectDisposedException>(() => payload.WriteTo(first));
    }

    private static MessageCompression Named(string name) => name switch
    {
        "gzip" => MessageCompression.Gzip,
        "deflate" => MessageCompression.Deflate,
        _ => MessageCompression.Brotli,
    };

    private static byte[] RandomOctets(int count)
    {
        var octets = new byte[count];
        new Random(1).NextBytes(octets);
        return octets;
    }

    private static byte[] Compress(MessageCompression compression, byte[] message)
    {
        var destination = new ArrayBufferWriter<byte>();
        compression.Compress(message, destination);
        return destination.WrittenSpan.ToArray();
    }

    private static byte[] Frame(byte[] data)
    {
        var prefix = new byte[] { 1, 0, 0, 0, 0 };
        BinaryPrimitives.WriteInt32BigEndian(prefix.AsSpan(1), data.Length);
        return [.. prefix, .. data];
    }

    private static string Read(MessageCompression compression, byte[] frame, int splitAt)
    {
        var owner = new Owner(compression);
        var source = new FakeInput(frame, completed: true, splitAt);
        var reader = new MessageReader<string, FakeInput.Source>(TextMarshaller.Instance, Limit, owner);
        Assert.Equal(Availability.Message, reader.Pull(source.AsSource));
        Assert.True(reader.TryTake(out var message));
        Assert.Equal(1, owner.Taken);
        Assert.Equal(Availability.End, reader.Pull(source.AsSource));
        return message;
    }

    private sealed class LengthMarshaller : Marshaller<string>
    {
        public static readonly LengthMarshaller Instance = new();

        public override int GetSize(string message) => throw new NotSupportedException();

        public override void Write(string message, Span<byte> destination) => throw new NotSupportedException();

        public override string Read(ReadOnlySpan<byte> payload) => payload.Length == 500 ? "" : throw new InvalidDataException($"{payload.Length} octets");

        public override string Read(in ReadOnlySequence<byte> payload) => throw new NotSupportedException();
    }

    private sealed class Endless() : MessageCompression("x-endless")
    {
        public int Written { get; private set; }

        public override void Compress(ReadOnlySpan<byte> message, IBufferWriter<byte> destination) => throw new NotSupportedException();

        public override void Decompress(in ReadOnlySequence<byte> data, IBufferWriter<byte> destination)
        {
            while (true)
            {
                var count = Math.Min(1000, destination.GetSpan().Length);
                destination.Advance(count);
                Written += count;
            }
        }
    }

    private sealed class Owner(MessageCompression compression) : IMessageOwner
    {
        public int Taken { get; private set; }

        public MessageCompression? ReceivedCompression => compression;

        public Status SurplusFailure => Status.Ok;

        public bool IsStopped => false;

        public void OnCompressedTaken() => Taken++;

        public Exception? GetEndOfMessages() => throw new NotSupportedException();

        public Exception FailReading(Status failure, Exception? cause) => throw new NotSupportedException();

        public Exception CancelReading(CancellationToken cancellationToken) => throw new NotSupportedException();

        public void LeaveReading() => throw new NotSupportedException();
    }
}
