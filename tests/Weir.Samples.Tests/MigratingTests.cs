using System.Text.RegularExpressions;

namespace Weir.Samples.Tests;

/// <summary>MIGRATING.md shows code that compiles and runs: each piece of Weir's side is a piece of a sample.</summary>
public sealed partial class MigratingTests
{
    [Fact]
    public async Task Every_piece_of_Weirs_code_is_in_the_sample_that_is_named()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Sample.Root, "MIGRATING.md"), TestContext.Current.CancellationToken);
        var pieces = Piece().Matches(page);
        Assert.Equal(page.Split("**Weir**").Length - 1, pieces.Count); // none that names no file
        foreach (Match piece in pieces)
        {
            var file = Path.Combine(Sample.Root, piece.Groups["file"].Value);
            Assert.Contains(WithoutIndents(piece.Groups["code"].Value), WithoutIndents(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)));
        }
    }

    private static string WithoutIndents(string text) => string.Join('\n', text.Trim().ReplaceLineEndings("\n").Split('\n').Select(line => line.Trim()));

    [GeneratedRegex(@"\*\*Weir\*\* \((?:from )?\[(?<file>[^\]]+)\]\(\k<file>\)\)\s+```(?:csharp|xml)\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Piece();
}
