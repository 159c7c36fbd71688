using Weir.Http2.Hpack;
using static Weir.Http2.Tests.Hpack.HpackBlocks;

namespace Weir.Http2.Tests.Hpack;

public sealed class HpackDecoderTests
{
    const int ListLimit = 32 * 1024;

    readonly HpackDecoder _decoder = new(4096, ListLimit);

    [Theory]
    [InlineData("80", "Index 0")]
    [InlineData("be", "Index 62 is beyond the tables; the last index is 61")] // the dynamic table is empty
    [InlineData("ff80808001", "beyond the tables")]
    [InlineData("7e0161", "Index 62")] // as the name of a literal
    [InlineData("0f2f0161", "Index 62")]
    [InlineData("ffffffffff01", "more than 4 octets")] // a fifth octet after the prefix
    [InlineData("ff8080808000", "more than 4 octets")] // also when it adds only zeros
    [InlineData("ff", "inside an integer")]
    [InlineData("ff80", "inside an integer")]
    [InlineData("40", "where a string was expected")]
    [InlineData("400161", "where a string was expected")]
    [InlineData("400261", "A string of 2 octets is announced, but the header block has 1 octets left")]
    [InlineData("007fffffff7f", "is announced")]
    [InlineData("00016181ff", "padding")] // a Huffman value of eight ones
    [InlineData("00811e0161", "padding")] // a Huffman name with zeros in its padding
    [InlineData("00016184ffffffff", "end-of-string")]
    [InlineData("3fe21f", "A table size update to 4097 octets is above the allowed 4096")]
    [InlineData("8220", "only allowed at the beginning")]
    [InlineData("202020", "at most twice")]
    public void Invalid_block_is_rejected_with_a_message_that_says_why(string hex, string reason)
    {
        var error = Assert.Throws<HpackException>(() => _decoder.Decode(hex));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff")]
    [InlineData("3fe11f 8287 85 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf be")]
    [InlineData("20 3fe11f 1008 7061 7373 776f 7264 0673 6563 7265 74 0f0d 023432")]
    public void Block_cut_off_at_any_length_gives_the_fields_before_the_cut_or_an_HpackException(string hex)
    {
        byte[] block = Hex(hex);
        List<HeaderField> all = new HpackDecoder(4096, ListLimit).Decode(block);
        for (int length = 0; length < block.Length; length++)
        {
            var fields = new List<HeaderField>();
            try
            {
                Assert.True(new HpackDecoder(4096, ListLimit).Decode(block.AsSpan(0, length), fields));
            }
            catch (HpackException)
            {
                Assert.NotEqual(0, length);
            }

            Assert.True(fields.Count < all.Count || length >= block.Length);
            Assert.Equal(all.Take(fields.Count), fields);
        }
    }

    [Fact]
    public void Size_updates_to_zero_and_back_empty_the_table()
    {
        _decoder.Decode(Literal(0x40, "a", "b"));
        Assert.Equal(34, _decoder.TableSizeBytes);

        Assert.Equal(Fields(":method: GET"), _decoder.Decode("20 3fe11f 82"));
        Assert.Equal(0, _decoder.TableSizeBytes);
    }

    [Fact]
    public void Raised_limit_allows_a_larger_update_and_needs_none()
    {
        _decoder.MaxTableBytes = 8192;

        Assert.Equal(Fields(":method: GET"), _decoder.Decode("82"));
        Assert.Equal(Fields(":method: GET"), _decoder.Decode("3fe13f 82"));
    }

    [Theory]
    [InlineData("82")]
    [InlineData("3f45 82")] // 100 octets
    public void Lowered_limit_without_the_size_update_is_rejected(string hex)
    {
        _decoder.MaxTableBytes = 64;

        var error = Assert.Throws<HpackException>(() => _decoder.Decode(hex));
        Assert.Contains("64", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Limit_lowered_and_raised_again_needs_an_update_to_the_lowest_once()
    {
        _decoder.MaxTableBytes = 64;
        _decoder.MaxTableBytes = 4096;

        Assert.Equal(Fields(":method: GET"), _decoder.Decode("3f21 3fe11f 82"));
        Assert.Equal(Fields(":method: GET"), _decoder.Decode("82"));

        _decoder.MaxTableBytes = 64;
        _decoder.MaxTableBytes = 4096;
        Assert.Throws<HpackException>(() => _decoder.Decode("3fe11f 82"));
    }

    [Fact]
    public void Field_larger_than_the_table_empties_it_and_is_still_delivered()
    {
        var decoder = new HpackDecoder(64, ListLimit);
        decoder.Decode(Literal(0x40, "a", "b"));

        Assert.Equal([new HeaderField("c", new string('d', 32))], decoder.Decode(Literal(0x40, "c", new string('d', 32))));
        Assert.Equal(0, decoder.TableSizeBytes);
    }

    [Fact]
    public void Name_of_an_entry_that_the_same_field_evicts_is_still_known()
    {
        var decoder = new HpackDecoder(64, ListLimit);
        decoder.Decode(Literal(0x40, "name", "first"));

        Assert.Equal(Fields("name: second-value"), decoder.Decode([0x7e, 12, .. "second-value"u8]));
        Assert.Equal(Fields("name: second-value"), decoder.Decode("be"));
    }

    [Fact]
    public void List_of_exactly_the_limit_is_accepted_and_one_octet_more_is_not()
    {
        byte[] block = [.. Literal(0, "a", "b"), .. Literal(0, "c", "d")];

        Assert.Equal(Fields("a: b", "c: d"), new HpackDecoder(4096, 68).Decode(block));
        var fields = new List<HeaderField>();
        Assert.False(new HpackDecoder(4096, 67).Decode(block, fields));
        Assert.Equal(Fields("a: b"), fields);
    }

    [Fact]
    public void List_above_the_limit_leaves_the_table_in_step()
    {
        var decoder = new HpackDecoder(4096, 50);
        var fields = new List<HeaderField>();

        Assert.False(decoder.Decode([.. Literal(0, "long", new string('x', 100)), .. Literal(0x40, "kept", "value")], fields));
        Assert.Empty(fields);
        Assert.Equal(Fields("kept: value"), decoder.Decode("be"));
    }

    [Fact]
    public void Literal_above_the_list_limit_is_not_allocated()
    {
        byte[] raw = Literal(0x40, "name", new string('x', 1 << 20));
        byte[] huffman = new HpackEncoder(4096).Encode(new HeaderField("name", new string('0', 1 << 20)));
        var fields = new List<HeaderField>();
        _decoder.Decode([0, 0x81, 0x1f, 0x81, 0x1f], fields); // warm up
        new HpackDecoder(4096, 4096).Decode(new HpackEncoder(4096).Encode(new HeaderField("name", new string('0', 100)))); // the Huffman tables too

        long before = GC.GetAllocatedBytesForCurrentThread();
        bool rawFits = _decoder.Decode(raw, fields);
        bool huffmanFits = _decoder.Decode(huffman, fields);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.False(rawFits);
        Assert.False(huffmanFits);
        Assert.InRange(allocated, 0, 4096);
    }

    [Fact]
    public void Block_of_indexed_fields_that_unpacks_to_far_more_than_the_limit_keeps_only_the_limit()
    {
        _decoder.Decode(Literal(0x40, "n", new string('x', 4000)));
        var bomb = new byte[1 << 20];
        Array.Fill(bomb, (byte)0xbe);
        var fields = new List<HeaderField>();

        Assert.False(_decoder.Decode(bomb, fields));
        Assert.Equal(ListLimit / (4000 + 1 + 32), fields.Count);
    }

    [Fact]
    public void Repeated_literals_give_the_same_strings_except_never_indexed_values()
    {
        byte[] block = [.. Literal(0, "grpc-timeout", "10S"), .. Literal(0x10, "secret", "10s")];
        List<HeaderField> first = _decoder.Decode(block);
        List<HeaderField> second = _decoder.Decode(block);

        Assert.Equal(first, second);
        Assert.Same(first[0].Name, second[0].Name);
        Assert.Same(first[0].Value, second[0].Value);
        Assert.Same(first[1].Name, second[1].Name);
        Assert.NotSame(first[1].Value, second[1].Value);
    }

    [Fact]
    public void Any_two_literals_that_alternate_give_the_same_strings()
    {
        for (int i = 0; i < 2_000; i++)
        {
            var decoder = new HpackDecoder(4096, 32 * 1024);
            byte[] block = Literal(0, $"name-{i}", $"value-{i * 7}");
            HeaderField first = Assert.Single(decoder.Decode(block));
            HeaderField second = Assert.Single(decoder.Decode(block));
            Assert.Same(first.Name, second.Name);
            Assert.Same(first.Value, second.Value);
        }
    }

    [Fact]
    public void Negative_limits_are_rejected()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new HpackDecoder(-1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new HpackDecoder(0, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _decoder.MaxTableBytes = -1);
    }
}
