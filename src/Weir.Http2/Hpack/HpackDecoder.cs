namespace Weir.Http2.Hpack;

/// <summary>
/// Decodes the header blocks that a peer sends on one connection (RFC 7541 §3), in the order of arrival. Not thread-safe: it belongs to the
/// connection's read loop. After an <see cref="HpackException"/> it must not be used again.
/// </summary>
/// <remarks>
/// The table is emptied, filled and sized by the peer, within <see cref="MaxTableBytes"/>. A literal's memory is allocated only when the
/// header list or the table keeps it, so a block costs at most the list limit plus the table.
/// </remarks>
internal sealed class HpackDecoder
{
    readonly DynamicTable _table;
    readonly StringCache _strings = new();
    readonly int _maxHeaderListBytes;
    int _maxTableBytes;

    // The smallest MaxTableBytes since the last block: the peer must go down to it before it may go up again (RFC 7541 §4.2).
    int _smallestMaxTableBytes;

    /// <param name="maxTableBytes">Capacity that the table starts with, 0 or more; HTTP/2 starts with 4,096 until SETTINGS says
    /// otherwise.</param>
    /// <param name="maxHeaderListBytes">Largest header list that is accepted, as RFC 7541 §4.1 counts: name + value + 32 octets a
    /// field.</param>
    public HpackDecoder(int maxTableBytes, int maxHeaderListBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxTableBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(maxHeaderListBytes);
        _table = new DynamicTable(maxTableBytes);
        _maxTableBytes = maxTableBytes;
        _smallestMaxTableBytes = maxTableBytes;
        _maxHeaderListBytes = maxHeaderListBytes;
    }

    /// <summary>
    /// Our SETTINGS_HEADER_TABLE_SIZE, to be set when the peer has acknowledged it. When it goes below the table's capacity, the next
    /// block must begin with a size update to at most this value (RFC 9113 §4.3.1).
    /// </summary>
    public int MaxTableBytes
    {
        get => _maxTableBytes;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _maxTableBytes = value;
            _smallestMaxTableBytes = Math.Min(_smallestMaxTableBytes, value);
        }
    }

    /// <summary>Octets in the dynamic table, as RFC 7541 §4.1 counts.</summary>
    public int TableSizeBytes => _table.SizeBytes;

    /// <summary>Decodes one complete header block (CONTINUATION already joined) and appends its fields in order.</summary>
    /// <returns>
    /// False when the list is larger than allowed: then <paramref name="fields"/> holds the fields that came before the limit, and the
    /// table is in step with the peer's all the same.
    /// </returns>
    /// <exception cref="HpackException">The block is not valid.</exception>
    public bool Decode(ReadOnlySpan<byte> block, List<HeaderField> fields)
    {
        var reader = new HpackReader(block);
        ReadSizeUpdates(ref reader);

        long listBytes = 0;
        while (!reader.AtEnd)
        {
            // The first octet's top bits say which representation it is (RFC 7541 §6).
            byte first = reader.Next;
            if (first >= 0x80)
                ReadIndexed(ref reader, fields, ref listBytes);
            else if (first >= 0x40)
                ReadLiteralField(ref reader, 6, Indexing.Incremental, fields, ref listBytes);
            else if (first >= 0x20)
                throw new HpackException("A table size update is only allowed at the beginning of a header block, and at most twice.");
            else
                ReadLiteralField(ref reader, 4, first >= 0x10 ? Indexing.Never : Indexing.None, fields, ref listBytes);
        }

        return listBytes <= _maxHeaderListBytes;
    }

    // RFC 7541 §4.2: at most two, the smallest size since the last block and the final one.
    void ReadSizeUpdates(ref HpackReader reader)
    {
        bool isReductionDue = _smallestMaxTableBytes < _table.CapacityBytes;
        for (int i = 0; i < 2 && !reader.AtEnd && (reader.Next & 0xe0) == 0x20; i++)
        {
            int size = reader.ReadInteger(5);
            if (size > _maxTableBytes)
                throw new HpackException($"A table size update to {size} octets is above the allowed {_maxTableBytes}.");
            _table.Resize(size);
            isReductionDue &= size > _smallestMaxTableBytes;
        }

        if (isReductionDue)
        {
            throw new HpackException(
                $"The header block must begin with a table size update to at most {_smallestMaxTableBytes} octets, the limit since the last block.");
        }

        _smallestMaxTableBytes = _maxTableBytes;
    }

    void ReadIndexed(ref HpackReader reader, List<HeaderField> fields, ref long listBytes)
    {
        ref readonly HeaderField field = ref Lookup(reader.ReadInteger(7));
        listBytes += field.Size;
        if (listBytes <= _maxHeaderListBytes)
            fields.Add(field);
    }

    void ReadLiteralField(ref HpackReader reader, int indexBits, Indexing indexing, List<HeaderField> fields, ref long listBytes)
    {
        int nameIndex = reader.ReadInteger(indexBits);
        string? knownName = nameIndex == 0 ? null : Lookup(nameIndex).Name;
        HpackLiteral nameLiteral = nameIndex == 0 ? reader.ReadLiteral() : default;
        HpackLiteral valueLiteral = reader.ReadLiteral();

        long size = (long)(knownName?.Length ?? nameLiteral.Length) + valueLiteral.Length + DynamicTable.EntryOverheadBytes;
        listBytes += size;
        bool isListed = listBytes <= _maxHeaderListBytes;
        bool isStored = indexing == Indexing.Incremental && size <= _table.CapacityBytes;
        if (isListed || isStored)
        {
            string name = knownName ?? _strings.GetOrCreate(nameLiteral);
            string value = indexing == Indexing.None ? _strings.GetOrCreate(valueLiteral) : valueLiteral.ToString();
            if (isListed)
                fields.Add(new HeaderField(name, value, indexing == Indexing.Never));
            if (isStored)
                _table.Insert(new HeaderField(name, value));
        }

        if (indexing == Indexing.Incremental && !isStored)
            _table.Clear(); // a field larger than the table empties it (RFC 7541 §4.4)
    }

    ref readonly HeaderField Lookup(int index)
    {
        if (index == 0)
            throw new HpackException("Index 0 does not name a field.");
        if (index <= StaticTable.Count)
            return ref StaticTable.Get(index);
        int dynamicIndex = index - StaticTable.Count - 1;
        if (dynamicIndex >= _table.Count)
            throw new HpackException($"Index {index} is beyond the tables; the last index is {StaticTable.Count + _table.Count}.");
        return ref _table[dynamicIndex];
    }
}
