namespace Weir.Http2.Hpack;

/// <summary>
/// Finds entries of an encoder's <see cref="DynamicTable"/> by name and by name and value, in constant time. Each bucket is a chain of
/// entry numbers from the newest to the oldest; eviction takes the oldest, so a chain simply ends at the first number that is no longer in
/// the table, and evicting needs no work here. Not thread-safe.
/// </summary>
internal sealed class FieldLookup(DynamicTable table)
{
    /// <summary>Entries that the table may hold at once.</summary>
    public const int MaxEntries = 128;

    const int Mask = MaxEntries - 1;
    const long None = -1;

    readonly long[] _newestByField = CreateBuckets();
    readonly long[] _newestByName = CreateBuckets();
    readonly long[] _olderOfField = new long[MaxEntries];
    readonly long[] _olderOfName = new long[MaxEntries];

    /// <summary>Place in the table of the newest entry with this name and value, or -1.</summary>
    public int FindField(string name, string value)
    {
        for (long number = _newestByField[FieldBucket(name, value)]; IsInTable(number); number = _olderOfField[number & Mask])
        {
            int place = PlaceOf(number);
            if (table[place].Value == value && table[place].Name == name)
                return place;
        }

        return -1;
    }

    /// <summary>Place in the table of the newest entry with this name, or -1.</summary>
    public int FindName(string name)
    {
        for (long number = _newestByName[NameBucket(name)]; IsInTable(number); number = _olderOfName[number & Mask])
        {
            int place = PlaceOf(number);
            if (table[place].Name == name)
                return place;
        }

        return -1;
    }

    /// <summary>Takes the newest entry of the table into the look-up; to be called after each insertion.</summary>
    public void AddNewest()
    {
        long number = table.InsertedCount - 1;
        ref readonly HeaderField field = ref table[0];
        ref long newestOfField = ref _newestByField[FieldBucket(field.Name, field.Value)];
        ref long newestOfName = ref _newestByName[NameBucket(field.Name)];
        _olderOfField[number & Mask] = newestOfField;
        _olderOfName[number & Mask] = newestOfName;
        newestOfField = number;
        newestOfName = number;
    }

    static int NameBucket(string name) => name.GetHashCode() & Mask;

    static int FieldBucket(string name, string value) => (name.GetHashCode() * 31 + value.GetHashCode()) & Mask;

    static long[] CreateBuckets()
    {
        var buckets = new long[MaxEntries];
        Array.Fill(buckets, None);
        return buckets;
    }

    bool IsInTable(long number) => number >= table.InsertedCount - table.Count && number != None;

    int PlaceOf(long number) => (int)(table.InsertedCount - 1 - number);
}
