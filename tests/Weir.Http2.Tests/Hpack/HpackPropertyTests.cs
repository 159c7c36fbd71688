using FsCheck;
using FsCheck.Fluent;
using Weir.Http2.Hpack;

namespace Weir.Http2.Tests.Hpack;

public sealed class HpackPropertyTests
{
    const int ListLimit = 16 * 1024;

    // Few names and values, so that fields come again and table entries are met; now and then one that is long or of any octets.
    static readonly Gen<string> Names = Gen.Frequency(
        (6, Gen.Elements(":path", ":status", "te", "grpc-status", "x-a", "x-b", "date", "cookie", "authorization")),
        (2, Text(1, 12)),
        (1, Text(0, 400)));

    static readonly Gen<string> Values = Gen.Frequency(
        (6, Gen.Elements("", "/", "0", "200", "trailers", "some value that is longer than the others by far")),
        (2, Text(0, 20)),
        (1, Text(0, 5000)));

    static readonly Gen<HeaderField> HeaderFields =
        from name in Names
        from value in Values
        from sensitive in Gen.Frequency((5, Gen.Constant(false)), (1, Gen.Constant(true)))
        select new HeaderField(name, value, sensitive);

    static readonly Gen<Step> Steps =
        from fields in HeaderFields.ListOf(8)
        from sizes in Gen.Frequency((4, Gen.Constant(Array.Empty<int>())), (1, Gen.Elements(0, 33, 64, 256, 1000, 4096, 65536).ArrayOf(3)))
        select new Step(fields.ToArray(), sizes);

    [Fact]
    public void Blocks_round_trip_in_order_with_table_size_changes_between_them() =>
        Check(Steps.ArrayOf(30), steps =>
        {
            var encoder = new HpackEncoder(4096);
            var decoder = new HpackDecoder(4096, 1 << 20);
            foreach (Step step in steps)
            {
                foreach (int size in step.TableSizes)
                {
                    encoder.SetMaxTableBytes(size);
                    decoder.MaxTableBytes = size;
                }

                List<HeaderField> decoded = decoder.Decode(encoder.Encode(step.Fields));
                Assert.Equal(step.Fields.Select(f => (f.Name, f.Value)), decoded.Select(f => (f.Name, f.Value)));
                Assert.All(step.Fields.Zip(decoded), pair => Assert.True(pair.Second.NeverIndexed || !pair.First.NeverIndexed));
            }
        });

    [Fact]
    public void Random_octets_give_fields_or_an_HpackException_and_bounded_memory() =>
        Check(Octets.ArrayOf().Where(block => block.Length > 0), block =>
        {
            var decoder = new HpackDecoder(4096, ListLimit);
            for (int i = 0; i < 3; i++)
                DecodeAnything(decoder, block);
        }, maxTest: 5000);

    [Fact]
    public void Valid_blocks_with_random_octets_changed_give_fields_or_an_HpackException() =>
        Check(
            from fields in HeaderFields.ArrayOf(10)
            from changes in Gen.Choose(0, int.MaxValue).Zip(Octets).ArrayOf(4)
            select (fields, changes),
            input =>
            {
                byte[] block = new HpackEncoder(4096).Encode(input.fields);
                foreach ((int position, byte octet) in input.changes)
                {
                    if (block.Length > 0)
                        block[position % block.Length] = octet;
                }

                DecodeAnything(new HpackDecoder(4096, ListLimit), block);
            },
            maxTest: 2000);

    // Octets that begin each kind of representation, and those that end or continue an integer, are more frequent than by chance.
    static Gen<byte> Octets => Gen.Frequency(
        (3, Gen.Choose(0, 255).Select(i => (byte)i)),
        (1, Gen.Elements<byte>(0x00, 0x10, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xbe, 0xff)));

    static Gen<string> Text(int minLength, int maxLength) =>
        from length in Gen.Choose(minLength, maxLength)
        from chars in Gen.Choose(0, 255).Select(i => (char)i).ArrayOf(length)
        select new string(chars);

    static void DecodeAnything(HpackDecoder decoder, byte[] block)
    {
        var fields = new List<HeaderField>();
        try
        {
            decoder.Decode(block, fields);
        }
        catch (HpackException error)
        {
            Assert.NotEmpty(error.Message);
        }

        int listBytes = fields.Sum(f => f.Size);
        Assert.InRange(listBytes, 0, ListLimit);
        Assert.InRange(decoder.TableSizeBytes, 0, 4096);
    }

    static void Check<T>(Gen<T> inputs, Action<T> property, int maxTest = 300) =>
        Prop.ForAll(inputs.ToArbitrary(), property).Check(Config.QuickThrowOnFailure.WithMaxTest(maxTest).WithQuietOnSuccess(true));

    sealed record Step(HeaderField[] Fields, int[] TableSizes);
}
