namespace Weir.Cli.Csv;

/// <summary>From a row's position to its line. Only the places where the distance between the two changes are kept, so an orderly file takes
/// one entry whatever its size.</summary>
internal sealed class LineMap(int maxEntries = 65_536)
{
    private readonly List<(long Position, long Distance)> _changes = [];
    private long _last;

    /// <summary>Adds the next row.</summary>
    public void Add(long position, long line)
    {
        if (_changes.Count > 0 && _changes[^1].Distance == line - position)
            _last = position;
        else if (_changes.Count < maxEntries && _last == position - 1)
        {
            _changes.Add((position, line - position));
            _last = position;
        }
    }

    /// <summary>The line of a row; null when it is beyond what the map could hold.</summary>
    public long? Find(long position)
    {
        if (position < 1 || position > _last)
            return null;
        var index = _changes.BinarySearch((position, long.MaxValue));
        return position + _changes[~index - 1].Distance;
    }
}
