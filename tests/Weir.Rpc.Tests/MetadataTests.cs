using Weir.Http2;
using Weir.Rpc.Protocol;

namespace Weir.Rpc.Tests;

public sealed class MetadataTests
{
    [Fact]
    public void Entries_keep_their_order_and_the_last_of_a_key_wins()
    {
        var metadata = new Metadata { { "One", "1" }, { "two-bin", new byte[] { 2 } }, { "one", "3" } };
        Assert.Equal(3, metadata.Count);
        Assert.Equal(["one", "two-bin", "one"], metadata.Select(entry => entry.Key));
        Assert.Equal("3", metadata.GetValue("ONE"));
        Assert.Equal([2], metadata.GetBytes("two-bin")!.Value.ToArray());
        Assert.Equal(["1", "3"], metadata.GetAll("one").Select(entry => entry.Value));
        Assert.Null(metadata.GetValue("three"));
        Assert.Null(metadata.GetBytes("three-bin"));
        Assert.Null(metadata.GetBytes("one"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("ä")]
    [InlineData(":path")]
    [InlineData("grpc-timeout")]
    [InlineData("GRPC-anything")]
    [InlineData("te")]
    [InlineData("content-type")]
    [InlineData("user-agent")]
    [InlineData("connection")]
    [InlineData("ends-in-bin")]
    public void A_key_that_is_not_allowed_for_text_throws(string key) => Assert.Throws<ArgumentException>(() => new Metadata().Add(key, "value"));

    [Theory]
    [InlineData("a\nb", 1)]
    [InlineData("ü", 0)]
    [InlineData("abc\u007f", 3)]
    public void A_value_that_is_not_printable_names_the_character_and_its_place(string value, int at)
    {
        var error = Assert.Throws<ArgumentException>(() => new Metadata().Add("key", value));
        Assert.Contains($"U+{(int)value[at]:X4} at {at}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(" a b  ", "a b")]
    [InlineData("  ", "")]
    [InlineData("", "")]
    public void Blanks_at_the_ends_of_a_value_are_left_out(string value, string kept) => Assert.Equal(kept, new Metadata { { "key", value } }.GetValue("key"));

    [Fact]
    public void Every_octet_and_length_round_trips()
    {
        for (var length = 0; length < 300; length++)
        {
            var bytes = Enumerable.Range(0, length).Select(i => (byte)(i + length)).ToArray();
            HeaderList headers = default;
            MetadataCodec.Write(new Metadata { { "k-bin", bytes } }, ref headers);
            var field = headers.AsSpan()[0];
            Assert.DoesNotContain('=', field.Value);
            foreach (var padded in new[] { field.Value, field.Value.PadRight((field.Value.Length + 3) / 4 * 4, '=') })
            {
                Metadata? metadata = null;
                Assert.True(MetadataCodec.TryRead(new HeaderField("k-bin", padded), ref metadata));
                Assert.Equal(bytes, metadata!.GetBytes("k-bin")!.Value.ToArray());
            }
        }
    }

    [Fact]
    public void Bytes_need_a_bin_key() => Assert.Throws<ArgumentException>(() => new Metadata().Add("key", new byte[1]));

    [Theory]
    [InlineData(0, "")]
    [InlineData(1, "AA")]
    [InlineData(2, "AAE")]
    [InlineData(3, "AAEC")]
    public void Bytes_go_out_as_base64_without_padding(int length, string expected)
    {
        HeaderList headers = default;
        MetadataCodec.Write(new Metadata { { "k-bin", Enumerable.Range(0, length).Select(i => (byte)i).ToArray() } }, ref headers);
        Assert.Equal([new HeaderField("k-bin", expected)], headers.AsSpan().ToArray());
    }

    [Theory]
    [InlineData("AAE", new byte[] { 0, 1 })]
    [InlineData("AAE=", new byte[] { 0, 1 })]
    [InlineData("", new byte[0])]
    public void Bytes_come_in_with_padding_or_without(string text, byte[] expected)
    {
        Metadata? metadata = null;
        Assert.True(MetadataCodec.TryRead(new HeaderField("k-bin", text), ref metadata));
        Assert.Equal(expected, metadata!.GetBytes("k-bin")!.Value.ToArray());
    }

    [Fact]
    public void Bytes_joined_by_commas_are_several_entries()
    {
        Metadata? metadata = null;
        Assert.True(MetadataCodec.TryRead(new HeaderField("k-bin", "AA==, AQ,Ag"), ref metadata));
        Assert.Equal([0, 1, 2], metadata!.GetAll("k-bin").Select(entry => (int)entry.Bytes.Span[0]));
    }

    [Theory]
    [InlineData("A")]
    [InlineData("AA!A")]
    [InlineData("AA=A")]
    [InlineData("AA,A")]
    [InlineData("AA-_")] // the alphabet of URLs is another
    public void Bytes_that_are_not_base64_are_refused(string text)
    {
        Metadata? metadata = null;
        Assert.False(MetadataCodec.TryRead(new HeaderField("k-bin", text), ref metadata));
    }

    [Fact]
    public void Long_values_round_trip()
    {
        var bytes = new byte[10_000];
        new Random(1).NextBytes(bytes);
        HeaderList headers = default;
        MetadataCodec.Write(new Metadata { { "k-bin", bytes } }, ref headers);
        Metadata? metadata = null;
        Assert.True(MetadataCodec.TryRead(headers.AsSpan()[0], ref metadata));
        Assert.Equal(bytes, metadata!.GetBytes("k-bin")!.Value.ToArray());
    }

    [Fact]
    public void Credentials_stay_out_of_compression_tables()
    {
        HeaderList headers = default;
        MetadataCodec.Write(new Metadata { { "authorization", "Bearer x" }, { "other", "y" } }, ref headers);
        Assert.Equal([true, false], headers.AsSpan().ToArray().Select(field => field.NeverIndexed));
    }

    [Fact]
    public void A_header_list_holds_any_number_of_fields()
    {
        HeaderList headers = default;
        var expected = Enumerable.Range(0, 100).Select(i => new HeaderField($"n{i}", $"v{i}")).ToArray();
        foreach (var field in expected)
        {
            headers.Add(field);
        }

        Assert.Equal(expected, headers.AsSpan().ToArray());
    }
}
