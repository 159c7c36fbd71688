using System.Buffers;
using System.Text;

namespace Weir.Http2.Hpack;

/// <summary>
/// Encodes the header blocks of one connection (RFC 7541 §6), in the order in which they go out: a block that was encoded must be sent.
/// Not thread-safe: it belongs to whoever holds the connection's output.
/// </summary>
internal sealed class HpackEncoder
{
    /// <summary>The table never gets larger than this, whatever the peer allows.</summary>
    public const int MaxOwnTableBytes = 4096;

    static readonly SearchValues<char> Octets = SearchValues.Create([.. Enumerable.Range(0, 256).Select(octet => (char)octet)]);

    readonly DynamicTable _table;
    readonly FieldLookup _lookup;

    // What the next block must announce: the smallest capacity since the last block and the final one.
    int _smallestCapacityBytes;
    int _finalCapacityBytes;

    /// <param name="maxTableBytes">
    /// Capacity that the peer's table starts with, 0 or more (HTTP/2: 4,096). When it is above <see cref="MaxOwnTableBytes"/>, the first
    /// block announces that.
    /// </param>
    public HpackEncoder(int maxTableBytes)
    {
        _table = new DynamicTable(maxTableBytes);
        _lookup = new FieldLookup(_table);
        _smallestCapacityBytes = _finalCapacityBytes = Math.Min(maxTableBytes, MaxOwnTableBytes);
    }

    /// <summary>Takes the peer's SETTINGS_HEADER_TABLE_SIZE; the next block announces the change (RFC 7541 §4.2).</summary>
    public void SetMaxTableBytes(int maxTableBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxTableBytes);
        _finalCapacityBytes = Math.Min(maxTableBytes, MaxOwnTableBytes);
        _smallestCapacityBytes = Math.Min(_smallestCapacityBytes, _finalCapacityBytes);
    }

    /// <summary>Writes one complete header block. Nothing is written, and the table is as before, when a field is not valid.</summary>
    /// <exception cref="ArgumentException">A name or value contains a char above 255.</exception>
    public void Encode(ReadOnlySpan<HeaderField> fields, IBufferWriter<byte> output)
    {
        Check(fields);
        WriteSizeUpdates(output);
        foreach (ref readonly HeaderField field in fields)
            WriteField(field, output);
    }

    /// <summary>Throws what <see cref="Encode"/> would, so that fields can be kept and encoded later.</summary>
    /// <exception cref="ArgumentException">A name or value contains a char above 255.</exception>
    public static void Check(ReadOnlySpan<HeaderField> fields)
    {
        foreach (ref readonly HeaderField field in fields)
            CheckOctets(field);
    }

    static void CheckOctets(in HeaderField field)
    {
        if (field.Name.AsSpan().ContainsAnyExcept(Octets) || field.Value.AsSpan().ContainsAnyExcept(Octets))
            throw new ArgumentException($"The field '{field.Name}' contains a char above 255; each char of a field stands for one octet.");
    }

    static int WriteString(Span<byte> destination, string text)
    {
        int huffmanLength = HuffmanEncoder.GetLength(text);
        int written;
        if (huffmanLength < text.Length)
        {
            written = HpackInteger.Write(destination, 0x80, 7, huffmanLength);
            return written + HuffmanEncoder.Encode(text, destination.Slice(written, huffmanLength));
        }

        written = HpackInteger.Write(destination, 0, 7, text.Length);
        return written + Encoding.Latin1.GetBytes(text, destination[written..]);
    }

    void WriteSizeUpdates(IBufferWriter<byte> output)
    {
        if (_smallestCapacityBytes < Math.Min(_table.CapacityBytes, _finalCapacityBytes))
            WriteSizeUpdate(_smallestCapacityBytes, output);
        if (_table.CapacityBytes != _finalCapacityBytes)
            WriteSizeUpdate(_finalCapacityBytes, output);
        _smallestCapacityBytes = _finalCapacityBytes;
    }

    void WriteSizeUpdate(int capacityBytes, IBufferWriter<byte> output)
    {
        _table.Resize(capacityBytes);
        WriteInteger(0x20, 5, capacityBytes, output);
    }

    void WriteField(in HeaderField field, IBufferWriter<byte> output)
    {
        int nameIndex = StaticTable.FindName(field.Name);
        Indexing indexing = IndexingPolicy.Choose(field, _table.CapacityBytes);
        int index = indexing == Indexing.Never ? 0 : FindField(field, nameIndex);
        if (index != 0)
        {
            WriteInteger(0x80, 7, index, output);
            return;
        }

        if (nameIndex == 0 && _lookup.FindName(field.Name) is >= 0 and int place)
            nameIndex = StaticTable.Count + 1 + place;
        WriteLiteral(field, nameIndex, indexing, output);
        if (indexing == Indexing.Incremental)
        {
            _table.Insert(field);
            _lookup.AddNewest();
        }
    }

    int FindField(in HeaderField field, int staticNameIndex)
    {
        int index = StaticTable.FindValue(staticNameIndex, field.Name, field.Value);
        if (index != 0)
            return index;
        int place = _lookup.FindField(field.Name, field.Value);
        return place < 0 ? 0 : StaticTable.Count + 1 + place;
    }

    static void WriteInteger(byte pattern, int prefixBits, int value, IBufferWriter<byte> output)
    {
        Span<byte> destination = output.GetSpan(HpackInteger.MaxOctets);
        output.Advance(HpackInteger.Write(destination, pattern, prefixBits, value));
    }

    static void WriteLiteral(in HeaderField field, int nameIndex, Indexing indexing, IBufferWriter<byte> output)
    {
        (byte pattern, int prefixBits) = indexing switch
        {
            Indexing.Incremental => ((byte)0x40, 6),
            Indexing.Never => ((byte)0x10, 4),
            _ => ((byte)0x00, 4),
        };
        int nameLength = nameIndex == 0 ? field.Name.Length : 0;
        Span<byte> destination = output.GetSpan(checked(3 * HpackInteger.MaxOctets + nameLength + field.Value.Length));
        int written = HpackInteger.Write(destination, pattern, prefixBits, nameIndex);
        if (nameIndex == 0)
            written += WriteString(destination[written..], field.Name);
        written += WriteString(destination[written..], field.Value);
        output.Advance(written);
    }
}
