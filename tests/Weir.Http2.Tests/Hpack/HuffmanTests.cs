using Weir.Http2.Hpack;
using static Weir.Http2.Tests.Hpack.HpackBlocks;

namespace Weir.Http2.Tests.Hpack;

public sealed class HuffmanTests
{
    // From RFC 7541 Appendix B: the first and last code of lengths that have several, and every kind of symbol.
    [Theory]
    [InlineData('0', 0x0u, 5)]
    [InlineData('t', 0x9u, 5)]
    [InlineData(' ', 0x14u, 6)]
    [InlineData('u', 0x2du, 6)]
    [InlineData(':', 0x5cu, 7)]
    [InlineData('z', 0x7bu, 7)]
    [InlineData('&', 0xf8u, 8)]
    [InlineData('Z', 0xfdu, 8)]
    [InlineData('!', 0x3f8u, 10)]
    [InlineData('|', 0x7fcu, 11)]
    [InlineData('#', 0xffau, 12)]
    [InlineData('\0', 0x1ff8u, 13)]
    [InlineData('^', 0x3ffcu, 14)]
    [InlineData('{', 0x7ffeu, 15)]
    [InlineData('\\', 0x7fff0u, 19)]
    [InlineData(0x80, 0xfffe6u, 20)]
    [InlineData(0xa1, 0x1fffddu, 21)]
    [InlineData(0x81, 0x3fffd2u, 22)]
    [InlineData(0x01, 0x7fffd8u, 23)]
    [InlineData(0x09, 0xffffeau, 24)]
    [InlineData(0xc7, 0x1ffffecu, 25)]
    [InlineData(0xff, 0x3ffffeeu, 26)]
    [InlineData(0xfe, 0x7fffff0u, 27)]
    [InlineData(0x02, 0xfffffe2u, 28)]
    [InlineData(0xf9, 0xffffffeu, 28)]
    [InlineData('\n', 0x3ffffffcu, 30)]
    [InlineData(0x16, 0x3ffffffeu, 30)]
    [InlineData(HuffmanCode.EndOfString, 0x3fffffffu, 30)]
    public void Code_is_the_one_of_Appendix_B(int symbol, uint code, int bits)
    {
        Assert.Equal(code, HuffmanCode.Codes[symbol]);
        Assert.Equal(bits, HuffmanCode.Lengths[symbol]);
    }

    [Fact]
    public void Every_symbol_round_trips_alone_and_next_to_every_other()
    {
        for (int first = 0; first < 256; first++)
        {
            AssertRoundTrips(((char)first).ToString());
            for (int second = 0; second < 256; second++)
                AssertRoundTrips(string.Concat((char)first, (char)second, "a"));
        }
    }

    [Fact]
    public void Decoding_into_a_shorter_destination_still_measures_the_whole()
    {
        var start = new char[3];

        Assert.Equal(15, HuffmanDecoder.Decode(Hex("f1e3c2e5f23a6ba0ab90f4ff"), start));
        Assert.Equal("www", new string(start));
    }

    [Theory]
    [InlineData("ff", "8 bits")] // nothing but eight ones
    [InlineData("1fff", "11 bits")] // 'a' and eleven ones
    [InlineData("f8ff", "8 bits")] // '&' and a whole octet of padding
    [InlineData("ffffff", "24 bits")]
    public void Padding_of_more_than_seven_bits_is_rejected(string hex, string names)
    {
        var error = Assert.Throws<HpackException>(() => HuffmanDecoder.Decode(Hex(hex), []));
        Assert.Contains(names, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("18")] // 'a' and 000
    [InlineData("1e")] // 'a' and 110
    [InlineData("fe")] // seven ones and a zero: the beginning of a longer code
    public void Padding_that_is_not_all_ones_is_rejected(string hex) =>
        Assert.Throws<HpackException>(() => HuffmanDecoder.Decode(Hex(hex), []));

    [Theory]
    [InlineData("ffffffff")]
    [InlineData("1fffffffff")]
    public void End_of_string_symbol_is_rejected(string hex)
    {
        var error = Assert.Throws<HpackException>(() => HuffmanDecoder.Decode(Hex(hex), []));
        Assert.Contains("end-of-string", error.Message, StringComparison.Ordinal);
    }

    static void AssertRoundTrips(string text)
    {
        var encoded = new byte[HuffmanEncoder.GetLength(text)];
        Assert.Equal(encoded.Length, HuffmanEncoder.Encode(text, encoded));

        var decoded = new char[text.Length];
        Assert.Equal(text.Length, HuffmanDecoder.Decode(encoded, decoded));
        Assert.Equal(text, new string(decoded));
    }
}
