using System.Globalization;

namespace Weir.Bench;

/// <summary>How many messages each round of a client has.</summary>
internal static class Rounds
{
    public const int Usual = 3;

    private const int MostMessages = 1 << 30;

    /// <summary>Three rounds of so many, or for "-" one for each line of standard input. Null when it is neither.</summary>
    public static IEnumerable<int>? Parse(string count) =>
        count == "-" ? Read() : Number(count) is { } number ? Enumerable.Repeat(number, Usual) : null;

    private static IEnumerable<int> Read()
    {
        while (Console.In.ReadLine() is { } line)
            yield return Number(line) ?? throw new InvalidDataException($"\"{line}\" is not a number of messages from 1 to {MostMessages}");
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value is >= 1 and <= MostMessages ? value : null;
}
