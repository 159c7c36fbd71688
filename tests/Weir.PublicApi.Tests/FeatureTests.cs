using System.Text.RegularExpressions;

namespace Weir.PublicApi.Tests;

/// <summary>docs/features.md claims nothing for Weir without a test that is there.</summary>
public sealed partial class FeatureTests
{
    private static readonly string Root = Path.GetFullPath("..", Library.Sources);

    [Fact]
    public void Every_feature_of_Weir_names_its_tests_and_what_Weir_does_not_have_names_none()
    {
        var (features, tests) = Read();
        Assert.NotEmpty(features);
        Assert.Equal(features.Where(feature => feature.Weir != "no").Select(feature => feature.Name), tests.Select(row => row.Feature));
        Assert.All(tests, row => Assert.NotEmpty(row.Tests));
    }

    [Fact]
    public void Every_test_that_is_named_exists()
    {
        var missing = Read().Tests.SelectMany(row => row.Tests).Where(test => !Exists(test)).ToList();
        Assert.True(missing.Count == 0, $"docs/features.md names tests that are not there: {string.Join(", ", missing)}");
    }

    [Fact]
    public void A_test_that_is_not_there_is_noticed()
    {
        Assert.True(Exists("PublicApi/FeatureTests.A_test_that_is_not_there_is_noticed"));
        Assert.False(Exists("PublicApi/FeatureTests.A_test_that_is_not_there"));
        Assert.False(Exists("PublicApi/NoTests.A_test_that_is_not_there_is_noticed"));
        Assert.False(Exists("PublicApi/FeatureTests.Read"));
    }

    private static (List<(string Name, string Weir)> Features, List<(string Feature, string[] Tests)> Tests) Read()
    {
        var page = File.ReadAllText(Path.Combine(Root, "docs", "features.md")).Split("## The tests");
        return (
            [.. Rows(page[0]).Select(cells => (cells[0], cells[1]))],
            [.. Rows(page[1]).Select(cells => (cells[0], Name().Matches(cells[1]).Select(match => match.Groups[1].Value).ToArray()))]);
    }

    /// <summary>The cells of a page's table, below its head.</summary>
    private static IEnumerable<string[]> Rows(string page) => page.Split('\n')
        .Where(line => line.StartsWith("| ", StringComparison.Ordinal))
        .Skip(2)
        .Select(line => line.Trim('|', ' ').Split(" | "));

    /// <summary>Whether a test "project/class.method" is in the tree, with the attribute of one.</summary>
    private static bool Exists(string test)
    {
        var (project, name) = (test.Split('/')[0], test.Split('/')[1].Split('.'));
        var folder = Path.Combine(Root, "tests", $"Weir.{project}.Tests");
        return Directory.EnumerateFiles(folder, name[0] + ".cs", SearchOption.AllDirectories).Any(file => IsTest(File.ReadAllText(file), name[1]));
    }

    private static bool IsTest(string file, string method)
    {
        var declaration = Regex.Match(file.ReplaceLineEndings("\n"), $@"public (async )?(Task|void|ValueTask) {Regex.Escape(method)}\(");
        var before = file.ReplaceLineEndings("\n")[..declaration.Index];
        var attributes = before[(before.LastIndexOf("\n\n", StringComparison.Ordinal) + 1)..];
        return declaration.Success && (attributes.Contains("[Fact", StringComparison.Ordinal) || attributes.Contains("[Theory", StringComparison.Ordinal));
    }

    [GeneratedRegex("`([A-Za-z0-9]+/[A-Za-z0-9]+\\.[A-Za-z0-9_]+)`")]
    private static partial Regex Name();
}
