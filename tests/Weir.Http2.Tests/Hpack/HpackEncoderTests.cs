using System.Buffers;
using Weir.Http2.Hpack;
using static Weir.Http2.Tests.Hpack.HpackBlocks;

namespace Weir.Http2.Tests.Hpack;

public sealed class HpackEncoderTests
{
    readonly HpackEncoder _encoder = new(4096);
    readonly HpackDecoder _decoder = new(4096, 1 << 20);

    [Fact]
    public void Field_that_comes_again_is_one_octet()
    {
        List<HeaderField> fields = Fields("x-tenant: blue", ":path: /pkg.Service/Method");
        Assert.Equal(fields, _decoder.Decode(_encoder.Encode(fields)));

        Assert.Equal(Hex("bfbe"), _encoder.Encode(fields));
    }

    [Fact]
    public void Never_indexed_field_is_a_never_indexed_literal_each_time()
    {
        var field = new HeaderField("x-password", "hunter2", NeverIndexed: true);
        for (int i = 0; i < 2; i++)
        {
            byte[] block = _encoder.Encode(field);
            Assert.Equal(0x10, block[0]);
            Assert.Equal([field], _decoder.Decode(block));
        }

        Assert.Equal(0, _decoder.TableSizeBytes);
    }

    [Fact]
    public void Never_indexed_field_does_not_refer_to_an_entry_with_the_same_value()
    {
        var open = new HeaderField("x-token", "same");
        _decoder.Decode(_encoder.Encode(open));

        HeaderField sensitive = open with { NeverIndexed = true };
        Assert.Equal([sensitive], _decoder.Decode(_encoder.Encode(sensitive)));
    }

    [Theory]
    [InlineData("authorization", 31, true)]
    [InlineData("authorization", 32, false)]
    [InlineData("cookie", 31, true)]
    [InlineData("cookie", 32, false)]
    [InlineData("proxy-authorization", 31, true)]
    [InlineData("x-cookie", 5, false)]
    public void Short_secret_is_never_indexed(string name, int length, bool neverIndexed)
    {
        var field = new HeaderField(name, new string('s', length));

        Assert.Equal([field with { NeverIndexed = neverIndexed }], _decoder.Decode(_encoder.Encode(field)));
        Assert.Equal(neverIndexed ? 0 : field.Size, _decoder.TableSizeBytes);
    }

    [Theory]
    [InlineData("grpc-timeout")]
    [InlineData("content-length")]
    [InlineData("date")]
    public void Field_whose_value_keeps_changing_stays_out_of_the_table(string name)
    {
        var field = new HeaderField(name, "12345");

        Assert.Equal([field], _decoder.Decode(_encoder.Encode(field)));
        Assert.Equal(0, _decoder.TableSizeBytes);
    }

    [Fact]
    public void Field_that_would_take_most_of_the_table_stays_out_of_it()
    {
        HeaderField small = new("a", "b");
        HeaderField large = new("c", new string('d', 3100));

        Assert.Equal([small, large], _decoder.Decode(_encoder.Encode(small, large)));
        Assert.Equal(small.Size, _decoder.TableSizeBytes);
    }

    [Fact]
    public void Name_of_a_table_entry_is_referred_to_by_its_index()
    {
        _encoder.Encode(new HeaderField("x-user", "ann"));

        byte[] block = _encoder.Encode(new HeaderField("x-user", "~~"));
        Assert.Equal([0x7e, 2, (byte)'~', (byte)'~'], block);
    }

    [Fact]
    public void Huffman_is_used_only_when_it_is_shorter()
    {
        Assert.Equal([0x10, 1, (byte)'a', 2, (byte)'~', (byte)'~'], _encoder.Encode(new HeaderField("a", "~~", NeverIndexed: true)));
        Assert.Equal([0x10, 1, (byte)'a', 0x82, 0x18, 0xc7], _encoder.Encode(new HeaderField("a", "aaa", NeverIndexed: true)));
    }

    [Fact]
    public void Value_holds_any_of_the_256_octets()
    {
        var value = string.Concat(Enumerable.Range(0, 256).Select(i => (char)i));
        List<HeaderField> fields = [new("all", value), .. value.Select(c => new HeaderField("one", c.ToString()))];

        Assert.Equal(fields, _decoder.Decode(_encoder.Encode(fields)));
        Assert.Equal(fields, _decoder.Decode(_encoder.Encode(fields)));
    }

    [Fact]
    public void Char_above_255_is_an_ArgumentException_and_leaves_the_table_in_step()
    {
        var output = new ArrayBufferWriter<byte>();
        HeaderField[] fields = [new("fine", "fine"), new("bad", "\u0100")];

        Assert.Throws<ArgumentException>(() => _encoder.Encode(fields, output));
        Assert.Equal(0, output.WrittenCount);
        Assert.Equal(Fields("fine: fine"), _decoder.Decode(_encoder.Encode(Fields("fine: fine"))));
    }

    [Theory]
    [InlineData(new[] { 4096 }, "82")] // no change
    [InlineData(new[] { 65536 }, "82")] // above the encoder's own cap
    [InlineData(new[] { 0 }, "20 82")]
    [InlineData(new[] { 64 }, "3f21 82")]
    [InlineData(new[] { 0, 4096 }, "20 3fe11f 82")]
    [InlineData(new[] { 0, 64, 0, 65536 }, "20 3fe11f 82")]
    [InlineData(new[] { 100, 64 }, "3f21 82")]
    [InlineData(new[] { 64, 100 }, "3f21 3f45 82")]
    public void Settings_are_announced_at_the_next_block_as_the_smallest_and_the_final_size(int[] sizes, string hex)
    {
        foreach (int size in sizes)
            _encoder.SetMaxTableBytes(size);

        Assert.Equal(Hex(hex), _encoder.Encode(Fields(":method: GET")));
        Assert.Equal(Hex("82"), _encoder.Encode(Fields(":method: GET")));
    }

    [Fact]
    public void Size_that_only_goes_up_is_announced_once()
    {
        var encoder = new HpackEncoder(64);
        encoder.SetMaxTableBytes(100);

        Assert.Equal(Hex("3f45 82"), encoder.Encode(Fields(":method: GET")));
    }

    [Fact]
    public void First_block_brings_a_larger_table_down_to_the_own_cap() =>
        Assert.Equal(Hex("3fe11f 82"), new HpackEncoder(65536).Encode(Fields(":method: GET")));

    [Fact]
    public void Negative_size_is_rejected()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new HpackEncoder(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _encoder.SetMaxTableBytes(-1));
    }
}
