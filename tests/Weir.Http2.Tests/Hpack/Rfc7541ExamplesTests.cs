using Weir.Http2.Hpack;
using static Weir.Http2.Tests.Hpack.HpackBlocks;

namespace Weir.Http2.Tests.Hpack;

/// <summary>The examples of RFC 7541 Appendix C.</summary>
public sealed class Rfc7541ExamplesTests
{
    const int ListLimit = 32 * 1024;

    static readonly List<HeaderField>[] Requests =
    [
        Fields(":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"),
        Fields(":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"),
        Fields(":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com", "custom-key: custom-value"),
    ];

    static readonly List<HeaderField>[] Responses =
    [
        Fields(":status: 302", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT", "location: https://www.example.com"),
        Fields(":status: 307", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT", "location: https://www.example.com"),
        Fields(
            ":status: 200",
            "cache-control: private",
            "date: Mon, 21 Oct 2013 20:13:22 GMT",
            "location: https://www.example.com",
            "content-encoding: gzip",
            "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
    ];

    static readonly string[] HuffmanRequests =
    [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];

    [Theory]
    [InlineData(10, 5, "0a")] // C.1.1
    [InlineData(1337, 5, "1f9a0a")] // C.1.2
    [InlineData(42, 8, "2a")] // C.1.3
    public void C1_integers_read_and_write(int value, int prefixBits, string hex)
    {
        var buffer = new byte[HpackInteger.MaxOctets];
        int written = HpackInteger.Write(buffer, 0, prefixBits, value);

        Assert.Equal(Hex(hex), buffer[..written]);
        Assert.Equal(value, new HpackReader(Hex(hex)).ReadInteger(prefixBits));
    }

    [Fact]
    public void C2_1_literal_with_indexing_enters_the_table()
    {
        var decoder = new HpackDecoder(4096, ListLimit);

        Assert.Equal(
            Fields("custom-key: custom-header"),
            decoder.Decode("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572"));
        Assert.Equal(55, decoder.TableSizeBytes);
    }

    [Fact]
    public void C2_2_literal_without_indexing_leaves_the_table_empty()
    {
        var decoder = new HpackDecoder(4096, ListLimit);

        Assert.Equal(Fields(":path: /sample/path"), decoder.Decode("040c 2f73 616d 706c 652f 7061 7468"));
        Assert.Equal(0, decoder.TableSizeBytes);
    }

    [Fact]
    public void C2_3_never_indexed_literal_says_so_and_leaves_the_table_empty()
    {
        var decoder = new HpackDecoder(4096, ListLimit);

        Assert.Equal(
            [new HeaderField("password", "secret", NeverIndexed: true)],
            decoder.Decode("1008 7061 7373 776f 7264 0673 6563 7265 74"));
        Assert.Equal(0, decoder.TableSizeBytes);
    }

    [Fact]
    public void C2_4_indexed_field_comes_from_the_static_table()
    {
        Assert.Equal(Fields(":method: GET"), new HpackDecoder(4096, ListLimit).Decode("82"));
        Assert.Equal(Hex("82"), new HpackEncoder(4096).Encode(Fields(":method: GET")));
    }

    [Fact]
    public void C3_requests_without_Huffman_decode() => AssertDecodes(
        4096,
        Requests,
        [
            "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
            "8286 84be 5808 6e6f 2d63 6163 6865",
            "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
        ],
        [57, 110, 164]);

    [Fact]
    public void C4_requests_with_Huffman_decode() => AssertDecodes(4096, Requests, HuffmanRequests, [57, 110, 164]);

    [Fact]
    public void C4_requests_with_Huffman_encode_to_the_same_octets()
    {
        var encoder = new HpackEncoder(4096);
        for (int i = 0; i < Requests.Length; i++)
            Assert.Equal(Hex(HuffmanRequests[i]), encoder.Encode(Requests[i]));
    }

    [Fact]
    public void C5_responses_without_Huffman_decode_while_a_table_of_256_evicts() => AssertDecodes(
        256,
        Responses,
        [
            """
            4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
            2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d
            """,
            "4803 3330 37c1 c0bf",
            """
            88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d
            54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049
            5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31
            """,
        ],
        [222, 222, 215]);

    [Fact]
    public void C6_responses_with_Huffman_decode_while_a_table_of_256_evicts() => AssertDecodes(
        256,
        Responses,
        [
            """
            4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
            2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3
            """,
            "4883 640e ffc1 c0bf",
            """
            88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab
            77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f
            9587 3160 65c0 03ed 4ee5 b106 3d50 07
            """,
        ],
        [222, 222, 215]);

    [Fact]
    public void C6_responses_round_trip_through_the_encoder_with_a_table_of_256()
    {
        // Not the same octets: this encoder keeps "date" out of the table.
        var encoder = new HpackEncoder(256);
        var decoder = new HpackDecoder(256, ListLimit);
        foreach (List<HeaderField> response in Responses)
            Assert.Equal(response, decoder.Decode(encoder.Encode(response)));
    }

    static void AssertDecodes(int tableBytes, List<HeaderField>[] lists, string[] blocks, int[] tableSizes)
    {
        var decoder = new HpackDecoder(tableBytes, ListLimit);
        for (int i = 0; i < lists.Length; i++)
        {
            Assert.Equal(lists[i], decoder.Decode(blocks[i]));
            Assert.Equal(tableSizes[i], decoder.TableSizeBytes);
        }
    }
}
