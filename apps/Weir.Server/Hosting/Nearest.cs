namespace Weir.Server.Hosting;

/// <summary>Finds the word that somebody meant.</summary>
internal static class Nearest
{
    /// <summary>The known word that is nearest to one that is not known, with the case of letters left out; null when none is close: more than a third
    /// of the letters would have to change.</summary>
    public static string? Find(string word, IEnumerable<string> known)
    {
        string? best = null;
        var least = Math.Max(1, word.Length / 3) + 1;
        foreach (var candidate in known)
        {
            var changes = Changes(word.ToUpperInvariant(), candidate.ToUpperInvariant());
            if (changes < least)
                (best, least) = (candidate, changes);
        }

        return best;
    }

    /// <summary>How many letters must be put in, left out, changed or swapped with their neighbour to make one word the other.</summary>
    public static int Changes(string from, string to)
    {
        // Rows of the table of prefixes: two before, the one before, this one.
        int[] older = [], row = [.. Enumerable.Range(0, to.Length + 1)];
        for (var i = 1; i <= from.Length; i++)
        {
            var next = new int[to.Length + 1];
            next[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var same = from[i - 1] == to[j - 1] ? 0 : 1;
                next[j] = Math.Min(Math.Min(row[j], next[j - 1]) + 1, row[j - 1] + same);
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                    next[j] = Math.Min(next[j], older[j - 2] + 1);
            }

            (older, row) = (row, next);
        }

        return row[to.Length];
    }
}
