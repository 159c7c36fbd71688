namespace Weir.PublicApi.Tests;

/// <summary>The public API of each library is a file in the tree, so that a change of it is seen where it is made.</summary>
public sealed class BaselineTests
{
    private const string Renew = "WEIR_RENEW_PUBLIC_API=1 ./test PublicApi";

    public static IEnumerable<TheoryDataRow<string>> Libraries => Library.All.Select(library => new TheoryDataRow<string>(library.Name));

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Public_api_is_what_the_baseline_says(string name)
    {
        var library = new Library(name);
        var now = ApiText.Of(library.Assembly);
        if (Environment.GetEnvironmentVariable("WEIR_RENEW_PUBLIC_API") == "1")
            File.WriteAllLines(library.Baseline, now);
        Assert.True(File.Exists(library.Baseline), $"{library.Baseline} is missing; make it with: {Renew}");
        var before = File.ReadAllLines(library.Baseline);

        var difference = before.Except(now).Select(line => "- " + line).Concat(now.Except(before).Select(line => "+ " + line)).ToList();
        Assert.True(
            difference.Count == 0,
            $"The public API of {name} is not what {library.Baseline} says. If the change is meant, renew it with: {Renew}\n{string.Join('\n', difference)}");
        Assert.Equal(before, now); // the order too, and no line twice
    }
}
